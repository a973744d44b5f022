"""Annotations are tied to the picture they belong to, and to no other."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stages.bench import png
from ultracurate.core.annotations import ANNOTATION, tie
from ultracurate.core.blobs import PixelRef
from ultracurate.core.errors import RowError
from ultracurate.core.layout import LayoutRule, Match, match_path
from ultracurate.decoding.annotations import mask_pixels
from ultracurate.stages._annotations import Gathered, annotation_rows

Row = dict[str, Any]
REF = PixelRef("u", None, None, "d")


def no_place(data: bytes) -> PixelRef:
    raise AssertionError("JSON says everything: its bytes need no place")


def matched(path: str, **rule: Any) -> Match:
    found = match_path([LayoutRule.model_validate(rule)], path)
    assert found is not None
    return found


def coco(*names: str) -> bytes:
    images = [{"id": n, "file_name": name, "width": 80, "height": 64} for n, name in enumerate(names)]
    entries = [{"image_id": n, "bbox": [1, 2, 10, 10]} for n in range(len(names))]
    return json.dumps({"images": images, "annotations": entries}).encode()


def samples(*paths: str, dataset: str = "toy", size: tuple[int | None, int | None] = (80, 64)) -> pa.Table:
    rows = [
        {"sample_id": f"id of {path}", "dataset": dataset, "path": path, "width": size[0], "height": size[1]}
        for path in paths
    ]
    kinds = {"sample_id": pa.string(), "dataset": pa.string(), "path": pa.string()}
    return pa.Table.from_pylist(rows, schema=pa.schema({**kinds, "width": pa.int64(), "height": pa.int64()}))


def annotation_table(rows: Iterable[Row]) -> pa.Table:
    gathered = Gathered()
    gathered.add(rows)
    return gathered.table()


def tied(rows: list[Row], table: pa.Table) -> list[tuple[str | None, str | None]]:
    return [(row["sample_id"], row["tied_by"]) for row in tie(annotation_table(rows), table).to_pylist()]


def problems(rows: list[Row], table: pa.Table) -> list[str | None]:
    return tie(annotation_table(rows), table)["problem"].to_pylist()  # type: ignore[no-any-return]


def test_a_mask_is_a_reference_and_a_rule_for_each_class() -> None:
    mask = np.zeros((64, 80), np.uint8)
    mask[:10, :10], mask[20:40, 20:40] = 1, 2
    data = png(mask)
    match = matched("a.zip/mask/x_mask.png", match="a.zip/mask/{name}_mask.png", kind="mask", of="a.zip/img/{name}.png")
    placed: list[bytes] = []

    def place(given: bytes) -> PixelRef:
        placed.append(given)
        return PixelRef("files/ab/abc", 30, len(given), "digest")

    found, refused = annotation_rows(match, data, place, "toy", "a.zip/mask/x_mask.png")
    rows = list(found)
    assert (refused, placed) == (0, [data])
    table = annotation_table(rows)
    assert table.schema == ANNOTATION
    assert [(row["kind"], row["label"], row["width"], row["height"]) for row in rows] == [
        ("mask", "1", 80, 64),
        ("mask", "2", 80, 64),
    ]
    for row in rows:
        shape = json.loads(row["geometry"])
        assert np.array_equal(mask_pixels(data, shape["rule"]), mask == int(row["label"]))
        assert PixelRef.of(row, "source") == PixelRef("files/ab/abc", 30, len(data), "digest")
    assert len({row["annotation_id"] for row in rows}) == 2
    assert tied(rows, samples("a.zip/img/x.png", "b.zip/img/x.png")) == [("id of a.zip/img/x.png", "path")] * 2


def test_a_volume_of_masks_is_referred_to_as_a_whole() -> None:
    match = matched("x_mask.mha", match="{name}_mask.mha", kind="mask", of="{name}.mha")
    header = b"ObjectType = Image\nNDims = 3\n"
    (row,), _ = annotation_rows(match, header, lambda _: REF, "toy", "x_mask.mha")
    assert (row["kind"], row["picture"], row["geometry"], row["source_uri"]) == ("mask", "x.mha", None, "u")


def test_an_unknown_annotation_is_kept_as_a_file() -> None:
    match = matched("x.npy", match="{name}.npy", kind="annotation", of="{name}.png")
    (row,), _ = annotation_rows(match, b"\x01\x02", lambda data: PixelRef("u", 0, 2, "d"), "toy", "x.npy")
    assert (row["kind"], row["picture"], row["source_length"]) == ("file", "x.png", 2)


def rows_of(data: bytes, path: str, **rule: Any) -> list[Row]:
    match = matched(path, match="**", kind="annotation", **rule)
    rows, refused = annotation_rows(match, data, no_place, "toy", path)
    assert not refused
    return list(rows)


def test_the_layout_says_where_the_pictures_of_a_coco_file_lie() -> None:
    rows = rows_of(coco("one.png", "two.png"), "a.zip/coco.json", format="coco", of="a.zip/train/{file}")
    assert [row["picture"] for row in rows] == ["a.zip/train/one.png", "a.zip/train/two.png"]
    assert annotation_table(rows)["source_uri"].null_count == 2
    known = samples("a.zip/train/one.png", "a.zip/test/two.png")
    assert tied(rows, known) == [("id of a.zip/train/one.png", "path"), (None, None)]


def test_folders_in_the_name_that_moved_are_found_by_their_tail_then_by_base_name() -> None:
    rows = rows_of(coco("old/place/p1/one.png"), "a.zip/x/coco.json", format="coco")
    assert tied(rows, samples("a.zip/img/p1/one.png", "a.zip/img/p2/one.png")) == [
        ("id of a.zip/img/p1/one.png", "name")
    ]
    assert tied(rows, samples("a.zip/img/p3/one.png")) == [("id of a.zip/img/p3/one.png", "name")]


@pytest.mark.parametrize(
    "paths",
    [
        ("a.zip/p1/one.png", "a.zip/p2/one.png"),  # two: a guess would be wrong half of the time
        ("b.zip/one.png",),  # another record
        ("a.zip.old/one.png",),
        ("a.zip/one.png.bak/two.png",),
        (),
    ],
)
def test_nothing_is_guessed(paths: tuple[str, ...]) -> None:
    rows = rows_of(coco("one.png"), "a.zip/labels/coco.json", format="coco")
    assert tied(rows, samples(*paths)) == [(None, None)]
    assert problems(rows, samples(*paths)) == [
        "several_pictures" if len(paths) > 1 and "p1" in paths[0] else "no_picture"
    ]
    assert tied(rows, samples("a.zip/one.png", dataset="other")) == [(None, None)]


def test_one_path_in_two_records_is_two_pictures() -> None:
    rows = rows_of(coco("one.png"), "coco.json", format="coco", of="img/{file}")
    twice = pa.concat_tables([samples("img/one.png"), samples("img/one.png")])
    assert problems(rows, twice) == ["several_pictures"]


def test_a_file_that_names_no_picture_is_told_from_one_whose_picture_is_missing() -> None:
    shape = {"label": "n", "shape_type": "point", "points": [[1, 1]]}
    rows = rows_of(json.dumps({"shapes": [shape]}).encode(), "j/x.json", format="labelme")
    assert problems(rows, samples("j/x.png")) == ["unnamed"]


@pytest.mark.parametrize(
    ("box", "problem"),
    [
        ([1, 2, 10, 10], None),
        ([-5, -5, 10, 10], None),
        ([70, 60, 500, 500], None),
        ([81, 2, 10, 10], "outside"),
        ([1, 65, 10, 10], "outside"),
        ([-20, 2, 10, 10], "outside"),
        ([1, -20, 10, 10], "outside"),
    ],
)
def test_a_shape_that_misses_its_picture_is_kept_and_named(box: list[int], problem: str | None) -> None:
    data = {"images": [{"id": 1, "file_name": "x.png"}], "annotations": [{"image_id": 1, "bbox": box}]}
    rows = rows_of(json.dumps(data).encode(), "coco.json", format="coco")
    assert tied(rows, samples("x.png")) == [("id of x.png", "path")]
    assert problems(rows, samples("x.png")) == [problem]


def test_a_shape_drawn_on_another_size_does_not_fit_and_one_of_no_stated_size_may() -> None:
    rows = rows_of(coco("x.png"), "coco.json", format="coco")
    assert problems(rows, samples("x.png", size=(81, 64))) == ["other_size"]
    assert problems(rows, samples("x.png", size=(None, None))) == [None]


@pytest.mark.parametrize(
    ("of", "sample", "problem"),
    [
        ("**/{name}.png", "images_2025/x.png", None),
        ("images/**/{name}.png", "images/a/b/x.png", None),
        ("images/**/{name}.png", "images/x.png", None),
        ("images/**/{name}.png", "other/x.png", "no_picture"),
        ("{name}.png", "images/x.png", "no_picture"),
    ],
)
def test_the_picture_of_a_mask_may_lie_in_any_folder_if_the_layout_says_so(
    of: str, sample: str, problem: str | None
) -> None:
    match = matched("m/x.png", match="m/{name}.png", kind="mask", of=of)
    rows, _ = annotation_rows(match, png(np.ones((64, 80), np.uint8)), lambda _: REF, "toy", "m/x.png")
    found = list(rows)
    assert problems(found, samples(sample)) == [problem]
    if problem is None:
        assert problems(found, samples(sample, "images/second/x.png")) == (
            ["several_pictures"] if sample != "images/x.png" else [None]
        )


def test_an_empty_mask_says_that_nothing_was_marked() -> None:
    match = matched("x_mask.png", match="{name}_mask.png", kind="mask", of="{name}.png")
    rows, _ = annotation_rows(match, png(np.zeros((64, 80), np.uint8)), lambda _: REF, "toy", "x_mask.png")
    assert [row["empty"] for row in annotation_table(rows).to_pylist()] == [True]


@pytest.mark.parametrize(
    ("form", "rules"), [(None, ["=1", "=2"]), ("indexed_mask", ["=1", "=2"]), ("binary_mask", [">=1"])]
)
def test_the_rule_says_whether_the_numbers_of_a_mask_are_classes(form: str | None, rules: list[str]) -> None:
    mask = np.zeros((64, 80), np.uint8)
    mask[:10], mask[10:20] = 1, 2
    match = matched("x_mask.png", match="{name}_mask.png", kind="mask", of="{name}.png", format=form)
    rows, _ = annotation_rows(match, png(mask), lambda _: REF, "toy", "x_mask.png")
    assert [json.loads(row["geometry"])["rule"] for row in rows] == rules


def test_a_part_holds_so_many_annotations_and_keeps_what_came_before() -> None:
    gathered = Gathered(most=3)
    assert gathered.add(rows_of(coco("a.png", "b.png"), "coco.json", format="coco")) == 2
    with pytest.raises(RowError, match="at most 3"):
        gathered.add(rows_of(coco("c.png", "d.png"), "coco2.json", format="coco"))
    assert gathered.table()["picture"].to_pylist() == ["a.png", "b.png", "c.png"]


def test_the_rule_has_the_last_word_on_a_labelme_file() -> None:
    shape = {"label": "n", "shape_type": "point", "points": [[1, 1]]}
    data = json.dumps({"shapes": [shape], "imagePath": "..\\elsewhere\\y.png"}).encode()
    (row,) = rows_of(data, "j/x.json", format="labelme", of="img/x.png")
    assert (row["picture"], row["within"]) == ("img/x.png", None)
    (row,) = rows_of(data, "j/x.json", format="labelme")
    assert row["picture"] == "j/elsewhere/y.png"
    assert tied([row], samples("j/img/y.png", "k/y.png")) == [("id of j/img/y.png", "name")]


def test_a_coco_file_at_the_top_finds_pictures_anywhere_in_the_dataset() -> None:
    (row,) = rows_of(coco("one.png"), "coco.json", format="coco")
    assert tied([row], samples("one.png")) == [("id of one.png", "path")]
    assert tied([row], samples("img.zip/one.png")) == [("id of img.zip/one.png", "name")]


@given(st.text(max_size=30), st.sampled_from([None, "a/{file}", "{file}"]))
def test_no_name_in_a_file_leads_anywhere_but_into_the_join(name: str, of: str | None) -> None:
    (row,) = rows_of(coco(name), "a/coco.json", format="coco", **({"of": of} if of else {}))
    assert ".." not in (row["picture"] or "").split("/")
    assert tied([row], samples("a/other name of a picture.png")) == [(None, None)]
    assert len(annotation_table([row])) == 1
