"""The demo recipe over its planted data, from an empty folder to shards, checked against what was planted."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.docs.pages import blocks
from ultracurate.cli import app
from ultracurate.core.config import load_recipe
from ultracurate.core.dataset import load_all
from ultracurate.core.parts import read_table
from ultracurate.core.resources import manifests_dir, recipes_dir
from ultracurate.core.runner import RunResult, run
from ultracurate.core.schema import content_id
from ultracurate.core.spec import Spec, resolve
from ultracurate.core.stage import Row, chain
from ultracurate.core.store import Store
from ultracurate.execution.serial import SerialExecutor
from ultracurate.ontology.tree import Ontology
from ultracurate.phantom.datasets import build_demo, load_records
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.phantom.truth import DemoTruth, Plant
from ultracurate.report.funnel import funnel
from ultracurate.report.load import load_tables
from ultracurate.report.write import write_report
from ultracurate.stages._shard_check import check_shards

FAST = ("strip.method=none",)
BELOW_STRIP = ("strip", "dedup.hash", "dedup", "label", "split", "shard.plan", "shard")


def spec_of(url: str, *sets: str) -> Spec:
    """The shipped recipe against a local host, as the demo command makes it."""
    recipe = load_recipe(recipes_dir() / "demo.yaml", [f"hosts.zenodo={url}", "limits.*=0", *sets])
    return resolve(recipe, load_all(manifests_dir()), Ontology.load().stamp)


@dataclass
class Finished:
    """A run and the tables that it left."""

    store: Store
    spec: Spec
    result: RunResult
    truth: DemoTruth
    hosts: Path

    def rows(self, stage: str, kind: str = "part") -> list[Row]:
        return [
            row
            for part in self.result.parts[stage]
            if self.store.exists(part.path(kind))
            for row in read_table(self.store, part.path(kind)).to_pylist()
        ]

    def sample_id(self, place: str) -> str:
        """Id that `index` gives `<dataset>:<path>`."""
        dataset, _, path = place.partition(":")
        digests = {(r["dataset"], r["file_name"]): r["file_sha256"] for r in self.rows("download")}
        archive = path.partition("/")[0]
        name = archive if (dataset, archive) in digests else path
        return content_id(dataset, digests[dataset, name], path)

    def plants(self, *kinds: str) -> list[Plant]:
        found = [plant for plant in self.truth.plants if plant.kind in kinds]
        assert found
        return found


def run_demo(folder: Path, hosts: Path, truth: DemoTruth, *sets: str) -> Finished:
    with LocalHosts(load_records(hosts)) as server:
        spec = spec_of(server.hosts["zenodo"], *sets)
        store = Store(folder)
        return Finished(store, spec, run(store, spec, SerialExecutor()), truth, hosts)


def shards(store: Store) -> dict[str, str]:
    """File under `shards/demo` -> sha256."""
    return {name: hashlib.sha256(store.read(f"shards/demo/{name}")).hexdigest() for name in store.names("shards/demo")}


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoTruth]:
    folder = tmp_path_factory.mktemp("demo-hosts")
    return folder, build_demo(folder, scale=0.2)


@pytest.fixture(scope="session")
def demo(planted: tuple[Path, DemoTruth], tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """One run without painting, which is what takes the time; the slow tests below paint."""
    return run_demo(tmp_path_factory.mktemp("demo-work"), *planted, *FAST)


def test_every_dataset_gives_the_planted_number_of_pictures(demo: Finished) -> None:
    found: Counter[tuple[str, str]] = Counter((row["dataset"], row["media"]) for row in demo.rows("index"))
    for dataset, counts in demo.truth.expected.items():
        assert found[dataset, "image"] == counts.get("images", 0)
        assert found[dataset, "clip"] == counts.get("clips", 0)
    frames = sum(row["frames"] for row in demo.rows("index") if row["media"] == "clip")
    assert frames == sum(counts.get("frames", 0) for counts in demo.truth.expected.values())


def test_masks_and_poor_pictures_are_told_apart(demo: Finished) -> None:
    reasons = {row["sample_id"]: row["reason"] for row in demo.rows("index", "rejects")}
    breast = demo.truth.paths["phantom_breast"]
    for what, expected in (("masks", {"mask"}), ("poor", {"empty", "tiny"})):
        ids = [demo.sample_id(f"phantom_breast:{path}") for path in breast[what]]
        assert {reasons[id] for id in ids} == expected


def test_broken_files_are_error_rows_and_nothing_else_is(demo: Finished) -> None:
    broken = {demo.sample_id(f"phantom_thyroid:{p}") for p in demo.truth.paths["phantom_thyroid"]["unreadable"]}
    names = {row["file_id"]: row["file_name"] for row in demo.rows("download")}
    errors = demo.rows("index", "errors")
    assert {demo.sample_id(f"phantom_thyroid:{names[error['parent_id']]}") for error in errors} == broken
    assert len(errors) == len(broken) == demo.result.error_rows


def test_hostile_members_are_rejected_and_left_where_they_are(demo: Finished) -> None:
    rejects = [row for row in demo.rows("index", "rejects") if row["dataset"] == "phantom_hostile"]
    assert [row["reason"] for row in rejects] == ["unsafe_member"] * demo.truth.expected["phantom_hostile"]["hostile"]
    assert not list(Path(demo.store.url).rglob("*escape*"))


def test_byte_and_pixel_copies_are_found_with_the_right_reason(demo: Finished) -> None:
    rejects = {row["parent_id"]: row for row in demo.rows("frames", "rejects")}
    kinds = {"bytes": "bytes", "cross_class": "bytes", "pixels": "pixels", "cross_dataset": "pixels"}
    for plant in demo.plants(*kinds):
        pair = {demo.sample_id(plant.original), demo.sample_id(plant.copy)}
        (dropped,) = pair & rejects.keys()
        assert rejects[dropped]["reason"] == f"exact_duplicate_{kinds[plant.kind]}"
        (kept,) = pair - {dropped}
        assert rejects[dropped]["detail"] == f"same as {kept}"


def test_a_copy_in_another_dataset_leaves_the_later_one(demo: Finished) -> None:
    rejects = {row["parent_id"] for row in demo.rows("frames", "rejects")}
    order = list(demo.spec.order)
    for plant in demo.plants("cross_dataset"):
        places = sorted((plant.original, plant.copy), key=lambda place: order.index(place.partition(":")[0]))
        assert [demo.sample_id(place) in rejects for place in places] == [False, True]


def standing_for(demo: Finished, place: str) -> Row:
    """The frame after dedup that is the picture, or stands for it."""
    id = demo.sample_id(place)
    frames = {row["parent_id"]: row["sample_id"] for row in demo.rows("dedup.hash")}
    for row in demo.rows("label"):
        aliases = {json.loads(alias)["sample_id"] for alias in row["aliases"]}
        if row["parent_id"] == id or aliases & {id, frames.get(id)}:
            return row
    raise AssertionError(f"nothing stands for {place}")


def test_a_picture_filed_under_two_classes_is_a_conflict(demo: Finished) -> None:
    expected = set()
    for plant in demo.plants("cross_class"):
        rows = [standing_for(demo, place) for place in (plant.original, plant.copy)]
        assert rows[0] == rows[1]
        assert rows[0]["pathology"] == ["benign", "malignant"]
        expected.add(rows[0]["sample_id"])
    assert {row["sample_id"] for row in demo.rows("label") if row["label_conflict"]} == expected


def test_near_copies_are_clustered(demo: Finished) -> None:
    for plant in demo.plants("near", "leak"):
        assert standing_for(demo, plant.original) == standing_for(demo, plant.copy)


def test_the_leaked_test_picture_does_not_go_on_in_train(demo: Finished) -> None:
    splits = {row["parent_id"]: row["split"] for row in demo.rows("split")}
    for plant in demo.plants("leak"):
        ids = (demo.sample_id(plant.original), demo.sample_id(plant.copy))
        assert [splits.get(id) for id in ids] == ["test", None]


def test_groups_and_official_splits_hold(demo: Finished) -> None:
    of_group: dict[str, set[str]] = {}
    for row in demo.rows("shard"):
        of_group.setdefault(row["group_id"], set()).add(row["split"])
        assert row["official_split"] in (None, row["split"])
    assert all(len(sides) == 1 for sides in of_group.values())


@pytest.mark.parametrize(
    ("why", "verdict"),
    [
        ("text_only", "no_image_files"),
        ("restricted", "restricted"),
        ("not_ultrasound", "not_ultrasound"),
        ("candidate", "awaits_manifest"),
        ("duplicate", "duplicate_content"),
        ("unknown_licence", "awaits_manifest"),
        ("deleted", None),
        ("software", None),
        ("older_version", None),
    ],
)
def test_records_without_a_manifest_are_screened(demo: Finished, why: str, verdict: str | None) -> None:
    found = {row["record"]: row["verdict"] for row in demo.rows("discover", "candidates")}
    assert found.get(str(demo.truth.search_only[why])) == verdict


def test_records_of_the_recipe_are_known_to_the_search(demo: Finished) -> None:
    found = {row["record"]: row["verdict"] for row in demo.rows("discover", "candidates")}
    assert {found[str(record)] for record in demo.truth.records.values()} == {"in_catalogue"}


def test_no_identity_reaches_a_shard_or_the_report(demo: Finished) -> None:
    tables = load_tables(demo.store, demo.spec, demo.result)
    outputs = {"report": demo.store.read(write_report(demo.store, tables))}
    outputs |= {name: demo.store.read(f"shards/demo/{name}") for name in demo.store.names("shards/demo")}
    words = [word for word in demo.truth.identities if len(word) > 3]
    assert words
    leaks = [(word, name) for word in words for name, data in outputs.items() if word.encode() in data]
    assert leaks == []


def test_the_books_of_the_whole_run_balance(demo: Finished) -> None:
    rows = funnel(load_tables(demo.store, demo.spec, demo.result))
    assert [row.stage for row in rows] == [stage.name for stage in chain()]
    for before, after in pairwise(rows):
        assert before.rows_out == after.rows_in
    assert rows[-1].rows_out == len(demo.rows("shard")) > 0


def test_the_shards_are_sound(demo: Finished) -> None:
    assert check_shards(Store(f"{demo.store.url}/shards/demo")) == []


def test_a_second_run_has_nothing_to_do(demo: Finished) -> None:
    before = shards(demo.store)
    again = run_demo(Path(demo.store.url), demo.hosts, demo.truth, *FAST)
    assert set(again.result.computed.values()) == {0}
    assert shards(demo.store) == before


def computed(finished: Finished) -> set[str]:
    return {stage for stage, number in finished.result.computed.items() if number}


@pytest.fixture
def copied(demo: Finished, tmp_path: Path) -> Path:
    """A folder that holds the finished run, to be changed."""
    import shutil

    return Path(shutil.copytree(demo.store.url, tmp_path / "work"))


def test_a_changed_setting_runs_its_stage_and_those_below(demo: Finished, copied: Path) -> None:
    changed = run_demo(copied, demo.hosts, demo.truth, *FAST, "strip.radius=5")
    assert computed(changed) == set(BELOW_STRIP)
    tars = [{n: d for n, d in shards(store).items() if n.endswith(".tar")} for store in (demo.store, changed.store)]
    assert tars[0].keys() == tars[1].keys()
    back = run_demo(copied, demo.hosts, demo.truth, *FAST)
    assert computed(back) == set()
    assert shards(back.store) == shards(demo.store)


def guide_lines(word: str, work: Path) -> list[list[str]]:
    """The guide's commands over the demo that begin so, for a work directory made without painting."""
    page = next(block.text for block in blocks("bash") if "ultracurate retry --recipe demo" in block.text)
    lines = [shlex.split(line)[1:] for line in page.splitlines() if line.startswith(f"ultracurate {word} ")]
    assert lines
    return [[*(str(work) if w == "demo/work" else w for w in line), "--set", *FAST] for line in lines]


