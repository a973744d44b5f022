"""What a burned-in picture is made of: the kinds of marks, one item per mark, and the picture with its exact truth."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ultracurate.phantom.sectors import Box
from ultracurate.phantom.textures import Grey, Mask

KINDS = (
    "patient_text",
    "ui_text",
    "insector_text",
    "measurement_text",
    "cropped_text",
    "result_box",
    "caliper",
    "dotted_line",
    "ruler",
    "arrow",
    "outline",
    "roi_box",
    "body_mark",
    "logo",
    "colour_bar",
    "grey_bar",
    "ecg",
    "needle_guide",
    "biopsy_line",
    "orientation_marker",
    "focus_marker",
    "tgc_curve",
    "doppler_gate",
    "m_line",
    "cursor",
    "cine_bar",
    "watermark",
    "banner",
    "redaction_paint",
)
"""All kinds of marks; `banner` and `result_box` are the flat ground that text stands on."""

GROUPS = {
    "patient_text": "patient",
    "ui_text": "ui",
    "logo": "ui",
    "watermark": "ui",
    "insector_text": "in_sector",
    "measurement_text": "measurement",
}
"""Group of a string when its leak is counted: whose secret it would be; kinds that are not here have none."""


@dataclass(frozen=True)
class Item:
    """One mark: a line of text, one caliper cross, one dotted line, the ticks of one ruler.

    `mask` (h, w) bool lies at `box` (x0, y0, x1, y1). `in_field`: on tissue or touching the field's edge. `text` is
    None where nothing can be read, also where the frame or paint hides a part. `group` is one of patient, ui,
    in_sector, measurement, or None.
    """

    kind: str
    box: Box
    mask: Mask
    text: str | None
    in_field: bool
    group: str | None


@dataclass(frozen=True)
class Making:
    """How a picture was made, to group results: `quality` 0 means never compressed, `scale` 1.0 never resized."""

    font: str
    vendor: str
    tissue: str
    quality: int
    scale: float


@dataclass(frozen=True)
class Burned:
    """A picture with marks and its truth.

    `image` and `clean` (H, W, 3) uint8 RGB went through the same tint, flow, crop, scale and compression; `clean` never
    had a mark. `masks`: kind -> (H, W) bool, pixels of which a mark covers 24/255 or more. `fields`: mask of each
    insonated field. `flow` (H, W) bool: colour-flow pixels, which are signal. `tinted`: name of the tint or None.
    """

    image: Grey
    clean: Grey
    items: list[Item]
    fields: list[Mask]
    flow: Mask
    tinted: str | None
    style: Making
    masks: dict[str, Mask] = field(init=False)

    def __post_init__(self) -> None:
        masks: dict[str, Mask] = {}
        for item in self.items:
            x0, y0, x1, y1 = item.box
            whole = masks.setdefault(item.kind, np.zeros(self.image.shape[:2], np.bool_))
            whole[y0:y1, x0:x1] |= item.mask
        object.__setattr__(self, "masks", masks)

    @property
    def mask(self) -> Mask:
        """Union of all marks, (H, W) bool."""
        union = np.zeros(self.image.shape[:2], np.bool_)
        for mask in self.masks.values():
            union |= mask
        return union
