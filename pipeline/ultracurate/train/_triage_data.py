"""Labelled pictures for the triage model: phantoms, pictures that are no ultrasound, and permitted real frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ultracurate.decoding.decode import decode_image, iter_frames, sniff
from ultracurate.decoding.levels import U8
from ultracurate.phantom.canvas import FONTS
from ultracurate.phantom.modalities import MODALITIES, make_modality
from ultracurate.phantom.negatives import HELD_OUT, NEGATIVES, make_negative
from ultracurate.phantom.screens import STYLES, Style
from ultracurate.train._triage_copies import disguise, painted, thumbnail, vary

HELD_OUT_STYLE = "dune"
"""The screen style no phantom of the training half wears."""

PERMITTED = {
    "samples/timtrack/Example images/raw": 24,
    "samples/josh-muscle": 8,
    "samples/usgra/dataset/images": 12,
    "samples/spj": 16,
    "samples/itkpocus": 24,
    "samples/plus": 4,
    "samples/vital": 16,
    "samples/gallbladder": 16,
    "textures/usgra": 24,
    "textures/josh-muscle": 8,
}
"""Folders of real B-mode pictures that may train shipped weights, by how many hundredths of the real half they give."""

PERMITTED_OTHERS = {
    "samples/plus/TestImages/NrrdSample.igs.nrrd": "mr",
    "samples/slicer-us/Screenshots/TimeSeriesAnnotation_2024-09-26_1.jpg": "screenshot",
}
"""Real files that are no ultrasound and may train shipped weights."""

_SUFFIXES = frozenset({".png", ".jpg", ".bmp", ".tif", ".tiff", ".mp4"})
_MORE = {
    "first": 8,
    "any": 2,
    "window": 3,
    "strip": 2,
    "letter": 3,
    "table": 3,
    "slide": 2,
    "bone_scan": 2,
}  # the variants that differ most from picture to picture
_FRAMES = 6  # taken of each clip, evenly spread


@dataclass(frozen=True)
class Example:
    """One picture with what the model is to say about it; `kind` and `dual` are None where it is no ultrasound."""

    image: U8
    other: str | None
    kind: str | None
    dual: bool | None
    source: str


def phantoms(seed: int, count: int, styles: tuple[str, ...], *, mixed: bool) -> Iterator[Example]:
    """`count` phantoms of every kind, of varied sizes, cropped, scaled and compressed; `mixed`: half in odd styles."""
    for kind in MODALITIES:
        for index in range(count):
            rng = np.random.default_rng([seed, index, sorted(MODALITIES).index(kind)])
            tall = int(rng.integers(200, 640))
            size = (tall, int(tall * rng.uniform(1.0, 1.7)))
            style: str | Style = styles[int(rng.integers(len(styles)))]
            if mixed and rng.random() < 0.5:
                style = invented_style(rng)
            image, truth = make_modality(kind, seed * 100_003 + index, size, style)
            varied = vary(image, rng, truth.shown, crop=not truth.dual)
            yield Example(varied, None, kind, truth.dual, f"phantom_{truth.style}")


def negatives(seed: int, count: int, held_out: bool) -> Iterator[Example]:
    """`count` pictures of every variant that is (or is not) held out."""
    for kind, variants in NEGATIVES.items():
        for variant in variants:
            if (variant == HELD_OUT[kind]) != held_out:
                continue
            for index in range(count * _MORE.get(variant, 1)):
                rng = np.random.default_rng([seed, index, len(variant), sorted(NEGATIVES).index(kind)])
                tall = int(rng.integers(160, 640))
                size = (tall, int(tall * rng.uniform(0.9, 1.7)))
                image, _ = make_negative(kind, seed * 100_003 + index, size, variant)
                # Programs must stay whole: cut to the pane they show, they would be ultrasound.
                whole = kind in ("screenshot", "document")
                if not whole:
                    image = disguise(image, rng)
                    image = thumbnail(image, rng) if rng.random() < 0.06 else image
                yield Example(vary(image, rng, None, crop=not whole), kind, None, None, f"{kind}_{variant}")


def real(root: Path, seed: int, count: int) -> Iterator[Example]:
    """About `count` variations of the permitted real pictures under `root`: plain, coloured, paired, under a sweep."""
    for number, (folder, share) in enumerate(sorted(PERMITTED.items())):
        frames = list(_frames(root / folder))
        if not frames:
            raise FileNotFoundError(f"expected pictures under {folder} of the folder of real samples, found none")
        for index in range(max(1, count * share // sum(PERMITTED.values()))):
            rng = np.random.default_rng([seed, number, index])
            frame = frames[index % len(frames)]
            other = frames[int(rng.integers(len(frames)))]
            image, kind, dual = painted(frame, other, rng)
            if kind == "b_mode" and not dual and rng.random() < 0.12:
                image = thumbnail(image, rng)
            yield Example(vary(image, rng, None, crop=kind == "b_mode" and not dual), None, kind, dual, folder)


def real_others(root: Path, seed: int, count: int) -> Iterator[Example]:
    """`count` variations of each permitted real picture that is no ultrasound."""
    for number, (place, kind) in enumerate(sorted(PERMITTED_OTHERS.items())):
        data = (root / place).read_bytes()
        image = decode_image(data, str(sniff(data[:512], place)))
        for index in range(count):
            rng = np.random.default_rng([seed, 77, number, index])
            whole = kind == "screenshot"
            yield Example(
                vary(image if whole else disguise(image, rng), rng, None, crop=not whole), kind, None, None, place
            )


def _frames(folder: Path) -> Iterator[U8]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in _SUFFIXES:
            continue
        data = path.read_bytes()
        fmt = sniff(data[:512], path.name)
        if fmt is None:
            continue
        if path.suffix.lower() == ".mp4":
            every = list(iter_frames(data, fmt))
            for place in np.linspace(0, len(every) - 1, _FRAMES).astype(int):
                yield every[place][2]
        else:
            yield decode_image(data, fmt)


def invented_style(rng: np.random.Generator) -> Style:
    """A device of which nobody knows: colours, margins and places of furniture at random."""

    def colour(low: int, high: int) -> tuple[int, int, int]:
        red, green, blue = (int(part) for part in rng.integers(low, high, 3))
        return red, green, blue

    def side(*names: str | None) -> str | None:
        return names[int(rng.integers(len(names)))]

    left, top, right, bottom = (float(part) for part in rng.uniform(0.02, 0.2, 4))
    return Style(
        (left, min(top, 0.13), right, min(bottom, 0.12)),
        header=colour(0, 140) if rng.random() < 0.6 else None,
        ink=colour(120, 256),
        accent=colour(60, 256),
        font=FONTS[int(rng.integers(len(FONTS)))],
        parameters=side("left", "right", "bottom", None),
        patient=bool(rng.random() < 0.7),
        logo=side("NOVA", "q", None),
        bar=side("left", "right", None),
        ruler=bool(rng.random() < 0.7),
        cine=bool(rng.random() < 0.3),
    )


def styles(held_out: bool) -> tuple[str, ...]:
    """The screen styles of one half."""
    return tuple(name for name in sorted(STYLES) if (name == HELD_OUT_STYLE) == held_out)