def test_the_guide_goes_on_with_the_demo_without_its_host(demo: Finished, copied: Path) -> None:
    def said(word: str) -> dict[str, Any]:
        (line,) = guide_lines(word, copied)
        done = CliRunner().invoke(app, [*line, "--json"])
        assert done.exit_code == 0, done.output
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    before = shards(demo.store)
    errors = demo.result.error_rows
    stages = {row["stage"]: row for row in said("status")["stages"]}
    assert stages["discover"]["parts"] == "6/6", "five datasets and a search"
    assert all(row["complete"] for row in stages.values())
    assert {row["stage"]: row["todo"] for row in said("plan")["stages"]}["index"] == 0, "only what the setting changes"
    again = said("retry")
    assert {stage: number for stage, number in again["computed"].items() if number} == {"index": 1}, (
        "the part with the errors"
    )
    assert again["error_rows"] == errors == 3, "broken files stay broken"
    assert again["rows"]["discover"] == len(demo.rows("discover"))
    assert Path(said("report")["report"]).is_file()
    assert shards(Store(copied)) == before, "the host was gone, and nothing was lost"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demo_command_and_its_recipe_agree(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["demo", "--work", str(tmp_path), "--set", *FAST, "--json"])
    assert done.exit_code == 0, done.output
    (line,) = guide_lines("status", tmp_path / "work")
    stages = json.loads(CliRunner().invoke(app, [*line, "--json"]).stdout)["stages"]
    assert [row["stage"] for row in stages if not row["complete"]] == []


