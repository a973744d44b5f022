"""Refuses a video that is cut short by its own account; FFmpeg would silently return fewer frames."""

from __future__ import annotations

from collections.abc import Callable

from ultracurate.core.errors import RowError
from ultracurate.decoding._video.boxes import refuse_incomplete_boxes

_MKV_SEGMENT = 0x18538067
_MKV_ENDLESS = frozenset({_MKV_SEGMENT, 0x1F43B675})  # and clusters
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_MPEG_PACKETS = range(0xBB, 0x100)


def refuse_incomplete(data: bytes, fmt: str) -> None:
    """Walk the outermost parts of a container by the sizes they state.

    A file without any statement, such as a raw MPEG stream or a live recording that was stopped, is complete as far as
    anybody can tell.

    Raises:
        RowError: a part reaches past the end, or the recording was never finished.
    """
    _CHECKS[fmt](data, fmt)


def _cut(fmt: str, what: str, size: int) -> RowError:
    return RowError(f"{fmt}: truncated or damaged: {what} reaches past its {size} bytes; fetch the file again")


def _avi(data: bytes, fmt: str) -> None:
    at = 0
    while data[at : at + 4] == b"RIFF":
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if size < 4:
            raise RowError(f"{fmt}: expected a size in its header, found none: the recording was never finished")
        # One byte of tolerance: some writers count the padding byte and leave it out.
        if at + 8 + size > len(data) + 1:
            raise _cut(fmt, f"a list of {size} bytes", len(data))
        at += 8 + size + size % 2
    if not at:
        raise RowError(f"{fmt}: expected a RIFF list, found none")


def _asf(data: bytes, fmt: str) -> None:
    """Advanced Systems Format specification, revision 01.20.05, sections 3 to 5."""
    info = data.find(_ASF_FILE, 0, 1 << 20)
    if info < 0 or info + 92 > len(data):
        raise RowError(f"{fmt}: expected a header with the properties of the file, found none; it is damaged")
    if data[info + 88] & 1:  # a broadcast: sizes are zero
        return
    announced = int.from_bytes(data[info + 40 : info + 48], "little")
    if announced > len(data):
        raise _cut(fmt, f"a file of {announced} bytes", len(data))
    at = 0
    while at + 24 <= len(data):
        size = int.from_bytes(data[at + 16 : at + 24], "little")
        if size < 24 or at + size > len(data):
            raise _cut(fmt, f"an object of {size} bytes", len(data))
        at += size


def _mkv(data: bytes, fmt: str) -> None:
    """RFC 8794 (EBML) and RFC 9559 (Matroska): every element says its length; that of live streams is unknown."""
    at, whole = 0, False
    while at < len(data) and not whole:
        element, body = _vint(data, at, keep_marker=True)
        size, start = _vint(data, body, keep_marker=False)
        unknown = size == (1 << 7 * (start - body)) - 1
        if element < 0 or size < 0 or (unknown and element not in _MKV_ENDLESS):
            raise _cut(fmt, "an element", len(data))
        if not unknown and start + size > len(data):
            raise _cut(fmt, f"an element of {size} bytes", len(data))
        whole = element == _MKV_SEGMENT and not unknown
        at = start if unknown else start + size


def _vint(data: bytes, at: int, *, keep_marker: bool) -> tuple[int, int]:
    """A number of variable length and the place behind it; (-1, at) if there is none."""
    first = data[at] if at < len(data) else 0
    length = 9 - first.bit_length()
    if not first or at + length > len(data):
        return -1, at
    value = int.from_bytes(data[at : at + length], "big")
    return (value if keep_marker else value & ((1 << 7 * length) - 1)), at + length


def _mpg(data: bytes, fmt: str) -> None:
    if data[:1] == b"\x47" or data[4:5] == b"\x47":
        packet = 192 if data[:1] != b"\x47" else 188
        if len(data) % packet:
            raise _cut(fmt, f"a packet of {packet} bytes", len(data))
    elif data.startswith(b"\0\0\1\xba"):
        _program_stream(data, fmt)


def _program_stream(data: bytes, fmt: str) -> None:
    """ISO/IEC 13818-1, 2.5.3 and ISO/IEC 11172-1, 2.4.3: packs of packets that state their length."""
    at = 0
    while 0 <= at < len(data):
        code = data[at + 3] if data[at : at + 3] == b"\0\0\1" and at + 3 < len(data) else None
        if code == 0xBA:
            mpeg2 = at + 13 < len(data) and data[at + 4] >> 6 == 1
            at += 14 + (data[at + 13] & 7) if mpeg2 else 12
        elif code == 0xB9:
            at += 4
        elif code in _MPEG_PACKETS:
            at += 6 + int.from_bytes(data[at + 4 : at + 6], "big")
        else:  # zeros between packs
            at = data.find(b"\0\0\1", at + 1)
            if at < 0:
                return
            continue
        if at > len(data):
            raise _cut(fmt, "a packet", len(data))


_CHECKS: dict[str, Callable[[bytes, str], None]] = {
    "mp4": refuse_incomplete_boxes,
    "mov": refuse_incomplete_boxes,
    "avi": _avi,
    "mkv": _mkv,
    "wmv": _asf,
    "mpg": _mpg,
}
