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
        stamps: the same as times of display in ticks of the stream; empty where frames are not to be known by them: a
            file has none, the same one twice, or a clock that starts again, as in recordings that were joined. Then
            `times` are numbers of frames by a rate.
        fps: frames per second: the stated rate if the times agree with it, else frames by duration; without times the
            manifest's rate, else the stated one.
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


def survey(stream: Any, packets: Iterable[Any], fmt: str, fps: float | None = None) -> Survey:
    """Look at all packets once and put the shown ones into the order in which they are shown.

    `fps` is the rate that the manifest gives; it counts where the file has no times of its own.
    """
    shown: list[tuple[int | None, int | None, bool]] = []
    independent, longest, vp8 = True, 0, stream.codec_context.codec.canonical_name == "vp8"
    for packet in packets:
        independent = independent and packet.is_keyframe
        # RFC 6386, 9.1: the fifth bit of a frame says whether it is shown; hidden ones only serve as references.
        if not packet.is_discard and not (vp8 and not bytes(packet)[0] & 0x10):
            shown.append((packet.pts, packet.dts, packet.is_keyframe))
            longest = max(longest, packet.duration or 0)
    # AVI knows no time of display, only an order of decoding: FFmpeg's guess is wrong where the two differ.
    by_display = fmt != "avi" and all(pts is not None for pts, _, _ in shown)
    order = [(pts if by_display else dts, key) for pts, dts, key in shown]
    stamps = sorted(stamp for stamp, _ in order if stamp is not None)
    stated = stream.average_rate or stream.base_rate
    tick = stream.time_base
    if len(set(stamps)) < len(shown) or not tick or not _goes_forward(order):
        rate = fps or stated  # that of FFmpeg may be a guess from these very times
        seconds = [float(index / rate) if rate else 0.0 for index in range(len(shown))]
        return Survey(tuple(seconds), (), float(rate) if rate else None, independent)
    return Survey(
        times=tuple(float((stamp - stamps[0]) * tick) for stamp in stamps),
        stamps=tuple(stamps) if by_display else (),
        fps=_rate(stamps, longest, tick, stated),
        independent=independent,
    )


def _goes_forward(order: Iterable[tuple[int | None, bool]]) -> bool:
    """Whether times in the order of decoding, each with whether it is of a key frame, are those of one recording.

    Frames may be decoded in another order than they are shown, but none that is decoded from a key frame on is shown
    before what was decoded ahead of that key frame. Where the clock starts again, one is.
    """
    floor: int | None = None
    highest: int | None = None
    for stamp, key in order:
        if stamp is None:
            return False
        floor = highest if key else floor
        if floor is not None and stamp <= floor:
            return False
        highest = stamp if highest is None else max(highest, stamp)
    return True


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
