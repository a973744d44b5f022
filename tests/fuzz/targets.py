"""Everything that is called with a stranger's bytes, by family; each call must end in an answer or in a row error."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, cast

import numpy as np

from tests.fuzz.corpus import Seed
from ultracurate.archives.nested import walk_members
from ultracurate.archives.reading import ArchiveLimits, is_archive, iter_members
from ultracurate.core.errors import MissingExtraError, RowError
from ultracurate.decoding.annotations import draw, mask_pixels, parse, recognise
from ultracurate.decoding.decode import FORMATS, VIDEOS, decode_image, iter_frames, probe, read_frames
from ultracurate.decoding.limits import MAX_FRAMES, MAX_PIXELS
from ultracurate.decoding.media import HEAD_BYTES, PLAIN, Media, MediaInfo, Reading, sniff
from ultracurate.imaging.look import look

Draws = np.random.Generator
Call = tuple[str, Callable[[], None]]
"""Name of an entry, and a call of it."""

LIMITS = ArchiveLimits(max_members=2000, max_member_bytes=64 << 20, max_total_bytes=256 << 20)


class OracleError(AssertionError):
    """An answer that no file may give."""


def calls(seed: Seed, data: bytes, rng: Draws) -> Iterator[Call]:
    """The entries that a file of the seed's family can reach."""
    if seed.family == "decode":
        named = sniff(data[:HEAD_BYTES], seed.name)
        for fmt in {seed.kind: None, named: None} if named in FORMATS else {seed.kind: None}:
            yield from _decoding(str(fmt), data, seed, rng)
    elif seed.family == "container":
        yield f"container {seed.kind}", lambda: _members(data, seed.name)
        yield f"nested {seed.kind}", lambda: _walk(data, seed.name)
    elif seed.family == "annotations":
        for form in {seed.kind, "mask", "indexed_mask"} if "mask" in seed.kind else {seed.kind}:
            yield f"annotations {form}", lambda form=form: _annotations(data, form)  # type: ignore[misc]
    else:
        yield "table", lambda: _table(data)


def _decoding(fmt: str, data: bytes, seed: Seed, rng: Draws) -> Iterator[Call]:
    reading = PLAIN
    if rng.random() < 0.3:
        kind: Any = rng.choice(["image", "clip", "volume", "stack"])
        axis = int(rng.integers(0, 5)) if rng.random() < 0.5 else None
        array = "study/frames" if rng.random() < 0.2 else None
        reading = Reading(kind=cast("Media", str(kind)), axis=axis, array=array, fps=30.0)
    facts = _Facts()
    yield f"probe {fmt}", lambda: facts.note(probe(data, fmt, reading))
    yield f"decode_image {fmt}", lambda: _check(decode_image(data, fmt, reading), fmt)
    yield f"iter_frames {fmt}", lambda: _frames(data, fmt, reading, facts)
    if rng.random() < 0.1:
        yield f"look {fmt}", lambda: _look(data, fmt)
        yield f"metadata {fmt}", lambda: _metadata(data, fmt)
        yield f"read_frames {fmt}", lambda: _some(data, fmt, reading)
    if fmt in VIDEOS:
        from ultracurate.decoding.video import packet_digest, video_times

        yield f"packet_digest {fmt}", lambda: _word(packet_digest(data, fmt))
        yield f"video_times {fmt}", lambda: _word(str(len(video_times(data, fmt))))
    if fmt == "dicom":
        from ultracurate.decoding.dicom import cardiac_times, identifying, technical

        for entry in (cardiac_times, identifying, technical):
            yield f"{entry.__name__} dicom", lambda entry=entry: _word(repr(entry(data)))  # type: ignore[misc]
    if seed.beside and fmt in ("mha", "nrrd"):
        yield f"companion {fmt}", lambda: _with_companion(data, fmt, seed, rng)


@dataclass
class _Facts:
    """What `probe` said, for comparison with what was decoded."""

    info: MediaInfo | None = None

    def note(self, info: MediaInfo) -> None:
        if not (0 < info.width <= 16_384 and 0 < info.height <= 16_384 and 0 < info.frames <= MAX_FRAMES):
            raise OracleError(f"probe let {info.width} x {info.height} x {info.frames} through")
        if info.channels not in (1, 3) or info.media not in ("image", "clip", "volume", "stack"):
            raise OracleError("probe answers out of its words")
        for value in (info.fps, info.spacing_x, info.spacing_y, info.spacing_z):
            if value is not None and not 0 < value < float("inf"):
                raise OracleError(f"a rate or spacing of {value}")
        for region in info.regions:
            x0, y0, x1, y1 = region.box
            if not (0 <= x0 < x1 <= info.width and 0 <= y0 < y1 <= info.height):
                raise OracleError("a region outside of the picture")
        self.info = info


