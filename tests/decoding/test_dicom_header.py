"""Facts of DICOM headers: regions, spacing of volumes, timing and heart beats, and hostile values among them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from ultracurate.core.errors import RowError
from ultracurate.decoding.decode import iter_frames
from ultracurate.decoding.dicom import cardiac_times, iter_dicom, probe_dicom
from ultracurate.decoding.media import Reading, Region
from ultracurate.phantom.dicom_files import encode, region

STILL = np.zeros((1, 40, 60), np.uint8)
CLIP = np.zeros((5, 8, 8), np.uint8)


def with_regions(*regions: Any, **tags: Any) -> bytes:
    return encode(STILL, SequenceOfUltrasoundRegions=Sequence(regions), **tags)


def test_regions_are_half_open_boxes_in_words_and_millimetres() -> None:
    data = with_regions(
        region((0, 0, 60, 30), 0.2),
        region((5, 31, 60, 40), 0.1, spatial=3, data=3, units=4),
        region((50, 0, 60, 10), 0.1, spatial=5, data=0xE, units=0),
    )
    assert probe_dicom(data).regions == (
        Region((0, 0, 60, 30), "2d", "tissue", 0.2, 0.2),
        Region((5, 31, 60, 40), "spectral", "pw_spectral", None, None),
        Region((50, 0, 60, 10), "graphics", "other", None, None),
    )


def test_hostile_regions_are_clipped_or_left_out() -> None:
    beyond = region((30, 20, 4_000_000_000, 90), 0.2)
    outside, turned = region((60, 0, 70, 10), 0.2), region((30, 30, 10, 10), 0.2)
    endless = region((0, 0, 60, 40), float("inf"))
    absurd = region((0, 0, 10, 10), 1e6, spatial=77, data=4711)
    missing = region((0, 0, 10, 10), 0.2)
    del missing.RegionLocationMaxX1
    wordy = region((0, 0, 10, 10), 0.2)
    wordy.add_new(0x0018601C, "LO", "DOE^JANE")
    data = with_regions(beyond, outside, turned, endless, absurd, missing, wordy)
    assert probe_dicom(data).regions == (
        Region((30, 20, 60, 40), "2d", "tissue", 0.2, 0.2),
        Region((0, 0, 60, 40), "2d", "tissue", None, None),
        Region((0, 0, 10, 10), "none", "other", None, None),
    )
    assert len(probe_dicom(with_regions(*[region((0, 0, 9, 9), 0.2)] * 300)).regions) == 256
    assert probe_dicom(encode(STILL, SequenceOfUltrasoundRegions=Sequence())).regions == ()


@pytest.mark.parametrize("syntax", ["implicit", "explicit", "deflated", "big"])
def test_regions_in_every_byte_order(syntax: str) -> None:
    data = encode(STILL, syntax, SequenceOfUltrasoundRegions=Sequence([region((1, 2, 33, 30), 0.25)]))
    info = probe_dicom(data)
    assert info.regions == (Region((1, 2, 33, 30), "2d", "tissue", 0.25, 0.25),)
    assert (info.spacing_x, info.spacing_y) == (0.25, 0.25)


def test_spacing_is_that_of_tissue_where_there_is_any() -> None:
    tissue, flow = region((0, 0, 60, 20), 0.2), region((0, 20, 60, 40), 0.3, data=2)
    other = region((0, 20, 60, 40), 0.3)
    assert probe_dicom(with_regions(tissue, flow)).spacing_x == 0.2
    assert probe_dicom(with_regions(flow)).spacing_x == 0.3
    assert probe_dicom(with_regions(tissue, other, PixelSpacing=[0.5, 0.5])).spacing_x is None


def volume(**groups: Any) -> bytes:
    """An enhanced volume of five slices; `groups` are its shared functional groups or those of each frame."""
    return encode(CLIP, SOPClassUID="1.2.840.10008.5.1.4.1.1.6.2", **groups)


def item(**tags: Any) -> Dataset:
    found = Dataset()
    for name, value in tags.items():
        setattr(found, name, value)
    return found


def positions(places: list[float]) -> Any:
    """Functional groups of frames along the third axis of a volume."""
    return Sequence(
        [item(PlanePositionVolumeSequence=Sequence([item(ImagePositionVolume=[0, 0, place])])) for place in places]
    )


def test_volumes_know_the_distance_of_their_slices() -> None:
    measures = item(PixelSpacing=[0.4, 0.3], SpacingBetweenSlices=0.5)
    shared = Sequence([item(PixelMeasuresSequence=Sequence([measures]))])
    info = probe_dicom(volume(SharedFunctionalGroupsSequence=shared))
    assert (info.media, info.frames, info.fps) == ("volume", 5, None)
    assert (info.spacing_x, info.spacing_y, info.spacing_z) == (0.3, 0.4, 0.5)
    assert [time_s for _, time_s, _ in iter_frames(volume(), "dicom")] == [None] * 5
    flat = Sequence([item(PixelMeasuresSequence=Sequence([item(PixelSpacing=[0.4, 0.3])]))])
    even = positions([4, 3, 2, 1, 0])
    info = probe_dicom(volume(SharedFunctionalGroupsSequence=flat, PerFrameFunctionalGroupsSequence=even))
    assert (info.spacing_x, info.spacing_z) == (0.3, 1.0)
    uneven = positions([0, 1, 2, 3, 5])
    assert probe_dicom(volume(PerFrameFunctionalGroupsSequence=uneven)).spacing_z is None
    assert probe_dicom(volume(SpacingBetweenSlices="0.7")).spacing_z == 0.7
    assert probe_dicom(encode(CLIP, SpacingBetweenSlices="0.7")).spacing_z is None  # a clip has no depth


@pytest.mark.parametrize(
    ("tags", "fps"),
    [
        ({"FrameTime": "20", "CineRate": "30"}, 50.0),
        ({"FrameTimeVector": [0, 10, 30, 10, 30], "FrameTime": "40"}, 25.0),
        ({"FrameTimeVector": [0, 10, 30, 10, 30], "FrameTime": "40", "FrameIncrementPointer": 0x00181065}, 50.0),
        ({"ActualFrameDuration": "25", "CineRate": "30"}, 40.0),
        ({"FrameTime": "-20", "CineRate": "30"}, 30.0),
        ({"FrameTime": "0", "RecommendedDisplayFrameRate": "12"}, 12.0),
        ({"FrameTimeVector": [0, -10, 30, 10, 30]}, None),
        ({}, None),
    ],
)
def test_rate_of_a_clip(tags: dict[str, Any], fps: float | None) -> None:
    assert probe_dicom(encode(CLIP, **tags)).fps == fps


def test_times_follow_the_vector_or_the_rate_or_the_manifest() -> None:
    def times(data: bytes, reading: Reading | None = None) -> list[float | None]:
        return [time_s for _, time_s, _ in iter_dicom(data, lambda index, time_s: True, reading or Reading())]

    vector = encode(CLIP, FrameTimeVector=[0, 10, 30, 10, 30], FrameIncrementPointer=0x00181065, FrameTime="40")
    assert times(vector) == pytest.approx([0, 0.01, 0.04, 0.05, 0.08])
    short = encode(CLIP, FrameTimeVector=[0, 10])
    assert times(short) == pytest.approx([0, 0.01, 0.02, 0.03, 0.04])
    assert times(encode(CLIP)) == [None] * 5
    assert times(encode(CLIP), Reading(fps=50)) == pytest.approx([0, 0.02, 0.04, 0.06, 0.08])
    assert probe_dicom(encode(CLIP), Reading(fps=50)).fps == 50
    assert probe_dicom(encode(CLIP, FrameTime="40"), Reading(fps=50)).fps == 25


def test_heart_beats() -> None:
    clip: dict[str, Any] = {"FrameTime": "500"}  # five frames, two seconds
    assert cardiac_times(encode(CLIP, RWaveTimeVector=[-100.0, 250.0, 1100.0, 9000.0], **clip)) == (0.25, 1.1)
    # 0.3 s after an R wave, at 75 beats a minute: the next come 0.5 and 1.3 s later.
    assert cardiac_times(encode(CLIP, TriggerTime="300", HeartRate="75", **clip)) == pytest.approx((0.5, 1.3))
    assert cardiac_times(encode(CLIP, TriggerTime="0", HeartRate="60", **clip)) == pytest.approx((0, 1, 2))
    assert cardiac_times(encode(CLIP, HeartRate="75", **clip)) == ()
    assert cardiac_times(encode(CLIP, TriggerTime="300", **clip)) == ()
    assert cardiac_times(encode(CLIP, TriggerTime="300", HeartRate="0", **clip)) == ()
    assert cardiac_times(encode(CLIP, RWaveTimeVector=[100.0])) == ()  # no timing, no place in the clip
    assert cardiac_times(encode(STILL, RWaveTimeVector=[100.0])) == ()


@pytest.mark.parametrize("modality", ["US", "IVUS"])
def test_ultrasound_keeps_its_tag_and_segmentations_are_set_aside(modality: str) -> None:
    info = probe_dicom(encode(CLIP, Modality=modality))
    assert (info.modality_tag, info.media, info.set_aside) == (modality, "clip", None)
    labels = encode(CLIP, Modality="SEG", SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4")
    assert probe_dicom(labels).set_aside == "mask"


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"Rows": None}, "expected a picture"),
        ({"SamplesPerPixel": 4}, "expected one sample of grey"),
        ({"PhotometricInterpretation": "HSV"}, "expected one sample of grey"),
        ({"BitsAllocated": 12}, "expected samples of"),
        ({"BitsStored": 9}, "expected samples of"),
        ({"NumberOfFrames": "2"}, "its header says 2 frames"),
        ({"Rows": 20}, "its header says 1 frames"),
        ({"Columns": 0}, "at least one pixel"),
    ],
)
def test_headers_that_cannot_be_true(tags: dict[str, Any], reason: str) -> None:
    with pytest.raises(RowError, match=reason):
        probe_dicom(encode(STILL, **tags))


def test_zero_frames_are_a_still_and_padding_is_no_frame() -> None:
    assert probe_dicom(encode(STILL, NumberOfFrames="0")).media == "image"
    assert probe_dicom(encode(STILL, Rows=39)).height == 39  # old writers fill whole blocks of a disk
