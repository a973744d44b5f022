"""Corpora for the measurement of decoding: device screens as PNG, large clips, a volume; and recipes over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ultracurate.core.spec import Spec
from ultracurate.phantom.files import encode_still
from ultracurate.phantom.format_videos import writer
from ultracurate.phantom.formats import Facts, write
from ultracurate.phantom.frame import make_clip, make_frame
from ultracurate.phantom.packing import pack_zip
from ultracurate.phantom.textures import Grey

SCREEN = (600, 800)
FULL_HD = (1080, 1920)
CLIP_FPS = 25.0
_ANATOMIES = (
    ("thyroid", "linear", "atlas"),
    ("abdomen", "convex", "boreal"),
    ("heart_a4c", "phased", "corvid"),
    ("breast_benign", "linear", "dune"),
    ("kidney", "convex", "atlas"),
)


def screen(number: int) -> Grey:
    """A device's whole screen, (600, 800) uint8 grey."""
    anatomy, geometry, style = _ANATOMIES[number % len(_ANATOMIES)]
    image = make_frame(anatomy, geometry, style, number, SCREEN).image
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image, np.uint8)


def write_screens(folder: Path, count: int) -> None:
    """So many screens, once as loose files below `loose` and once in one zip below `zipped`."""
    members = {f"screens/s{number:04d}.png": encode_still(screen(number), "png") for number in range(count)}
    for name, data in members.items():
        path = folder / "loose" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / "zipped").mkdir()
    (folder / "zipped" / "screens.zip").write_bytes(pack_zip(members, stored=False))


def write_clips(folder: Path, count: int, seconds: float) -> list[Path]:
    """So many 1080p H.264 clips, half of them below each of two folders, so that there is work for two workers."""
    encode = writer("mp4", "libx264", crf="20", preset="veryfast")
    paths = []
    for number in range(count):
        if number % 2 == 0:  # drawing takes longer than encoding: every second clip is the one before, mirrored
            anatomy, geometry, _ = _ANATOMIES[number // 2 % len(_ANATOMIES)]
            beat = make_clip(anatomy, geometry, "atlas", number, FULL_HD, 12)
        else:
            beat = beat[:, :, ::-1]
        frames = np.stack([beat[n % len(beat)] for n in range(round(seconds * CLIP_FPS))])
        path = folder / f"clips_{number % 2}" / f"c{number:02d}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(frames, Facts(fps=CLIP_FPS))[".mp4"])
        paths.append(path)
    return paths


def write_volume(folder: Path, slices: int) -> None:
    """A NIfTI volume of 512 x 512 slices, gzipped."""
    base = make_frame("abdomen", "convex", "plain", 1, (512, 512), ()).image
    stack = np.stack([np.roll(base, number, axis=1) for number in range(slices)])
    (folder / "volume").mkdir()
    (folder / "volume" / "v.nii.gz").write_bytes(write("nifti/gz", stack, Facts(spacing=(0.3, 0.3, 0.5))))


def spec_of(folder: Path, *datasets: str) -> Spec:
    """A recipe over folders of `folder`, each a dataset of its own; nothing is stripped or sharded here."""
    from ultracurate.core.config import Recipe, parse
    from ultracurate.core.dataset import DatasetManifest
    from ultracurate.core.spec import resolve

    known = {slug: parse(DatasetManifest, _manifest(slug), slug) for slug in datasets}
    roots = {slug: str(folder / slug) for slug in datasets}
    return resolve(parse(Recipe, {"name": "decode", "datasets": list(datasets), "roots": roots}, "decode"), known, "")


def _manifest(slug: str) -> dict[str, Any]:
    return {
        "slug": slug,
        "title": slug,
        "licence": {"id": "CC0-1.0", "evidence": "made here"},
        "access": "open",
        "sources": [{"host": "local", "root": slug}],
    }
