"""Marks by the overlay net, by colour and by filled areas; other frames and headers only move the net's bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.resources import files

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8
from ultracurate.imaging import overlay_net
from ultracurate.imaging._panels import completed
from ultracurate.imaging._parts import Parts, parts, scores
from ultracurate.imaging.flow import Flow, find_flow
from ultracurate.imaging.marks import Bit, Evidence, Marks, Mask
from ultracurate.imaging.overlay_classic import classic_marks, colour_marks
from ultracurate.imaging.tint import residual

F32 = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]
Net = Callable[[U8, Box], F32]
"""A picture and a box (x0, y0, x1, y1) -> probability (h, w) of a mark for each pixel in the box."""

PIXEL, PART = 0.3, 0.5
"""Probability that a pixel must clear, and likelihood that its connected part must clear in the second look;"""
VOTE = 0.15
"""both lower by this where something else says so, higher where it may be flow."""

_SMALL, _TINY = 160, 80  # lines of a picture below which a bright wall is as thin as a stroke
_RING, _LIT = 13, 10  # pixels around the border of a field; levels of a ground that is not black
_BOLDEST = 9  # pixels on a 600 line screen: strokes that cross flow are thinner
_FLAT = 10.0  # CIELAB units: strokes have one colour


@cache
def shipped() -> bool:
    """Whether the weights of the overlay net are installed."""
    return (files("ultracurate.imaging") / "weights" / f"{overlay_net.NET}.onnx").is_file()


def net_marks(image: U8, inside: Mask, evidence: Evidence, net: Net | None) -> Marks:
    """All marks that the net and the votes find in the field; without weights those of the classic method.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
        inside: (H, W) bool, the field.
        evidence: what else is known.
        net: another net than the shipped one.
    """
    if net is None and not shipped():
        return replace(classic_marks(image, inside, evidence), used="classic")
    x, y, wide, tall = cv2.boundingRect(inside.astype(np.uint8))
    if not (wide and tall):
        return Marks(np.zeros(inside.shape, np.bool_))
    window = np.s_[y : y + tall, x : x + wide]
    away = residual(image, inside)
    flow = find_flow(image, away, inside, expected=evidence.shows_map)
    coloured = colour_marks(away, flow, inside)
    lower = evidence.votes(inside.shape)
    if not (evidence.shows_map or flow.sure.any()):  # beside flow, colour is no reason to believe the net more
        lower = lower | coloured
    # From here on only the box around the field is looked at: it is half of many pictures.
    part, field = np.ascontiguousarray(image[window]), inside[window]
    probable = (net or overlay_net.probability)(on_black(image, inside), (x, y, x + wide, y + tall))
    harder = _harder(image.shape[0]) + VOTE * ((flow.sure | flow.maybe)[window].astype(np.float32) - lower[window])
    likely = (probable > PIXEL + harder) & field
    unit = float(np.clip(image.shape[0] / 600, 0.6, 2.0))
    by_net = _believed(parts(part, field, likely, probable, away[window], unit, evidence.shows_confidence), harder)
    # Colour that was expected and not found may be anywhere.
    drawn = by_net if evidence.shows_map and not flow.sure.any() else by_net | coloured[window]
    filled = completed(part, field, drawn, unit)
    found = _placed(drawn | filled, window, inside.shape)
    kept = found & ~(flow.sure & ~_pen(found, image, flow))
    branches = {
        Bit.NET: _placed(by_net, window, inside.shape),
        Bit.COLOUR: coloured,
        Bit.STROKE: _placed(filled, window, inside.shape),
    }
    return Marks(kept, branches, net=overlay_net.NET if net is None else "", spare=flow.sure)


def _placed(part: Mask, window: tuple[slice, slice], size: tuple[int, ...]) -> Mask:
    """The mask of a window in one of the whole picture."""
    whole = np.zeros(size, np.bool_)
    whole[window] = part
    return whole


def on_black(image: U8, inside: Mask) -> U8:
    """The picture with black ground around its field: the border to a ground in colour looks drawn."""
    near = cv2.dilate(inside.astype(np.uint8), np.ones((_RING, _RING), np.uint8)) > 0
    ring = image[near & ~inside]
    if not len(ring):
        return image
    ground = np.median(ring, axis=0)
    if ground.max() < _LIT:
        return image
    apart = cv2.absdiff(image, np.broadcast_to(ground.astype(np.uint8), image.shape))
    deep = cv2.erode(inside.astype(np.uint8), np.ones((_RING, _RING), np.uint8)) > 0
    alike = (apart if apart.ndim == 2 else apart.max(axis=2)) <= _LIT
    done = image.copy()
    done[alike & ~deep] = 0
    return done


def _harder(lines: int) -> float:
    """What pictures of few lines must clear besides: a net that looks for strokes is wrong there more often."""
    return 0.4 * float(np.clip((_SMALL - lines) / (_SMALL - _TINY), 0, 1))


def _believed(looked: Parts, harder: F32) -> Mask:
    """The parts that a second look takes for marks, (H, W) bool; votes move what they must clear."""
    found = looked.labels > 0
    count = len(looked.rows) + 1
    owner = looked.labels[found]
    moved = np.bincount(owner, harder[found], count) / np.maximum(np.bincount(owner, minlength=count), 1)
    taken = np.zeros(count, np.bool_)
    taken[1:] = scores(looked.rows) > PART + moved[1:]
    return np.asarray(taken[looked.labels])


def _pen(found: Mask, image: U8, flow: Flow) -> Mask:
    """Pixels over flow that a pen drew: thin, and of one colour around each of them."""
    if image.ndim == 2 or not (found & flow.sure).any():
        return np.zeros(found.shape, np.bool_)
    side = max(5, round(_BOLDEST * image.shape[0] / 600))
    solid = found.astype(np.uint8)
    thin = found & (cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((side, side), np.uint8)) == 0)
    lab = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2LAB).astype(np.float32)
    weight = cv2.blur(solid.astype(np.float32), (side, side)) + 1e-6
    uneven = np.zeros(found.shape, np.float32)
    for channel in (1, 2):
        values = (lab[..., channel] - 128) * solid
        mean = cv2.blur(values, (side, side)) / weight
        uneven += np.maximum(cv2.blur(values * values, (side, side)) / weight - mean * mean, 0)
    # What is shorter than any stroke is a speck of flow.
    _, numbered, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    long = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) >= 10 * image.shape[0] / 600
    return np.asarray(thin & (uneven < _FLAT**2) & long[numbered])
