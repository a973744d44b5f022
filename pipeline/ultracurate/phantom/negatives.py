"""Pictures that are no ultrasound, as archives hold them: photographs, screens, charts, pages, other scanners."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ultracurate.core.errors import ConfigError
from ultracurate.phantom.pages import (
    areas,
    bars,
    form,
    heat_map,
    letter,
    lines_chart,
    pie,
    scatter,
    slide,
    strip,
    table_page,
)
from ultracurate.phantom.photographs import clouds, leaves, photograph
from ultracurate.phantom.programs import browser, desktop, editor, viewer, window
from ultracurate.phantom.scanners import (
    abdomen_ct,
    abdomen_mr,
    any_slice,
    bone_scan,
    chest_ct,
    chest_xray,
    hand_xray,
    head_ct,
    head_mr_axial,
    head_mr_side,
    limb_xray,
)
from ultracurate.phantom.static import colour_static, grains, mosaic, stripes, white_static
from ultracurate.phantom.textures import Grey

Maker = Callable[[tuple[int, int], np.random.Generator], Grey]

NEGATIVES: dict[str, dict[str, Maker]] = {
    "photograph": {
        "first": lambda size, rng: photograph(size, rng, half=0),
        "second": lambda size, rng: photograph(size, rng, half=1),
        "leaves": leaves,
        "clouds": clouds,
    },
    "screenshot": {"desktop": desktop, "editor": editor, "window": window, "browser": browser, "viewer": viewer},
    "chart": {"lines": lines_chart, "bars": bars, "areas": areas, "scatter": scatter, "heat_map": heat_map, "pie": pie},
    "document": {"letter": letter, "table": table_page, "slide": slide, "form": form, "strip": strip},
    "ct": {"abdomen": abdomen_ct, "chest": chest_ct, "head": head_ct},
    "mr": {"axial": head_mr_axial, "abdomen": abdomen_mr, "any": any_slice, "side": head_mr_side},
    "xray": {"chest": chest_xray, "bone_scan": bone_scan, "limb": limb_xray, "hand": hand_xray},
    "noise": {"white": white_static, "grains": grains, "stripes": stripes, "mosaic": mosaic, "colour": colour_static},
}
"""Every kind that `make_negative` draws, by the names of its variants."""

HELD_OUT = {
    "photograph": "second",
    "screenshot": "viewer",
    "chart": "pie",
    "document": "form",
    "ct": "head",
    "mr": "side",
    "xray": "hand",
    "noise": "colour",
}
"""Of each kind one variant that no model may be trained on: with it a model is judged on what it never saw."""


def make_negative(
    kind: str, seed: int, size: tuple[int, int] = (600, 800), variant: str | None = None
) -> tuple[Grey, str]:
    """Draw one picture that is no ultrasound: (H, W) or (H, W, 3) uint8, and the name of its variant.

    The size is that of the screen it is drawn for; `document` strips are shorter and some scans square. The same
    arguments give the same bytes.

    Args:
        kind: one of `NEGATIVES`.
        seed: decides everything else.
        size: (H, W) pixels, at least 120 a side.
        variant: one of `NEGATIVES[kind]`; None: drawn from the seed.
    """
    if kind not in NEGATIVES or (variant is not None and variant not in NEGATIVES[kind]):
        known = ", ".join(f"{name} ({'/'.join(sorted(variants))})" for name, variants in NEGATIVES.items())
        raise ConfigError(f"Expected a negative of {known}, found {kind!r} {variant!r}. Choose one of these.")
    rng = np.random.default_rng([seed, 17, sorted(NEGATIVES).index(kind)])
    names = sorted(NEGATIVES[kind])
    variant = variant or names[int(rng.integers(len(names)))]
    image = NEGATIVES[kind][variant](size, rng)
    if image.ndim == 3 and (image == image[..., :1]).all():
        image = image[..., 0]
    return np.ascontiguousarray(image, dtype=np.uint8), variant
