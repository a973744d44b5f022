"""Facts and frames as bytes between two processes: no pickles, only JSON and numbers."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import asdict
from typing import Any

import numpy as np

from ultracurate.core.errors import RowError
from ultracurate.decoding.levels import U8
from ultracurate.decoding.limits import MAX_PIXELS, check_size
from ultracurate.decoding.media import MediaInfo, Region

_FRAME = struct.Struct("<QdIIB")

MOST = 3 * MAX_PIXELS + _FRAME.size
"""Bytes of the largest frame."""


def pack_frame(index: int, time_s: float | None, image: U8) -> tuple[bytes, memoryview]:
    """A frame (H, W) or (H, W, 3) with its number and time, in two parts."""
    channels = image.shape[2] if image.ndim == 3 else 1
    head = _FRAME.pack(index, math.nan if time_s is None else time_s, image.shape[0], image.shape[1], channels)
    return head, np.ascontiguousarray(image).reshape(-1).data


def unpack_frame(body: bytes, fmt: str) -> tuple[int, float | None, U8]:
    """The frame in a message; what the other process says is checked as if it came from the file.

    Raises:
        RowError: sizes above the limits or bytes that do not fit them.
    """
    if len(body) < _FRAME.size:
        raise RowError(f"{fmt}: expected a frame from the decoding process, found {len(body)} bytes")
    index, time_s, height, width, channels = _FRAME.unpack_from(body)
    check_size(width, height, 1, fmt)
    if channels not in (1, 3) or len(body) != _FRAME.size + width * height * channels:
        raise RowError(f"{fmt}: expected a frame of {width} x {height}, found {len(body)} bytes")
    shape = (height, width) if channels == 1 else (height, width, channels)
    image = np.frombuffer(body, np.uint8, offset=_FRAME.size).reshape(shape)
    return index, None if math.isnan(time_s) else time_s, image


def pack_facts(info: MediaInfo) -> bytes:
    """The facts of a file."""
    return json.dumps(asdict(info)).encode()


def unpack_facts(body: bytes) -> MediaInfo:
    """The facts in a message."""
    fields: dict[str, Any] = json.loads(body)
    regions = tuple(Region(**{**region, "box": tuple(region["box"])}) for region in fields.pop("regions", []))
    return MediaInfo(**fields, regions=regions)
