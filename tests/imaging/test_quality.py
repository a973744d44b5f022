"""Quality: each rule with a picture just on either side of it, and real files that must pass."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.decoding.samples import samples_folder
from ultracurate.decoding.levels import U8
from ultracurate.imaging.quality import MIN_NONZERO, MIN_SIDE, _steps, check, nonzero_pixels
from ultracurate.phantom.frame import make_frame


def reason(image: U8, encoded: int | None = None, fmt: str | None = None) -> str | None:
    found = check(image, encoded_bytes=encoded, fmt=fmt)
    return found.reason if found else None


def lit(pixels: int, height: int = 200, width: int = 300) -> U8:
    flat = np.zeros(height * width, np.uint8)
    flat[:pixels] = 90
    return flat.reshape(height, width)


def pressed(image: U8, quality: int) -> tuple[U8, int]:
    """The picture after JPEG, and the length of the file."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8), int(data.size)


def test_the_published_number_decides_between_empty_and_dark() -> None:
    assert reason(lit(MIN_NONZERO - 1)) == "empty"
    assert reason(lit(MIN_NONZERO)) is None
    assert reason(lit(0)) == "empty"


def test_small_crops_need_a_tenth_of_their_area() -> None:
    assert reason(lit(359, 60, 60)) == "empty"
    assert reason(lit(360, 60, 60)) is None


def test_a_colour_pixel_counts_once() -> None:
    image = np.zeros((50, 50, 3), np.uint8)
    image[:2, :, 2] = 1
    assert nonzero_pixels(image) == 100
    image = np.random.default_rng(1).integers(0, 2, (40, 70, 3), dtype=np.uint8)
    assert nonzero_pixels(image) == nonzero_pixels(image[:, ::-1]) == int(image.any(axis=2).sum())


@pytest.mark.parametrize("shape", [(MIN_SIDE - 1, 500), (500, MIN_SIDE - 1), (1, 1)])
def test_a_side_below_the_limit_is_tiny(shape: tuple[int, int]) -> None:
    assert reason(np.full(shape, 7, np.uint8)) == "tiny"


def test_one_value_everywhere_is_constant_and_one_other_pixel_is_not() -> None:
    image = np.full((64, 64, 3), (10, 20, 30), np.uint8)
    assert reason(image) == "constant"
    image[5, 5, 1] = 21
    assert reason(image) is None


@pytest.mark.parametrize(
    ("anatomy", "geometry"), [("breast_cyst", "linear"), ("kidney", "convex"), ("muscle", "linear")]
)
def test_blocks_without_texture_are_over_compressed(anatomy: str, geometry: str) -> None:
    image = make_frame(anatomy, geometry, "plain", 3, (400, 520), ()).image
    assert reason(image) is None
    ruined, size = pressed(image, 1)
    assert reason(ruined) == reason(ruined, size, "jpg") == "over_compressed"
    assert reason(ruined[3:, 5:]) == "over_compressed", "the grid is found after a crop"
    for quality in (30, 60, 90):
        usual, size = pressed(image, quality)
        assert reason(usual) is None
        assert reason(usual, size, "jpg") is None


def test_the_file_length_helps_only_where_it_says_something() -> None:
    image = make_frame("kidney", "convex", "plain", 3, (400, 520), ()).image
    usual, _ = pressed(image, 50)
    assert reason(usual, 100, "jpg") is None, "a small file alone is no evidence"
    assert reason(usual, 100, "mp4") is None


def test_device_screens_with_large_flat_parts_pass() -> None:
    image = make_frame("abdomen", "convex", "boreal", 2, (600, 800)).image
    grey = np.full((600, 800), 70, np.uint8)
    grey[100:400, 200:600] = image[100:400, 200:600] if image.ndim == 2 else image[100:400, 200:600, 0]
    assert reason(image) is None
    assert reason(grey) is None


def plain_steps(grey: U8) -> tuple[float, int]:
    """What `_steps` says, written out."""
    rows = grey[:: max(1, grey.shape[0] // 192)].astype(int)
    columns: list[float] = []
    for x in range(1, rows.shape[1]):
        jumps = [min(abs(a - b), 48) for a, b in rows[:, x - 1 : x + 1] if b > 8]
        columns.append(sum(jumps) / len(jumps) if len(jumps) > max(4, len(rows) // 20) else -1)
    places = [[mean for mean in columns[place::8] if mean >= 0] for place in range(8)]
    means = [sum(place) / len(place) if place else 0.0 for place in places]
    border = means.index(max(means))
    return (means[border] + 0.5) / ((sum(means) - means[border]) / 7 + 0.5), (border + 1) % 8


def test_steps_between_blocks_are_those_of_plain_arithmetic() -> None:
    rng = np.random.default_rng(4)
    image = make_frame("kidney", "convex", "plain", 3, (400, 520), ()).image
    ruined, _ = pressed(image, 1)
    noise = rng.integers(0, 30, (50, 90), dtype=np.uint8)
    for grey in (image, ruined, ruined[3:, 5:], ruined.T, noise, np.zeros((40, 40), np.uint8)):
        assert _steps(grey) == pytest.approx(plain_steps(grey), rel=1e-9)


@settings(deadline=None, max_examples=60)
@given(hnp.arrays(np.uint8, st.one_of(st.tuples(st.integers(1, 70), st.integers(1, 70)), st.just((40, 41, 3)))))
def test_any_picture_gets_an_answer(image: U8) -> None:
    found = check(image, encoded_bytes=10, fmt="jpg")
    assert found is None or (0 <= found.score <= 1 and found.reason and found.detail)


@pytest.mark.samples
def test_every_real_jpeg_passes() -> None:
    folder = samples_folder()
    seen = 0
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in (".jpg", ".jpeg") or "mask" in path.parts:
            continue
        data = path.read_bytes()
        image = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)
        assert check(image, encoded_bytes=len(data), fmt="jpg") is None
        seen += 1
    assert seen >= 40
