from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ultracurate.core.errors import ConfigError
from ultracurate.phantom.files import encode_dicom, encode_still, encode_video
from ultracurate.phantom.frame import make_clip, make_frame
from ultracurate.phantom.screens import invent_identity

GREY = make_frame("muscle", "linear", "plain", 1, (96, 128), ()).image
COLOUR = make_frame("kidney", "convex", "dune", 1, (96, 128), ("caliper",), flow=True).image
WHO = invent_identity(3)


@pytest.mark.parametrize("fmt", ["png", "bmp", "tif"])
@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
def test_lossless_stills_come_back_as_they_went(fmt: str, image: np.ndarray) -> None:
    data = encode_still(image, fmt)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), image)
    assert data == encode_still(image, fmt)


@pytest.mark.parametrize("fmt", ["jpg", "gif"])
def test_lossy_stills_come_back_nearly(fmt: str) -> None:
    back = np.asarray(Image.open(io.BytesIO(encode_still(COLOUR, fmt))).convert("RGB"))
    assert np.abs(back.astype(int) - COLOUR).mean() < 8


def test_another_png_level_gives_other_bytes_with_the_same_pixels() -> None:
    fast, small = encode_still(GREY, "png", level=1), encode_still(GREY, "png", level=9)
    assert fast != small
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(fast))), np.asarray(Image.open(io.BytesIO(small))))


def test_unknown_format_is_refused() -> None:
    with pytest.raises(ConfigError, match="webp"):
        encode_still(GREY, "webp")


def test_dicom_clip_round_trip() -> None:
    pydicom = pytest.importorskip("pydicom")
    clip = make_clip("kidney", "convex", "plain", 2, (96, 129), 5)  # odd size: the pixel data needs a pad byte
    data = encode_dicom(clip, WHO, 2, spacing_mm=0.31, fps=25.0, region=(4, 5, 100, 90))
    assert data == encode_dicom(clip, WHO, 2, spacing_mm=0.31, fps=25.0, region=(4, 5, 100, 90))
    back = pydicom.dcmread(io.BytesIO(data))
    assert np.array_equal(back.pixel_array, clip)
    area = back.SequenceOfUltrasoundRegions[0]
    assert area.PhysicalDeltaX * 10 == pytest.approx(0.31)
    assert area.PhysicalUnitsXDirection == 3
    assert (area.RegionLocationMinX0, area.RegionLocationMaxX1) == (4, 99)
    assert 1000 / float(back.FrameTime) == pytest.approx(25.0)
    assert back.NumberOfFrames == 5
    assert back.Modality == "US"


@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
def test_dicom_still_carries_pixels_and_the_planted_identity(image: np.ndarray) -> None:
    pydicom = pytest.importorskip("pydicom")
    data = encode_dicom(image, WHO, 1, colour=image.ndim == 3)
    back = pydicom.dcmread(io.BytesIO(data))
    assert np.array_equal(back.pixel_array, image)
    assert back.PatientID == WHO.patient_id
    for word in WHO.words:
        assert word.encode() in data


@pytest.mark.parametrize(("container", "codec"), [("mp4", None), ("avi", None), ("mp4", "libx264")])
def test_video_round_trip(container: str, codec: str | None) -> None:
    av = pytest.importorskip("av")
    if codec and codec not in av.codecs_available:
        pytest.skip(f"this build of FFmpeg has no {codec}")
    clip = make_clip("heart_psax", "phased", "plain", 2, (96, 128), 6)
    data = encode_video(clip, 20.0, container, codec)
    assert data == encode_video(clip, 20.0, container, codec)
    with av.open(io.BytesIO(data)) as video:
        assert float(video.streams.video[0].average_rate) == pytest.approx(20.0)
        back = np.stack([frame.to_ndarray(format="gray") for frame in video.decode(video=0)])
    assert back.shape == clip.shape
    assert np.abs(back.astype(int) - clip).mean() < 12
