"""Invented devices: where each puts its texts, bars, rulers and marks, and in which colours and fonts."""

from __future__ import annotations

from dataclasses import dataclass

from ultracurate.phantom.canvas import Colour

INKS: tuple[Colour, ...] = (
    (255, 255, 255),
    (225, 225, 225),
    (180, 180, 180),
    (140, 140, 140),
    (255, 255, 0),
    (240, 225, 90),
    (0, 255, 0),
    (110, 255, 130),
    (0, 230, 255),
    (120, 180, 255),
    (90, 90, 255),
    (255, 150, 40),
    (255, 40, 40),
    (255, 120, 200),
    (190, 90, 255),
    (60, 200, 160),
)
"""Colours of marks: four greys and twelve others; each is shifted a little when it is used."""

WHITE: Colour = (240, 240, 240)


@dataclass(frozen=True)
class Vendor:
    """One device.

    `margins` (left, top, right, bottom) are shares of the screen outside the image area. `patient` and `parameters` say
    where the blocks of text stand, `bar`, `ruler` on which side, `body` and `results` in which corner of the area (0, 0
    is the upper left, 1, 1 the lower right). `effect` of text on tissue: plain, edge or shadow.
    """

    margins: tuple[float, float, float, float]
    ground: Colour = (0, 0, 0)
    banner: Colour | None = None
    ink: Colour = (215, 215, 215)
    accent: Colour = (120, 180, 255)
    mark: Colour = WHITE
    fonts: tuple[str, ...] = ()
    text: float = 13
    smooth: bool = True
    effect: str = "plain"
    patient: str = "top"  # top, split (left and right), corner, none
    parameters: str = "left"  # left, right, top, bottom, over (on the picture)
    caliper: tuple[str, ...] = ("plus",)
    line: str = "dots"
    ruler: str = "ticks"  # ticks, dots, comb, both
    ruler_side: str = "right"  # left, right, field, beams
    bar: str = "left"
    body: tuple[int, int] = (0, 1)
    results: tuple[int, int] = (1, 1)
    orientation: str = "dot"
    focus: str = "triangle"
    cine: bool = False
    brand: bool = True


SEEN_VENDORS: dict[str, Vendor] = {
    "harbor": Vendor(
        (0.12, 0.10, 0.12, 0.06), banner=(45, 75, 120), fonts=("dejavu sans", "dejavu condensed"), text=14,
        patient="split", parameters="left", caliper=("plus", "gap"), line="dots", ruler="ticks", bar="right",
        body=(0, 1), results=(0, 0), orientation="ball", focus="bracket",
    ),
    "meadow": Vendor(
        (0.05, 0.09, 0.09, 0.05), mark=(255, 255, 0), ink=(230, 230, 230), accent=(90, 90, 255), effect="edge",
        fonts=("liberation sans bold", "liberation sans"), patient="top", parameters="over", caliper=("gap", "plus"),
        ruler="ticks", ruler_side="field", bar="left", results=(1, 1), orientation="letter", focus="hourglass",
    ),
    "quarry": Vendor(
        (0.04, 0.08, 0.04, 0.12), mark=(0, 255, 0), ink=(200, 200, 200), accent=(0, 255, 0), banner=(40, 42, 66),
        fonts=("terminus", "dejavu mono"), smooth=False, text=15, patient="split", parameters="bottom",
        caliper=("plus", "x", "star"), line="dots", ruler="comb", ruler_side="left", bar="left", body=(1, 1),
        results=(0, 1), orientation="dot", focus="triangle", brand=False,
    ),
    "lantern": Vendor(
        (0.18, 0.10, 0.16, 0.03), ground=(52, 46, 50), ink=(190, 188, 184), accent=(255, 190, 80), mark=(255, 150, 40),
        fonts=("roboto condensed", "roboto"), text=10, patient="top", parameters="right", caliper=("plus", "diamond"),
        line="solid", ruler="comb", ruler_side="left", bar="left", body=(1, 0), results=(1, 1), orientation="diamond",
        focus="triangle", cine=True,
    ),
    "pebble": Vendor(
        (0.16, 0.06, 0.10, 0.06), fonts=("lato", "roboto"), text=16, patient="none", parameters="top",
        accent=(0, 230, 255), mark=(255, 255, 0), caliper=("x", "plus"), line="dashes", ruler="dots", ruler_side="left",
        bar="right", body=(0, 0), results=(0, 0), orientation="disc", focus="triangle",
    ),
    "willow": Vendor(
        (0.08, 0.16, 0.08, 0.10), ink=(255, 255, 255), accent=(240, 225, 90), smooth=False,
        fonts=("pixels", "opencv bold", "inconsolata"), text=14, effect="shadow", patient="split",
        parameters="top", caliper=("T", "x"), line="dashes",
        ruler="dots", ruler_side="beams", bar="right", body=(1, 1), results=(0, 1), orientation="arrow", cine=True,
    ),
    "cropped": Vendor(
        (0.0, 0.0, 0.0, 0.0), fonts=("liberation sans bold", "dejavu sans bold"), text=16, patient="none",
        parameters="none", caliper=("plus",), effect="edge", line="dots", ruler="ticks", ruler_side="field",
        bar="none", brand=True,
    ),
}  # fmt: skip
"""Devices that nets may be trained on; `cropped` is an export without furniture."""

