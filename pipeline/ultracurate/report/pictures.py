"""Fetches, shrinks and paints the pictures of the report and turns them into data URIs."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ultracurate.report.markup import Html, el
from ultracurate.report.model import Pixels

INVENTED, ZEROED, NET, COLOUR, TEXT, LEFT, STROKE = 2, 4, 8, 16, 32, 64, 128
"""Bits of a mask, see `imaging.marks.Bit`; what was blanked around the field needs no paint."""

# Okabe and Ito's palette: told apart with any kind of colour vision, and none of them occurs in B-mode.
LAYERS: tuple[tuple[str, int, tuple[int, int, int]], ...] = (
    ("painted over", INVENTED, (204, 121, 167)),
    ("set to black", ZEROED, (240, 228, 66)),
    ("found by the net", NET, (0, 114, 178)),
    ("found as a stroke", STROKE, (0, 158, 115)),
    ("found as colour", COLOUR, (86, 180, 233)),
    ("found as text", TEXT, (230, 159, 0)),
    ("still readable", LEFT, (213, 94, 0)),
)
"""What each bit shows, in drawing order: later ones lie on top."""

_QUALITY = 80
_FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF")
"""Pillow would also open what runs programs (EPS), if a file was swapped after it was indexed."""


@dataclass(frozen=True)
class Picture:
    """A small picture ready for the page, or the class name of what prevented it."""

    uri: str | None
    problem: str | None
    width: int = 0
    height: int = 0

    def tag(self, alt: str, class_: str | None = None) -> Html:
        """The picture as an element, or a quiet field in its place."""
        if self.uri is None:
            text = f"No picture ({self.problem})"
            return el("span", text, class_="nopicture", role="img", aria_label=f"{alt}: {text}")
        return el("img", src=self.uri, alt=alt, width=self.width, height=self.height, class_=class_, loading="lazy")


def load(pixels: Pixels, row: Mapping[str, Any], kind: str) -> Image.Image:
    """The picture that a row's `frame`, `clean` or `mask` reference points to."""
    uri, offset, length = (row.get(f"{kind}_{part}") for part in ("uri", "offset", "length"))
    if uri is None or offset is None or length is None:
        raise LookupError(kind)
    data = pixels(uri, offset, length)
    if kind == "frame" and (form := row.get("frame_format")) in ("dicom", "webp", "jp2", "tif"):
        from ultracurate.decoding.decode import decode_image

        return Image.fromarray(decode_image(data, form))
    image = Image.open(io.BytesIO(data), formats=_FORMATS)
    image.load()
    return image


def shrink(image: Image.Image, side: int) -> Image.Image:
    """At most `side` pixels on the longer side, as grey where it is grey, else RGB."""
    image = image if image.mode in ("L", "RGB") else image.convert("RGB")
    factor = side / max(image.size)
    if factor >= 1:
        return image
    wanted = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(wanted, Image.Resampling.LANCZOS)


def encode(image: Image.Image) -> Picture:
    """The picture as a JPEG data URI; full colour resolution, since thin coloured marks matter here."""
    out = io.BytesIO()
    image = Image.fromarray(np.asarray(image))  # pixels only: Pillow would write the source's comments again
    image.save(out, "JPEG", quality=_QUALITY, subsampling=0, optimize=True)
    text = base64.b64encode(out.getvalue()).decode("ascii")
    return Picture(f"data:image/jpeg;base64,{text}", None, image.width, image.height)


def absent(exc: Exception) -> Picture:
    """What stands in for a picture that could not be made; only the class, since messages can hold names."""
    return Picture(None, "not kept" if isinstance(exc, LookupError) else type(exc).__name__)


def thumbnail(pixels: Pixels, row: Mapping[str, Any], side: int, kind: str = "clean") -> Picture:
    """One small picture of a row; a picture that cannot be read never stops the report."""
    try:
        return encode(shrink(load(pixels, row, kind), side))
    except Exception as exc:
        return absent(exc)


def paint(frame: Image.Image, mask: Image.Image, sector: str | None, side: int) -> Image.Image:
    """The shrunken frame with the mask's bits in colour and the sector as an outline."""
    small = shrink(frame, side)
    canvas = np.asarray(small.convert("RGB"), dtype=np.float32) * 0.72
    bits = np.asarray(mask.convert("L"))
    for _, bit, colour in LAYERS:
        layer = _cover((bits & bit) > 0, small.size)
        alpha = np.float32(0.5 if bit in (INVENTED, ZEROED) else 0.85)
        canvas[layer] = canvas[layer] * (1 - alpha) + np.array(colour, np.float32) * alpha
    painted = Image.fromarray(canvas.clip(0, 255).astype(np.uint8))
    _outline(painted, sector, painted.width / frame.width, painted.height / frame.height)
    return painted


def _cover(layer: NDArray[np.bool_], wanted: tuple[int, int]) -> NDArray[np.bool_]:
    """The (H, W) layer at the (width, height) `wanted`; a pixel is set if any under it is, so hairlines survive."""
    full = Image.fromarray(layer.astype(np.uint8) * 255)
    return np.asarray(full.resize(wanted, Image.Resampling.BOX)) > 0


def _outline(image: Image.Image, sector: str | None, x_scale: float, y_scale: float) -> None:
    polygons = json.loads(sector) if sector else []
    draw = ImageDraw.Draw(image)
    for polygon in polygons:
        points = [(x * x_scale, y * y_scale) for x, y in polygon]
        if len(points) > 1:
            draw.line([*points, points[0]], fill=(236, 240, 241), width=1)
