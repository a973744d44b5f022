"""What people drew, back as they drew it; what strangers wrote instead, refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.decoding.files import encode
from tests.decoding.samples import samples_folder
from ultracurate.core.errors import RowError
from ultracurate.decoding._annotation import json_file as as_json
from ultracurate.decoding.annotations import Annotation, draw, parse, recognise

masks = hnp.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def coco(*annotations: dict[str, Any], **more: Any) -> bytes:
    plain: dict[str, Any] = {
        "images": [{"id": 7, "file_name": "a/one.png", "width": 30, "height": 20}],
        "categories": [{"id": 1, "name": "lesion", "keypoints": ["left", "right"]}],
        "annotations": [{"image_id": 7, "category_id": 1} | one for one in annotations],
    }
    return json.dumps(plain | more).encode()


def run_lengths(mask: np.ndarray) -> list[int]:
    """COCO's counts, the slow and plain way."""
    runs, now = [0], False
    for sample in mask.T.ravel().tolist():
        if sample != now:
            runs.append(0)
            now = sample
        runs[-1] += 1
    return runs


def packed(runs: list[int]) -> str:
    """The C code of cocoapi's rleToString, line by line."""
    out = ""
    for i, run in enumerate(runs):
        x = run - (runs[i - 2] if i > 2 else 0)
        more = True
        while more:
            c = x & 0x1F
            x >>= 5
            more = (x != -1) if c & 0x10 else (x != 0)
            out += chr((c | 0x20 if more else c) + 48)
    return out


def only(data: bytes, form: str) -> Annotation:
    parsed = parse(data, form)
    assert not parsed.refused
    (one,) = parsed.found
    return one


@settings(deadline=None)
@given(masks, st.booleans())
def test_run_lengths_give_the_mask_back(mask: np.ndarray, compressed: bool) -> None:
    height, width = mask.shape
    runs = run_lengths(mask)
    outline = {"size": [height, width], "counts": packed(runs) if compressed else runs}
    picture = {"id": 7, "file_name": "one.png", "width": width, "height": height}
    one = only(coco({"segmentation": outline}, images=[picture]), "coco")
    assert one.kind == "mask"
    assert list(one.runs) == runs
    assert np.array_equal(draw(one, width, height), mask)


def test_every_part_of_a_coco_entry_is_an_annotation_of_its_picture() -> None:
    data = coco(
        {
            "segmentation": [[2, 2, 10, 2, 10, 8, 2, 8], [20, 10, 24, 10, 24, 14]],
            "bbox": [2, 2, 22, 12],
            "keypoints": [3, 4, 2, 0, 0, 0],
        }
    )
    polygon, points, box = parse(data, "coco").found
    assert {one.label for one in (polygon, points, box)} == {"lesion"}
    assert {(one.picture, one.size) for one in (polygon, points, box)} == {("a/one.png", (30, 20))}
    assert [len(ring) for ring in polygon.polygons] == [4, 3]
    assert points.points == ((3.0, 4.0), None)
    assert points.names == ("left", "right")
    assert box.box == (2.0, 2.0, 24.0, 14.0)
    area = draw(polygon, 30, 20)
    assert area[4, 5]
    assert area[11, 23]
    assert not area[9, 15]
    assert draw(box, 30, 20).sum() == 22 * 12
    assert json.loads(json.dumps(box.geometry())) == {"box": [2.0, 2.0, 24.0, 14.0]}


def test_a_rectangle_covers_the_same_pixels_as_box_and_as_polygon() -> None:
    data = coco({"segmentation": [[3, 4, 9, 4, 9, 11, 3, 11]], "bbox": [3, 4, 6, 7]})
    polygon, box = parse(data, "coco").found
    assert np.array_equal(draw(polygon, 30, 20)[5:10, 4:8], draw(box, 30, 20)[5:10, 4:8])
    # OpenCV fills the outline too: a rectangle grows by at most half a pixel on each side.
    assert draw(box, 30, 20).sum() <= draw(polygon, 30, 20).sum() <= 7 * 8


def test_ids_may_be_numbers_or_words() -> None:
    one = only(coco({"image_id": "7", "category_id": "1", "bbox": [1, 1, 2, 2]}), "coco")
    assert (one.picture, one.label) == ("a/one.png", "lesion")


