"""DICOM files written by pydicom: pixels, timing, spacing, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.decoding.files import dicom, speckle
from ultracurate.core.errors import RowError
from ultracurate.decoding.decode import decode_image, iter_frames, probe


def region(delta: float, kind: int = 1, units: int = 3) -> Dataset:
    item = Dataset()
    item.RegionSpatialFormat, item.PhysicalUnitsXDirection, item.PhysicalUnitsYDirection = kind, units, units
    item.PhysicalDeltaX, item.PhysicalDeltaY = delta, delta * 2
    return item


def test_eight_bits_are_taken_as_stored_and_monochrome1_is_inverted() -> None:
    grey = speckle(20, 30)
    assert np.array_equal(decode_image(dicom(grey), "dicom"), grey)
    window: dict[str, Any] = {"WindowCenter": 10, "WindowWidth": 5}
    assert np.array_equal(decode_image(dicom(grey, **window), "dicom"), grey)
    inverted = decode_image(dicom(grey, PhotometricInterpretation="MONOCHROME1"), "dicom")
    assert np.array_equal(inverted, 255 - grey)


def test_deep_frames_share_one_scale() -> None:
    pixels = np.stack([np.full((8, 8), level, np.uint16) for level in (0, 500, 1000)])
    frames = [image for _, _, image in iter_frames(dicom(pixels, multi=True), "dicom")]
    assert [int(frame[0, 0]) for frame in frames] == [0, 128, 255]
    signed = np.array([[-100, 0, 100, 300]], np.int16)
    assert decode_image(dicom(signed), "dicom").tolist() == [[0, 64, 128, 255]]


def test_colour_and_grey_as_colour() -> None:
    rgb = speckle(10, 12, colour=True)
    assert np.array_equal(decode_image(dicom(rgb), "dicom"), rgb)
    assert decode_image(dicom(np.repeat(rgb[..., :1], 3, axis=2)), "dicom").shape == (10, 12)


@pytest.mark.parametrize("wide", [False, True])
def test_palette(wide: bool) -> None:
    indices = np.array([[0, 1, 2, 255]], np.uint8)
    table = np.arange(256, dtype=np.uint16) * (257 if wide else 1)
    tags: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour, values in (("Red", table), ("Green", table[::-1]), ("Blue", table)):
        tags[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tags[f"{colour}PaletteColorLookupTableData"] = values.astype("<u2").tobytes()
    decoded = decode_image(dicom(indices, **tags), "dicom")
    assert decoded.tolist() == [[[0, 255, 0], [1, 254, 1], [2, 253, 2], [255, 0, 255]]]


@pytest.mark.parametrize(
    ("tags", "fps"),
    [
        ({"FrameTime": 40}, 25.0),
        ({"FrameTimeVector": [0, 20, 30]}, 40.0),
        ({"CineRate": 30, "RecommendedDisplayFrameRate": 10}, 30.0),
        ({"RecommendedDisplayFrameRate": 10}, 10.0),
        ({}, None),
    ],
)
def test_timing(tags: dict[str, Any], fps: float | None) -> None:
    data = dicom(np.stack([speckle(8, 8, seed=s) for s in range(3)]), multi=True, **tags)
    info = probe(data, "dicom")
    assert (info.media, info.frames, info.fps) == ("clip", 3, fps)
    times = [time_s for _, time_s, _ in iter_frames(data, "dicom")]
    if fps is None:
        assert times == [None] * 3
    elif "FrameTimeVector" in tags:
        assert times == pytest.approx([0, 0.02, 0.05])
    else:
        assert times == pytest.approx([0, 1 / fps, 2 / fps])


def test_frames_of_other_machines_without_timing_are_a_volume() -> None:
    data = dicom(np.stack([speckle(8, 8)] * 2), multi=True, Modality="MR")
    assert probe(data, "dicom").media == "volume"


@pytest.mark.parametrize(
    ("tags", "spacing"),
    [
        ({"SequenceOfUltrasoundRegions": Sequence([region(0.01)])}, (0.1, 0.2)),
        ({"SequenceOfUltrasoundRegions": Sequence([region(0.01), region(0.01), region(9, kind=3)])}, (0.1, 0.2)),
        ({"SequenceOfUltrasoundRegions": Sequence([region(0.01), region(0.02)])}, (None, None)),
        ({"SequenceOfUltrasoundRegions": Sequence([region(0.01, units=4)]), "PixelSpacing": [0.5, 0.25]}, (0.25, 0.5)),
        ({"PixelSpacing": [0, 0]}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_spacing_is_told_or_absent(tags: dict[str, Any], spacing: tuple[float | None, float | None]) -> None:
    info = probe(dicom(speckle(8, 8), **tags), "dicom")
    assert (info.spacing_x, info.spacing_y) == spacing


def test_only_a_digest_of_the_patient_leaves_the_decoder() -> None:
    info = probe(dicom(speckle(8, 8)), "dicom")
    assert info.group_hint == hashlib.sha256(b"MRN-0042").hexdigest()
    assert info.modality_tag == "US"
    text = repr(asdict(info))
    assert not any(secret in text for secret in ("MRN", "Doe", "Jane", "1970"))
    assert probe(dicom(speckle(8, 8), PatientID=" "), "dicom").group_hint is None


def test_reports_and_huge_files_are_row_errors() -> None:
    data = dicom(speckle(8, 8))
    with pytest.raises(RowError, match="dicom: expected at most"):
        probe(dicom(speckle(8, 8), Rows=30_000, Columns=30_000), "dicom")
    with pytest.raises(RowError, match="dicom: expected at most"):
        list(iter_frames(dicom(speckle(8, 8), Rows=30_000, Columns=30_000), "dicom"))
    with pytest.raises(RowError, match="dicom"):
        decode_image(data[132:], "dicom")
    with pytest.raises(RowError, match="dicom"):
        probe(dicom(speckle(8, 8), NumberOfFrames=10_000_000), "dicom")
