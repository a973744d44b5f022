from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from ultracurate.core.errors import ConfigError
from ultracurate.imaging import nets, overlay_net
from ultracurate.imaging._by_net import net_marks
from ultracurate.imaging.marks import Evidence
from ultracurate.imaging.overlay_net import MARGIN, TILE, probability
from ultracurate.phantom.burned import Burned, burned_screen
from ultracurate.phantom.burned.fonts import DRAWN


@pytest.fixture(scope="module")
def screens() -> list[Burned]:
    return [burned_screen(seed, held=True, size=(480, 640), fonts=DRAWN) for seed in range(700_000, 700_008)]


def test_marks_on_the_field_are_found_and_tissue_is_not(screens: list[Burned]) -> None:
    hit = marks = false = called = blank = 0
    for screen in screens:
        field = np.logical_or.reduce(screen.fields)
        found = net_marks(screen.image, field, Evidence(), None).mask
        near = cv2.dilate(screen.mask.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        hit += int(np.count_nonzero(found & screen.mask & field))
        marks += int(np.count_nonzero(screen.mask & field))
        called += int(np.count_nonzero(found & field))
        false += int(np.count_nonzero(found & field & ~near))
        blank += int(np.count_nonzero(net_marks(screen.clean, field, Evidence(), None).mask & field))
    assert marks > 15_000
    assert hit > 0.8 * marks
    assert false < 0.15 * called
    assert blank < 0.15 * marks


def test_a_box_gets_its_own_pixels_of_the_whole_answer(screens: list[Burned]) -> None:
    image = screens[0].image
    height, width = image.shape[:2]
    whole = probability(image)
    assert whole.shape == (height, width)
    assert whole.dtype == np.float32
    assert whole.min() >= 0
    assert whole.max() <= 1
    box = (37, 21, width - 51, height - 33)
    part = probability(image, box)
    assert part.shape == (box[3] - box[1], box[2] - box[0])
    assert np.mean((part > 0.5) != (whole[box[1] : box[3], box[0] : box[2]] > 0.5)) < 0.005


def test_grey_pictures_are_answered_like_their_rgb_copy(screens: list[Burned]) -> None:
    grey = np.ascontiguousarray(screens[1].image[..., 1])
    assert np.array_equal(probability(grey), probability(np.repeat(grey[..., None], 3, axis=2)))


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (17, 33)])
def test_any_size_is_answered(size: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 60, size).astype(np.uint8)
    assert probability(image).shape == size


def test_large_pictures_are_cut_into_tiles_and_the_cuts_do_not_show(
    screens: list[Burned], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = max((screen.image for screen in screens), key=lambda image: image.size)
    whole = probability(image) > 0.5
    sides: list[tuple[int, ...]] = []
    run = nets.run

    def seen(name: str, maps: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        sides.append(maps.shape[2:])
        return run(name, maps)

    monkeypatch.setattr(overlay_net, "TILE", 256)
    monkeypatch.setattr(nets, "run", seen)
    assert np.mean((probability(image) > 0.5) != whole) < 0.02
    assert len(sides) >= 6
    assert max(map(max, sides)) <= 256 + 2 * MARGIN + 16
    assert TILE >= 1000  # a usual screen is one tile


@pytest.mark.parametrize("box", [(0, 0, 0, 5), (-1, 0, 5, 5), (0, 0, 5, 9), (4, 4, 3, 6)])
def test_a_box_must_lie_in_the_picture(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(ConfigError, match="8 x 8"):
        probability(np.zeros((8, 8), np.uint8), box)
