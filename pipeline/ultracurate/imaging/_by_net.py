"""Marks by the overlay net; colour, other frames and headers only move the bar that its probability must clear."""

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
from ultracurate.imaging.flow import Flow, find_flow
from ultracurate.imaging.marks import Bit, Evidence, Marks, Mask
from ultracurate.imaging.overlay_classic import classic_marks, colour_marks
from ultracurate.imaging.tint import residual

F32 = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]
Net = Callable[[U8, Box], F32]
"""A picture and a box (x0, y0, x1, y1) -> probability (h, w) of a mark for each pixel in the box."""

BAR = 0.5
"""Probability from which on a pixel is a mark,"""
VOTE = 0.15
"""lower by this where something else says so, higher where it may be flow."""
SEED = 0.3
"""A connected part counts if one of its pixels is above the bar by this."""

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
        found = classic_marks(image, inside, evidence)
        return replace(found, used="classic")
    away = residual(image, inside)
    flow = find_flow(image, away, inside, expected=evidence.shows_map)
    coloured = colour_marks(away, flow, inside)
    x, y, wide, tall = cv2.boundingRect(inside.astype(np.uint8))
    probable = np.zeros(inside.shape, np.float32)
    if wide and tall:
        box = x, y, x + wide, y + tall
        probable[y : y + tall, x : x + wide] = (net or overlay_net.probability)(image, box)
    lower = evidence.votes(inside.shape)
    if not (evidence.shows_map or flow.sure.any()):  # in such a picture colour says nothing
        lower = lower | coloured
    bar = BAR - VOTE * lower.astype(np.float32) + VOTE * (flow.sure | flow.maybe).astype(np.float32)
    found_by_net = _connected(probable, bar) & inside
    kept = found_by_net & ~(flow.sure & ~_pen(found_by_net, image, flow))
    branches = {Bit.NET: found_by_net, Bit.COLOUR: coloured}
    return Marks(kept, branches, net=overlay_net.NET if net is None else "", spare=flow.sure)


def _connected(probable: F32, bar: F32) -> Mask:
    """Parts above the bar with a pixel far above it: hysteresis."""
    weak = (probable > bar).astype(np.uint8)
    count, labels = cv2.connectedComponents(weak, connectivity=8)
    strong = np.zeros(count, np.bool_)
    strong[labels[probable > np.minimum(bar + SEED, 0.9)]] = True
    strong[0] = False
    return np.asarray(strong[labels])


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
    return np.asarray(thin & (uneven < _FLAT**2))
