"""What devices and people write on a screen: banners, patient and parameter blocks, labels, watermarks, paint."""

from __future__ import annotations

import numpy as np

from ultracurate.phantom.burned.measuring import box
from ultracurate.phantom.burned.pen import BLACK, Pen
from ultracurate.phantom.canvas import Colour


def banner(pen: Pen) -> None:
    """A flat or shaded band of colour along the head or the foot of the screen."""
    height, width = pen.layer.size
    tall = max(10, round(height * float(pen.rng.uniform(0.03, 0.08))))
    colour = np.asarray(pen.vendor.banner or pen.pick(((60, 62, 70), (30, 60, 110), (20, 90, 95))), np.float32)
    top = 0 if pen.vendor.banner or pen.chance(0.6) else height - tall
    shade = np.linspace(1.15, 0.75, tall)[:, None, None] if pen.chance(0.5) else np.ones((tall, 1, 1))
    pixels = np.clip(np.broadcast_to(colour * shade, (tall, width, 3)), 0, 255).astype(np.uint8)
    with pen.layer.item("banner"):
        pen.layer.panel((0, top, width, top + tall), pixels)


def patient(pen: Pen) -> None:
    """Name, number, birth date, hospital and time of an invented patient, where the device puts them."""
    words, rng = pen.words, pen.rng
    height, width = pen.layer.size
    step = round(1.4 * pen.size)
    given = f"{pen.pick(words.families)}{pen.pick((', ', ' ', '^', ','))}{pen.pick(words.givens)}"
    lines = [given, pen.say(words.identifiers), pen.say(words.dates), pen.pick(words.hospitals), pen.say(words.dates)]
    if pen.chance(0.3):
        lines = [*lines[2:], *lines[:2]]
    lines = lines[: int(rng.integers(2, 6))]
    x, y = round(width * rng.uniform(0.005, 0.03)), round(height * rng.uniform(0.006, 0.02))
    if pen.vendor.brand:
        x += round(3.5 * pen.size)
    for index, line in enumerate(lines):
        if pen.vendor.patient == "split":
            right = index % 2 == 1
            pen.write("patient_text", line, width - 6 if right else x, y + (index // 2) * step, anchor=float(right))
        elif pen.vendor.patient == "corner":
            pen.write("patient_text", line, width - 8, y + index * step, anchor=1.0)
        else:
            pen.write("patient_text", line, x + (index % 3) * 0.33 * width, y + (index // 3) * step)


def parameters(pen: Pen) -> None:
    """The settings of the picture: a column at a side or over the picture, or lines above or below it."""
    words, rng = pen.words, pen.rng
    height, width = pen.layer.size
    size = pen.size * float(rng.uniform(0.8, 1.0))
    step, count = round(1.35 * size), int(rng.integers(3, 13))
    where = pen.vendor.parameters if pen.vendor.parameters != "none" else pen.pick(("over", "left", "bottom"))
    x0, y0, x1, y1 = pen.area
    colours: tuple[Colour, ...] = (pen.vendor.ink, pen.vendor.ink, pen.vendor.accent)
    texts = [pen.say(words.presets), *(pen.say(words.parameters) for _ in range(count))]
    effect = pen.vendor.effect if where == "over" else "plain"
    if where in ("bottom", "top"):
        y = min(y1 + 6, height - 2 * step) if where == "bottom" else max(2, y0 - 2 * step)
        x = 0.02 * width
        for index, text in enumerate(texts):
            spot = pen.write("ui_text", text, x, y, pen.vendor.ink, size)
            x = (spot[2] if spot else x) + size * float(rng.uniform(0.8, 3))
            if x > 0.92 * width:
                x, y = 0.02 * width, y + step
            if index > 8:
                break
        return
    right = where == "right" or (where == "over" and pen.chance(0.5))
    x = width - 4.0 if right else 5.0
    if where == "over":
        x = x1 - 5.0 if right else x0 + 5.0
    elif right and pen.chance(0.5):
        x, right = min(x1 + 8.0, width - 6 * size), False
    y = y0 + round(rng.uniform(0, 0.3) * (y1 - y0)) if where == "over" or pen.chance(0.7) else y0
    colour = pen.pick(colours)
    for index, text in enumerate(texts):
        if y > height - step:
            break
        ink = pen.vendor.accent if index in (0, 3) and pen.chance(0.3) else colour
        pen.write("ui_text", text, x, y, ink, size, anchor=float(right), effect=effect)
        y += step + (step // 2 if pen.chance(0.12) else 0)


def label(pen: Pen) -> None:
    """What a reader typed on the tissue, in any colour, edged, shadowed, half clear or on a box; any script."""
    rng, words = pen.rng, pen.words
    text, font, foreign = pen.say(words.labels), pen.other(), pen.chance(0.16)
    if foreign:
        script = pen.pick(tuple(words.foreign))
        named = pen.other(script)
        if named:
            font, text = named, pen.say(words.foreign[script])
    size = float(np.clip(pen.size * rng.uniform(0.75, 1.7), 7, 28))
    x, y = pen.site().spot(rng, (0.03, 0.97), 0.48)
    effect = pen.vendor.effect if pen.chance(0.5) else pen.pick(("plain", "edge", "shadow"))
    if pen.chance(0.1):
        wide = round(0.62 * size * len(text))
        box(pen, (round(x) - 5, round(y) - 4, round(x) + wide + 5, round(y + size) + 2), pen.vendor.accent)
    opacity = float(rng.uniform(0.4, 0.95)) if pen.chance(0.2) else 1.0
    kind = "insector_text"
    if pen.chance(0.06):  # a name typed where it should not be
        kind, text, font = "patient_text", f"{pen.pick(words.families)} {pen.pick(words.givens)}", pen.other()
    pen.write(kind, text, x, y, pen.tone(), size, font, effect, 0.0, opacity,
              smooth=pen.chance(0.7) if pen.vendor.smooth else None)  # fmt: skip


def watermark(pen: Pen) -> None:
    """A large faint word across the picture, once or a few times."""
    rng, (height, width) = pen.rng, pen.layer.size
    text = pen.say(pen.words.notices)
    opacity = float(rng.uniform(0.22, 0.6))
    level = int(rng.integers(150, 256))
    for _ in range(int(rng.choice([1, 3], p=[0.75, 0.25]))):
        x, y = rng.uniform(0.1, 0.75) * width, rng.uniform(0.1, 0.9) * height
        pen.write("watermark", text, x, y, (level, level, level), 28 if pen.chance(0.7) else 18, pen.other(),
                  opacity=opacity, smooth=True)  # fmt: skip


def redaction(pen: Pen) -> None:
    """Paint over texts outside the field, a bar or two; letters may look out at its end."""
    rng = pen.rng
    hit = [mark for mark in pen.layer.marks if mark.kind in ("patient_text", "ui_text") and mark.text]
    grey = int(rng.choice([0, 60, 128, 190, 255]))
    colour: Colour = (grey, grey, grey) if pen.chance(0.8) else pen.shade((200, 60, 200))
    for _ in range(int(rng.integers(1, 4))):
        if hit:
            x0, y0, x1, y1 = hit.pop(int(rng.integers(len(hit)))).box
            x0, x1 = x0 - int(rng.integers(-3, 8)), x1 + int(rng.integers(-8, 20))
            y0, y1 = y0 - int(rng.integers(1, 5)), y1 + int(rng.integers(1, 5))
        else:
            height, width = pen.layer.size
            x0, y0 = round(rng.uniform(0, 0.7) * width), round(rng.uniform(0, 0.05) * height)
            x1, y1 = x0 + round(rng.uniform(0.08, 0.25) * width), y0 + round(1.3 * pen.size)
        with pen.layer.item("redaction_paint", hides=True):
            pen.layer.panel((x0, y0, x1, y1), colour)


def cropped_text(pen: Pen) -> None:
    """Remains of a text that an export cut off at the frame: a few rows or columns of it, with their dark edge."""
    rng, (height, width) = pen.rng, pen.layer.size
    size = pen.size * float(rng.uniform(0.9, 1.5))
    text = pen.say((*pen.words.brands, *pen.words.parameters, *pen.words.results))
    draw = rng.random()
    if draw < 0.45:
        x, y = -rng.uniform(0.2, 0.8) * 0.6 * size * len(text), rng.uniform(0, 0.03 if draw < 0.3 else 0.95) * height
    elif draw < 0.7:
        x, y = rng.uniform(0, 0.8) * width, -rng.uniform(0.2, 0.55) * size
    elif draw < 0.85:
        x, y = rng.uniform(0, 0.8) * width, height - rng.uniform(0.15, 0.55) * size
    else:
        x, y = width - rng.uniform(0.2, 0.7) * 0.6 * size * len(text), rng.uniform(0, 0.95) * height
    effect = pen.pick(("edge", "edge", "plain"))
    before = len(pen.layer.marks)
    pen.write("cropped_text", text, x, y, pen.pick((pen.vendor.ink, pen.tone())), size, pen.other(), effect,
              clear=False)  # fmt: skip
    for mark in pen.layer.marks[before:]:
        mark.text = mark.group = None


def notice(pen: Pen) -> None:
    """A line of dark letters on a light strip, or the other way round, along the head of the screen."""
    _, width = pen.layer.size
    tall = round(1.5 * pen.size)
    x, y = round(pen.rng.uniform(0.02, 0.6) * width), round(pen.rng.uniform(0, 3) * tall)
    wide = round(0.7 * pen.size * 12)
    level = int(pen.rng.choice([30, 90, 200]))
    with pen.layer.item("banner", hides=True):
        pen.layer.panel((x, y, x + wide, y + tall), (level, level, level))
    ink: Colour = BLACK if level > 120 else (235, 235, 235)
    pen.write("ui_text", pen.say(pen.words.notices), x + 4, y + 0.25 * pen.size, ink, 0.85 * pen.size)
