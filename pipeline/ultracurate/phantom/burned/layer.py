"""A screen to burn marks into that keeps, for every mark, how much of each pixel it covers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import cv2
import numpy as np

from ultracurate.phantom.burned.kinds import GROUPS
from ultracurate.phantom.canvas import Colour, Point
from ultracurate.phantom.sectors import Box
from ultracurate.phantom.textures import Grey

FAINT = 24
"""Coverage of fewer than 24/255 is not drawn: nobody sees it, but a mask would count it."""
SEEN = 16
"""Levels by which at least half of a mark's pixels must differ from what they cover, or it is not drawn at all."""


@dataclass
class Mark:
    """One mark while it is drawn: `cover` (h, w) 0..255 at (x, y); `cut` where the frame took a part of it."""

    kind: str
    text: str | None
    group: str | None
    opacity: float
    x: int = 0
    y: int = 0
    cover: Grey = field(default_factory=lambda: np.zeros((0, 0), np.uint8))
    cut: bool = False

    @property
    def box(self) -> Box:
        """(x0, y0, x1, y1) of the tile."""
        return self.x, self.y, self.x + self.cover.shape[1], self.y + self.cover.shape[0]


def over(under: Grey, top: Grey) -> Grey:
    """Coverage of two layers of paint, 0..255."""
    left = (255 - under.astype(np.uint16)) * (255 - top.astype(np.uint16))
    return np.asarray(255 - (left + 127) // 255, np.uint8)


class Layer:
    """An RGB screen `image` (H, W, 3) uint8 that gets marks, the same one `clean` without them, and the `marks`."""

    def __init__(self, image: Grey) -> None:
        self.clean = image
        self.image = image.copy()
        self.marks: list[Mark] = []
        self._open: Mark | None = None
        self._parts: list[tuple[int, int, Grey]] = []

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.image.shape[0], self.image.shape[1]

    @contextmanager
    def item(self, kind: str, text: str | None = None, opacity: float = 1.0, hides: bool = False) -> Iterator[Mark]:
        """One mark: all that is drawn inside the block belongs to it. What lies outside the frame leaves no mark.

        A mark that could hardly be seen where it lies, such as grey letters on tissue as grey, is taken back: people
        choose a place or a colour in which they can read what they draw.

        `hides`: it is paint, so what it covers of older marks can no longer be seen; it is drawn on any ground.
        """
        mark = Mark(kind, text, GROUPS.get(kind) if text else None, opacity)
        self._open, self._parts, before = mark, [], self.image.copy()
        yield mark
        self._open = None
        if not self._parts:
            return
        x0, y0 = min(x for x, _, _ in self._parts), min(y for _, y, _ in self._parts)
        x1 = max(x + part.shape[1] for x, _, part in self._parts)
        y1 = max(y + part.shape[0] for _, y, part in self._parts)
        cover = np.zeros((y1 - y0, x1 - x0), np.uint8)
        for x, y, part in self._parts:
            window = cover[y - y0 : y - y0 + part.shape[0], x - x0 : x - x0 + part.shape[1]]
            window[:] = over(window, part)
        mark.x, mark.y, mark.cover = x0, y0, cover
        if not cover.any() or not (hides or self._seen(mark, before)):
            self.image[y0:y1, x0:x1] = before[y0:y1, x0:x1]
            return
        if hides:
            self._hide(mark)
        self.marks.append(mark)

    def _seen(self, mark: Mark, before: Grey) -> bool:
        x0, y0, x1, y1 = mark.box
        change = cv2.absdiff(self.image[y0:y1, x0:x1], before[y0:y1, x0:x1]).max(axis=2)
        return bool(2 * np.count_nonzero(change[mark.cover > 0] > SEEN) >= np.count_nonzero(mark.cover))

    def blend(self, cover: Grey, x: int, y: int, colour: Colour | Grey) -> None:
        """Blend a colour, or RGB pixels (h, w, 3), by `cover` (h, w) 0..255 with its corner at (x, y)."""
        mark, (height, width) = self._open, self.size
        assert mark is not None, "marks are drawn inside item()"
        tall, wide = cover.shape
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + wide, width), min(y + tall, height)
        if (x0, y0, x1, y1) != (x, y, x + wide, y + tall):
            rest = cover.copy()
            if x0 < x1 and y0 < y1:
                rest[y0 - y : y1 - y, x0 - x : x1 - x] = 0
            mark.cut = mark.cut or bool((rest >= FAINT).any())
        if x0 >= x1 or y0 >= y1:
            return
        part = cover[y0 - y : y1 - y, x0 - x : x1 - x]
        if mark.opacity < 1:
            part = np.asarray(part * np.float32(mark.opacity), np.uint8)
        part = np.where(part < FAINT, 0, part).astype(np.uint8)
        paint = np.asarray(colour, np.float32)
        if paint.ndim == 3:
            paint = paint[y0 - y : y1 - y, x0 - x : x1 - x]
        alpha = part[..., None].astype(np.float32) / np.float32(255)
        window = self.image[y0:y1, x0:x1]
        window[:] = np.round(window + alpha * (paint - window)).astype(np.uint8)
        self._parts.append((x0, y0, part))

    def lines(
        self,
        paths: Sequence[Sequence[Point]],
        colour: Colour,
        thick: int = 1,
        closed: bool = False,
        smooth: bool = True,
        edge: Colour | None = None,
    ) -> None:
        """Draw polylines of (x, y) pixels; `edge` puts a rim of that colour under them."""
        every = np.asarray([point for path in paths for point in path], np.float64).reshape(-1, 2)
        if not len(every):
            return
        pad = thick + 3
        x, y = (int(v) - pad for v in np.floor(every.min(axis=0)))
        far_x, far_y = (int(v) + pad for v in np.ceil(every.max(axis=0)))
        cover = np.zeros((far_y - y + 1, far_x - x + 1), np.uint8)
        style = cv2.LINE_AA if smooth else cv2.LINE_8
        corners = [np.round((np.asarray(path, np.float64) - (x, y)) * 16).astype(np.int32) for path in paths]
        cv2.polylines(cover, [c.reshape(-1, 1, 2) for c in corners], closed, 255, thick, style, shift=4)
        if edge is not None:
            self.blend(np.asarray(cv2.dilate(cover, np.ones((3, 3), np.uint8)), np.uint8), x, y, edge)
        self.blend(cover, x, y, colour)

    def fill(self, outline: Sequence[Point], colour: Colour, smooth: bool = True) -> None:
        """Fill a polygon of (x, y) pixels."""
        corners = np.asarray(outline, np.float64)
        x, y = (int(v) - 2 for v in np.floor(corners.min(axis=0)))
        far_x, far_y = (int(v) + 3 for v in np.ceil(corners.max(axis=0)))
        cover = np.zeros((far_y - y, far_x - x), np.uint8)
        local = np.round((corners - (x, y)) * 16).astype(np.int32)
        cv2.fillPoly(cover, [local.reshape(-1, 1, 2)], 255, cv2.LINE_AA if smooth else cv2.LINE_8, 4)
        self.blend(cover, x, y, colour)

    def panel(self, box: Box, colour: Colour | Grey) -> None:
        """Fill a rectangle with a colour or with RGB pixels (h, w, 3)."""
        x0, y0, x1, y1 = box
        self.blend(np.full((max(y1 - y0, 1), max(x1 - x0, 1)), 255, np.uint8), x0, y0, colour)

    def disc(self, centre: Point, radius: float, colour: Colour, thick: int = -1) -> None:
        """A disc, or with `thick` > 0 a ring."""
        reach = int(np.ceil(radius)) + 3 + max(thick, 0)
        x, y = int(centre[0]) - reach, int(centre[1]) - reach
        cover = np.zeros((2 * reach + 1, 2 * reach + 1), np.uint8)
        middle = round((centre[0] - x) * 16), round((centre[1] - y) * 16)
        cv2.circle(cover, middle, max(1, round(radius * 16)), 255, thick, cv2.LINE_AA, 4)
        self.blend(cover, x, y, colour)

    def _hide(self, top: Mark) -> None:
        """Take from older marks what `top` covers; what is left of a text cannot be read."""
        x0, y0, x1, y1 = top.box
        left: list[Mark] = []
        for mark in self.marks:
            a, b, c, d = max(mark.x, x0), max(mark.y, y0), min(mark.box[2], x1), min(mark.box[3], y1)
            if a < c and b < d:
                before = int(np.count_nonzero(mark.cover))
                window = mark.cover[b - mark.y : d - mark.y, a - mark.x : c - mark.x]
                hidden = top.cover[b - y0 : d - y0, a - x0 : c - x0] > 128
                window[hidden] = 0
                now = int(np.count_nonzero(mark.cover))
                if now < before:
                    mark.text = mark.group = None
                if not now:
                    continue
            left.append(mark)
        self.marks = left
