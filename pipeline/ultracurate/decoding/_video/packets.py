"""The encoded frames of a video, taken out of their container but not decoded: how many, when, and which bytes."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from types import ModuleType
from typing import Any

from ultracurate.core.errors import MissingExtraError, RowError
from ultracurate.decoding._video.complete import refuse_incomplete
from ultracurate.decoding.limits import MAX_FRAMES, MAX_PIXELS, check_size, check_work

_DEMUXER = {"mp4": "mov", "mov": "mov", "avi": "avi", "mkv": "matroska", "wmv": "asf"}
_LIMITS = {"max_pixels": str(MAX_PIXELS), "max_streams": "64"}


_COVER = 0x400  # AV_DISPOSITION_ATTACHED_PIC


@dataclass(frozen=True, slots=True)
class Survey:
    """What the packets of a stream tell without a decoder.

    Attributes:
        times: seconds since the first shown frame, of each shown frame in display order.
        stamps: the same as time stamps of the stream; empty where the file has none, or the same one twice.
        fps: frames per second: the stated rate if the times agree with it, else frames by duration.
        independent: whether every packet is a key frame.
    """

    times: tuple[float, ...]
    stamps: tuple[int, ...]
    fps: float | None
    independent: bool


@contextlib.contextmanager
def opened(data: bytes, fmt: str) -> Iterator[tuple[Any, Any]]:
    """The container and its first video stream that is not a cover picture, ready to be read.

    Raises:
        RowError: cut short, without a video stream, or larger than `limits` allows.
        MissingExtraError: PyAV is not installed.
    """
    refuse_incomplete(data, fmt)
    # The stream may say another size than the container did, and FFmpeg would make room for it.
    with _library().open(io.BytesIO(data), mode="r", format=_demuxer(data, fmt), options=_LIMITS) as container:
        pictures = [stream for stream in container.streams.video if not stream.disposition.value & _COVER]
        if not pictures:
            raise RowError(f"{fmt}: expected a video stream, found {len(container.streams)} streams of other kinds")
        stream = pictures[0]
        if stream.codec_context is None:
            raise RowError(f"{fmt}: expected a known video codec, found one that FFmpeg cannot decode; convert it")
        if not stream.width:  # FFmpeg forgets a size above the limit
            raise RowError(f"{fmt}: expected frames of at most {MAX_PIXELS} pixels, found none or larger ones")
        check_size(stream.width, stream.height, 1, fmt)
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        yield container, stream


def packets(container: Any, stream: Any, data: bytes, fmt: str) -> Iterator[Any]:
    """Every packet of the stream that holds bytes, in the order of decoding.

    Raises:
        RowError: a packet is cut short, or there are more of them than a clip may have.
    """
    count, area = 0, stream.width * stream.height
    for packet in container.demux(stream):
        if not packet.size:
            continue
        if packet.is_corrupt:
            raise RowError(f"{fmt}: packet {count} is cut short or damaged; fetch the file again")
        count += 1
        if count > MAX_FRAMES:
            check_size(stream.width, stream.height, count, fmt)
        check_work(count * area, len(data), fmt)
        yield packet


def survey(stream: Any, packets: Iterable[Any], fmt: str) -> Survey:
    """Look at all packets once and put the shown ones into the order in which they are shown."""
    shown: list[tuple[int | None, int | None]] = []
    independent, longest, vp8 = True, 0, stream.codec_context.codec.canonical_name == "vp8"
    for packet in packets:
        independent = independent and packet.is_keyframe
        # RFC 6386, 9.1: the fifth bit of a frame says whether it is shown; hidden ones only serve as references.
        if not packet.is_discard and not (vp8 and not bytes(packet)[0] & 0x10):
            shown.append((packet.pts, packet.dts))
            longest = max(longest, packet.duration or 0)
    stamps = [pts for pts, _ in shown if pts is not None]
    # AVI knows no time of display, only an order of decoding: FFmpeg's guess is wrong where the two differ.
    if fmt == "avi" or len(stamps) < len(shown):
        stamps = [dts for _, dts in shown if dts is not None]
    stamps.sort()
    stated = stream.average_rate or stream.base_rate
    tick = stream.time_base
    if len(stamps) < len(shown) or len(set(stamps)) < len(stamps) or not tick:
        seconds = [float(index / stated) if stated else 0.0 for index in range(len(shown))]
        return Survey(tuple(seconds), (), float(stated) if stated else None, independent)
    return Survey(
        times=tuple(float((stamp - stamps[0]) * tick) for stamp in stamps),
        stamps=tuple(stamps) if fmt != "avi" else (),
        fps=_rate(stamps, longest, tick, stated),
        independent=independent,
    )


def _rate(stamps: list[int], longest: int, tick: Fraction, stated: Fraction | None) -> float | None:
    if len(stamps) < 2:
        return float(stated) if stated else None
    spanned = (stamps[-1] - stamps[0]) * tick
    if stated and abs(spanned * stated - (len(stamps) - 1)) <= 1:
        return float(stated)
    return float((len(stamps) - 1) / spanned)


def digest_of(stream: Any, packets: Iterable[Any]) -> Any:
    """The running sha256 over codec, size, set-up data, and length, visibility and bytes of each packet in order."""
    context = stream.codec_context
    digest = hashlib.sha256(f"{context.codec.canonical_name} {stream.width} {stream.height}".encode())
    digest.update(context.extradata or b"")
    for packet in packets:
        digest.update(f"{packet.size}{'-' if packet.is_discard else '+'}".encode())
        digest.update(packet)
    return digest


def _demuxer(data: bytes, fmt: str) -> str:
    """FFmpeg's name of the container; named, not guessed, so that no other demuxer ever sees the bytes."""
    if fmt != "mpg":
        return _DEMUXER[fmt]
    return {b"\0\0\1\xba": "mpeg", b"\0\0\1\xb3": "mpegvideo"}.get(data[:4], "mpegts")


def _library() -> ModuleType:
    try:
        import av
    except ImportError:
        raise MissingExtraError("Reading videos", "video") from None
    av.logging.set_level(None)
    return av
