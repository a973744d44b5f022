"""Facts of a DICOM header: calibrated regions, spacing, timing and heart beats."""

from __future__ import annotations

import math
from itertools import accumulate, pairwise

from ultracurate.decoding._dicom.reading import Header
from ultracurate.decoding.limits import MAX_FRAMES
from ultracurate.decoding.media import Media, Region

_SPATIAL = {1: "2d", 2: "m_mode", 3: "spectral", 4: "waveform", 5: "graphics"}
"""Region Spatial Format, PS3.3 C.8.5.5.1.1."""
_DATA = {0: "none", 1: "tissue", 2: "colour_flow", 3: "pw_spectral", 4: "cw_spectral"}
"""Region Data Type, PS3.3 C.8.5.5.1.2; all others are traces, bars and the like."""
_CENTIMETRES = 3
"""Physical Units X and Y Direction, PS3.3 C.8.5.5.1.15."""
_SMALLEST, _LARGEST = 1e-4, 100.0
"""mm per pixel that a device can mean: from a tenth of a micrometre to ten centimetres."""
_MAX_REGIONS = 256
_VOLUME_CLASSES = frozenset({"1.2.840.10008.5.1.4.1.1.6.2"})  # Enhanced US Volume Storage
_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
_IN_TIME = frozenset({"US", "IVUS", "XA", "RF", "ES", "ECG"})  # multi-frame files of these are clips
_VECTOR_TAG = 0x00181065
_MAX_BEATS = 100_000

Spacing = tuple[float | None, float | None]


def regions(header: Header, width: int, height: int) -> tuple[Region, ...]:
    """Calibrated areas, clipped to the picture; those without an area in it are left out."""
    found = []
    for item in header.items("SequenceOfUltrasoundRegions")[:_MAX_REGIONS]:
        corners = [item.number(f"RegionLocation{name}") for name in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
        if any(corner is None for corner in corners):
            continue
        left, top, right, bottom = (int(corner or 0) for corner in corners)
        # The header's corners are pixels that belong to the region.
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right + 1, width), min(bottom + 1, height)
        if x0 < x1 and y0 < y1:
            x, y = _region_spacing(item)
            spatial = _SPATIAL.get(_code(item, "RegionSpatialFormat"), "none")
            data = _DATA.get(_code(item, "RegionDataType", 0), "other")
            found.append(Region((x0, y0, x1, y1), spatial, data, x, y))
    return tuple(found)


def spacing(header: Header) -> tuple[float | None, float | None, float | None]:
    """(x, y, z) in mm: of the 2D regions, of tissue if there is any, else Pixel Spacing, else the pixel measures.

    Regions that disagree give none, because one number could not be true.
    """
    flat: dict[bool, set[tuple[float, float]]] = {True: set(), False: set()}
    for item in header.items("SequenceOfUltrasoundRegions")[:_MAX_REGIONS]:
        x, y = _region_spacing(item)
        if _code(item, "RegionSpatialFormat") == 1 and x and y:
            flat[_code(item, "RegionDataType", 1) == 1].add((x, y))
    x, y, z = _measures(header)
    agreed = flat[True] or flat[False]
    if agreed:
        x, y = agreed.pop() if len(agreed) == 1 else (None, None)
    return x, y, z


def _region_spacing(item: Header) -> Spacing:
    x, y = (
        _length(10 * abs(item.number(f"PhysicalDelta{axis}") or 0))
        if _code(item, f"PhysicalUnits{axis}Direction") == _CENTIMETRES
        else None
        for axis in "XY"
    )
    return x, y


def _measures(header: Header) -> tuple[float | None, float | None, float | None]:
    """Spacing of the plain header, else of the functional groups of an enhanced one (PS3.3 C.7.6.16.2.1)."""
    x, y = _row_and_column(header)
    z = _length(header.number("SpacingBetweenSlices"))
    frames = header.items("PerFrameFunctionalGroupsSequence")
    groups = [*header.items("SharedFunctionalGroupsSequence"), *frames]
    measures = [item for group in groups for item in group.items("PixelMeasuresSequence")]
    flat = {_row_and_column(item) for item in measures} - {(None, None)}
    if x is None and len(flat) == 1:
        x, y = flat.pop()
    deep = {_length(item.number("SpacingBetweenSlices")) for item in measures} - {None}
    if z is None:
        z = deep.pop() if len(deep) == 1 else _steps(frames) if not deep else None
    return x, y, z


