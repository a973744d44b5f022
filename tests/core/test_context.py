from __future__ import annotations

import copy
import hashlib
import io
from typing import Any

import numpy as np
import pytest

from tests.core.toy.build import manifest, toy_spec
from tests.core.toy.stages import PACKAGE
from ultracurate.core.blobs import PackWriter
from ultracurate.core.context import Context, ManifestView
from ultracurate.core.errors import ContractError, RowError
from ultracurate.core.stage import pipeline
from ultracurate.core.store import Store
from ultracurate.core.work import make_context


@pytest.fixture
def ctx(store: Store) -> Context:
    return make_context(toy_spec(["seed=3"]), store, pipeline(PACKAGE).get("make"), "part")


def test_a_manifest_shows_only_declared_fields(ctx: Context) -> None:
    view = ctx.manifest("a")
    assert view.sources[0].path == "a"
    assert view.slug == "a"
    with pytest.raises(
        ContractError, match=r"reads manifest field 'licence' but declares only sections=\['slug', 'sources'\]"
    ):
        view.licence  # noqa: B018


@pytest.mark.parametrize("name", ["section_digest", "model_dump", "_manifest_", "labels", "no_such_field"])
def test_no_way_around_it(name: str) -> None:
    with pytest.raises(ContractError, match=name):
        getattr(ManifestView(manifest("a"), ("sources",)), name)


def test_draws_need_a_declaration(ctx: Context) -> None:
    with pytest.raises(ContractError, match="'make' draws at random but does not declare seeded=True"):
        ctx.rng("x")


def test_draws_depend_on_seed_stage_and_sample_alone(ctx: Context) -> None:
    ctx.seeded = True
    other = copy.copy(ctx)
    other.part_id, other.attempt = "another part", 7
    first = ctx.rng("x").integers(0, 2**62, 4)
    assert np.array_equal(other.rng("x").integers(0, 2**62, 4), first)
    assert not np.array_equal(ctx.rng("y").integers(0, 2**62, 4), first)
    other.stage = "other"
    assert not np.array_equal(other.rng("x").integers(0, 2**62, 4), first)
    other.stage, other.recipe = ctx.stage, ctx.recipe.model_copy(update={"seed": 4})
    assert not np.array_equal(other.rng("x").integers(0, 2**62, 4), first)


def test_pixels_are_read_by_reference(ctx: Context) -> None:
    ctx.store.write("raw/x", b"0123456789")
    row: dict[str, Any] = {
        "raw_uri": "raw/x",
        "raw_offset": 2,
        "raw_length": 3,
        "raw_sha256": hashlib.sha256(b"234").hexdigest(),
    }
    assert ctx.read(row, "raw") == b"234"
    with pytest.raises(RowError, match="holds no raw pixels"):
        ctx.read(row | {"raw_uri": None}, "raw")


def test_a_pack_is_opened_once_and_only_when_used(ctx: Context) -> None:
    opened: list[PackWriter] = []

    def start() -> PackWriter:
        opened.append(PackWriter(io.BytesIO(), "pack"))
        return opened[-1]

    ctx.open_pack = start
    assert opened == []
    ctx.pack("a", b"123")
    assert ctx.pack("b", b"45").uri == "pack"
    assert len(opened) == 1
    assert ctx.counters["pack_bytes"] == 5


def test_pixels_outside_a_part_are_refused(ctx: Context) -> None:
    with pytest.raises(ContractError, match="'make' writes pixels outside a part"):
        ctx.pack("a", b"")


def test_counters_add_up(ctx: Context) -> None:
    ctx.count("seen")
    ctx.count("seen", 4)
    assert ctx.counters == {"seen": 5}


def test_a_table_has_the_stages_columns_in_order(ctx: Context) -> None:
    made = ctx.table([{"number": 1}])
    assert made.schema.names == ["lineage", "dataset", "file_id", "number"]
    assert made.to_pylist() == [{"lineage": None, "dataset": None, "file_id": None, "number": 1}]
