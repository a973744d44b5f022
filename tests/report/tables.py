"""A small run made up with real pictures: three datasets, every kind of loss, copies and a conflict."""

from __future__ import annotations

import io
import json
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image, ImageDraw

from ultracurate.core import schema
from ultracurate.core.schema import ERRORS, REJECTS, Grain, content_id, table
from ultracurate.report.model import EDGES, DatasetLicence, RunTables, StageTables

PATIENT = "DOE_Jane_1961"
"""Stands in the folder and file names of the made-up datasets, and must never reach the page."""

DATASETS = ("busi", "thyroid-cine", "fetal-planes")
_LABELS = (
    ("breast", "mammary_gland", "lesion", "view:radial", "benign"),
    ("neck", "thyroid", "nodule", None, "malignant"),
    ("abdomen", "fetal_head", "thalami", "view:axial", None),
)
_SECTOR = [[160, 20], [40, 215], [280, 215]]


class Pack:
    """Encoded pictures in memory, addressed like a pack file."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.reads = 0

    def add(self, image: Image.Image) -> tuple[str, int, int]:
        out = io.BytesIO()
        image.save(out, "PNG")
        offset = len(self.data)
        self.data += out.getvalue()
        return "memory://pack", offset, len(out.getvalue())

    def read(self, uri: str, offset: int, length: int) -> bytes:
        self.reads += 1
        return bytes(self.data[offset : offset + length])


@cache
def pictures(number: int, text: str) -> tuple[Image.Image, Image.Image, Image.Image]:
    """A frame with burned-in text, the same frame clean, and its mask: 320 x 240 pixels."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[0:240, 0:320]
    coarse = np.asarray(Image.fromarray(rng.random((30, 40), dtype=np.float32)).resize((320, 240), 3))
    speckle = rng.rayleigh(0.7, (240, 320)) * (0.35 + coarse) * np.exp(-y / 260)
    cx, cy, radius = 130 + number * 7 % 60, 110 + number * 11 % 50, 18 + number * 5 % 14
    speckle[(x - cx) ** 2 + 1.8 * (y - cy) ** 2 < radius**2] *= 0.25
    inside = Image.new("L", (320, 240))
    ImageDraw.Draw(inside).polygon([(px, py) for px, py in _SECTOR], fill=255)
    grey = (np.clip(speckle * 130, 0, 255) * (np.asarray(inside) > 0)).astype(np.uint8)
    clean = Image.fromarray(grey)
    frame = clean.convert("RGB")
    bits = np.zeros((240, 320), np.uint8)
    marks: tuple[tuple[int, str | tuple[int, int, int]], ...] = ((32, (235, 235, 235)), (16, (240, 220, 40)))
    for bit, colour in marks:
        layer = Image.new("L", (320, 240))
        for target, fill in ((frame, colour), (layer, 255)):
            draw = ImageDraw.Draw(target)
            if bit == 32:
                draw.text((8, 8), text, fill=fill)
            else:
                draw.line([(cx - radius, cy), (cx + radius, cy)], fill=fill)
        bits |= np.where(np.asarray(layer) > 0, bit | 2, 0).astype(np.uint8)
    return frame, clean, Image.fromarray(bits)