def _row_and_column(header: Header) -> Spacing:
    """Pixel Spacing as (x, y): it is stored as the distance of rows, then of columns."""
    stored = [_length(part) for part in header.numbers("PixelSpacing")]
    return (stored[1], stored[0]) if len(stored) == 2 and None not in stored else (None, None)


def _steps(frames: list[Header]) -> float | None:
    """Distance of neighbouring slices by their positions in the volume; None where it varies by more than 1 %."""
    places = set()
    for frame in frames:
        for item in frame.items("PlanePositionVolumeSequence"):
            place = item.numbers("ImagePositionVolume")
            if len(place) == 3:
                places.add(tuple(round(part, 6) for part in place))
    ordered = sorted(places)
    gaps = [math.dist(one, other) for one, other in pairwise(ordered)]
    return _length(sum(gaps) / len(gaps)) if gaps and max(gaps) - min(gaps) <= 0.01 * max(gaps) else None


def _length(value: float | None) -> float | None:
    return round(value, 9) if value is not None and _SMALLEST < value < _LARGEST else None


def _code(item: Header, keyword: str, default: int = -1) -> int:
    number = item.number(keyword)
    return default if number is None else int(number)


def media(header: Header, frames: int) -> Media:
    """What several frames are: slices of an enhanced volume, else frames in time where the header or modality says."""
    if frames == 1:
        return "image"
    if header.word("SOPClassUID") in _VOLUME_CLASSES:
        return "volume"
    return "clip" if rate(header) or header.word("Modality").upper() in _IN_TIME else "volume"


def set_aside(header: Header) -> str | None:
    """Segmentations are pictures of labels."""
    return "mask" if header.word("SOPClassUID") == _SEGMENTATION else None


def rate(header: Header) -> float | None:
    """Frames per second.

    Frame Time, the mean of Frame Time Vector (first, where Frame Increment Pointer names it), Actual Frame Duration,
    Cine Rate, Recommended Display Frame Rate (PS3.3 C.7.6.5).
    """
    steps = _vector(header)[1:]
    mean = sum(steps) / len(steps) if steps else 0.0
    durations = [header.number("FrameTime") or 0.0, mean, header.number("ActualFrameDuration") or 0.0]
    if mean > 0 and _VECTOR_TAG in _pointers(header):
        durations.insert(0, mean)
    for duration in durations:
        if duration > 0:
            return 1000.0 / duration
    for keyword in ("CineRate", "RecommendedDisplayFrameRate"):
        found = header.number(keyword) or 0.0
        if found > 0:
            return found
    return None


def times(header: Header, frames: int, fps: float | None) -> list[float | None]:
    """Seconds since the first frame for every frame of a clip; all None without timing."""
    steps = _vector(header)
    if len(steps) == frames and (_VECTOR_TAG in _pointers(header) or not header.number("FrameTime")):
        return [total / 1000 for total in accumulate(steps[1:], initial=0.0)]
    return [index / fps if fps else None for index in range(frames)]


def _vector(header: Header) -> list[float]:
    """Milliseconds between frames; the first is 0 by the standard. Time that runs backwards is none."""
    steps = header.numbers("FrameTimeVector")[: MAX_FRAMES + 1]
    return steps if all(step >= 0 for step in steps) else []


def _pointers(header: Header) -> set[int]:
    value = header.value("FrameIncrementPointer")
    parts = value if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue" else [value]
    return {int(part) for part in parts if isinstance(part, int)}


def beats(header: Header, duration: float) -> tuple[float, ...]:
    """Seconds of the R waves within a clip of `duration` seconds; () where the header does not say.

    R Wave Time Vector, in ms from the first frame (PS3.3 C.8.5.6); else Trigger Time, ms from an R wave to the first
    frame, repeated at Heart Rate. A heart rate alone says nothing about where a beat begins.
    """
    waves = [wave / 1000 for wave in header.numbers("RWaveTimeVector")[:_MAX_BEATS]]
    if waves:
        return tuple(sorted({wave for wave in waves if 0 <= wave <= duration}))
    trigger, per_minute = header.number("TriggerTime"), header.number("HeartRate") or 0.0
    if trigger is None or trigger < 0 or not 10 <= per_minute <= 400:
        return ()
    cycle = 60.0 / per_minute
    first = -math.fmod(trigger / 1000, cycle)
    count = min(_MAX_BEATS, int((duration - first) / cycle) + 1)
    return tuple(wave for wave in (first + place * cycle for place in range(count)) if wave >= 0)