def without(datasets: Sequence[str], slug: str) -> str:
    return f"datasets=[{', '.join(name for name in datasets if name != slug)}]"


def test_dropping_the_last_dataset_touches_no_other(demo: Finished, copied: Path) -> None:
    *others, last = demo.spec.order
    fewer = run_demo(copied, demo.hosts, demo.truth, *FAST, without(demo.spec.order, last))
    assert computed(fewer) <= {"discover"}, "the search is judged against all datasets; nothing else runs"
    before, after = shards(demo.store), shards(fewer.store)
    kept = {row["shard"] for row in demo.rows("shard") if row["dataset"] in others}
    gone = {row["shard"] for row in demo.rows("shard") if row["dataset"] == last}
    assert kept
    assert gone
    assert {name: digest for name, digest in after.items() if name.endswith(".tar")} == {n: before[n] for n in kept}


def test_grown_elsewhere_by_one_dataset_everything_is_the_same(demo: Finished, tmp_path: Path) -> None:
    *_, last = demo.spec.order
    run_demo(tmp_path, demo.hosts, demo.truth, *FAST, without(demo.spec.order, last))
    whole = run_demo(tmp_path, demo.hosts, demo.truth, *FAST)
    own = {name: sum(part.dataset == last for part in parts) for name, parts in whole.result.parts.items()}
    own["discover"] += 1  # the search, which is judged against all datasets
    own |= {"shard.plan": 1, "shard": 1}  # its one shard holds one dataset, which the engine does not know
    assert whole.result.computed == own
    assert whole.spec.recipe.hosts != demo.spec.recipe.hosts, "another port"
    assert shards(whole.store) == shards(demo.store)
    digests = [{name: [p.digest for p in parts] for name, parts in r.result.parts.items()} for r in (demo, whole)]
    assert digests[0] == digests[1], "every table of every stage"


@pytest.fixture(scope="session")
def painted(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The demo as it is shipped: full size, all branches of the seed method."""
    hosts = tmp_path_factory.mktemp("painted-hosts")
    return run_demo(tmp_path_factory.mktemp("painted-work"), hosts, build_demo(hosts))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_painting_is_the_same_everywhere(painted: Finished, tmp_path: Path) -> None:
    other = run_demo(tmp_path, painted.hosts, painted.truth)
    assert shards(other.store) == shards(painted.store)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_leak_is_closed_in_the_shipped_demo(painted: Finished) -> None:
    test_the_leaked_test_picture_does_not_go_on_in_train(painted)
    test_groups_and_official_splits_hold(painted)
    test_byte_and_pixel_copies_are_found_with_the_right_reason(painted)
    test_no_identity_reaches_a_shard_or_the_report(painted)
    assert check_shards(Store(f"{painted.store.url}/shards/demo")) == []
    assert any(row["overlay_share"] > 0 for row in painted.rows("shard"))
