"""A search of four hosts, from the command to the tables: right about what it finds, sparing, and never the loser.

What the figures of the world are worth: the rules were made on one half of its topics, and there precision and recall
of what is accepted were over 0.99. On the other half, unseen, they were 0.84 to 0.86 and 0.95 to 0.96. Only after
those were on record were all topics opened and the errors mended. Since then the figures (1.0 and 1.0 of 13,000
records of seed 0) tell whether the rules still know these topics, no longer what they make of topics nobody foresaw.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from tests.e2e.scene import HURRIED
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.phantom.hosts.world import SHARES, World, build_world
from ultracurate.screening.funnel import check

HOSTS = ("zenodo", "kaggle", "mendeley", "figshare")
ASKED = (*HOSTS, "datacite", "figshare_web", "figshare_download")
"""A search at Mendeley lists its records through DataCite."""
ACCEPT = "awaits_manifest"
MAIL = re.compile(rb"[\w.+-]+@[\w-]+\.[a-z]{2,}|[?&](?:signature|token|x-amz-[a-z]+|sig)=[\w%]+", re.IGNORECASE)
LATER = 16
"""Answers that a kill may cost: eight threads, each with one under way and one that is not on the disk yet."""
FLOORS = {"small": (0.98, 0.98), "all": (0.99, 0.99)}
"""Least precision and recall of what is accepted; in the small world one record of 25 is 0.04."""
Key = tuple[str, str]
Row = dict[str, Any]


@dataclass
class Search:
    """A work directory and the recipe that searches a server's hosts for ultrasound."""

    home: Path
    server: LocalHosts

    def __post_init__(self) -> None:
        (self.home / "manifests").mkdir(parents=True, exist_ok=True)
        ward = {
            "slug": "ward",
            "title": "Pictures of our own ward",
            "status": "needs_layout",
            "licence": {"id": "restricted", "evidence": "our own archive"},
            "access": "manual",
            "sources": [{"host": "local", "root": "ward"}],
        }
        (self.home / "manifests/ward.yaml").write_text(yaml.safe_dump(ward), encoding="utf-8")
        recipe = {
            "name": "search",
            "datasets": ["ward"],
            "manifests": ["manifests"],
            "roots": {"ward": "."},
            "hosts": {name: self.server.hosts[name] for name in ASKED},
            "limits": {"*": 0.0},
            "stages": {"discover": {"queries": [{"host": h, "q": "ultrasound", "limit": 100_000} for h in HOSTS]}},
        }
        self.recipe.write_text(yaml.safe_dump(recipe), encoding="utf-8")

    @property
    def recipe(self) -> Path:
        """The recipe's file."""
        return self.home / "search.yaml"

    def start(self) -> subprocess.Popen[bytes]:
        """The real command; its log goes to a file."""
        command = [sys.executable, "-c", HURRIED, "run", "discover", "--recipe", str(self.recipe)]
        with (self.home / "log.txt").open("ab") as log:
            return subprocess.Popen([*command, "--work", str(self.home / "work"), "--json"], stdout=log, stderr=log)

    def run(self) -> tuple[float, float]:
        """Run to the end; seconds and peak memory in MiB."""
        started = time.monotonic()
        process = self.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, (self.home / "log.txt").read_text()[-2000:]
        return time.monotonic() - started, usage.ru_maxrss / 1024

    def tables(self, kind: str) -> list[Row]:
        """Rows of all finished tables of a kind: candidates, rejects, errors."""
        paths = sorted((self.home / "work").rglob(f"{kind}-*.parquet"))
        return [row for path in paths for row in pq.ParquetFile(path).read().to_pylist()]

    def leaks(self) -> list[str]:
        """E-mail addresses and signatures in tables, packs and the log."""
        texts = {"log": (self.home / "log.txt").read_bytes()}
        for path in (self.home / "work").rglob("*.parquet"):
            texts[path.name] = json.dumps(pq.ParquetFile(path).read().to_pylist(), default=str).encode()
        texts |= self.packed()
        return [f"{name}: {found[0]!r}" for name, data in texts.items() if (found := MAIL.search(data))]

    def packed(self) -> dict[str, bytes]:
        """Raw answers of hosts by name."""
        made = {}
        for path in (self.home / "work").rglob("*.tar"):
            with tarfile.open(path) as tar:
                for info in tar:
                    reader = tar.extractfile(info)
                    made[info.name] = reader.read() if reader else b""
        return made


def key_of(row: Row, truth: Mapping[Key, Any]) -> Key:
    """The world's id of a row: Mendeley's adapter names the version, the world only an older one's."""
    key = (row["host"], row["record"])
    return key if key in truth or row["host"] != "mendeley" else (key[0], key[1].rpartition("/")[0])


def compare(world: World, rows: list[Row]) -> Counter[tuple[str, str]]:
    """How often a record of the first reason got the second one.

    A copy whose original no search shows (Zenodo's keep to data sets) is the one to keep.
    """
    found = {key_of(row, world.truth): row["verdict"] for row in rows}
    assert set(found) <= set(world.truth)
    assert len(found) == len(rows)
    pairs: Counter[tuple[str, str]] = Counter()
    for key, verdict in found.items():
        truth = world.truth[key]
        lonely = truth.reason.startswith("duplicate") and truth.of not in found
        pairs["accept" if lonely else truth.reason, verdict.replace(ACCEPT, "accept")] += 1
    return pairs