BAD_ENTRIES: list[dict[str, Any]] = [
    {"image_id": 8, "bbox": [1, 1, 2, 2]},
    {"bbox": [1, 1, 0, 2]},
    {"bbox": [1, 1, 2]},
    {"bbox": ["1", 1, 2, 2]},
    {"bbox": [1e7, 1, 2, 2]},
    {"bbox": [1, 1, float("inf"), 2]},
    {"bbox": [1, float("nan"), 2, 2]},
    {"segmentation": [[1, 1, 2, 2]]},
    {"segmentation": [[1, 1, 2, 2, 3]]},
    {"segmentation": {"size": [20, 30], "counts": [1, 2]}},
    {"segmentation": {"size": [20, 30], "counts": [-1, 601]}},
    {"segmentation": {"size": [20, 30], "counts": [True, 599]}},
    {"segmentation": {"size": [10**6, 10**6], "counts": [10**12]}},
    {"segmentation": {"size": [20, 31], "counts": [620]}},
    {"segmentation": {"size": [20, 30], "counts": "ooooooooooooooooo"}},
    {"segmentation": {"size": [20, 30], "counts": "\u1234"}},
    {"segmentation": {"size": [20, 30], "counts": "o"}},
    {"keypoints": [1, 2]},
    {"keypoints": [0, 0, 0]},
    {"category_id": [[]], "bbox": [1, 1, 2, 2]},
    {},
]


@pytest.mark.parametrize("entry", BAD_ENTRIES, ids=str)
def test_one_wrong_entry_costs_itself_and_no_other(entry: dict[str, Any]) -> None:
    parsed = parse(coco({"bbox": [0, 0, 5, 5]}, entry, {"bbox": [0, 0, 6, 6]}), "coco")
    assert [one.box for one in parsed.found] == [(0, 0, 5, 5), (0, 0, 6, 6)]
    assert parsed.refused == 1


LABELME_SHAPES = [
    ({"shape_type": "polygon", "points": [[1, 1], [5, 1], [5, 5]]}, "polygon"),
    ({"points": [[1, 1], [5, 1], [5, 5]]}, "polygon"),
    ({"shape_type": "rectangle", "points": [[5, 6], [1, 2]]}, "box"),
    ({"shape_type": "rectangle", "points": [[1, 2], [5, 2], [5, 6], [1, 6]]}, "box"),
    ({"shape_type": "line", "points": [[1, 2], [5, 6]]}, "points"),
    ({"shape_type": "point", "points": [[1, 2]]}, "points"),
]


@pytest.mark.parametrize(("shape", "kind"), LABELME_SHAPES, ids=str)
def test_labelme_shapes(shape: dict[str, Any], kind: str) -> None:
    text = {"shapes": [shape | {"label": "nerve"}], "imagePath": "..\\images\\x.png", "imageWidth": 9, "imageHeight": 8}
    one = only(json.dumps(text).encode(), "labelme")
    assert (one.kind, one.label, one.size) == (kind, "nerve", (9, 8))
    assert one.picture == "..\\images\\x.png"
    if kind == "box":
        assert one.box == (1, 2, 5, 6)


def test_a_labelme_circle_keeps_its_area() -> None:
    shape = {"label": "", "shape_type": "circle", "points": [[100, 100], [100, 150]]}
    one = only(json.dumps({"shapes": [shape]}).encode(), "labelme")
    assert draw(one, 200, 200).sum() == pytest.approx(np.pi * 50**2, rel=0.03)


@pytest.mark.parametrize(
    "shape",
    [1, {}, {"points": [[1, 1]]}, {"points": [[1], [2], [3]]}, {"shape_type": "mask", "points": [[1, 1], [2, 2]]}],
    ids=str,
)
def test_odd_labelme_shapes_are_counted(shape: Any) -> None:
    parsed = parse(json.dumps({"shapes": [shape]}).encode(), "labelme")
    assert (parsed.found, parsed.refused) == ([], 1)


