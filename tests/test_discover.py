"""The discover command, as a user types it, against hosts on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e.lab import call
from ultracurate.core.dataset import load_manifest
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts

ZIP = b"PK\x05\x06" + bytes(18)
RECORDS = [
    HostRecord(
        "zenodo",
        "900001",
        "Thyroid ultrasound images of 50 patients",
        "<p>B-mode frames. Write to nobody@example.org.</p>",
        files=(HostFile("a.png", b"\x89PNG....1"), HostFile("b.png", b"\x89PNG....2")),
    ),
    HostRecord(
        "zenodo", "900002", "Ultrasonic welding of steel", "Ultrasound in welding.", files=(HostFile("w.csv", b"1"),)
    ),
    HostRecord(
        "kaggle",
        "someone/lung-ultrasound",
        "Lung ultrasound videos",
        "POCUS clips",
        files=(HostFile("c.mp4", b"...."),),
    ),
    HostRecord("kaggle", "someone/fetal-ultrasound", "Fetal ultrasound planes", access="restricted"),
]


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHosts]:
    with LocalHosts(RECORDS) as server:
        for name, address in server.hosts.items():
            monkeypatch.setenv(f"ULTRACURATE_HOST_{name.upper()}", address)
        monkeypatch.setenv("HOME", "/nonexistent")
        yield server


def search(work: Path, *more: str) -> list[str]:
    return ["discover", "ultrasound", "--work", str(work), "--host", "zenodo", "--host", "kaggle", *more]


def test_two_hosts_are_searched_and_screened(hosts: LocalHosts, tmp_path: Path) -> None:
    found = call(*search(tmp_path / "w", "--set", "limits.*=0", "--json")).json
    assert found["funnel"]["identified"] == {"kaggle": 2, "zenodo": 2}
    assert found["funnel"]["accepted"] == {"kaggle": 1, "zenodo": 1}
    assert found["funnel"]["excluded"]["not_ultrasound"] == {"zenodo": 1}
    assert found["funnel"]["excluded"]["restricted"] == {"kaggle": 1}
    assert [Path(path).exists() for path in found["candidates"]] == [True]
    assert found["error_rows"] == 0


def test_drafts_can_be_loaded_and_are_not_written_twice(hosts: LocalHosts, tmp_path: Path) -> None:
    folder = tmp_path / "drafts"
    first = call(*search(tmp_path / "w", "--set", "limits.*=0", "--propose", str(folder), "--json")).json["proposed"]
    assert len(first) == 2
    thyroid = load_manifest(next(folder.glob("thyroid*.yaml")))
    assert (thyroid.status, thyroid.sources[0].record, thyroid.licence.id) == ("needs_layout", "900001", "CC-BY-4.0")
    assert [file.name for file in thyroid.sources[0].files] == ["a.png", "b.png"]
    edited = folder / f"{thyroid.slug}.yaml"
    edited.write_text(edited.read_text() + "# mine\n")
    again = call(*search(tmp_path / "w", "--set", "limits.*=0", "--propose", str(folder), "--json")).json["proposed"]
    assert sorted(again) == sorted(first)
    assert edited.read_text().endswith("# mine\n")
    assert all(yaml.safe_load(path.read_text())["status"] == "needs_layout" for path in folder.iterdir())


def test_the_screen_shows_the_funnel_and_what_to_read(hosts: LocalHosts, tmp_path: Path) -> None:
    out = call(*search(tmp_path / "w", "--set", "limits.*=0")).out
    assert "identified" in out
    assert "Thyroid ultrasound images" in out
    assert "candidates-" in out
    assert "example.org" not in out


def test_a_host_that_is_down_costs_its_own_search_only(hosts: LocalHosts, tmp_path: Path) -> None:
    hosts.faults = Faults(only="/kaggle", fail_first=10**6, fail_status=404)
    found = call(*search(tmp_path / "w", "--set", "limits.*=0", "--json")).json
    assert found["funnel"]["identified"] == {"zenodo": 2}
    assert found["error_rows"] == 1
    asked = len(hosts.requests)
    hosts.faults = Faults()
    found = call(*search(tmp_path / "w", "--set", "limits.*=0", "--json")).json
    assert found["funnel"]["identified"] == {"kaggle": 2, "zenodo": 2}
    assert found["error_rows"] == 0
    assert len(found["candidates"]) == 1
    assert {request.host for request in hosts.requests[asked:]} == {"kaggle"}, "what Zenodo answered was kept"


def test_no_host_at_all_is_not_an_empty_world(hosts: LocalHosts, tmp_path: Path) -> None:
    hosts.faults = Faults(fail_first=10**6, fail_status=404)
    done = call(*search(tmp_path / "w", "--set", "limits.*=0"))
    assert done.code == 3
    assert "No host could be searched" in done.out
    assert "accepted" not in done.out


@pytest.mark.parametrize("host", ["aimi", "gdrive", "manual", "http", "local"])
def test_a_source_without_a_search_says_so(host: str, tmp_path: Path) -> None:
    done = call("discover", "thyroid", "--host", host, "--work", str(tmp_path / "w"))
    assert done.code == 2
    assert f"{host} cannot be searched" in done.err


def test_a_finished_search_asks_nothing_again(hosts: LocalHosts, tmp_path: Path) -> None:
    call(*search(tmp_path / "w", "--set", "limits.*=0"))
    before = len(hosts.requests)
    call(*search(tmp_path / "w", "--set", "limits.*=0"))
    assert len(hosts.requests) == before
    call(*search(tmp_path / "w", "--set", "limits.*=0", "--set", "discover.as_of=tomorrow"))
    assert len(hosts.requests) > before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["discover"], "Nothing to search for"),
        (["discover", ""], "Nothing to search for"),
        (["discover", "x", "--host", "zenodoo"], "no such source"),
        (["discover", "x", "--recipe", "demo"], "Give either words"),
        (["discover", "--recipe", "openus46"], "has no searches"),
    ],
)
def test_a_search_that_makes_no_sense_says_what_to_do(options: list[str], said: str, tmp_path: Path) -> None:
    done = call(*options, "--work", str(tmp_path / "w"))
    assert done.code == 2
    assert said in done.err


def test_a_recipe_may_only_search(hosts: LocalHosts, tmp_path: Path) -> None:
    recipe = tmp_path / "r.yaml"
    queries = [{"host": "zenodo", "q": "ultrasound"}]
    data = {"name": "r", "datasets": [], "limits": {"*": 0.0}, "stages": {"discover": {"queries": queries}}}
    recipe.write_text(json.dumps(data))
    found = call("discover", "--recipe", str(recipe), "--work", str(tmp_path / "w"), "--json").json
    assert found["funnel"]["identified"] == {"zenodo": 2}
