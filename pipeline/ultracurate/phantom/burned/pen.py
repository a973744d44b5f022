"""What all marks of one picture share: the screen, its fields, the device, the font, the words, the random draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import cv2
import numpy as np

from ultracurate.phantom.burned.fonts import FONTS, HELD_FONTS, LATIN, SEEN_FONTS, Font, ink
from ultracurate.phantom.burned.layer import Layer
from ultracurate.phantom.burned.site import Site
from ultracurate.phantom.burned.vendors import INKS, Vendor
from ultracurate.phantom.burned.words import HELD_WORDS, SEEN_WORDS, Rng, Words, fill
from ultracurate.phantom.canvas import Colour
from ultracurate.phantom.sectors import Box
from ultracurate.phantom.textures import Grey

T = TypeVar("T")
BLACK: Colour = (0, 0, 0)


@dataclass
class Pen:
    """The hand that draws on `layer`; `unit` is 1.0 on a screen of 600 rows, `fonts` are those that may be used."""

    layer: Layer
    rng: Rng
    sites: Sequence[Site]
    vendor: Vendor
    font: str
    held: bool
    fonts: Sequence[str]
    unit: float = 1.0
    size: int = 13
    taken: list[Box] = field(default_factory=list)

    @property
    def words(self) -> Words:
        """The pool of words of this half."""
        return HELD_WORDS if self.held else SEEN_WORDS

    @property
    def area(self) -> Box:
        """Box of all fields together."""
        boxes = np.asarray([site.box for site in self.sites])
        low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])

    def chance(self, share: float) -> bool:
        """True in `share` of the cases."""
        return bool(self.rng.random() < share)

    def pick(self, among: Sequence[T]) -> T:
        """One of a few."""
        return among[int(self.rng.integers(len(among)))]

    def site(self) -> Site:
        """One of the fields."""
        return self.pick(self.sites)

    def shade(self, colour: Colour) -> Colour:
        """The colour as another machine shows it: a little lighter, darker or off."""
        light = self.rng.uniform(0.85, 1.05)
        r, g, b = (
            int(np.clip(v * light + s, 0, 255)) for v, s in zip(colour, self.rng.integers(-8, 9, 3), strict=True)
        )
        return r, g, b

    def tone(self) -> Colour:
        """Colour of a mark: the device's own, a grey of 110..255, or any."""
        draw = self.rng.random()
        if draw < 0.5:
            return self.shade(self.vendor.mark)
        if draw < 0.7:
            grey = int(self.rng.integers(110, 256))
            return grey, grey, grey
        return self.shade(self.pick(INKS))

    def other(self, script: str = LATIN) -> str:
        """A font that writes `script`: for Latin mostly the device's own."""
        able = [name for name in self.fonts if script in FONTS[name].scripts]
        if script == LATIN and self.font in self.fonts and self.chance(0.6):
            return self.font
        return self.pick(able) if able else ""

    def say(self, pool: Sequence[str]) -> str:
        """One phrase of the pool with its numbers filled in."""
        return fill(self.pick(pool), self.rng)

    def write(
        self,
        kind: str,
        text: str,
        x: float,
        y: float,
        colour: Colour | None = None,
        size: float = 0,
        font: str = "",
        effect: str = "plain",
        anchor: float = 0.0,
        opacity: float = 1.0,
        smooth: bool | None = None,
        clear: bool = True,
    ) -> Box | None:
        """Write one line with its upper edge at y; `anchor` 0 starts at x, 1 ends there.

        With `clear`, text that would run into other text is not written. Returns its box, or None.
        """
        cover = ink(text, font or self.font, max(6, min(28, round(size or self.size))),
                    self.vendor.smooth if smooth is None else smooth)  # fmt: skip
        tall, wide = cover.shape
        left, top = round(x - anchor * wide), round(y)
        box = (left, top, left + wide, top + tall)
        if clear and any(left < b[2] and b[0] < box[2] and top < b[3] and b[1] < box[3] for b in self.taken):
            return None
        self.taken.append((left - 2, top - 2, left + wide + 2, top + tall + 2))
        with self.layer.item(kind, text, opacity):
            if effect in ("edge", "shadow"):
                self.layer.blend(*_rim(cover, left, top, effect), BLACK)
            self.layer.blend(cover, left, top, colour or self.vendor.ink)
        return box


def _rim(cover: Grey, left: int, top: int, effect: str) -> tuple[Grey, int, int]:
    """Black around the strokes, or below and right of them, and where it lies."""
    if effect == "shadow":
        return cover, left + 1, top + 1
    wide = cv2.copyMakeBorder(cover, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=0)
    return np.asarray(cv2.dilate(wide, np.ones((3, 3), np.uint8)), np.uint8), left - 2, top - 2


def fonts_of(held: bool, among: Sequence[str] | None) -> list[str]:
    """Names of the fonts of one half, of `among` only where that is given."""
    half: dict[str, Font] = HELD_FONTS if held else SEEN_FONTS
    return [name for name in half if among is None or name in among]
