"""No token, signature or e-mail address appears in any table, log, report or message, wherever hosts and users put it.

One exception is honest: the name of a file at its host, which the internal tables need to fetch and to find it. It may
hold an e-mail address (never what signs an address), and stays in those tables: see `scene.NAMES`.
"""

from __future__ import annotations

import logging
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.hostile import BIG, INSTEAD, RECORDS, Wicked, recipe
from tests.e2e.planted import NEVER_SENT, Search, heard, logins, secret
from tests.e2e.scene import Scene, scene_of
from ultracurate.core.dataset import SourceRef
from ultracurate.core.errors import UltracurateError
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.sources import SourceContext, create_source, hide_private
from ultracurate.sources._ask import Ask
from ultracurate.sources._bodies import read_json
from ultracurate.stages.shard import describe

FILES_OF = {"kaggle": "kaggle.json", "synapse": "synapseConfig"}
"""Hosts whose own programs keep the login in a file."""
Take = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    with scene_of(tmp_path, monkeypatch, Wicked()) as made:
        yield made


@pytest.mark.parametrize("kind", ["variables", pytest.param("files", marks=pytest.mark.slow)])
def test_nothing_leaks_from_a_search_and_a_run(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with scene_of(tmp_path, monkeypatch, Wicked(), kind) as scene:
        assert scene.user(*scene.search()) == 0
        assert scene.call(*scene.search("--json")).json["proposed"]
        assert scene.user(*scene.build("run", "all")) == 0
        as_json = ["--json"] if kind == "files" else []
        for command in (["plan"], ["status"], ["report"], ["retry"], ["run", "all"]):
            assert scene.call(*scene.build(*command), *as_json).code == 0
        requests = scene.world.requests
        asked = [f"/{request.host}{request.path}?{request.raw.partition('?')[2]}" for request in requests]
        assert [place for place in INSTEAD if not any(place in one for one in asked)] == [], "a trap that nobody met"
        sent = "\n".join(map(heard, requests))
        assert [name for name in logins(kind) if secret(name) not in sent] == [], "a login that nobody used"
        assert [name for name in NEVER_SENT if secret(name) in sent] == []
        assert any(signature in sent for signature in scene.world.signatures)
        assert len(list((scene.home / "work/shards/planted").glob("*.tar"))) >= 1
        assert scene.found(names=True) != [], "names of files are the one exception, and this one holds an address"
    assert scene.found() == []


def test_nothing_leaks_where_logins_are_in_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hosts that know such files; all hosts are left to the slow tests."""
    with scene_of(tmp_path, monkeypatch, Wicked(), "files") as scene:
        assert scene.user(*scene.search(hosts=tuple(FILES_OF))) == 0
        for host in FILES_OF:
            assert scene.call(*scene.build("run", "all", only=f"{host}_"), "--json").code == 0
            assert scene.call(*scene.build("report", only=f"{host}_")).code == 0
        sent = "\n".join(map(heard, scene.world.requests))
        assert [name for name in FILES_OF.values() if secret(name) not in sent] == [], "a login that nobody used"
        assert [name for name in NEVER_SENT if secret(name) in sent] == []
    assert scene.found() == []


def test_a_search_that_waits_for_a_host_keeps_no_secret(scene: Scene) -> None:
    scene.world.down = "/datacite"
    assert scene.call(*scene.search("--json")).json["error_rows"] == 1
    assert len(list((scene.home / "search/tmp/answers").rglob("*"))) > 10
    assert scene.found() == []
    stored = [request for request in scene.world.requests if request.host == "storage"]
    assert stored
    assert {request.status for request in stored} <= {200, 206}, "an address that was kept cannot be used again"
    before = len(scene.world.requests)
    scene.world.down = ""
    assert scene.call(*scene.search("--json")).json["funnel"]["identified"]["zenodo"] == 1 + 5 + 2 + 1 + 1
    asked = {request.host for request in scene.world.requests[before:]}
    assert "zenodo" not in asked, "answers that were kept are not asked for again"
    assert scene.found() == []


def test_a_killed_download_leaves_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = Wicked((*RECORDS, BIG), Faults(only="big_scan", drip=40_000))
    with scene_of(tmp_path, monkeypatch, world) as scene:
        entry = recipe(world)["datasets"][0]
        entry["manifest"]["sources"] = [{"host": BIG.host, "record": BIG.id}]
        process = scene.start(*scene.build("run", "all", datasets=[entry]))
        parts = scene.home / "work/tmp/downloads"
        end = time.monotonic() + 60
        while not (parts.is_dir() and any(path.stat().st_size for path in parts.glob("*.part"))):
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        scene.said += "".join(process.communicate())
        beside = [path.read_text() for path in parts.iterdir() if path.suffix == ".json"]
        assert any("validator" in text for text in beside), "what was noted about the part is searched as well"
        assert scene.call(*scene.build("status", datasets=[entry])).code == 0
        assert scene.found() == []


def test_a_failure_that_nobody_foresaw_shows_no_secret(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"https://store.example/x?X-Amz-Signature={secret('redirect')}&token={secret('link')}"

    def broken(*_: object) -> None:
        raise RuntimeError(f"no answer from {address}")

    with monkeypatch.context() as patch:
        patch.setattr("ultracurate.sources._http.Transport._note_limit", broken)
        assert scene.call(*scene.build("run", "discover", only="zenodo_good")).code == 0
    with monkeypatch.context() as patch:
        patch.setattr("ultracurate.stages.download._check_space", broken)
        done = scene.call(*scene.build("run", "all", only="figshare_good"))
    assert done.code == 3
    logs = "".join(path.read_text() for path in (scene.home / "work/logs").rglob("*.jsonl"))
    assert "Traceback" in logs
    assert scene.found() == []


def test_debug_logs_in_this_process_show_no_secret(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        scene.call(*scene.build("run", "download", only="good"))
    scene.said += caplog.text
    assert "urllib3.connectionpool" in caplog.text
    assert scene.found() == []


@pytest.mark.parametrize(
    ("dataset", "more"),
    [
        ({"host": "zenodo", "record": f"https://zenodo.org/records/9001?token={secret('recipe')}"}, {}),
        ({"host": "synapse", "record": f"https://store.example/x?X-Amz-Signature={secret('recipe')}"}, {}),
        ({"host": "zenodo", "record": "9001"}, {"zenodo": f"http://me:{secret('recipe')}@127.0.0.1/zenodo"}),
    ],
    ids=["preview link", "signed link", "login in an address"],
)
def test_a_secret_in_a_recipe_is_refused_without_showing_it(
    scene: Scene, dataset: dict[str, Any], more: dict[str, str]
) -> None:
    entry = recipe(scene.world)["datasets"][0]
    entry["manifest"]["sources"] = [dataset]
    for command, codes in ((["plan"], (0, 2)), (["run", "all"], (2,))):
        done = scene.call(*scene.build(*command, datasets=[entry], hosts={**scene.world.hosts, **more}))
        assert done.code in codes
    assert scene.found() == []


def test_errors_carry_no_secret_as_exceptions(scene: Scene, tmp_path: Path) -> None:
    """Whoever uses the sources from Python reads the messages themselves."""
    said = []
    for entry in recipe(scene.world)["datasets"]:
        ref = SourceRef.model_validate(entry["manifest"]["sources"][0])
        source = create_source(ref.host, SourceContext(hosts=scene.world.hosts, limits={"*": 0.0}, backoff=0.01))
        try:
            for file in source.list_files(ref):
                source.fetch(file, tmp_path / "fetched")
        except UltracurateError as exc:
            said += [str(exc), repr(exc)]
    assert len(said) > 30
    assert Search(scene.world.signatures).text("exceptions", "\n".join(said)) == []


def _swap(target: str) -> Take:
    """The function gives back the text as it came."""
    return lambda patch: patch.setattr(f"ultracurate.{target}", lambda text, *_: text)


def _unread(patch: pytest.MonkeyPatch) -> None:
    """Bodies keep the token that was said back in them."""

    def careless(response: Any, ask: Ask, *more: Any) -> Any:
        return read_json(response, replace(ask, token=None), *more)

    patch.setattr("ultracurate.sources._http.read_json", careless)


def _told(patch: pytest.MonkeyPatch) -> None:
    """Shards tell the path of each picture."""

    def told(row: Any, transform: Any) -> dict[str, Any]:
        return describe(row, transform) | {"path": row["path"]}

    patch.setattr("ultracurate.stages.shard.describe", told)


def _without(pattern: str) -> Take:
    """`hide_private` no longer knows one of its two kinds."""
    return lambda patch: patch.setattr(sys.modules[hide_private.__module__], pattern, re.compile("(?!)()"))


PROTECTIONS: dict[str, tuple[Take, str, str]] = {
    "tables of a search": (
        _swap("stages._search.hide_private"),
        "search",
        r"search/discover/\w+/candidates-\w+\.parquet\[title\]: e-mail",
    ),
    "answers of a dataset": (
        _swap("stages.discover.hide_private"),
        "zenodo_good",
        r"discover/\w+/pack-\w+\.tar/zenodo_good-zenodo\.json: (link|text)",
    ),
    "e-mail addresses": (_without("MAIL"), "search", r"discover/\w+/candidates-\w+\.parquet\[title\]: e-mail"),
    "signatures": (_without("_SIGNED"), "search", r"discover/\w+/pack-\w+\.tar/\w+\.json: link"),
    "a token said back in an answer": (
        _unread,
        "zenodo_good",
        r"discover/\w+/pack-\w+\.tar/zenodo_good.*: ZENODO_TOKEN",
    ),
    "a token said back in an error": (
        _swap("sources._answers._without_token"),
        "zenodo_9",
        r"discover/\w+/errors-\w+\.parquet\[message\]: ZENODO_TOKEN",
    ),
    "queries in debug logs": (
        lambda patch: patch.setattr("ultracurate.sources._http._RedactQueries.filter", lambda *_: True),
        "figshare_good",
        "said: storage signature",
    ),
    "names in shards": (_told, "zenodo_good", r"shards/planted/planted-\w+-\d+\.tar/\w+\.json: e-mail"),
}
"""What is taken away, the datasets that are built without it (or a search), and what then has to be found."""


@pytest.mark.parametrize("name", PROTECTIONS)
def test_without_a_protection_the_search_finds_something(
    name: str, scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    take, what, expected = PROTECTIONS[name]
    take(monkeypatch)
    with caplog.at_level(logging.DEBUG):
        if what == "search":
            scene.call(*scene.search(hosts=("zenodo",)))
        else:
            scene.call(*scene.build("run", "all", only=what))
    scene.said += caplog.text
    assert [finding for finding in scene.found(names=True) if re.search(expected, finding)], scene.said
