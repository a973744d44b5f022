"""Browsing the catalogue: filters, totals and what is printed."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from ultracurate.core.dataset import DatasetManifest, load_all
from ultracurate.core.errors import ConfigError
from ultracurate.core.resources import manifests_dir
from ultracurate.terminal.access import NOTHING
from ultracurate.terminal.datasets import dataset_row, datasets_table, print_datasets, select, summary


@cache
def shipped() -> dict[str, DatasetManifest]:
    return load_all(manifests_dir())


def found(**filters: Any) -> set[str]:
    return set(select(shipped(), **filters))


def test_no_filter_keeps_everything_in_its_order() -> None:
    assert list(select(shipped())) == list(shipped())


def test_a_host_counts_wherever_it_stands_among_the_sources() -> None:
    assert "udiat_dataset_b" in found(host="kaggle"), "its first source is another"
    assert all(any(s.host == "zenodo" for s in shipped()[slug].sources) for slug in found(host="zenodo"))
    assert found(host="ZENODO") == found(host="zenodo")


def test_a_licence_is_an_id_or_a_kind() -> None:
    assert {"covid_blues_full"} <= found(licence="non-commercial")
    assert found(licence="CC-BY-NC-ND-4.0") <= found(licence="non-commercial")
    kinds = [found(licence=kind) for kind in ("open", "non-commercial", "restricted", "unknown")]
    assert set().union(*kinds) == set(shipped())
    assert sum(len(kind) for kind in kinds) == len(shipped())


def test_status_parts_the_catalogue() -> None:
    assert found(status="ready") | found(status="needs_layout") == set(shipped())
    assert "hc18" in found(status="ready")


@pytest.mark.parametrize("name", ["thyroid", "Thyroid gland", "nodule thyroid"])
def test_an_organ_is_found_by_id_name_and_synonym(name: str) -> None:
    assert {"tn3k", "ddti"} <= found(organ=name)
    assert "busi_full" not in found(organ=name)


def test_a_region_finds_what_lies_in_it_and_a_chamber_is_of_the_heart() -> None:
    assert found(organ="thyroid") <= found(organ="neck")
    assert "echonet_dynamic" in found(organ="heart")


def test_an_organ_that_only_some_pictures_show_is_found_too() -> None:
    assert "usreport" in found(organ="thyroid"), "breast, thyroid and liver in one set"
    assert "fetal_planes_db" in found(organ="fetal_femur"), "by a rule for some planes"


def test_a_benchmark_is_found_by_the_beginning_of_its_name() -> None:
    assert found(held_out="ultradino_fass") == {"fass"}
    assert found(held_out="ultradino") == {"fass", "fetal_planes_db", "jnu_ifm"}
    assert found(held_out="any") == {slug for slug, m in shipped().items() if m.held_out}


def test_filters_add_up() -> None:
    both = found(used_in="openus46", host="zenodo")
    assert both == found(used_in="openus46") & found(host="zenodo")
    assert len(found(used_in="openus46")) == 46


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"host": "zenodoo"}, "--host: no dataset has 'zenodoo'. Did you mean 'zenodo'?"),
        ({"licence": "CC-BY-9"}, "--licence"),
        ({"status": "done"}, "--status"),
        ({"used_in": "openus"}, "Did you mean 'openus46'?"),
        ({"held_out": "imagenet"}, "--held-out"),
        ({"organ": "thyroidd"}, "thyroid"),
    ],
)
def test_a_value_that_nothing_has_is_named_with_its_neighbours(filters: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError) as error:
        select(shipped(), **filters)
    assert words in str(error.value)


def test_an_organ_that_no_dataset_shows_finds_nothing() -> None:
    assert found(organ="bile_duct") == set()


def test_summary_adds_up() -> None:
    chosen = list(select(shipped(), used_in="openus46").values())
    counts = summary(chosen)
    assert counts["datasets"] == 46
    assert sum(counts["licences"].values()) == 46
    assert counts["bytes_unknown"] + sum(bool(m.sources[0].files) for m in chosen) >= 46
    assert counts["todo"]["layout"] == sum(m.status == "needs_layout" for m in chosen)


def test_list_says_what_to_do_on_the_screen_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = select(shipped(), used_in="openus46", host="kaggle")
    print_datasets(chosen, as_json=False)
    shown = capsys.readouterr().out
    assert "KAGGLE_API_TOKEN" in shown
    assert f"To do: {summary(list(chosen.values()))['todo']['layout']} of {len(chosen)} wait for a layout" in shown
    assert "Licences: " in shown
    print_datasets(chosen, as_json=True)
    data = json.loads(capsys.readouterr().out)
    assert [row["slug"] for row in data["datasets"]] == list(chosen)
    assert all(row["todo"] and row["licence_kind"] for row in data["datasets"])
    assert data["summary"]["datasets"] == len(chosen)


def test_list_of_nothing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_datasets({}, as_json=False)
    assert "No dataset." in capsys.readouterr().out


def test_what_needs_nothing_has_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_datasets({"hc18": shipped()["hc18"]}, as_json=False)
    shown = capsys.readouterr().out
    assert "what a person must do" not in shown
    assert "1 of 1 needs nothing" in shown
    assert summary([shipped()["hc18"]])["todo"] == {NOTHING: 1}


@pytest.mark.parametrize("filters", [{"organ": "thyroid"}, {}, {"host": "zenodo", "status": "ready"}])
def test_80_columns_are_enough(
    filters: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    rows = [dataset_row(m) for m in select(shipped(), **filters).values()]
    datasets_table(rows)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    first = [line.split("\u2502")[1].strip() for line in lines if line.startswith("\u2502")]
    assert {row["slug"] for row in rows} <= set(first), "every name in one piece"
    assert max(len(text) for text in first) > 28
    assert len(first) <= 3.2 * len(rows), "its name and a title of one to three lines"


def test_wide_a_dataset_is_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    rows = [dataset_row(m) for m in shipped().values()]
    datasets_table(rows)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("\u2502")]
    assert len(lines) == len(rows)
    assert all(row["slug"] in line and row["title"] in line for row, line in zip(rows, lines, strict=True))


def test_columns_without_news_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    def heads(**changes: Any) -> str:
        datasets_table([dataset_row(shipped()["hc18"]) | changes])
        return capsys.readouterr().out.splitlines()[1]

    plain = heads(held_out=[], status="ready", bytes=None)
    assert all(head not in plain for head in ("status", "size", "held out for"))
    assert "status" in heads(status="needs_layout")
    assert "size" in heads(bytes=5)
    assert "held out for" in heads(held_out=["echocare_hc"])


def test_benchmarks_are_counted_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    datasets_table([dataset_row(shipped()["fm_uia_2026"])])
    shown = capsys.readouterr().out
    assert "\u2502 16 " in shown
    assert "m2dino" not in shown
