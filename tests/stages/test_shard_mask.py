"""The mask of a shard: what is not real in its picture, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from ultracurate.imaging.cleaning import Bit
from ultracurate.imaging.resize import letterbox
from ultracurate.stages.shard import UNREAL, unreal


def test_the_mask_tells_invented_from_zeroed_from_outside() -> None:
    bits = np.zeros((60, 100), np.uint8)
    bits[:10] = Bit.OUTSIDE
    bits[20:30, 20:30] = Bit.ZEROED | Bit.NET
    bits[40:42] = Bit.INVENTED | Bit.TEXT
    bits[50:55] = Bit.COLOUR | Bit.LEFT  # suspected and left: real
    mask = unreal(bits, None)
    assert [int((mask == value).sum()) for value in (0, 64, 128, 255)] == [4700, 1000, 100, 200]
    assert (mask[bits & Bit.INVENTED > 0] == 255).all()
    assert (mask[bits & Bit.ZEROED > 0] == 128).all()
    assert (mask[:10] == 64).all()
    assert dict(UNREAL.values()) == {64: Bit.OUTSIDE, 128: Bit.ZEROED, 255: Bit.INVENTED}
    assert list(UNREAL.values()) == sorted(UNREAL.values(), key=lambda pair: pair[0])


@pytest.mark.parametrize("size", [32, 100, 250])
def test_a_pixel_of_the_shard_is_real_only_if_all_that_made_it_is(size: int) -> None:
    """Checked by what painting changes: where two pictures differ in unreal pixels alone, the mask must say so."""
    rng = np.random.default_rng(size)
    bits = np.zeros((90, 120), np.uint8)
    bits[17], bits[60:64, 30:34], bits[:, 100:] = Bit.INVENTED, Bit.ZEROED, Bit.OUTSIDE  # a stroke of one pixel
    one = rng.integers(100, 120, bits.shape, np.uint8)
    other = np.where(bits > 0, one + 100, one).astype(np.uint8)
    small = [letterbox(image, size, smooth=True)[0].astype(int) for image in (one, other)]
    mask = unreal(bits, size)
    assert (mask[np.abs(small[0] - small[1]) > 1] > 0).all()
    assert {0, 64, 128, 255} == set(np.unique(mask).tolist())
    margin = letterbox(np.full_like(one, 255), size, smooth=False)[0] == 0
    assert (mask[margin] == 64).all()
    assert (mask == 0).mean() > 0.3
