"""A small dataset with every kind of annotation, from files to pictures: each row finds its own picture or says why."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.stages.bench import Bench, manifest, picture, png, resolved, run_folder
from tests.stages.workbooks import workbook
from ultracurate.core.annotations import read
from ultracurate.core.blobs import Blobs, PixelRef
from ultracurate.core.layout import FORMATS
from ultracurate.core.store import Store
from ultracurate.decoding.annotations import FORMS, Annotation, draw, mask_pixels
from ultracurate.phantom.packing import pack_tar, pack_zip
from ultracurate.report.annotations import drawn
from ultracurate.report.load import load_tables

WIDTH, HEIGHT = 80, 64
FOLDERS = ("p1", "p2")  # both hold a picture a.png: the folder tells them apart


def box_of(folder: str) -> tuple[int, int, int, int]:
    """Where the lesion lies in a picture of that folder."""
    return (5, 6, 15, 26) if folder == "p1" else (40, 10, 70, 50)


def corners(folder: str) -> list[list[int]]:
    x0, y0, x1, y1 = box_of(folder)
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]


def coco() -> bytes:
    images, entries = [], []
    for number, folder in enumerate(FOLDERS):
        x0, y0, x1, y1 = box_of(folder)
        images.append({"id": number, "file_name": f"{folder}/a.png", "width": WIDTH, "height": HEIGHT})
        ring = [float(value) for corner in corners(folder) for value in corner]
        outline = {"category_id": 7, "bbox": [x0, y0, x1 - x0, y1 - y0], "segmentation": [ring]}
        entries.append({"image_id": number, **outline})
    images.append({"id": 9, "file_name": "p3/lost.png", "width": WIDTH, "height": HEIGHT})
    entries += [
        {"image_id": 9, "category_id": 7, "bbox": [1, 1, 5, 5]},  # its picture is missing
        {"image_id": 77, "category_id": 7, "bbox": [1, 1, 5, 5]},  # of a picture that the file does not list
        {"image_id": 0, "category_id": 7, "bbox": [500, 1, 5, 5]},  # outside
    ]
    return json.dumps({"images": images, "annotations": entries, "categories": [{"id": 7, "name": "cyst"}]}).encode()


def labelme(folder: str) -> bytes:
    shape = {"label": "cyst", "shape_type": "polygon", "points": corners(folder)}
    return json.dumps({"shapes": [shape], "imagePath": "..\\elsewhere\\a.png"}).encode()


def voc(folder: str) -> bytes:
    x0, y0, x1, y1 = box_of(folder)
    box = f"<xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax>"
    size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
    found = f"<filename>a.png</filename>{size}<object><name>cyst</name><bndbox>{box}</bndbox></object>"
    return f"<annotation>{found}</annotation>".encode()


def mask_array(folder: str, value: int) -> np.ndarray:
    x0, y0, x1, y1 = box_of(folder)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[y0:y1, x0:x1] = value
    return mask


def palette(folder: str) -> bytes:
    out = io.BytesIO()
    image = Image.fromarray(mask_array(folder, 2), "P")
    image.putpalette([0, 0, 0, 10, 200, 10, 10, 200, 10])
    image.save(out, "PNG")
    return out.getvalue()


def smooth(folder: str) -> bytes:
    """A mask as a lossy copy: two levels with a few between them."""
    mask = mask_array(folder, 250)
    mask[mask == 0] = 3
    return png(mask)


LAYOUT: list[dict[str, Any]] = [
    {"match": "**img/{patient}/a.png", "kind": "image"},
    {"match": "{top:(?:.*/)?}coco/all.json", "kind": "annotation", "format": "coco", "of": "{top}img/{file}"},
    {"match": "{top:(?:.*/)?}lm/{patient}.json", "kind": "annotation", "format": "labelme",
     "of": "{top}img/{patient}/a.png"},
    {"match": "{top:(?:.*/)?}voc/{patient}.xml", "kind": "annotation", "format": "voc",
     "of": "{top}img/{patient}/{file}"},
    {"match": "{top:(?:.*/)?}bin/{patient}.png", "kind": "mask", "format": "binary_mask",
     "of": "{top}img/{patient}/a.png"},
    {"match": "{top:(?:.*/)?}idx/{patient}.png", "kind": "mask", "format": "indexed_mask",
     "of": "{top}img/{patient}/a.png"},
    {"match": "**facts.{ending:csv|xlsx}", "kind": "table"},
]  # fmt: skip
TOY = manifest(
    layout=LAYOUT,
    tables=[
        {"file": "**facts.{e:csv|xlsx}", "key": "id", "on": "{patient}", "columns": ["finding", "cohort"]},
    ],
    group="{patient}",
    split={"field": "cohort", "map": {"b": "test"}},
    labels=[{"positive": ["thyroid"]}, {"when": {"finding": "benign"}, "pathology": ["benign"]}],
)


def members(table: str = "csv") -> dict[str, bytes]:
    rows = [["id", "finding", "cohort"], ["p1", "benign", "a"], ["p2", "malignant", "b"]]
    text = "\n".join(",".join(row) for row in rows).encode()
    found = {"coco/all.json": coco(), f"facts.{table}": text if table == "csv" else workbook(rows)}
    for number, folder in enumerate(FOLDERS):
        found |= {
            f"img/{folder}/a.png": png(picture(number, HEIGHT, WIDTH)),
            f"lm/{folder}.json": labelme(folder),
            f"voc/{folder}.xml": voc(folder),
            f"bin/{folder}.png": smooth(folder),
            f"idx/{folder}.png": palette(folder),
        }
    return found


def packings() -> dict[str, dict[str, bytes]]:
    inner = {path: data for path, data in members().items() if not path.startswith("img/")}
    pictures = {path: data for path, data in members().items() if path.startswith("img/")}
    return {
        "loose": members(),
        "xlsx": members("xlsx"),
        "zip": {"a.zip": pack_zip(members())},
        "zip in tar": {"a.tar.gz": pack_tar({"in.zip": pack_zip(members(), stored=False)})},
        "notes in a zip beside the pictures": {"a.zip": pack_zip({**pictures, "img.zip": pack_zip(inner)})},
    }


def run(tmp_path: Path, files: Mapping[str, bytes], toy: Any = TOY) -> tuple[Store, Any, Any]:
    for name, data in files.items():
        path = tmp_path / "data" / "toy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    spec = resolved(toy, roots={"toy": str(tmp_path / "data")}, stages={"strip": {"method": "none"}})
    return Store(tmp_path / "work"), spec, run_folder(tmp_path / "work", spec)


def test_the_layout_names_exactly_the_forms_that_are_read() -> None:
    assert FORMATS == FORMS


@pytest.mark.parametrize("packing", ["loose", "xlsx", "zip", "zip in tar"])
def test_every_annotation_finds_the_picture_it_was_drawn_on(tmp_path: Path, packing: str) -> None:
    store, spec, result = run(tmp_path, packings()[packing])
    assert not result.error_rows
    tables = load_tables(store, spec, result)
    folder_of = {row["sample_id"]: json.loads(row["fields"])["patient"] for row in tables.samples.to_pylist()}
    wanted = ("kind", "label", "geometry", "source_uri", "source_offset", "source_length", "source_sha256")
    rows = read(store, result.parts["index"], wanted).to_pylist()
    usable = [row for row in rows if row["problem"] is None]
    assert {row["problem"]: row["kind"] for row in rows if row["problem"]} == {"no_picture": "box", "outside": "box"}
    expected = sorted(
        (folder, kind) for folder in FOLDERS for kind in ("box", "box", "mask", "mask", "polygon", "polygon")
    )
    assert sorted((folder_of[row["sample_id"]], row["kind"]) for row in usable) == expected
    blobs = Blobs(store, spec.recipe.roots)
    for row in usable:
        x0, y0, x1, y1 = box_of(folder_of[row["sample_id"]])
        area = np.zeros((HEIGHT, WIDTH), bool)
        area[y0:y1, x0:x1] = True
        shape = json.loads(row["geometry"])
        if row["kind"] == "mask":
            assert row["label"] in ("", "2")
            found = mask_pixels(blobs.read(PixelRef.of(row, "source")), shape["rule"])
        else:
            assert row["label"] == "cyst"
            parts: dict[str, Any] = {name: tuple(value) for name, value in shape.items()}
            found = draw(Annotation(row["kind"], "", **parts), WIDTH, HEIGHT)
        assert (found != area).sum() <= 2 * (x1 - x0 + y1 - y0), "a polygon may be off by its rim"
        assert found.sum() > 0.8 * area.sum()
    assert drawn(tables)["toy"].with_kind == {"mask": 2, "box": 2, "polygon": 2}
    assert drawn(tables)["toy"].problems == {"no_picture": 1, "outside": 1}


@pytest.mark.parametrize("packing", ["loose", "xlsx", "zip in tar"])
def test_the_table_reaches_labels_groups_and_split(tmp_path: Path, packing: str) -> None:
    store, spec, result = run(tmp_path, packings()[packing])
    frames = load_tables(store, spec, result).frames.to_pylist()
    assert sorted(
        (json.loads(row["fields"])["patient"], row["pathology"], row["official_split"]) for row in frames
    ) == [
        ("p1", ["benign"], None),
        ("p2", [], "test"),
    ]


def test_annotations_in_another_archive_of_the_same_record_are_tied(tmp_path: Path) -> None:
    toy = TOY.model_copy(
        update={
            "layout": [
                rule.model_copy(update={"match": f"a.zip/img.zip/{rule.match.removeprefix('{top:(?:.*/)?}')}",
                                        "of": rule.of and rule.of.replace("{top}", "a.zip/")})
                if rule.of
                else rule
                for rule in TOY.layout
            ]
        }
    )  # fmt: skip
    store, spec, result = run(tmp_path, packings()["notes in a zip beside the pictures"], toy)
    assert drawn(load_tables(store, spec, result))["toy"].with_kind == {"mask": 2, "box": 2, "polygon": 2}


DEEP = b'{"images": ' + b"[" * 100_000 + b"]" * 100_000 + b', "annotations": []}'
LAUGH = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><annotation>&b;</annotation>'
OUTSIDE = b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><annotation><filename>&a;</filename></annotation>'
EVERY = np.arange(65_536, dtype=np.uint16).reshape(256, 256)
HOSTILE = {
    "coco/all.json": {
        "deep": DEEP,
        "no json": b"{'Quill'}",
        "other json": b'{"Quill": 1}',
        "empty": b"",
        "big": b'["Q",' * 6_000_000,
    },
    "lm/p1.json": {
        "list": b"[]",
        "digits": b'{"shapes": ' + b"1" * 10_000 + b"}",
        "halves": b'{"shapes": "\\ud800"}',
    },
    "voc/p1.xml": {
        "laugh": LAUGH,
        "outside": OUTSIDE,
        "deep": b"<annotation>" + b"<a>" * 50_000,
        "other": b"<html>Quill</html>",
        "long": b"<annotation>" + b" " * (5 << 20) + b"</annotation>",
    },
    "idx/p1.png": {"cut": png(picture(1))[:300], "every number": png(EVERY)},
}


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "in a zip"])
def test_a_hostile_file_costs_itself_only_and_quotes_nothing(tmp_path: Path, packed: bool) -> None:
    bench = Bench(tmp_path, TOY)
    good = members()
    names = [(path, case) for path, cases in HOSTILE.items() for case in cases]
    for path, case in names:
        contents = good | {path: HOSTILE[path][case]}
        files = [bench.put("a.zip", pack_zip(contents))] if packed else [bench.put(*item) for item in contents.items()]
        result, ctx = bench.call("index", files)
        assert result.rows.num_rows == 2, (path, case)
        (error,) = ctx.errors
        assert error["exception"] == "RowError", (path, case)
        assert "Quill" not in error["message"], (path, case)
        kept = set(result.side["annotations"]["source_path"].to_pylist())
        assert len(kept) == 8, (path, case)


def test_a_mask_that_nobody_can_decode_is_kept_as_a_file(tmp_path: Path) -> None:
    bench = Bench(tmp_path, TOY)
    result, ctx = bench.call("index", [bench.put("idx/p1.png", b"Quill")])
    (row,) = result.side["annotations"].to_pylist()
    assert (row["kind"], row["picture"], row["geometry"]) == ("file", "img/p1/a.png", None)
    assert not ctx.errors


def test_entries_without_a_shape_are_counted_where_their_file_is(tmp_path: Path) -> None:
    bench = Bench(tmp_path, TOY)
    result, ctx = bench.call("index", [bench.put("coco/all.json", coco())])
    assert [(row["reason"], row["detail"]) for row in result.rejects.to_pylist()] == [
        ("annotation", "1 entries without a usable shape")
    ]
    assert ctx.counters["annotations_refused"] == 1