def _check(image: Any, fmt: str) -> None:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or not image.flags.c_contiguous:
        raise OracleError(f"{fmt}: no contiguous uint8 array")
    if not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)) or 0 in image.shape:
        raise OracleError(f"{fmt}: a picture of shape {image.shape}")
    if image.shape[0] * image.shape[1] > MAX_PIXELS:
        raise OracleError(f"{fmt}: more pixels than allowed")


def _frames(data: bytes, fmt: str, reading: Reading, facts: _Facts) -> None:
    count, last, shape = -1, -1.0, None
    for index, time_s, image in iter_frames(data, fmt, reading):
        _check(image, fmt)
        count += 1
        if index != count:
            raise OracleError(f"{fmt}: frame {index} in the place of {count}")
        if time_s is not None:
            if not last <= time_s < float("inf"):
                raise OracleError(f"{fmt}: times go back: {last}, {time_s}")
            last = time_s
        shape = image.shape[:2]
    info = facts.info
    if info is not None and shape is not None and fmt not in VIDEOS and count + 1 != info.frames:
        raise OracleError(f"{fmt}: probe says {info.frames} frames, {count + 1} were decoded")
    if info is not None and shape is not None and shape != (info.height, info.width):
        raise OracleError(f"{fmt}: probe says {info.height} x {info.width}, decoded are {shape}")


def _some(data: bytes, fmt: str, reading: Reading) -> None:
    for _, _, image in read_frames(data, fmt, lambda index, _: index % 2 == 1, reading):
        _check(image, fmt)
    list(islice(iter_frames(data, fmt, reading), 1))  # left early


def _look(data: bytes, fmt: str) -> None:
    look(decode_image(data, fmt), encoded_bytes=len(data), fmt=fmt)


def _metadata(data: bytes, fmt: str) -> None:
    from ultracurate.decoding.metadata import metadata_kinds

    metadata_kinds(data, fmt)


def _with_companion(data: bytes, fmt: str, seed: Seed, rng: Draws) -> None:
    from ultracurate.decoding.volumes import iter_volume, probe_volume

    asked: list[str] = []
    beside = seed.beside[: int(rng.integers(len(seed.beside) + 1))] if rng.random() < 0.3 else seed.beside

    def companion(name: str) -> bytes:
        asked.append(name)
        return beside

    probe_volume(data, fmt, PLAIN, companion)
    for _, _, image in iter_volume(data, fmt, lambda index, _: True, PLAIN, companion):
        _check(image, fmt)
    for name in asked:
        if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/"):
            raise OracleError(f"{fmt}: a companion outside of its folder was asked for")


def _word(word: str) -> None:
    if len(word) > 1_000_000:
        raise OracleError("an answer of more than a megabyte")


def _members(data: bytes, name: str) -> None:
    is_archive(name, data[:HEAD_BYTES])
    total = 0
    for member in iter_members(io.BytesIO(data), name, LIMITS):
        if not member.problem:
            total += len(member.read())
            if member.path.startswith("/") or ".." in member.path.split("/"):
                raise OracleError("a member that leads out of its archive is called good")
    if total > LIMITS.max_total_bytes:
        raise OracleError("more bytes than allowed")


def _walk(data: bytes, name: str) -> None:
    """With the archives that lie in the archive; a member that fails is an `error`, not the end."""
    total = 0
    for member in walk_members(io.BytesIO(data), name, LIMITS, Path(tempfile.gettempdir())):
        if member.problem or member.error:
            continue
        with contextlib.suppress(RowError, MissingExtraError):
            total += len(member.read())
    if total > LIMITS.max_total_bytes:
        raise OracleError("more bytes than allowed")


def _annotations(data: bytes, form: str) -> None:
    recognise(data)
    for one in parse(data, form).found:
        one.geometry()
        width, height = one.size or (64, 64)
        if width * height <= 1 << 20:
            draw(one, width, height)
        if one.rule:
            mask_pixels(data, one.rule)


def _table(data: bytes) -> None:
    from ultracurate.core.dataset import TableJoin
    from ultracurate.stages import _tables

    _tables._pick(data, TableJoin(file="t.csv", key="key", on="{file}", columns=["value"]))


__all__ = ["Call", "OracleError", "calls"]