VOC = """<?xml version="1.0"?><annotation><folder>f</folder><filename>x.jpg</filename>
<size><width>300</width><height>200</height><depth>1</depth></size>
<object><name>cyst &amp; wall</name><part><name>inner</name></part>
<bndbox><xmin>10</xmin><ymin>20</ymin><xmax>30.5</xmax><ymax>40</ymax></bndbox></object>
<object><name>none</name></object></annotation>"""


def test_voc_boxes() -> None:
    parsed = parse(VOC.encode(), "voc")
    (one,) = parsed.found
    assert (one.label, one.picture, one.size, one.box) == ("cyst & wall", "x.jpg", (300, 200), (10, 20, 30.5, 40))
    assert parsed.refused == 1


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY x "boo">]><annotation>&x;</annotation>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>',
        "<annotation>" * 40,
        "<annotation><object></annotation>",
        "<html></html>",
        "<annotation/>" + " " * (5 << 20),
        "",
    ],
    ids=["entity", "external", "deep", "crossed", "other", "long", "empty"],
)
def test_hostile_xml_is_refused(text: str) -> None:
    with pytest.raises(RowError, match="annotations: expected"):
        parse(text.encode(), "voc")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"images":' + b'{"a":' * 50_000,
        b"9" * 10_000,
        b'{"images": [], "annotations": {}}',
        b'{"shapes": {}}',
        b"[" + b"[]," * as_json.MAX_CONTAINERS + b"[]]",
        b" " * (as_json.MAX_BYTES + 1),
    ],
    ids=["empty", "cut", "bytes", "deep", "deep objects", "digits", "object", "shapes", "many", "long"],
)
@pytest.mark.parametrize("form", ["coco", "labelme"])
def test_hostile_json_is_refused(data: bytes, form: str) -> None:
    with pytest.raises(RowError, match="annotations: expected") as caught:
        parse(data, form)
    assert len(str(caught.value)) < 200


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
trees = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["id", "image_id", "bbox", "segmentation", "counts", "size", "keypoints", "points", "label"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(trees, trees, trees)
def test_whatever_the_json_says_nothing_but_a_row_error_escapes(a: Any, b: Any, c: Any) -> None:
    coco_like = {"images": [{"id": 1}, a], "annotations": [b, {"image_id": 1, "bbox": c, "segmentation": a}]}
    coco_like["categories"] = c
    for form, value in (("coco", coco_like), ("labelme", {"shapes": [a, {"points": b, "shape_type": "circle"}]})):
        try:
            data = json.dumps(value).encode()
            assert all(one.geometry() for one in parse(data, form).found)
        except RowError:
            continue


def test_halves_of_characters_in_a_label_can_be_stored() -> None:
    one = only(coco({"bbox": [1, 1, 2, 2]}, categories=[{"id": 1, "name": "\ud800x"}]), "coco")
    assert one.label.encode() == b"\\ud800x"


def test_recognise() -> None:
    assert recognise(encode(np.zeros((40, 50), np.uint8), "PNG")) == "mask"
    assert recognise(coco()) == "coco"
    assert recognise(b'\xef\xbb\xbf{"shapes": []}') == "labelme"
    assert recognise(VOC.encode()) == "voc"
    assert recognise(b"a,b\n1,2\n") is None
    assert recognise(b'{"other": 1}') is None
    with pytest.raises(RowError, match="found 'yolo'"):
        parse(b"", "yolo")


@pytest.mark.samples
def test_a_real_coco_file() -> None:
    root = samples_folder()
    data = (root / "ultrasam/sample_dataset/sample_coco_MMOTU2D.json").read_bytes()
    entries = {str(one["id"]): one for one in json.loads(data)["annotations"]}
    parsed = parse(data, "coco")
    drawn = [one for one in parsed.found if one.kind == "mask"]
    boxes = [one.box for one in parsed.found if one.kind == "box"]
    assert not parsed.refused
    assert len(drawn) == len(entries) == len(boxes) > 0
    for one, box, entry in zip(drawn, boxes, entries.values(), strict=True):
        assert one.size is not None
        area = draw(one, *one.size)
        assert area.sum() == entry["area"]
        rows, columns = np.flatnonzero(area.any(1)), np.flatnonzero(area.any(0))
        assert box == (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
