"""Invented device screens: where the image area lies and what the device writes around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ultracurate.core.errors import ConfigError
from ultracurate.phantom.canvas import Colour
from ultracurate.phantom.overlays import Pen, draw_ruler
from ultracurate.phantom.sectors import Box
from ultracurate.phantom.textures import Grey

PARAMETERS = ("FR {0}Hz", "{1:.1f}cm", "2D", "G {2}", "P {3}dB", "DR {4}", "MI {5:.2f}", "TIs 0.{6}", "PRS {7}", "Gen")


@dataclass(frozen=True)
class Identity:
    """An invented patient, with the words a leak test may search for."""

    name: str
    patient_id: str
    birth_date: str
    hospital: str

    @property
    def words(self) -> list[str]:
        """Every planted string."""
        return [*self.name.split("^"), self.patient_id, self.birth_date, self.hospital]


_FAMILY = ("QUILLFEATHER", "MOSSGROVE", "TARNWICK", "OAKENHOLT", "BRIARSTONE", "WEXCOMBE", "LARKMERE", "FENNIMORE")
_GIVEN = ("ZELPHA", "ODRIC", "MIRABEL", "TOBIAS", "YSOLDE", "CASPAR", "ELOWEN", "BARNABY")


def invent_identity(seed: int) -> Identity:
    """The same invented patient for the same seed."""
    rng = np.random.default_rng(seed * 31 + 7)
    name = f"{_FAMILY[int(rng.integers(8))]}^{_GIVEN[int(rng.integers(8))]}"
    born = f"19{int(rng.integers(30, 99))}{int(rng.integers(1, 13)):02d}{int(rng.integers(1, 29)):02d}"
    return Identity(name, f"ZQ{int(rng.integers(10**7, 10**8))}", born, "ST. ALDER INFIRMARY")


@dataclass(frozen=True)
class Style:
    """One device: margins (left, top, right, bottom) as shares of the screen, and how its furniture looks."""

    margins: tuple[float, float, float, float]
    header: Colour | None = None
    ink: Colour = (205, 205, 205)
    accent: Colour = (205, 205, 205)
    font: str = "simplex"
    parameters: str | None = None  # side of the parameter column: left, right or bottom
    patient: bool = True
    logo: str | None = None
    bar: str | None = None  # side of the grey bar
    ruler: bool = True
    cine: bool = False
    extras: tuple[Callable[[Pen], None], ...] = field(default=())


STYLES = {
    "atlas": Style((0.13, 0.10, 0.14, 0.04), (38, 44, 54), parameters="right", logo="ATLAS", bar="left", cine=True),
    "boreal": Style(
        (0.17, 0.09, 0.05, 0.08), (20, 60, 120), (170, 215, 255), (255, 235, 60), "sans", "left", logo="b", bar="right"
    ),
    "corvid": Style((0.04, 0.12, 0.08, 0.10), None, (230, 200, 120), (120, 255, 160), "duplex", "bottom", bar="right"),
    "dune": Style(
        (0.08, 0.08, 0.20, 0.06), (70, 66, 60), (235, 235, 225), (255, 160, 70), "complex", "right", logo="dune"
    ),
    "plain": Style((0.0, 0.0, 0.0, 0.0), patient=False, ruler=False),
}
"""`plain` is a cropped export without any furniture."""


def style_of(name: str) -> Style:
    """The style named `name`."""
    if name not in STYLES:
        raise ConfigError(f"Expected a screen style of {', '.join(STYLES)}, found {name!r}. Choose one of these.")
    return STYLES[name]


def image_area(style: Style, size: tuple[int, int]) -> Box:
    """The box the sector may fill on a screen of `size` (H, W)."""
    left, top, right, bottom = style.margins
    height, width = size
    return round(width * left), round(height * top), round(width * (1 - right)), round(height * (1 - bottom))


def furnish(pen: Pen, style: Style, identity: Identity, ramp: Grey) -> None:
    """Draw the device's own furniture; `ramp` (256, 3) uint8 is the colour of each echo level for the colour bar."""
    canvas, rng = pen.canvas, pen.rng
    height, width = canvas.size
    size, step = max(7, round(10 * pen.unit)), round(19 * pen.unit)
    band = round(height * style.margins[1])
    if style.header:
        canvas.panel("ui_panel", (0, 0, width, max(band - 6, 8)), style.header)
    if style.logo:
        _logo(pen, style, band)
    if style.patient:
        given = identity.name.replace("^", ", ")
        day = f"20{int(rng.integers(10, 26))}-{int(rng.integers(1, 13)):02d}-{int(rng.integers(1, 29)):02d}"
        x, y = round(width * (0.11 if style.logo else 0.02)), round(6 * pen.unit)
        canvas.text("patient_text", given, (x, y), style.ink, style.font, size)
        canvas.text("patient_text", identity.patient_id, (x, y + step), style.ink, style.font, size)
        canvas.text("patient_text", identity.hospital, (round(width * 0.42), y), style.ink, style.font, size)
        canvas.text("ui_text", day, (round(width * 0.82), y), style.ink, style.font, size)
    if style.parameters:
        _parameters(pen, style, size, step)
    if style.bar:
        _colour_bar(pen, style.bar, ramp)
    if style.ruler:
        draw_ruler(pen)
    if style.cine:
        y = height - round(9 * pen.unit)
        canvas.panel("ui_panel", (round(width * 0.15), y, round(width * 0.85), y + 3), (70, 70, 70))
        stop = round(width * (0.15 + 0.7 * rng.random()))
        canvas.panel("ui_panel", (round(width * 0.15), y, stop, y + 3), style.accent)


