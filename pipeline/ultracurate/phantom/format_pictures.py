"""Still and animated pictures, written by Pillow."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, TiffImagePlugin

from ultracurate.phantom.format_facts import Facts, Writer
from ultracurate.phantom.textures import Grey

_PILLOW = {
    "png": "PNG", "jpg": "JPEG", "bmp": "BMP", "tif": "TIFF", "gif": "GIF", "webp": "WEBP", "jp2": "JPEG2000",
}  # fmt: skip
DEEP = 257
"""Factor of 16-bit pictures: 255 becomes 65,535, and scaling back gives the same 8 bits."""


def writer(fmt: str, *, deep: bool = False, palette: bool = False, imagej: bool = False, **options: Any) -> Writer:
    """A writer of one format: 16 bits if `deep`, indexed if `palette`, with ImageJ's calibration if `imagej`."""
    animated = options.pop("animated", False)

    def write(frames: Grey, facts: Facts) -> dict[str, bytes]:
        pages = [_page(frame, deep, palette) for frame in frames]
        more: dict[str, Any] = {"quality": 95} if fmt == "jpg" else {}
        more |= options
        if len(pages) > 1 or animated:
            more |= {"save_all": True, "append_images": pages[1:]}
            if fmt in ("png", "gif", "webp"):
                times = facts.times or tuple(n / (facts.fps or 10.0) for n in range(len(pages) + 1))
                steps = np.diff([*times, 2 * times[-1] - times[-2]] if len(times) == len(pages) else times)
                more |= {"duration": [round(1000 * float(step)) for step in steps], "loop": 0}
            if fmt == "gif":
                more["disposal"] = 1
        if imagej:
            more["tiffinfo"] = _imagej(len(pages), facts)
        out = io.BytesIO()
        pages[0].save(out, _PILLOW[fmt], **more)
        data = out.getvalue()
        return dict.fromkeys((".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif", ".webp", ".jp2", ".j2k"), data)

    return write


def _page(frame: Grey, deep: bool, palette: bool) -> Image.Image:
    if deep:
        return Image.fromarray(frame.astype(np.uint16) * DEEP)
    if palette:  # of its own order, so that an index is never mistaken for a level
        image = Image.fromarray((255 - frame).astype(np.uint8)).convert("P")
        image.putpalette([level for index in range(256) for level in (255 - index,) * 3])
        return image
    return Image.fromarray(frame)


def _imagej(pages: int, facts: Facts) -> Any:
    """The tags in which ImageJ keeps its calibration (ij.io.FileInfo): pixels per unit, and the rest as text."""
    x, y, z = facts.spacing or (1.0, 1.0, 1.0)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[270] = f"ImageJ=1.53t\nimages={pages}\nslices={pages}\nunit=mm\nspacing={z}\nloop=false\n"
    tags[282], tags[283], tags[296] = 1 / x, 1 / y, 1
    return tags
