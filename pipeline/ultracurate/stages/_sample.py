"""One file's bytes as the columns of a sample: format, geometry, timing, digest, and for stills what they show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ultracurate.core.errors import RowError
from ultracurate.core.layout import PICTURE_ENDINGS, LayoutRule, ending_of
from ultracurate.core.stage import Reject, Row

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ultracurate.decoding.media import MediaInfo, Reading, Region

HEAD = 4096

PROBLEMS = {
    "empty": "Fewer than 1,000 non-zero pixels.",
    "constant": "All pixels have one value.",
    "tiny": "A side is shorter than 32 pixels.",
    "over_compressed": "So little was stored of it that blocks of the coder stand in place of speckle.",
    "not_ultrasound": "It looks like something else: a photograph, a chart, a program's window, another modality.",
}
"""Why a picture is not worth keeping, as `imaging.quality` and `imaging.modality` say it."""

SET_ASIDE = {
    "rf_data": "Radio-frequency lines before envelope detection: a signal, not a picture.",
    "iq_data": "Demodulated in-phase and quadrature samples: a signal, not a picture.",
    "mask": "A mask: it annotates a picture and is no picture of its own.",
}
"""Why a readable array is no picture, as `decoding.radio` and `decoding.volumes` say it."""


def reading_of(rule: LayoutRule | None) -> Reading | None:
    """What the layout rule says about how to read its files; None: nothing."""
    from ultracurate.decoding.media import Reading

    if rule is None or rule.kind not in ("image", "clip", "volume"):
        return None
    return Reading(kind=rule.kind, array=rule.array, axis=rule.axis, fps=rule.fps)


def regions_of(row: Row) -> tuple[Region, ...]:
    """The calibrated areas that the header of a sample's file names, from its column `regions`."""
    from ultracurate.decoding.media import Region

    plain = json.loads(row.get("regions") or "[]")
    return tuple(Region(**{**area, "box": tuple(area["box"])}) for area in plain)


def describe(data: bytes, path: str, rule: LayoutRule | None, *, keep_foreign: bool) -> Row | Reject:
    """The columns of a sample and `group_hint`, or why it is none; a still is decoded once, a video not at all.

    Args:
        data: the encoded file.
        path: as layout rules see it; only its ending is used.
        rule: the layout rule that the file falls under.
        keep_foreign: keep what does not look like ultrasound.
    """
    from ultracurate.decoding.decode import probe, sniff
    from ultracurate.decoding.media import PLAIN

    if not data:
        raise RowError(
            "Expected a picture, found an empty file (0 bytes). Fetch it again, or ignore it in the manifest"
        )
    ending = ending_of(path)
    form = sniff(data[:HEAD], path)
    if form is None:
        if ending not in PICTURE_ENDINGS:
            return Reject("unsupported_format", ending)
        raise RowError(
            f"Expected {ending}, as the file's name says, found other content. Check the file, "
            "or ignore it in the manifest"
        )
    reading = reading_of(rule)
    info = probe(data, form, reading or PLAIN)
    if info.modality_tag not in (None, "US", "IVUS"):
        return Reject("not_ultrasound", f"the DICOM header says modality {info.modality_tag}")
    if info.set_aside:
        return Reject(info.set_aside, f"{info.format}, {info.width} x {info.height} x {info.frames}")
    seen = _still(data, info, reading or PLAIN, keep_foreign) if info.media == "image" else _moving(data, info, reading)
    if isinstance(seen, Reject):
        return seen
    return {
        "format": form,
        "media": info.media,
        "width": info.width,
        "height": info.height,
        "frames": info.frames,
        "fps": info.fps,
        "spacing_x": info.spacing_x,
        "spacing_y": info.spacing_y,
        "spacing_z": info.spacing_z,
        "reading": json.dumps(asdict(reading), sort_keys=True) if reading else None,
        "regions": json.dumps([asdict(area) for area in info.regions], sort_keys=True) if info.regions else None,
        "group_hint": info.group_hint,
        **seen,
    }


def _still(data: bytes, info: MediaInfo, reading: Reading, keep_foreign: bool) -> Row | Reject:
    from ultracurate.decoding.decode import decode_image, pixel_digest
    from ultracurate.imaging.look import look
    from ultracurate.imaging.quality import Problem

    image = decode_image(data, info.format, reading)
    seen = look(image, regions=info.regions, encoded_bytes=len(data), fmt=info.format, keep_foreign=keep_foreign)
    if isinstance(seen, Problem):
        return Reject(seen.reason, f"{seen.detail or f'{info.width} x {info.height}'}; score {seen.score:.2f}")
    return {
        "channels": 3 if image.ndim == 3 else 1,
        "seen": json.dumps(seen.columns(), sort_keys=True),
        "pixel_sha256": pixel_digest([image]),
    }


def _moving(data: bytes, info: MediaInfo, reading: Reading | None) -> Row:
    from ultracurate.decoding.decode import VIDEOS, iter_frames, pixel_digest
    from ultracurate.decoding.media import PLAIN
    from ultracurate.decoding.video import packet_digest

    if info.format in VIDEOS:  # `frames` decodes it, and notices damage inside
        return {"channels": info.channels, "pixel_sha256": packet_digest(data, info.format)}
    colour: list[bool] = []
    digest = pixel_digest(_watch(iter_frames(data, info.format, reading or PLAIN), colour))
    if not colour:
        raise RowError(f"{info.format}: no frame could be decoded")
    return {"channels": 3 if any(colour) else 1, "pixel_sha256": digest, "frames": len(colour)}


def _watch(frames: Iterator[Any], colour: list[bool]) -> Iterator[NDArray[Any]]:
    """The arrays of `frames` on their way to the digest; notes for each whether it has colour."""
    for _, _, array in frames:
        colour.append(array.ndim == 3)
        yield array
