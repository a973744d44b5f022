"""What mutation starts from: a small valid file of every format, container, annotation and table that is read."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from ultracurate.phantom.containers import CONTAINERS, SQUEEZED, pack
from ultracurate.phantom.formats import VARIANTS, Facts, write_files
from ultracurate.phantom.frame import make_clip

LARGEST = 300_000
"""Bytes of a real file that is taken in: a mutation of a larger one seldom touches what matters."""


@dataclass(frozen=True)
class Seed:
    """A valid file: what reads it, what it is called, its bytes and those of the file beside it, if there is one."""

    family: str  # decode, container, annotations or table
    kind: str  # format, container or form
    name: str
    data: bytes
    beside: bytes = b""


@cache
def made() -> tuple[Seed, ...]:
    """One seed for everything that can be written here; the same bytes each time."""
    return (*_pictures(), *_containers(), *_annotations(), *_tables())


def _clip() -> np.ndarray:
    return make_clip("heart_a4c", "phased", "plain", 1, (40, 56), 4)


def _pictures() -> Iterator[Seed]:
    clip = _clip()
    facts = Facts(spacing=(0.2, 0.3, 0.5), fps=25.0)
    for variant, how in VARIANTS.items():
        still = how.format in ("png", "jpg", "bmp", "webp", "jp2") and variant != "png/animated"
        files = write_files(variant, clip[:1] if still else clip, facts)
        others = [data for ending, data in files.items() if ending != how.ending]
        family = "container" if how.format == "tfrecord" else "decode"
        name = f"x{how.ending}"
        data = files[how.ending].replace(b"{stem}", b"x")
        yield Seed(family, how.format, name, data, others[0] if data != files[how.ending] else b"")
    colour = np.stack([clip[0], clip[1], clip[2]], axis=2)
    for variant in ("png", "jpg", "tif", "bmp", "webp", "jp2", "dicom", "nrrd", "mha", "nifti"):
        how = VARIANTS[variant]
        yield Seed("decode", how.format, f"c{how.ending}", write_files(variant, colour[None], facts)[how.ending])


def _containers() -> Iterator[Seed]:
    image = io.BytesIO()
    Image.fromarray(_clip()[0]).save(image, "PNG")
    members = {f"d{n}/{n}.png": image.getvalue()[: -n or None] for n in range(4)} | {"t.csv": b"a,b\n1,2\n"}
    for kind in CONTAINERS:
        for name, data in pack(kind, members).items():
            yield Seed("container", kind, name, data)
    for ending, squeeze in SQUEEZED.items():
        yield Seed("container", f"single{ending}", f"x.png{ending}", squeeze(image.getvalue()))


def _annotations() -> Iterator[Seed]:
    shape = [[1.5, 2, 20, 2, 20, 30]]
    entry = {"image_id": 1, "category_id": 1, "bbox": [1, 2, 20, 30], "segmentation": shape, "keypoints": [3, 4, 2]}
    runs = {"image_id": 1, "category_id": 1, "segmentation": {"size": [40, 56], "counts": [100, 20, 2120]}}
    packed = {"image_id": 1, "category_id": 1, "segmentation": {"size": [40, 56], "counts": "T3d0PR2"}}
    images = [{"id": 1, "file_name": "x.png", "width": 56, "height": 40}]
    value = {"images": images, "annotations": [entry, runs, packed], "categories": [{"id": 1, "name": "lesion"}]}
    yield Seed("annotations", "coco", "c.json", json.dumps(value).encode())
    kinds = {"polygon": 4, "rectangle": 2, "circle": 2, "line": 2, "point": 1}
    corners = [[1, 2], [20, 2.5], [20, 30], [3, 30]]
    shapes = [{"label": kind, "shape_type": kind, "points": corners[:count]} for kind, count in kinds.items()]
    yield Seed("annotations", "labelme", "l.json", json.dumps({"shapes": shapes, "imagePath": "x.png"}).encode())
    box = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>20</xmax><ymax>30</ymax></bndbox>"
    text = f"<annotation><filename>x.png</filename><object><name>n</name>{box}</object></annotation>"
    yield Seed("annotations", "voc", "v.xml", text.encode())
    mask = np.zeros((40, 56), np.uint8)
    mask[4:20, 4:20], mask[22:30, 4:9] = 1, 2
    palette = Image.fromarray(mask).convert("P")
    palette.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    for fmt, image in (("PNG", palette), ("PNG", Image.fromarray(mask * 127)), ("TIFF", palette), ("GIF", palette)):
        out = io.BytesIO()
        image.save(out, fmt)
        yield Seed("annotations", "mask", f"m.{fmt.lower()}", out.getvalue())


def _tables() -> Iterator[Seed]:
    yield Seed("table", "csv", "t.csv", b'key,value,"free text"\nx1,3,"a, ""b"""\nx2,4,c\n')
    yield Seed("table", "tsv", "t.tsv", b"\xef\xbb\xbfkey\tvalue\nx1\t3\nx2\t\xc3\xa4\n")
    yield Seed("table", "wide", "w.csv", b"key;value;" + b";".join(b"c%d" % n for n in range(50)) + b"\n1;2\n")


FORMATS = {
    ".png": "png", ".jpg": "jpg", ".bmp": "bmp", ".tif": "tif", ".gif": "gif", ".dcm": "dicom", ".mp4": "mp4",
    ".avi": "avi", ".mkv": "mkv", ".wmv": "wmv", ".nrrd": "nrrd", ".mha": "mha", ".mat": "mat", ".npy": "npy",
    ".nii": "nifti", ".h5": "hdf5", ".gz": "nifti",
}  # fmt: skip


def real(folder: Path) -> tuple[Seed, ...]:
    """Small files of the folder of real samples: one for each dataset and ending, the smallest."""
    chosen: dict[tuple[str, str], Path] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        size = path.stat().st_size
        key = path.relative_to(folder).parts[0], path.suffix.lower()
        if 0 < size <= LARGEST and (key not in chosen or size < chosen[key].stat().st_size):
            chosen[key] = path
    found = []
    for (_, ending), path in chosen.items():
        data = path.read_bytes()
        if ending in FORMATS:
            found.append(Seed("decode", FORMATS[ending], f"r{ending}", data))
        elif ending in (".json", ".csv", ".rar", ".zip"):
            family = {".json": "annotations", ".csv": "table"}.get(ending, "container")
            found.append(Seed(family, {".json": "coco"}.get(ending, ending[1:]), f"r{ending}", data))
    return tuple(found)
