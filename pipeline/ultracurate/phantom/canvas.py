"""A screen to draw on that remembers, per kind of overlay, exactly which pixels were touched."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ultracurate.phantom.sectors import Box
from ultracurate.phantom.textures import Grey, Mask

Colour = tuple[int, int, int]
Point = tuple[float, float]

FONTS = ("simplex", "plain", "duplex", "complex", "sans")
_HERSHEY = {
    "simplex": cv2.FONT_HERSHEY_SIMPLEX,
    "plain": cv2.FONT_HERSHEY_PLAIN,
    "duplex": cv2.FONT_HERSHEY_DUPLEX,
    "complex": cv2.FONT_HERSHEY_COMPLEX_SMALL,
}
_FAINT = 24  # fringe pixels of fewer than 24/255 coverage are not drawn: nobody sees them, but a mask would count them


@lru_cache(maxsize=64)
def _sans(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def text_coverage(text: str, font: str, size: int, weight: int = 1) -> Grey:
    """Coverage 0..255 of a line of text, (h, w) uint8 cut to its ink; `size` is about the height of a capital in px."""
    if font == "sans":
        face = _sans(max(8, round(size * 1.35)))
        left, top, right, bottom = (int(v) for v in face.getbbox(text))
        tile = Image.new("L", (right - min(left, 0) + 4, bottom - min(top, 0) + 4))
        ImageDraw.Draw(tile).text((2, 2), text, fill=255, font=face)
        ink = np.asarray(tile, np.uint8)
    else:
        face_id = _HERSHEY[font]
        scale = size / cv2.getTextSize("H", face_id, 1.0, 1)[0][1]
        (width, height), base = cv2.getTextSize(text, face_id, scale, weight)
        ink = np.zeros((height + base + 6, width + 6), np.uint8)
        cv2.putText(ink, text, (3, height + 3), face_id, scale, 255, weight, cv2.LINE_AA)
    rows, columns = np.flatnonzero(ink.max(axis=1)), np.flatnonzero(ink.max(axis=0))
    if not len(rows):
        return np.zeros((1, 1), np.uint8)
    return np.ascontiguousarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


class Canvas:
    """An RGB screen `image` (H, W, 3) uint8, `masks` by kind (H, W) bool, and the `strings` written on it."""

    def __init__(self, image: Grey) -> None:
        self.image: Grey = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image.copy()
        self.masks: dict[str, Mask] = {}
        self.strings: list[tuple[str, str, Box]] = []

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.image.shape[0], self.image.shape[1]

    def stamp(self, kind: str, coverage: Grey, x: int, y: int, colour: Colour) -> None:
        """Blend `colour` by `coverage` (h, w) 0..255 with its corner at (x, y); cut at the screen's border."""
        height, width = self.size
        x0, y0 = max(x, 0), max(y, 0)
        x1, y1 = min(x + coverage.shape[1], width), min(y + coverage.shape[0], height)
        if x0 >= x1 or y0 >= y1:
            return
        part = coverage[y0 - y : y1 - y, x0 - x : x1 - x].astype(np.float32)
        part[part < _FAINT] = 0
        alpha = part[..., None] / 255.0
        under = self.image[y0:y1, x0:x1].astype(np.float32)
        blended = under * (1 - alpha) + np.asarray(colour, np.float32) * alpha
        self.image[y0:y1, x0:x1] = np.round(blended).astype(np.uint8)
        mask = self.masks.setdefault(kind, np.zeros(self.size, np.bool_))
        mask[y0:y1, x0:x1] |= part > 0

    def text(
        self,
        kind: str,
        text: str,
        at: Point,
        colour: Colour = (230, 230, 230),
        font: str = "simplex",
        size: int = 10,
        edge: bool = False,
    ) -> Box:
        """Write one line with its upper left corner `at` (x, y); `edge` adds a black rim. Returns its box."""
        ink = text_coverage(text, font, size)
        x, y = int(at[0]), int(at[1])
        if edge:
            rim = cv2.dilate(
                cv2.copyMakeBorder(ink, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=0), np.ones((3, 3), np.uint8)
            )
            self.stamp(kind, np.asarray(rim, np.uint8), x - 2, y - 2, (0, 0, 0))
        self.stamp(kind, ink, x, y, colour)
        height, width = self.size
        box = (max(x, 0), max(y, 0), min(x + ink.shape[1], width), min(y + ink.shape[0], height))
        self.strings.append((kind, text, box))
        return box

    def lines(
        self,
        kind: str,
        paths: list[list[Point]],
        colour: Colour,
        thick: int = 1,
        closed: bool = False,
        smooth: bool = True,
    ) -> None:
        """Draw polylines of (x, y) pixels."""
        every = np.asarray([point for path in paths for point in path], np.float64)
        pad = thick + 3
        x, y = (int(v) - pad for v in np.floor(every.min(axis=0)))
        far_x, far_y = (int(v) + pad for v in np.ceil(every.max(axis=0)))
        tile = np.zeros((far_y - y + 1, far_x - x + 1), np.uint8)
        for path in paths:
            corners = np.round((np.asarray(path, np.float64) - (x, y)) * 16).astype(np.int32)
            style = cv2.LINE_AA if smooth else cv2.LINE_8
            cv2.polylines(tile, [corners.reshape(-1, 1, 2)], closed, 255, thick, style, shift=4)
        self.stamp(kind, tile, x, y, colour)

    def fill(self, kind: str, outline: list[Point], colour: Colour) -> None:
        """Fill a polygon of (x, y) pixels."""
        corners = np.asarray(outline, np.float64)
        x, y = (int(v) for v in np.floor(corners.min(axis=0)))
        far_x, far_y = (int(v) + 1 for v in np.ceil(corners.max(axis=0)))
        tile = np.zeros((far_y - y + 1, far_x - x + 1), np.uint8)
        local = np.round(corners - (x, y)).astype(np.int32)
        cv2.fillPoly(tile, [local.reshape(-1, 1, 2)], 255)
        self.stamp(kind, tile, x, y, colour)

    def panel(self, kind: str, box: Box, colour: Colour) -> None:
        """Fill a rectangle."""
        x0, y0, x1, y1 = box
        self.stamp(kind, np.full((max(y1 - y0, 1), max(x1 - x0, 1)), 255, np.uint8), x0, y0, colour)

    def picture(self, kind: str, pixels: Grey, x: int, y: int) -> None:
        """Copy an RGB tile (h, w, 3) uint8 with its corner at (x, y); it must lie on the screen."""
        height, width = pixels.shape[:2]
        self.image[y : y + height, x : x + width] = pixels
        self.masks.setdefault(kind, np.zeros(self.size, np.bool_))[y : y + height, x : x + width] = True
