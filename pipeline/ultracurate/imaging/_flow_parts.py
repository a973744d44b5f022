"""Connected parts of a picture's colours, in two layers, and what can be measured of each part at once."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

THICK = 5
"""Pixels on a 600 line screen: what holds a disc of this size is thicker than most strokes."""

_BLEED = 4  # pixels on a 600 line screen over which compression smears a colour
_AROUND = 12  # pixels on a 600 line screen: half the side of the surroundings


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Numbered parts of one layer; every array but `labels` has one entry for each part, part 0 being what is none.

    Attributes:
        labels: (H, W) int32.
        count: pixels.
        box: (N, 4) int32, x, y, width, height.
        extent, thick: longest side, and largest distance to the border, in pixels of a 600 line screen.
        fill: share of the box.
        ragged: squared border over area, 1 for a disc.
        light: mean lightness of the ridge, that is of the pixels with nearly the part's strongest colour, 0..2.55.
        warm, cool: mean CIELAB a and b of the ridge, in units of 50.
        uneven, colours: standard deviation of lightness of all pixels, of chroma of the ridge, in units of 20.
        hues: 1 minus the length of the mean direction of chroma: 0 is one hue.
        contrast: lightness of the ridge above that of uncoloured surroundings, in units of 50.
    """

    labels: Ints
    count: F64
    box: Ints
    extent: F64
    thick: F64
    fill: F64
    ragged: F64
    light: F64
    warm: F64
    cool: F64
    uneven: F64
    colours: F64
    hues: F64
    contrast: F64


def unit_of(size: tuple[int, ...]) -> float:
    """Pixels of a picture (H, W) for one of a 600 line screen."""
    return float(np.clip(size[0] / 600, 0.6, 2.0))


def layers(coloured: Mask, residual: F32, unit: float) -> tuple[Mask, Mask]:
    """The thick and the thin parts (H, W) of coloured pixels, without the smear of compression around them."""
    peak = cv2.dilate(residual, disc(2 * round(_BLEED * unit) + 1))
    sharp = coloured & (residual > 0.5 * peak)
    core = cv2.morphologyEx(sharp.astype(np.uint8), cv2.MORPH_OPEN, disc(max(3, round(THICK * unit))))
    thick = sharp & (cv2.dilate(core, np.ones((3, 3), np.uint8)) > 0)
    return thick, sharp & ~thick


def surroundings(lab: U8, coloured: Mask, inside: Mask, unit: float) -> F32:
    """Mean lightness of the uncoloured field around each pixel, (H, W)."""
    free = (inside & ~(cv2.dilate(coloured.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)).astype(np.float32)
    side = (2 * round(_AROUND * unit) + 1,) * 2
    return np.asarray(cv2.blur(lab[..., 0] * free, side) / (cv2.blur(free, side) + 1e-3), np.float32)


def measure(layer: Mask, lab: U8, residual: F32, around: F32, unit: float) -> Parts:
    """All parts (8-connected) of a layer (H, W) of a picture in 8-bit CIELAB (H, W, 3)."""
    solid = layer.astype(np.uint8)
    n, numbered, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    labels = np.asarray(numbered, np.int32)
    where = np.flatnonzero(layer)
    own = labels.ravel()[where]
    count = np.maximum(np.bincount(own, minlength=n), 1).astype(np.float64)
    light, warm, cool = (lab[..., channel].ravel()[where].astype(np.float64) for channel in range(3))
    warm, cool = warm - 128, cool - 128
    strength = residual.ravel()[where]
    ridge = (strength > 0.7 * _largest(strength, own, n)[own]).astype(np.float64)
    ridges = np.maximum(np.bincount(own, ridge, n), 1)

    def mean(values: F64) -> F64:
        return np.bincount(own, values, n) / count

    def on_ridge(values: F64) -> F64:
        return np.bincount(own, values * ridge, n) / ridges

    def spread(values: F64, average: F64) -> F64:
        return np.maximum(on_ridge(values**2) - average**2, 0)

    length = np.hypot(warm, cool) + 1e-3
    deep = np.asarray(cv2.distanceTransform(solid, cv2.DIST_L2, 3), np.float32).ravel()[where]
    border = cv2.erode(solid, np.ones((3, 3), np.uint8)).ravel()[where] == 0
    box = np.asarray(stats[:, :4], np.int32)
    box[0] = (0, 0, layer.shape[1], layer.shape[0])  # in a picture full of colour nothing is none
    wide, tall = box[:, 2].astype(np.float64), box[:, 3].astype(np.float64)
    top, a, b = on_ridge(light), on_ridge(warm), on_ridge(cool)
    return Parts(
        labels=labels,
        count=count,
        box=box,
        extent=np.maximum(wide, tall) / unit,
        thick=_largest(np.minimum(deep, max(layer.shape)), own, n) / unit,  # no border at all: no end of it
        fill=count / (wide * tall),
        ragged=np.bincount(own, border, n) ** 2 / (4 * np.pi * count),
        light=top / 100,
        warm=a / 50,
        cool=b / 50,
        uneven=np.sqrt(np.maximum(mean(light**2) - mean(light) ** 2, 0)) / 20,
        colours=np.sqrt(spread(warm, a) + spread(cool, b)) / 20,
        hues=1 - np.hypot(mean(warm / length), mean(cool / length)),
        contrast=(top - mean(around.ravel()[where].astype(np.float64))) / 50,
    )


def _largest(values: F32, own: Ints, n: int) -> F64:
    found = np.zeros(n, np.float64)
    np.maximum.at(found, own, values)
    return found


def disc(size: int) -> U8:
    """A round structuring element, (size, size) of 0 and 1."""
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
