"""Colour that is signal: Doppler flow, elastography and parametric maps, which no method may take for marks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8
from ultracurate.imaging._flow_parts import Parts, layers, measure, surroundings, unit_of
from ultracurate.imaging.tint import COLOURED

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_LEAST = 24  # pixels of colour in a picture, and of a thick part
_SURE, _MAYBE = 0.4, 0.03  # chance of a part to be flow
_ALONE = 0.97  # the same of the part that must be there where no flow is expected
_BIN = 10  # CIELAB units: of the palette's bins
_DARK = 90  # lightness 0..255 of CIELAB below which weak flow has hardly any colour
_MOST = 1000  # largest parts that may be colour bars
_FAR = 200.0  # pixels on a 600 line screen: as far as everywhere
# Logistic regressions on the parts of 472 phantom screens (seeds 310,000 to 310,499 of the half that nets may learn
# from, six tenths of them with flow), each part weighted by the root of its pixels; one slope for each column.
_BODY = np.asarray([-1.283, 0.783, -2.445, -4.115, -0.431, 1.521, 1.107, -2.919, -0.668, 0.342, 0.633, 0.541, 5.5])
_SPECK = np.asarray(
    [
        *(-1.443, 1.174, 0.477, -1.678, -0.179, -1.033, 1.177, 3.661),
        *(1.787, 1.197, -0.407, -0.734, -5.58, -0.389, 1.865, 0.054),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """(H, W) bool each: `sure` is signal; `maybe` may be signal, and its colour alone makes no mark of it."""

    sure: Mask
    maybe: Mask


def find_flow(image: U8, residual: F32, inside: Mask, *, expected: bool = False) -> Flow:
    """The colour of a picture that must survive.

    Parts thicker than a stroke are judged by their look: flow is ragged, of more than one hue or dark; ink is bright,
    of one hue, even; a colour bar is a long rectangle. What is thinner is judged against them: weak flow has the dark
    end of the same colours, and lies among it; strokes are bright, long, and many have the same ink.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
        residual: (H, W) float32 of `tint.residual`.
        inside: (H, W) bool, the field.
        expected: whether the frame is known to show such a map: more is believed then.
    """
    nothing = np.zeros(inside.shape, np.bool_)
    coloured = (residual > COLOURED) & inside
    if image.ndim == 2 or np.count_nonzero(coloured) < _LEAST:
        return Flow(nothing, nothing)
    unit = unit_of(inside.shape)
    lab: U8 = np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2LAB), np.uint8)
    around = surroundings(lab, coloured, inside, unit)
    thick, thin = layers(coloured, residual, unit)
    bodies = measure(thick, lab, residual, around, unit)
    body = _body_chance(bodies, lab)[bodies.labels]
    thin |= thick & (body < 0)  # too small to tell anything
    blobs = body >= (_SURE if expected else _ALONE)
    if not (expected or blobs.any()):  # nothing is sure enough to be spared, but colour alone proves nothing either
        return Flow(nothing, _smeared(body >= _SURE, thick & (body < _SURE), coloured, lab))
    specks = measure(thin, lab, residual, around, unit)
    speck = _chance(features(specks, lab, blobs, unit, expected=expected), _SPECK)[specks.labels]
    likely = np.where(thin, speck, np.where(thick, body, 0))
    sure = _smeared(likely >= _SURE, (thick | thin) & (likely < _SURE), coloured, lab)
    maybe = _smeared(likely >= _MAYBE, (thick | thin) & (likely < _MAYBE), coloured, lab)
    return Flow(sure, maybe & ~sure)


def _chance(rows: F64, slopes: F64) -> F64:
    """Of rows (N, K) of features to be signal, (N,) 0..1."""
    return np.asarray(1 / (1 + np.exp(-np.clip(rows @ slopes, -30, 30))))


def _body_chance(parts: Parts, lab: U8) -> F64:
    """Of each thick part to be signal, (N,): 0 for colour bars, -1 for those that are too small."""
    chance = _chance(body_features(parts), _BODY)
    short, long = np.sort(parts.box[:, 2:], axis=1).T
    slim = np.flatnonzero((parts.count >= _LEAST) & (long >= 3 * short) & (parts.fill >= 0.8))
    for number in slim[np.argsort(-parts.count[slim], kind="stable")[:_MOST]]:
        if _is_bar(parts, int(number), lab):
            chance[number] = 0
    return np.where(parts.count >= _LEAST, chance, -1)


def body_features(parts: Parts) -> F64:
    """What tells thick flow from ink and filled shapes, (N, 13), the last a 1."""
    hues = np.log(parts.hues + 1e-3)
    ragged = np.log(parts.ragged + 0.1)
    chroma = np.hypot(parts.warm, parts.cool)
    kind = kinds(parts)
    wide, tall = (np.maximum(parts.box[:, axis], 1) for axis in (2, 3))
    columns = (
        ragged,
        ragged * np.log(parts.thick + 1e-3),
        np.abs(np.log(wide / tall)),
        np.maximum(1.1 - parts.light, 0),
        parts.contrast,
        chroma,
        chroma / np.maximum(parts.light, 0.2),
        np.maximum(np.minimum(parts.warm, -parts.cool), 0),
        parts.colours,
        hues,
        hues * parts.light,
        np.log(np.bincount(kind)[kind]),
        np.ones(len(hues)),
    )
    return np.stack(columns, axis=1)


def kinds(parts: Parts) -> Ints:
    """A number for each part; parts with nearly the same ink have the same one. Part 0 is alone with its own."""
    inks = np.round(4 * np.stack([parts.light, parts.warm, parts.cool], axis=1)).astype(np.int64)
    inks[0] = 99
    return np.asarray(np.unique(inks, axis=0, return_inverse=True)[1].ravel(), np.int64)


def _is_bar(parts: Parts, number: int, lab: U8) -> bool:
    """Whether a part, a filled and long rectangle, is a colour bar: it changes along one side only."""
    x, y, wide, tall = (int(value) for value in parts.box[number])
    colours = lab[y : y + tall, x : x + wide].astype(np.float32)
    inner = colours[2:-2, 2:-2] if min(wide, tall) > 8 else colours
    own = parts.labels[y : y + tall, x : x + wide] == number
    low, high = np.percentile(colours[own], (10, 90), axis=0)
    across = inner.std(axis=1 if tall > wide else 0).mean(axis=0)
    return float(across.max()) < 0.35 * float((high - low).max()) / 2.56


def features(parts: Parts, lab: U8, blobs: Mask, unit: float, *, expected: bool) -> F64:
    """What tells thin flow from ink, (N, 16), the last a 1; of each part, and of the thick flow `blobs` (H, W)."""
    labels, n = parts.labels.ravel(), len(parts.count)
    size, area = max(1, int(blobs.sum())), labels.size
    bins = (lab[..., 1] // _BIN).astype(np.int64) * 26 + lab[..., 2] // _BIN
    known = np.bincount(bins[blobs], minlength=26 * 26).reshape(26, 26) > max(3, 0.002 * size)
    palette = cv2.dilate(known.astype(np.uint8), np.ones((3, 3), np.uint8)).ravel()
    hull = np.zeros(blobs.shape, np.uint8)
    far = np.full(blobs.shape, _FAR * unit, np.float32)
    level = 0.0
    if blobs.any():
        cv2.fillConvexPoly(hull, cv2.convexHull(np.argwhere(blobs)[:, ::-1].astype(np.int32)), 1)
        far = np.minimum(cv2.distanceTransform((~blobs).astype(np.uint8), cv2.DIST_L2, 3), far)
        level = float(np.median(lab[..., 0][blobs])) / 100
    same = np.bincount(labels, palette[bins.ravel()], n) / parts.count
    among = np.bincount(labels, hull.ravel(), n) / parts.count
    away = np.bincount(labels, far.ravel(), n) / parts.count / unit / 50
    kind = kinds(parts)
    own = parts.count * (np.arange(n) > 0)
    twins = np.bincount(kind, own)[kind] / max(1.0, float(own.sum()))
    every = np.ones(n)
    columns = (
        np.log(parts.extent),
        parts.thick,
        np.log(parts.ragged + 0.1),
        parts.light,
        parts.contrast,
        parts.uneven,
        parts.colours,
        parts.hues,
        same,
        among,
        away,
        (parts.light - level) * float(level > 0),
        twins,
        every * max(-5.0, float(np.log10(size / area))),
        every * expected,
        every,
    )
    return np.stack(columns, axis=1)


def _smeared(sure: Mask, drawn: Mask, coloured: Mask, lab: U8) -> Mask:
    """`sure` and what belongs to it: the smear of its colour, and its rim where that is too dark to have a colour."""
    if not sure.any():
        return sure
    to_flow = cv2.distanceTransform((~sure).astype(np.uint8), cv2.DIST_L2, 3)
    to_ink = cv2.distanceTransform((~drawn).astype(np.uint8), cv2.DIST_L2, 3) if drawn.any() else to_flow + 1
    nearer = to_flow < to_ink
    return sure | (coloured & nearer & (to_flow <= 6)) | (nearer & (to_flow <= 1.5) & (lab[..., 0] < _DARK) & ~drawn)
