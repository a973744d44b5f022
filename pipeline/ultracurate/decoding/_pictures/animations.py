"""How long each frame of a GIF, an animated PNG or an animated WebP is shown, read without decoding any of them."""

from __future__ import annotations

from ultracurate.core.errors import RowError
from ultracurate.decoding.limits import MAX_FRAMES, check_size

MAX_PIXELS_SHOWN = 5_000_000_000
"""Pixels of all frames together: half a minute of decoding, or ten thousand frames of 800 x 600."""


def frame_delays(data: bytes, fmt: str) -> list[float]:
    """Milliseconds of each frame, in order; [0.0] for a still.

    Pillow needs to decode every frame before the last to know the same, which a file of a million tiny frames abuses.

    Sources: GIF89a specification; PNG third edition (W3C), sections 11.3.6; WebP container specification (RFC 9649).

    Raises:
        RowError: the blocks of the file do not fit into it, or there are more than `limits.MAX_FRAMES` frames.
    """
    delays = {"gif": _gif, "png": _png, "webp": _webp}[fmt](data)
    check_size(1, 1, max(1, len(delays)), fmt)
    return delays or [0.0]


def check_shown(pixels: int, fmt: str) -> None:
    """Refuse an animation whose frames are composed for longer than any cine loop needs.

    A frame of a few bytes costs as much as a full one, because its canvas is drawn anew.

    Raises:
        RowError: more than `MAX_PIXELS_SHOWN`.
    """
    if pixels > MAX_PIXELS_SHOWN:
        raise RowError(
            f"{fmt}: expected an animation of at most {MAX_PIXELS_SHOWN} pixels in all its frames, found {pixels}; "
            "cut it into parts or write it as a video"
        )


def _gif(data: bytes) -> list[float]:
    def colours(flags: int) -> int:
        return 3 << ((flags & 7) + 1) if flags & 0x80 else 0

    def behind_blocks(at: int) -> int:
        while at < len(data) and data[at]:
            at += data[at] + 1
        return at + 1

    delays: list[float] = []
    delay = 0.0
    at = 13 + colours(data[10]) if len(data) > 13 else len(data) + 1
    while at < len(data) and data[at] != 0x3B and len(delays) <= MAX_FRAMES:
        if data[at] == 0x21:
            if data[at + 1 : at + 3] == b"\xf9\x04":
                delay = 10.0 * int.from_bytes(data[at + 4 : at + 6], "little")
            at = behind_blocks(at + 2)
        elif data[at] == 0x2C:
            delays.append(delay)
            delay = 0.0
            flags = data[at + 9] if at + 9 < len(data) else 0
            at = behind_blocks(at + 11 + colours(flags))
        else:
            at += 1  # padding that some writers leave between blocks
    if at > len(data) or not delays:
        raise RowError(f"gif: truncated or damaged: a block reaches past its {len(data)} bytes; fetch the file again")
    return delays


def _png(data: bytes) -> list[float]:
    delays: list[float] = []
    animated, at = False, 8
    while at + 8 <= len(data) and len(delays) <= MAX_FRAMES:
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + min(size, 26)]
        animated |= kind == b"acTL"
        if kind == b"IDAT" and not animated:
            return []  # animations announce themselves before the first pixel
        if kind == b"fcTL" and len(body) == 26:
            numerator, denominator = int.from_bytes(body[20:22], "big"), int.from_bytes(body[22:24], "big")
            delays.append(1000.0 * numerator / (denominator or 100))
        at += size + 12
    if at > len(data):
        raise RowError(f"png: truncated or damaged: a chunk reaches past its {len(data)} bytes; fetch the file again")
    return delays


def _webp(data: bytes) -> list[float]:
    # One byte of tolerance: some writers count the padding byte and leave it out.
    end = int.from_bytes(data[4:8], "little") + 8
    if end > len(data) + 1:
        raise RowError(f"webp: truncated: its header announces more than the {len(data)} bytes found; fetch it again")
    delays: list[float] = []
    at = 12
    while at + 8 <= end and len(delays) <= MAX_FRAMES:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == b"ANMF":
            delays.append(float(int.from_bytes(data[at + 20 : at + 23], "little")))
        at += 8 + size + size % 2
    return delays
