"""What goes over the pipes between a worker and the process that decodes for it: no pickles, only JSON and numbers."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from ultracurate.core.errors import RowError
from ultracurate.decoding.levels import U8
from ultracurate.decoding.limits import check_size
from ultracurate.decoding.media import MediaInfo, Region

_HEAD = struct.Struct("<cQ")
_FRAME = struct.Struct("<QdIIB")
_MAX_TEXT = 16 << 20

# One byte says what a message is. To the child: a request, its file, the next frame, no more frames, an answer.
REQUEST, FILE, NEXT, STOP, ANSWER = b"R", b"D", b"N", b"S", b"A"
# From the child: it is there, facts, is this frame wanted, a frame, the end, an error.
READY, FACTS, WANTED, FRAME, END, ERROR = b"Y", b"F", b"W", b"P", b"E", b"X"


def head(kind: bytes, length: int) -> bytes:
    """What stands before a body of so many bytes."""
    return _HEAD.pack(kind, length)


def pack(kind: bytes, body: bytes = b"") -> bytes:
    """One message: its kind, the length of its body, its body."""
    return head(kind, len(body)) + body


def unpack(read: Callable[[int], bytes], most: int = _MAX_TEXT) -> tuple[bytes, bytes]:
    """The next message as (kind, body); `read` gives exactly as many bytes as asked for.

    Raises:
        RowError: a body of more than `most` bytes, which no honest process sends.
    """
    kind, length = _HEAD.unpack(read(_HEAD.size))
    if length > most:
        raise RowError(f"expected a message of at most {most} bytes from the decoding process, found {length}")
    return kind, read(length)


def pack_frame(index: int, time_s: float | None, image: U8) -> bytes:
    """A frame (H, W) or (H, W, 3) with its number and time."""
    channels = image.shape[2] if image.ndim == 3 else 1
    head = _FRAME.pack(index, math.nan if time_s is None else time_s, image.shape[0], image.shape[1], channels)
    return pack(FRAME, head + np.ascontiguousarray(image).tobytes())


def unpack_frame(body: bytes, fmt: str) -> tuple[int, float | None, U8]:
    """The frame in a message; what the child says is checked as if it came from the file.

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
    return pack(FACTS, json.dumps(asdict(info)).encode())


def unpack_facts(body: bytes) -> MediaInfo:
    """The facts in a message."""
    fields: dict[str, Any] = json.loads(body)
    regions = tuple(Region(**{**region, "box": tuple(region["box"])}) for region in fields.pop("regions", []))
    return MediaInfo(**fields, regions=regions)