def quality(pairs: Counter[tuple[str, str]], reason: str) -> tuple[float, float]:
    """Precision and recall of a reason."""
    right = pairs[reason, reason]
    said = sum(number for (_, verdict), number in pairs.items() if verdict == reason)
    true = sum(number for (truth, _), number in pairs.items() if truth == reason)
    return right / max(1, said), right / max(1, true)


def show(pairs: Counter[tuple[str, str]]) -> str:
    """The confusion as text: precision and recall of each reason, and what was taken for what."""
    lines = []
    for reason in sorted({truth for truth, _ in pairs}):
        precision, recall = quality(pairs, reason)
        lines.append(f"{reason:20} precision {precision:.3f} recall {recall:.3f}")
    wrong = [(number, *pair) for pair, number in pairs.items() if pair[0] != pair[1]]
    return "\n".join([*lines, *(f"{n:6} {truth} -> {verdict}" for n, truth, verdict in sorted(wrong, reverse=True))])


@pytest.fixture(scope="module")
def world() -> World:
    """The half of the topics that the rules were not made on at first."""
    return build_world(1, 600, half=1)


@pytest.fixture(scope="module")
def done(world: World, tmp_path_factory: pytest.TempPathFactory) -> Search:
    with LocalHosts(world.records) as server:
        search = Search(tmp_path_factory.mktemp("search"), server)
        search.run()
    return search


def test_records_with_pictures_are_told_apart(world: World, done: Search) -> None:
    """A floor under what was measured, 1.0 and 1.0."""
    pairs = compare(world, done.tables("candidates"))
    precision, recall = quality(pairs, "accept")
    assert precision >= FLOORS["small"][0], show(pairs)
    assert recall >= FLOORS["small"][1], show(pairs)


def test_every_reason_is_given_and_the_books_balance(world: World, done: Search) -> None:
    rows = done.tables("candidates")
    assert {row["verdict"] for row in rows} >= {reason.replace("accept", ACCEPT) for reason in SHARES}
    assert len({row["id"] for row in rows}) == len(rows) > 560
    identified = Counter(row["host"] for row in rows if not row["through_link"])
    linked = Counter(row["host"] for row in rows if row["through_link"])
    excluded: dict[str, Counter[str]] = {}
    for row in rows:
        excluded.setdefault(row["verdict"], Counter())[row["host"]] += 1
    accepted = excluded.pop(ACCEPT)
    check({"identified": identified, "found_through_links": linked, "excluded": excluded, "accepted": accepted})
    assert set(identified) == set(HOSTS)
    rejects = Counter(row["reason"] for row in done.tables("rejects"))
    assert rejects == Counter(row["verdict"] for row in rows) + Counter({"needs_layout": 1})
    ids = {row["id"] for row in rows}
    assert all(row["same_as"] in ids for row in rows if row["verdict"].startswith("duplicate"))


def test_raw_answers_are_kept_and_nothing_private_is(world: World, done: Search) -> None:
    packed = done.packed()
    assert {f"{row['id']}.json" for row in done.tables("candidates")} == set(packed)
    assert all(json.loads(data) for data in packed.values())
    assert any(MAIL.search(record.description.encode()) for record in world.records)
    assert done.leaks() == []


def test_a_killed_search_asks_only_what_it_did_not_ask(world: World, tmp_path: Path, done: Search) -> None:
    with LocalHosts(world.records) as server:
        search = Search(tmp_path, server)
        process = search.start()
        while len(server.requests) < 150:
            assert process.poll() is None, (tmp_path / "log.txt").read_text()
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = asked(server)
        search.run()
        again = asked(server) - before
    repeated = (before & again).total()
    assert before.total() > 100
    assert repeated <= LATER, sorted(before & again)
    assert verdicts(search) == verdicts(done)


def asked(server: LocalHosts) -> Counter[str]:
    """Questions to hosts by address; bytes of archives are fetched anew each time."""
    bytes_of = re.compile(r"/content|/download|/ndownloader|/files/")
    calls = (f"{request.host} {request.raw or request.path}" for request in server.requests)
    return Counter(call for call in calls if not call.startswith("storage") and not bytes_of.search(call))


def verdicts(search: Search) -> dict[Key, str]:
    return {(row["host"], row["record"]): row["verdict"] for row in search.tables("candidates")}


def test_a_host_that_is_down_costs_its_own_query_only(world: World, tmp_path: Path, done: Search) -> None:
    with LocalHosts(world.records, Faults(only="/figshare", fail_first=1000, fail_status=500)) as server:
        search = Search(tmp_path, server)
        search.run()
    (error,) = search.tables("errors")
    assert "500" in error["message"] or "unreachable" in error["message"]
    others = {key for key in verdicts(done) if key[0] != "figshare"}
    assert set(verdicts(search)) == others


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_13_000_records_in_bounded_memory(tmp_path: Path) -> None:
    whole = build_world(0)
    with LocalHosts(whole.records) as server:
        search = Search(tmp_path, server)
        seconds, peak = search.run()
    pairs = compare(whole, search.tables("candidates"))
    table = f"{seconds:.0f} s, {peak:.0f} MiB\n{show(pairs)}"
    print(table)  # noqa: T201 - the seconds are for the log: no test fails by the clock
    assert peak < 1024, table
    precision, recall = quality(pairs, "accept")
    assert precision >= FLOORS["all"][0], table
    assert recall >= FLOORS["all"][1], table
    assert search.leaks() == []