def frame_row(pack: Pack, number: int, **changes: Any) -> dict[str, Any]:
    dataset = DATASETS[number % 3]
    region, organ, structure, view, pathology = _LABELS[number % 3]
    frame, clean, mask = pictures(number, f"TEXT {number}")
    row: dict[str, Any] = {
        "sample_id": content_id("frame", number),
        "parent_id": content_id("sample", number // 2),
        "dataset": dataset,
        "member": f"{PATIENT}/img {number}.png",
        "path": f"{PATIENT}.zip/{PATIENT}/img {number}.png",
        "group_id": f"{dataset}:{PATIENT}",
        "fields": json.dumps({"patient": PATIENT}),
        "media": "clip" if number % 3 == 1 else "image",
        "frame_no": number,
        "width": 320,
        "height": 240,
        "modality": "b_mode",
        "overlay_share": (number * 37 % 100) / 1500,
        "strings_found": number % 4,
        "sector": json.dumps([_SECTOR]) if number % 5 else None,
        "frame_format": "png",
        "cluster_size": 1,
        "aliases": [],
        "positive": [organ, structure],
        "negative": [],
        "region": [region],
        "organ": [organ],
        "structure": [structure] if number % 4 else [],
        "view": [view] if view else [],
        "pathology": [pathology] if pathology else [],
        "label_conflict": False,
        "split": ("train", "train", "train", "val", "test")[number // 3 % 5],
        "shard": "demo-train-000000.tar",
    }
    for kind, image in (("frame", frame), ("clean", clean), ("mask", mask)):
        row |= dict(zip((f"{kind}_uri", f"{kind}_offset", f"{kind}_length"), pack.add(image), strict=True))
    return row | changes


FRAMES = pa.schema(
    [
        *(
            field
            for group in (schema.DATASET, schema.SAMPLE, schema.FRAME, schema.STRIPPED, schema.HASHED)
            for field in group
        ),
        *(field for group in (schema.DEDUPED, schema.LABELLED, schema.SPLIT, schema.PLANNED) for field in group),
    ]
)


def rejects(*groups: tuple[str, int, str], dataset: str = "busi", parents: list[str] | None = None) -> pa.Table:
    """Rejects from (reason, how many, detail); `parents` are taken in turn, without them each is its own."""
    rows = []
    for reason, number, detail in groups:
        for place in range(number):
            key = content_id(reason, place)
            parent = parents[place % len(parents)] if parents else key
            row = {"sample_id": key, "parent_id": parent, "dataset": dataset, "reason": reason, "detail": detail}
            rows.append(row)
    return table(rows, REJECTS)


def errors(*messages: tuple[str, str], parent: str | None = None, dataset: str = "thyroid-cine") -> pa.Table:
    """Errors from (exception, message), of whole inputs unless they have a `parent`."""
    rows = []
    for place, (name, text) in enumerate(messages):
        key = content_id(name, text, place)
        found = {"sample_id": key, "parent_id": parent or key, "exception": name, "message": text}
        rows.append({"dataset": dataset, "attempt": 1, **found})
    return table(rows, ERRORS)


def run_of(number: int, **changes: Any) -> RunTables:
    """A run that ends with `number` frames, and lost nothing."""
    pack = Pack()
    rows = [frame_row(pack, place) for place in range(number)]
    frames = table(rows, FRAMES)
    stage = StageTables("strip", number, number, rejects(), errors(), 1.0, 10, 1)
    given: dict[str, Any] = {
        "recipe": "demo",
        "run_id": "7c1e9a42d0b35f68",
        "stages": [stage] if number else [],
        "files": pa.table({"dataset": pa.array(["busi"] * number, pa.string())}),
        "samples": frames.select(["sample_id", "dataset", "member"]),
        "frames": frames,
        "edges": EDGES.empty_table(),
        "conflicts": [],
        "pixels": pack.read,
        "licences": {},
    }
    return RunTables(**(given | changes))


def full_stages(number: int, lost: int, hashed: int, files: list[str]) -> list[StageTables]:
    """The stages of a run over seven files that ends with `number` of `hashed` frames after `lost` were rejected."""
    samples = [content_id("sample", place) for place in range(number + 1)]
    cut = hashed + lost + 3
    none, failed = rejects(), errors()
    members = rejects(
        ("no_layout_rule", 9, f"{PATIENT}/notes.txt"), ("empty", 3, "812 of 76800 pixels lit"), parents=files[:2]
    )
    ends_early = errors(("RowError", "archive ends early after 512 bytes, expected 2048"), parent=files[3])
    no_codec = errors(("RowError", "no frame could be decoded: unknown codec"))
    too_much = rejects(("too_much_overlay", lost, "share 0.31, at most 0.25"), dataset="fetal-planes")
    narrow = errors(*[("RowError", "picture is 0 px wide, expected at least 32")] * 3)
    copies = rejects(("duplicate", hashed - number, "a better copy was kept"))

    def of(parents: list[str], rows: int) -> pa.Array:
        return pa.array([parents[place % len(parents)] for place in range(rows)], pa.string())

    dataset, file, sample, frame = Grain.DATASET, Grain.FILE, Grain.SAMPLE, Grain.FRAME
    slugs, opened, clips = of([*DATASETS], 7), of(files[1:], number + 1), of(samples[:-1], cut)
    return [
        StageTables("discover", 3, 7, none, failed, 0.4, 4_100, 1, dataset, file, slugs),
        StageTables("download", 7, 7, none, failed, 41.0, 912_000_000, 7, file, file),
        StageTables("index", 7, number + 1, members, ends_early, 12.5, 300_000, 7, file, sample, opened),
        StageTables("frames", number + 1, cut, none, no_codec, 96.0, 48_000_000, 4, sample, frame, clips),
        StageTables("strip", cut, hashed, too_much, narrow, 1873.0, 61_000_000, 4),
        StageTables("dedup.hash", hashed, hashed, none, failed, 14.0, 200_000, 4),
        StageTables("dedup", hashed, number, copies, failed, 0.9, 90_000, 1),
        StageTables("label", number, number, none, failed, 0.2, 90_000, 4),
        StageTables("split", number, number, none, failed, 0.1, 90_000, 1),
        StageTables("shard", number, number, none, failed, 3.0, 22_000_000, 3),
    ]


def full_run(number: int = 36, lost: int = 40) -> RunTables:
    """A run of at least nine frames with every kind of row; `lost` frames are rejected as too much overlay."""
    pack = Pack()
    kept = [frame_row(pack, place) for place in range(number)]
    copies = [
        row | {"sample_id": content_id("copy", place), "dataset": DATASETS[(place + 1) % 3]}
        for place, row in enumerate(kept[:5])
    ]
    twins = [
        kept[0] | {"sample_id": content_id("twin", place), "dataset": ("busi", "fetal-planes")[place % 2]}
        for place in range(4)
    ]
    kept[2] |= {
        "label_conflict": True,
        "aliases": [json.dumps({"dataset": "thyroid-cine", "fields": {"patient": PATIENT}, "kind": "phash"})],
    }
    ids = [row["sample_id"] for row in kept]
    near = [(ids[i], row["sample_id"], "phash", float(i % 4)) for i, row in enumerate([*copies])]
    near += [(ids[0], row["sample_id"], "phash", float(1 + i)) for i, row in enumerate(twins)]
    exact = [(content_id("sample", 3), content_id("raw", 3), "exact_bytes", 0.0)]
    exact += [(ids[8], content_id("raw", 8), "exact_pixels", 0.0)]
    edges = pa.Table.from_pylist([dict(zip(EDGES.names, edge, strict=True)) for edge in near + exact], schema=EDGES)
    samples = pa.table(
        {
            "sample_id": [content_id("sample", place) for place in range(number)] + [content_id("raw", 3)],
            "dataset": [DATASETS[2 * place % 3] for place in range(number)] + ["thyroid-cine"],
            "member": [f"{PATIENT}/scan.dcm"] * (number + 1),
        }
    )
    files = pa.table(
        {
            "dataset": ["busi"] * 3 + ["thyroid-cine"] * 2 + ["fetal-planes"] * 2,
            "file_id": [content_id("file", place) for place in range(7)],
            "file_name": [f"{PATIENT}.zip"] * 7,
        }
    )
    return RunTables(
        recipe="echo-small",
        run_id="7c1e9a42d0b35f68",
        stages=full_stages(number, lost, number + len(copies) + len(twins), files.column("file_id").to_pylist()),
        files=files,
        samples=samples,
        frames=table(kept, FRAMES),
        edges=edges,
        conflicts=[ids[2]],
        pixels=pack.read,
        licences={
            "busi": DatasetLicence(
                "busi", "CC0-1.0", "Breast Ultrasound Images", True, True, "https://example.org/busi", "2025-11-02"
            ),
            "thyroid-cine": DatasetLicence(
                "thyroid-cine", "CC-BY-NC-4.0", "Thyroid cine clips", True, False, "https://example.org/t", "2025-11-02"
            ),
        },
        candidates=table([*kept, *copies, *twins], FRAMES),
        started="2025-11-20 08:12 UTC",
        finished="2025-11-20 08:47 UTC",
        versions={"ultracurate": "0.1.0", "ontology": "2025.11"},
        reasons={"no_layout_rule": "No layout rule of the manifest matches this file."},
    )