def _logo(pen: Pen, style: Style, band: int) -> None:
    arm, middle = max(6, band // 3), max(band - 6, 8) // 2
    ring = [(8 + arm + arm * np.cos(t), middle + arm * np.sin(t)) for t in np.linspace(0, 2 * np.pi, 7)[:-1]]
    pen.canvas.fill("logo", [(float(x), float(y)) for x, y in ring], style.accent)
    size = max(6, round(8 * pen.unit))
    pen.canvas.text("logo", style.logo or "", (12 + 2 * arm, middle - size // 2), style.accent, style.font, size)


def _parameters(pen: Pen, style: Style, size: int, step: int) -> None:
    canvas, rng = pen.canvas, pen.rng
    height, width = canvas.size
    count = int(rng.integers(5, len(PARAMETERS) + 1))
    if style.parameters == "bottom":
        places = [(round(width * (0.03 + 0.094 * i)), round(height * 0.955)) for i in range(count)]
    else:
        x = round(width * (0.012 if style.parameters == "left" else 1 - style.margins[2] + 0.035))
        y = round(height * (style.margins[1] + 0.03))
        places = [(x, y + index * step) for index in range(count)]
    numbers = (
        int(rng.integers(12, 60)), rng.uniform(3, 18), int(rng.integers(20, 80)), int(rng.integers(-9, 1)),
        int(rng.integers(48, 80)), rng.uniform(0.4, 1.4), int(rng.integers(1, 9)), int(rng.integers(1, 6)),
    )  # fmt: skip
    for index, place in enumerate(places):
        colour = style.accent if index == 2 else style.ink
        canvas.text("ui_text", PARAMETERS[index].format(*numbers), place, colour, style.font, max(7, size - 1))


def _colour_bar(pen: Pen, side: str, ramp: Grey) -> None:
    x0, y0, x1, y1 = pen.sector.box
    height, width = pen.canvas.size
    tall, wide = min(round(150 * pen.unit), y1 - y0 - 4), max(6, round(11 * pen.unit))
    x = max(x0 - wide - 10, 2) if side == "left" else min(x1 + 26, width - wide - 2)
    y = min(y0 + 4, height - tall - 1)
    levels = np.linspace(255, 0, tall).round().astype(np.intp)
    pen.canvas.picture("colour_bar", np.repeat(ramp[levels][:, None], wide, axis=1), x, y)


def bar_of(tint: Grey | None) -> Grey:
    """Colours of the bar (256, 3) uint8: the tint's own ramp, or grey."""
    return tint if tint is not None else np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
