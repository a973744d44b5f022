"""NIfTI, MetaImage and NRRD: volumes, sequences and pictures, with their spacing, as 8-bit frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ultracurate.core.errors import RowError
from ultracurate.decoding._arrays.grid import Arranged, Companion, Grid, arrange
from ultracurate.decoding._arrays.planes import check_planes, describe, even_times, frames, media_of, set_aside
from ultracurate.decoding.levels import U8
from ultracurate.decoding.limits import decoding
from ultracurate.decoding.media import PLAIN, MediaInfo, Reading

if TYPE_CHECKING:
    from ultracurate.decoding.pictures import Wanted

__all__ = ["Companion", "iter_volume", "probe_volume"]


def probe_volume(data: bytes, fmt: str, reading: Reading = PLAIN, companion: Companion | None = None) -> MediaInfo:
    """Facts of a volume, a sequence or a picture.

    The values are unpacked and looked at, because headers do not tell a label map or an RF signal from a picture.

    Args:
        data: the file; of a NIfTI pair, the header followed by the image.
        fmt: nifti, mha or nrrd.
        reading: `axis` counts the axes of the header from 0, the fastest first; `kind` and `fps` decide about time
            where the file does not. Several pictures are a volume by default; with a time axis and no slices, with
            fields for each frame (PLUS) or listed (Slicer), a clip.
        companion: gives the bytes of the data file that a detached header names.

    Raises:
        RowError: damaged, truncated, too large, or values in a file that is out of reach.
        MissingExtraError: nibabel or pynrrd is not installed.
    """
    with decoding(fmt):
        grid, arranged = _read(data, fmt, reading, companion)
        aside = grid.aside or set_aside(arranged.planes)
        spacing = arranged.spacing
        return describe(arranged.planes, fmt, reading, arranged.default, fps=grid.fps, aside=aside, spacing=spacing)


def iter_volume(
    data: bytes, fmt: str, wanted: Wanted, reading: Reading = PLAIN, companion: Companion | None = None
) -> Iterator[tuple[int, float | None, U8]]:
    """The wanted pictures as (index, seconds or None, (H, W) or (H, W, 3) uint8 RGB); see `probe_volume`.

    Rows run along the second fastest axis, columns along the fastest. One scaling for the whole file.
    """
    grid, arranged = _read(data, fmt, reading, companion)
    if grid.aside in ("rf_data", "iq_data"):
        raise RowError(f"{fmt}: expected pictures, found a signal ({grid.aside})")
    yield from frames(arranged.planes, _times(grid, arranged, reading), wanted, fmt)


def _read(data: bytes, fmt: str, reading: Reading, companion: Companion | None) -> tuple[Grid, Arranged]:
    # Imported where needed: a file of one format must not ask for the packages of the others.
    if fmt == "nifti":
        from ultracurate.decoding._arrays.nifti import read_nifti

        grid = read_nifti(data)
    elif fmt == "nrrd":
        from ultracurate.decoding._arrays.nrrd import read_nrrd

        grid = read_nrrd(data, companion)
    else:
        from ultracurate.decoding._arrays.metaimage import read_metaimage

        grid = read_metaimage(data, companion)
    arranged = arrange(grid, reading, fmt)
    check_planes(arranged.planes, len(data), fmt)
    return grid, arranged


def _times(grid: Grid, arranged: Arranged, reading: Reading) -> Sequence[float | None]:
    count = arranged.planes.count
    media = media_of(count, reading.kind, arranged.default)
    if media == "clip" and grid.times is not None and len(grid.times) == count:
        return grid.times
    # Slices at all times after each other are several clips in one: no time of the file would be true.
    single = grid.time is None or count == grid.values.shape[grid.time]
    return even_times(count, (reading.fps or grid.fps) if single else None, media)