HELD_VENDORS: dict[str, Vendor] = {
    "glacier": Vendor(
        (0.10, 0.12, 0.10, 0.04), banner=(60, 96, 104), ink=(255, 255, 255), accent=(0, 255, 0), text=13,
        fonts=("open sans", "free sans"), patient="top", parameters="left", caliper=("gap", "star"), line="dots",
        ruler="both", ruler_side="beams", bar="right", body=(1, 1), results=(0, 0), orientation="ball", focus="bracket",
    ),
    "saffron": Vendor(
        (0.06, 0.08, 0.08, 0.08), ink=(180, 180, 180), accent=(255, 190, 60), mark=(255, 200, 40), effect="shadow",
        fonts=("liberation narrow", "free sans bold"), patient="split", parameters="right", caliper=("plus", "diamond"),
        line="dashes", ruler="ticks", ruler_side="field", bar="left", body=(0, 0), results=(1, 0), orientation="letter",
        focus="hourglass",
    ),
    "thistle": Vendor(
        (0.14, 0.05, 0.05, 0.14), ground=(30, 30, 42), ink=(205, 200, 220), accent=(190, 90, 255), mark=(255, 120, 200),
        fonts=("cantarell", "fira code"), text=12, patient="corner", parameters="bottom", caliper=("x", "T"),
        line="solid", ruler="dots", ruler_side="right", bar="left", body=(0, 1), results=(1, 1), orientation="diamond",
        focus="triangle", cine=True,
    ),
    "cobalt": Vendor(
        (0.03, 0.14, 0.14, 0.03), ink=(120, 180, 255), accent=(255, 255, 255), mark=(110, 255, 130), smooth=False,
        fonts=("unifont", "aileron", "free mono bold"), text=16, effect="edge", patient="corner",
        parameters="over", caliper=("star", "plus"), ruler="comb", ruler_side="right", bar="right", body=(1, 0),
        results=(0, 1), orientation="arrow", brand=False,
    ),
    "trimmed": Vendor(
        (0.0, 0.0, 0.0, 0.0), fonts=("free sans bold", "noto mono", "vl gothic"), text=15, patient="none",
        parameters="none", caliper=("x", "gap"), effect="shadow", line="dashes", ruler="dots", ruler_side="field",
        bar="none",
    ),
}  # fmt: skip
"""Devices kept for tests: no shipped net was trained on one of these."""

VENDORS = SEEN_VENDORS | HELD_VENDORS
