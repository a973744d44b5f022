from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from ultracurate.stages._fields import MIN_GROUP, NEEDS, settle

BOX = [[10, 10], [190, 10], [190, 140], [10, 140]]
CUT = [[10, 10], [190, 10], [100, 140], [10, 140]]  # a corner is missing
OTHER = [[60, 60], [120, 60], [120, 120], [60, 120]]
TYPES = {"width": pa.int64(), "height": pa.int64(), "field_confidence": pa.float64()}
SCHEMA = pa.schema([(name, TYPES.get(name, pa.string())) for name in ("sample_id", *NEEDS)])


def frame(id: str, polygon: list[list[int]] | None, kind: str = "linear", **more: Any) -> dict[str, Any]:
    plain = {
        "sample_id": id,
        "dataset": "toy",
        "parent_id": f"parent of {id}",
        "media": "image",
        "width": 200,
        "height": 150,
        "field": json.dumps([polygon] if polygon else []),
        "field_kind": kind,
        "field_confidence": 0.9 if polygon else 0.1,
    }
    return plain | more


def settled(rows: list[dict[str, Any]]) -> dict[str, tuple[list[Any] | None, str | None]]:
    table = settle(pa.Table.from_pylist(rows, schema=SCHEMA))
    return {
        row["sample_id"]: (json.loads(row["sector"]) if row["sector"] else None, row["sector_from"])
        for row in table.to_pylist()
    }


def test_a_frame_alone_keeps_its_own_and_an_unsure_one_keeps_everything() -> None:
    found = settled([frame("a", BOX), frame("b", None, "unsure"), frame("c", None, "full")])
    assert found == {"a": ([BOX], "frame"), "b": (None, None), "c": (None, None)}


def test_the_frames_of_a_clip_share_one_field_and_a_bad_frame_cuts_nothing() -> None:
    rows = [frame(f"f{n}", BOX, media="clip", parent_id="c", width=200) for n in range(6)]
    rows += [frame("bad", CUT, media="clip", parent_id="c"), frame("dark", None, "unsure", media="clip", parent_id="c")]
    assert set(map(str, settled(rows).values())) == {str(([BOX], "clip"))}


def test_stills_of_one_screen_agree_and_lend_their_field_to_the_unsure_one() -> None:
    rows = [frame(f"s{n}", BOX) for n in range(MIN_GROUP)] + [frame("dark", None, "unsure")]
    assert settled(rows)["dark"] == ([BOX], "group")


def test_a_borrowed_field_comes_with_its_own_kind_and_certainty() -> None:
    rows = [frame(f"s{n}", BOX) for n in range(MIN_GROUP)] + [frame("dark", None, "unsure"), frame("f", None, "full")]
    rows.append(frame("alone", None, "unsure", width=400))
    found = {row["sample_id"]: row for row in settle(pa.Table.from_pylist(rows, schema=SCHEMA)).to_pylist()}
    assert found["dark"]["sector_kind"] == "linear"
    assert found["dark"]["sector_confidence"] == found["s0"]["sector_confidence"] > 0.5
    assert (found["f"]["sector_kind"], found["alone"]["sector_kind"]) == ("full", "unsure")
    assert found["alone"]["sector_confidence"] == 0.1


def test_a_still_that_is_sure_of_another_field_keeps_it() -> None:
    rows = [frame(f"s{n}", BOX) for n in range(MIN_GROUP)] + [frame("zoomed", OTHER)]
    found = settled(rows)
    assert found["zoomed"] == ([OTHER], "frame")
    assert found["s0"] == ([BOX], "group")


def test_another_size_or_another_dataset_is_another_screen() -> None:
    rows = [frame(f"s{n}", BOX) for n in range(MIN_GROUP)]
    rows += [frame("large", None, "unsure", width=400), frame("foreign", None, "unsure", dataset="other")]
    found = settled(rows)
    assert found["large"] == (None, None)
    assert found["foreign"] == (None, None)


def test_a_full_frame_among_screens_is_not_cut() -> None:
    rows = [frame(f"s{n}", BOX) for n in range(MIN_GROUP)] + [frame("full", None, "full")]
    assert settled(rows)["full"] == (None, None)


@settings(deadline=None, max_examples=25)
@given(st.permutations(range(12)))
def test_the_order_of_the_rows_changes_nothing(order: list[int]) -> None:
    rows = [frame(f"s{n:02d}", [BOX, CUT, OTHER][n % 5 % 3]) for n in range(12)]
    assert settled([rows[n] for n in order]) == settled(rows)
