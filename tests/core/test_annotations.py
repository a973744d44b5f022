"""The side tables of many parts are read as one, each annotation once, without what nobody asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from ultracurate.core.annotations import ANNOTATION, SIDE, TIED, read
from ultracurate.core.parts import PartRef, encode
from ultracurate.core.schema import SAMPLE, table
from ultracurate.core.store import Store

SAMPLES = pa.schema([("dataset", pa.string()), *SAMPLE])


def annotation(key: str, picture: str, **more: Any) -> dict[str, Any]:
    return {"annotation_id": key, "dataset": "toy", "picture": picture, "kind": "box", "geometry": "{}", **more}


def sample(path: str) -> dict[str, Any]:
    return {"sample_id": f"id of {path}", "dataset": "toy", "path": path, "width": 80, "height": 64}


def part(store: Store, name: str, samples: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> PartRef:
    found = PartRef("index/x", name, "toy", len(samples), "", side=(SIDE,) if annotations else ())
    if samples:
        store.write(found.path(), encode(table(samples, SAMPLES)))
    if annotations:
        store.write(found.path(SIDE), encode(pa.Table.from_pylist(annotations, schema=ANNOTATION)))
    return found


def test_an_annotation_finds_its_sample_in_any_part_and_counts_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one, two, lost = annotation("1", "a.png"), annotation("2", "b.png", width=9, height=9), annotation("3", "c.png")
    parts = [
        part(store, "p0", [], [one, two]),
        part(store, "p1", [sample("a.png"), sample("b.png")], []),
        part(store, "p2", [sample("d.png")], [one, lost]),  # a second attempt at the file of the first
    ]
    found = read(store, parts)
    assert found.schema.names == [*TIED.names, "dataset", "kind", "empty"]
    assert [(row["annotation_id"], row["sample_id"], row["problem"]) for row in found.to_pylist()] == [
        ("1", "id of a.png", None),
        ("2", "id of b.png", "other_size"),
        ("3", None, "no_picture"),
    ]
    assert "geometry" in read(store, parts, ("geometry",)).schema.names


def test_a_run_without_annotations_reads_no_samples(tmp_path: Path) -> None:
    part_of_nothing = PartRef("index/x", "p0", "toy", 7, "")  # its table is not even there
    for parts in ([part_of_nothing], []):
        assert read(Store(tmp_path), parts).num_rows == 0
