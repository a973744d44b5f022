"""NumPy, MATLAB and HDF5 files: the array that holds pictures, as 8-bit frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ultracurate.decoding._arrays.apart import iter_apart, probe_apart
from ultracurate.decoding._arrays.mat import mat_arrays
from ultracurate.decoding._arrays.npy import npy_arrays
from ultracurate.decoding._arrays.stored import Stored, iter_stored, probe_stored
from ultracurate.decoding.levels import U8
from ultracurate.decoding.limits import decoding
from ultracurate.decoding.media import PLAIN, MediaInfo, Reading

if TYPE_CHECKING:
    from ultracurate.decoding.pictures import Wanted

_HDF5 = b"\x89HDF\r\n\x1a\n"
_MATLAB_HEADER = 512  # before the HDF5 part of a MATLAB 7.3 file


def probe_array(data: bytes, fmt: str, reading: Reading = PLAIN) -> MediaInfo:
    """Facts of a file of arrays; some pictures are read, because only values tell a picture from a signal or a mask.

    Shapes: (H, W), (N, H, W), (H, W, 3), (N, H, W, 3), (N, 3, H, W), and in MATLAB, which counts columns first,
    (H, W), (H, W, N), (H, W, 3), (H, W, 3, N). Several pictures are a stack, unless the manifest calls them a clip or
    a volume. `set_aside` tells RF and IQ signals and label maps.

    Args:
        data: the file.
        fmt: npy, npz, mat or hdf5.
        reading: `array` names the array ("group/name", in MATLAB "name/field"), without it there must be only one of
            a picture's shape; `axis` counts as the language does that wrote the file, from 0.

    Raises:
        RowError: damaged, truncated, too large, no array of pictures or several, or Python objects.
        MissingExtraError: HDF5 or MATLAB 7.3 without h5py.
    """
    if _is_hdf5(data, fmt):
        return probe_apart(data, fmt, reading)
    with decoding(fmt):
        return probe_stored(_arrays(data, fmt), len(data), fmt, reading)


def iter_array(
    data: bytes, fmt: str, wanted: Wanted, reading: Reading = PLAIN
) -> Iterator[tuple[int, float | None, U8]]:
    """The wanted pictures as (index, seconds or None, (H, W) or (H, W, 3) uint8 RGB); see `probe_array`.

    One scaling for the whole array, see `levels.to_8bit`; seconds only for a clip whose `fps` the manifest says.
    """
    if _is_hdf5(data, fmt):
        yield from iter_apart(data, fmt, wanted, reading)
    else:
        yield from iter_stored(_arrays(data, fmt), len(data), fmt, wanted, reading)


def _arrays(data: bytes, fmt: str) -> list[Stored]:
    return mat_arrays(data) if fmt == "mat" else npy_arrays(data, fmt)


def _is_hdf5(data: bytes, fmt: str) -> bool:
    return fmt == "hdf5" or (fmt == "mat" and data[_MATLAB_HEADER : _MATLAB_HEADER + 8] == _HDF5)
