"""Every real sample decodes, and the known duplicates are found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.decoding.files import Array
from tests.decoding.samples import samples_folder
from ultracurate.decoding.decode import decode_image, iter_frames, pixel_digest, probe, sniff
from ultracurate.imaging.hashing import hamming, phash
from ultracurate.imaging.overlay_seed import SeedParams, seed_masks
from ultracurate.imaging.quality import check
from ultracurate.imaging.sector import find_sector

pytestmark = pytest.mark.samples
DICOM = "pydicom-data/data_store/data"
EXPECTED = {"bmp": 3, "dicom": 16, "jpg": 73, "mha": 5, "mp4": 14, "nrrd": 1, "png": 182, "tif": 1}


@pytest.fixture(scope="module")
def root() -> Path:
    return samples_folder()


def decoded(path: Path) -> Array:
    data = path.read_bytes()
    return decode_image(data, str(sniff(data[:512], path.name)))


def digest(path: Path) -> str:
    data = path.read_bytes()
    return pixel_digest(image for _, _, image in iter_frames(data, str(sniff(data[:512], path.name))))


def test_every_picture_decodes_as_its_header_says(root: Path) -> None:
    found: dict[str, int] = {}
    for path in sorted(root.rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        fmt = sniff(data[:512], path.name)
        if fmt is None:
            assert path.suffix.lower() not in (".png", ".jpg", ".bmp", ".dcm", ".mp4", ".tiff")
            continue
        found[fmt] = found.get(fmt, 0) + 1
        info = probe(data, fmt)
        frames = 0
        for index, _, image in iter_frames(data, fmt):
            assert index == frames
            assert image.dtype == np.uint8
            assert image.shape[:2] == (info.height, info.width)
            frames += 1
        assert frames == info.frames, path.name
    assert found == EXPECTED


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{DICOM}/US1_UNCR.dcm", f"{DICOM}/US1_J2KR.dcm"),
        (f"{DICOM}/OBXXXX1A.dcm", f"{DICOM}/OBXXXX1A_rle.dcm"),
        (f"{DICOM}/color-px.dcm", f"{DICOM}/color-pl.dcm"),
        ("busi/data/benign/images/benign (433).png", "busi/data/malignant/images/malignant (145).png"),
    ],
)
def test_known_duplicates_by_pixels(root: Path, one: str, other: str) -> None:
    assert digest(root / one) == digest(root / other)


def test_lossy_copy_is_not_a_pixel_duplicate_but_hashes_alike(root: Path) -> None:
    exact, lossy = root / DICOM / "US1_UNCR.dcm", root / DICOM / "US1_J2KI.dcm"
    assert digest(exact) != digest(lossy)
    assert hamming(phash(decoded(exact)), phash(decoded(lossy))) <= 4


def test_ybr_clip(root: Path) -> None:
    data = (root / "pydicom/src/pydicom/data/test_files/examples_ybr_color.dcm").read_bytes()
    info = probe(data, "dicom")
    assert (info.frames, info.media) == (30, "clip")
    assert info.fps == pytest.approx(30, abs=0.01)
    frames = [image for _, _, image in iter_frames(data, "dicom")]
    assert len(frames) == 30
    # A double conversion would tint the black screen around the sector.
    assert frames[0][:8, -8:].max() < 12


def test_second_frame_is_the_inverse_of_the_first(root: Path) -> None:
    import pydicom

    data = (root / DICOM / "OBXXXX1A_2frame.dcm").read_bytes()
    first, second = [image for _, _, image in iter_frames(data, "dicom")]
    assert pixel_digest(first) == digest(root / DICOM / "OBXXXX1A.dcm")
    raw = pydicom.dcmread(root / DICOM / "OBXXXX1A_2frame.dcm").pixel_array
    assert np.array_equal(raw[1], 255 - raw[0])  # inverted indices, looked up in the same palette
    assert not np.array_equal(first, second)


def test_sixteen_bit_palette_is_not_black(root: Path) -> None:
    image = decoded(root / DICOM / "gdcm-US-ALOKA-16.dcm")
    assert image.shape == (480, 640, 3)
    assert image.max() > 200


def test_deep_grey_uses_the_whole_range(root: Path) -> None:
    image = decoded(root / DICOM / "JPEG-LL.dcm")
    assert (image.ndim, int(image.min()), int(image.max())) == (2, 0, 255)
    assert probe((root / DICOM / "JPEG-LL.dcm").read_bytes(), "dicom").modality_tag == "NM"


def test_small_crops_are_kept_and_black_first_frames_are_seen(root: Path) -> None:
    assert all(check(decoded(path)) is None for path in (root / "gallbladder").rglob("*.[jJ]*"))
    clips = sorted((root / "covid-blues").rglob("*.mp4"))
    problems = {path.stem: check(decoded(path)) for path in clips}
    assert [name for name, problem in problems.items() if problem and problem.reason == "empty"] == [
        "patient_26_L3",
        "patient_2_L2",
        "patient_6_R2",
    ]


def test_seed_method_leaves_grey_tissue_and_takes_colour(root: Path) -> None:
    grey = decoded(root / "spj/SPJ_dataset/standard_ultrasound/standard_10.png")
    assert not seed_masks(grey, SeedParams(ocr=False)).colour.any()
    marked = decoded(root / "ultrasam/sample_dataset/sample_images/test.MMOTU_2d__00000.png")
    assert marked.ndim == 3
    assert seed_masks(marked, SeedParams(ocr=False)).final.any()


def test_no_sector_is_a_banner(root: Path) -> None:
    """A device's header bar is lit but flat; it was once taken for the sector of this screen."""
    sector = find_sector(decoded(root / DICOM / "OBXXXX1A.dcm"))
    ys = [y for polygon in sector.polygons for _, y in polygon]
    assert not ys or max(ys) > 200
