"""MP4, QuickTime, Matroska, AVI, ASF and MPEG through FFmpeg's libraries in process, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ultracurate.core.errors import RowError
from ultracurate.decoding._pictures.turn import Turn, by_matrix, turned, turned_size
from ultracurate.decoding._video.packets import digest_of, opened, packets, survey
from ultracurate.decoding._video.planar import pixels_of
from ultracurate.decoding.levels import U8
from ultracurate.decoding.limits import MAX_FRAMES, check_size, check_work, decoding
from ultracurate.decoding.media import PLAIN, MediaInfo, Reading
from ultracurate.decoding.pictures import Wanted

Timed = Iterator[tuple[int, float | None, U8]]

_SKIPPABLE = frozenset({"h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4"})
"""Codecs whose decoder drops a frame that no other one needs without a trace in those others."""


def probe_video(data: bytes, fmt: str, reading: Reading = PLAIN) -> MediaInfo:
    """Facts of the first video stream, from its packets; only the first frame is decoded, for its size and turn.

    `frames` counts what is shown, `fps` is its mean rate, or `reading.fps` where the file has no times, or times that
    start again. A stream that
    was cut out of a longer one may begin with a few frames that no decoder can show, and they are counted too.

    Raises:
        RowError: damaged, cut short, or larger than `limits` allows.
        MissingExtraError: PyAV is not installed.
    """
    with decoding(fmt), opened(data, fmt) as (container, stream):
        first: list[Any] = []
        found = survey(stream, _peeked(packets(container, stream, data, fmt), stream, first), fmt, reading.fps)
        frame = _first(first, stream, fmt)
        width, height = turned_size(frame.width, frame.height, _turn(frame))
        check_size(width, height, len(found.times), fmt)
        return MediaInfo(
            format=fmt,
            media="clip",
            width=width,
            height=height,
            channels=1 if frame.format.name.startswith("gray") else 3,
            frames=len(found.times),
            fps=found.fps,
        )


def video_times(data: bytes, fmt: str, reading: Reading = PLAIN) -> tuple[float, ...]:
    """Seconds since the first frame of every frame that is shown, in order, without decoding any.

    Raises:
        RowError: damaged or cut short.
    """
    with decoding(fmt), opened(data, fmt) as (container, stream):
        return survey(stream, packets(container, stream, data, fmt), fmt, reading.fps).times


def packet_digest(data: bytes, fmt: str) -> str:
    """Hex sha256 of what a decoder is fed: equal for the same stream in another container (a remux).

    It covers codec, size, turn, set-up data, and length, visibility and bytes of each packet in order.

    Raises:
        RowError: damaged or cut short.
    """
    with decoding(fmt), opened(data, fmt) as (container, stream):
        first: list[Any] = []
        digest = digest_of(stream, _peeked(packets(container, stream, data, fmt), stream, first))
        digest.update(str(_turn(_first(first, stream, fmt))).encode())
        return str(digest.hexdigest())


def iter_video(data: bytes, fmt: str, wanted: Wanted | frozenset[int], reading: Reading = PLAIN) -> Timed:
    """Frames in display order as (index, seconds since the first frame, array), turned as the file says.

    Grey is (H, W), colour (H, W, 3) RGB, decided frame by frame; interlaced and anamorphic frames come as decoded.
    One decoding thread, because workers are processes already. Seeking is never used: in clips of unknown origin it
    lands on different frames in different builds.

    Args:
        data: the encoded file.
        fmt: mp4, mov, mkv, avi, wmv or mpg.
        wanted: a function of index and seconds, called once per frame in order: every frame is decoded, wanted ones
            are converted. Or the numbers themselves: the same pixels, but frames that no wanted one depends on are
            not decoded (and damage in them is not noticed).
        reading: `fps` gives times to a file without any.

    Raises:
        RowError: the container is cut short, no frame decodes, a frame was patched up by the decoder, or frames differ
            in size.
    """
    if callable(wanted):
        yield from _all(data, fmt, wanted, reading)
        return
    left = sorted(wanted)
    for index, time_s, image in _few(data, fmt, wanted, reading):
        if index != left[0]:
            break  # a frame was lost with those that were left out: decode all of them
        yield index, time_s, image
        del left[0]
        if not left:
            return
    if left:
        rest = frozenset(left)
        yield from _all(data, fmt, lambda index, _: index in rest, reading)


def _all(data: bytes, fmt: str, wanted: Wanted, reading: Reading) -> Timed:
    clock = _Clock(data, fmt, reading)
    index = -1
    with opened(data, fmt) as (container, stream):
        for index, frame in enumerate(_decoded(stream, packets(container, stream, data, fmt), data, fmt)):
            time_s = clock.seconds(index, frame.pts)
            if wanted(index, time_s):
                yield index, time_s, turned(pixels_of(frame), _turn(frame))
        if index < 0:
            raise _nothing(fmt)


class _Clock:
    """Seconds since the first frame of the frames that a decoder gives; they never go back."""

    def __init__(self, data: bytes, fmt: str, reading: Reading) -> None:
        with opened(data, fmt) as (container, stream):
            found = survey(stream, packets(container, stream, data, fmt), fmt, reading.fps)
            self._tick, self._rate = stream.time_base, found.fps
        self._fmt, self._exact = fmt, bool(found.stamps)
        self._times = found.times if found.fps else ()
        self._start: int | None = None
        self._last = 0.0

    def seconds(self, index: int, stamp: int | None) -> float | None:
        """The time of the frame of this number with this stamp.

        Raises:
            RowError: an earlier frame was shown later.
        """
        if self._exact and stamp is not None:
            self._start = stamp if self._start is None else self._start
            time_s = float((stamp - self._start) * self._tick)
        elif index < len(self._times):
            time_s = self._times[index]
        elif self._rate:
            time_s = float(index / self._rate)
        else:
            return None
        if time_s < self._last:
            raise RowError(
                f"{self._fmt}: expected frames in the order of their times, found frame {index} at {time_s:.3f} s "
                f"after one at {self._last:.3f} s; the file is damaged. Convert it, with new time stamps"
            )
        self._last = time_s
        return time_s


def _few(data: bytes, fmt: str, wanted: frozenset[int], reading: Reading) -> Timed:
    """The wanted frames from as few packets as possible; nothing where the stream does not allow that."""
    with opened(data, fmt) as (container, stream):
        found = survey(stream, packets(container, stream, data, fmt), fmt, reading.fps)
        codec = stream.codec_context.codec
    alone = found.independent and codec.intra_only
    if not alone and not (found.stamps and codec.canonical_name in _SKIPPABLE):
        return
    numbers = sorted(number for number in wanted if 0 <= number < len(found.times))
    stamps = {found.stamps[number]: number for number in numbers} if found.stamps else {}
    with opened(data, fmt) as (container, stream):
        fed = packets(container, stream, data, fmt)
        fed = _picked(fed, wanted) if alone else _hurried(fed, stream, stamps)
        queue = iter(numbers)
        for frame in _decoded(stream, fed, data, fmt):
            number = next(queue, None) if alone else stamps.get(frame.pts)
            if number is not None:
                yield number, found.times[number], turned(pixels_of(frame), _turn(frame))


def _picked(fed: Iterable[Any], wanted: frozenset[int]) -> Iterator[Any]:
    shown = -1
    for packet in fed:
        shown += not packet.is_discard
        if shown in wanted and not packet.is_discard:
            yield packet


def _hurried(fed: Iterable[Any], stream: Any, wanted: dict[int, int]) -> Iterator[Any]:
    """All packets; before each that is not wanted the decoder is told to leave it out if nothing depends on it."""
    for packet in fed:
        stream.codec_context.skip_frame = "DEFAULT" if packet.pts in wanted else "NONREF"
        yield packet


def _decoded(stream: Any, fed: Iterable[Any], data: bytes, fmt: str) -> Iterator[Any]:
    """Frames in display order, each whole and of the size of the first."""
    size: tuple[int, int] | None = None
    index = 0
    for packet in _and_flush(fed):
        for frame in stream.codec_context.decode(packet):
            if frame.is_corrupt:
                raise RowError(f"{fmt}: frame {index} is damaged; the decoder could only have invented a part of it")
            if size is None:
                check_size(frame.width, frame.height, 1, fmt)
                size = frame.width, frame.height
            if (frame.width, frame.height) != size:
                raise RowError(
                    f"{fmt}: expected frames of one size, found {size} and, at frame {index}, "
                    f"{(frame.width, frame.height)}; cut the clip where its size changes"
                )
            index += 1
            check_work(index * frame.width * frame.height, len(data), fmt)
            if index > MAX_FRAMES:
                check_size(frame.width, frame.height, index, fmt)
            yield frame


def _and_flush(fed: Iterable[Any]) -> Iterator[Any]:
    yield from fed
    yield None


def _peeked(fed: Iterable[Any], stream: Any, first: list[Any]) -> Iterator[Any]:
    """The packets, unchanged; on the way the first decoded frame is put into `first`."""
    for packet in fed:
        if not first:
            first.extend(stream.codec_context.decode(packet)[:1])
        yield packet


def _first(first: list[Any], stream: Any, fmt: str) -> Any:
    for frame in first or stream.codec_context.decode(None):
        if frame.is_corrupt:
            raise RowError(f"{fmt}: frame 0 is damaged; the decoder could only have invented a part of it")
        check_size(frame.width, frame.height, 1, fmt)
        return frame
    raise _nothing(fmt)


def _nothing(fmt: str) -> RowError:
    return RowError(f"{fmt}: expected at least one video frame, found none; the file is damaged or has no pictures")


def _turn(frame: Any) -> Turn:
    matrix = frame.side_data.get("DISPLAYMATRIX")
    return by_matrix(memoryview(bytes(matrix)).cast("i") if matrix else (1, 0, 0, 0, 1))
