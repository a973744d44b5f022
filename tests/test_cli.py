"""The commands as people and scripts use them: what they print, how they end, what they load."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from tests.e2e.lab import Lab, call, png
from ultracurate import __version__
from ultracurate.cli import app
from ultracurate.core import log
from ultracurate.core.resources import manifests_dir
from ultracurate.core.store import Store
from ultracurate.stages._shard_check import check_shards

HEAVY = ("torch", "dask", "distributed", "cv2", "pydicom", "av", "pandas", "sklearn", "pyarrow.dataset", "pytesseract")
STAGES = ["discover", "download", "index", "frames", "strip", "dedup.hash", "dedup", "label", "split"]
STAGES += ["shard.plan", "shard"]


@pytest.fixture(autouse=True)
def _closed_logs() -> Iterator[None]:
    yield
    log.open_log(None, "")


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A dataset of three good pictures."""
    made = Lab(tmp_path)
    made.good(3)
    return made


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A finished run that no test may change: seven good pictures in shards of three, one error, one reject."""
    made = Lab(tmp_path_factory.mktemp("done"))
    made.recipe(stages={"strip": {"method": "none"}, "shard.plan": {"samples": 3}})
    made.good(7)
    made.add("bad.png", b"")
    made.add("notes.txt", b"notes")
    assert made.cli("run", "all").code == 0
    return made


# Start-up


def modules_loaded_by(*args: str) -> set[str]:
    """Top-level names of all modules that a command loads, and `pyarrow.dataset` by its full name."""
    code = (
        "import sys\nsys.argv = ['ultracurate', *sys.argv[1:]]\n"
        "from ultracurate.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(chr(10) + ' '.join(sys.modules), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=True)
    return set(ended.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("args", [["--help"], ["run", "--help"], ["stages", "--json"]], ids=" ".join)
def test_loads_nothing_heavy(args: list[str]) -> None:
    loaded = modules_loaded_by(*args)
    assert "ultracurate.cli" in loaded
    assert not loaded & set(HEAVY)
    if "--help" in args:
        assert not loaded & {"numpy", "pyarrow"}, "help needs no tables"


def test_python_m() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "ultracurate", "--version"], capture_output=True, text=True, check=True
    )
    assert (ended.stdout.strip(), ended.stderr) == (__version__, "")


def test_help_names_every_command() -> None:
    text = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    names = ["stages", "plan", "run", "retry", "status", "report", "demo", "measure", "validate", "datasets"]
    assert all(re.search(rf"\b{name}\b", text) for name in names)


@pytest.mark.parametrize("group", ["validate", "datasets"])
def test_bare_group_shows_its_help(group: str) -> None:
    assert "Usage" in CliRunner().invoke(app, [group]).output


def test_unknown_option_is_exit_code_two(lab: Lab) -> None:
    ended = lab.cli("run", "all", "--wrokers", "2")
    assert ended.code == 2
    assert "--workers" in ended.err


# What scripts get

JSON_COMMANDS = [
    ["stages"],
    ["measure", "list"],
    ["validate", "manifests"],
    ["validate", "ontology"],
    ["datasets", "list"],
    ["datasets", "show", "phantom_breast"],
]


@pytest.mark.parametrize("args", JSON_COMMANDS, ids=" ".join)
def test_json_is_one_object_and_nothing_else(args: list[str]) -> None:
    ended = call(*args, "--json")
    assert (ended.code, ended.err) == (0, "")
    assert ended.json
    assert ended.out.count("\n") == 1


@pytest.mark.parametrize("command", [["run", "all"], ["run", "index"], ["retry"], ["plan"], ["status"], ["report"]])
def test_json_of_a_recipe_is_one_object_and_nothing_else(done: Lab, command: list[str]) -> None:
    ended = done.cli(*command, "--json")
    assert (ended.code, ended.err) == (0, "")
    assert ended.json
    assert ended.out.count("\n") == 1


def test_json_output_of_a_real_process(done: Lab) -> None:
    command = [sys.executable, "-m", "ultracurate", "run", "all", "--json"]
    command += ["-r", str(done.recipe_file), "-w", str(done.work)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    data = json.loads(ended.stdout)
    assert ended.stderr == ""
    assert set(data["computed"].values()) == {0}
    assert data["rows"]["shard"] == 7
    assert data["error_rows"] == 1
    assert Path(data["report"]).is_file()
    assert Path(data["published"]["shard"], "SHA256SUMS").is_file()


# stages, datasets


def test_stages_stand_in_running_order() -> None:
    stages = call("stages", "--json").json["stages"]
    assert [stage["name"] for stage in stages] == STAGES
    assert [stage["after"] for stage in stages] == [None, *STAGES[:-1]]
    assert all(stage["summary"] and stage["adds"] for stage in stages)
    assert "no_layout_rule" in stages[2]["reasons"]
    table = call("stages").out
    assert all(name in table for name in STAGES)


def test_datasets_list_shows_every_manifest() -> None:
    slugs = {path.stem for path in manifests_dir().glob("*.yaml")}
    assert {row["slug"] for row in call("datasets", "list", "--json").json["datasets"]} == slugs
    assert "phantom_breast" in call("datasets", "list").out


def test_datasets_show() -> None:
    data = call("datasets", "show", "phantom_breast", "--json").json
    assert (data["slug"], data["licence"]["id"]) == ("phantom_breast", "CC0-1.0")
    assert "slug: phantom_breast" in call("datasets", "show", "phantom_breast").out


def test_datasets_show_unknown() -> None:
    ended = call("datasets", "show", "phantom_brest", "--json")
    assert (ended.code, ended.out) == (2, "")
    assert "Did you mean 'phantom_breast'?" in ended.err


# plan


def steps(lab: Lab, *sets: str) -> dict[str, dict[str, object]]:
    """The stages of a plan by name."""
    args = [arg for item in sets for arg in ("--set", item)]
    return {step["stage"]: step for step in lab.cli("plan", "--json", *args).json["stages"]}


def test_plan_before_anything(lab: Lab) -> None:
    plan = lab.cli("plan", "--json").json
    assert plan["bytes_known"] is None, "nobody has said how large the files are"
    assert [row["slug"] for row in plan["datasets"]] == ["lab"]
    first, second, *_ = plan["stages"]
    assert (first["todo"], first["why"]) == (1, "not run yet")
    assert (second["todo"], second["why"]) == (None, "known when discover has run")
    text = lab.cli("plan").out
    assert "Known size of the files: unknown" in text
    assert "restricted" in text
    assert not lab.work.exists(), "a plan writes nothing"


def test_plan_after_discover_and_download(lab: Lab) -> None:
    lab.run(last="discover")
    size = sum(path.stat().st_size for path in lab.data.iterdir())
    assert lab.cli("plan", "--json").json["bytes_known"] == size
    assert steps(lab)["download"]["why"] == "not run yet"
    lab.run(last="download")
    found = steps(lab)
    assert (found["download"]["done"], found["download"]["todo"]) == (1, 0)
    assert found["index"]["why"] == "not run yet", "not 'known when download has run': it has"
    assert found["frames"]["why"] == "known when index has run"


def test_plan_after_all(done: Lab) -> None:
    found = steps(done)
    assert {step["todo"] for step in found.values()} == {0}
    assert found["shard"]["why"] == "finished"
    assert found["index"]["why"] == "finished; 1 error rows, see `ultracurate retry`"


def test_plan_says_which_stages_run_again_and_why(done: Lab) -> None:
    before = {path: path.stat().st_mtime_ns for path in done.work.rglob("*")}
    found = steps(done, "strip.radius=5")
    assert [name for name in STAGES if found[name]["todo"] == 0] == STAGES[:4]
    assert found["strip"]["why"] == "settings differ from an earlier run: radius: 3 -> 5"
    assert found["strip"]["todo"] is None, "its step over all frames comes first"
    assert "a stage before 'split' changed" in str(found["split"]["why"])
    assert "radius: 3 -> 5" in done.cli("plan", "--set", "strip.radius=5").out
    assert before == {path: path.stat().st_mtime_ns for path in done.work.rglob("*")}, "a plan computes nothing"


def test_plan_and_status_forget_errors_that_a_retry_mended(lab: Lab) -> None:
    kept = lab.data / "good_1.png"
    data = kept.read_bytes()
    lab.run(then=("frames", kept.unlink))
    kept.write_bytes(data)
    assert "1 error rows" in str(steps(lab)["strip"]["why"])
    assert lab.cli("retry").code == 0
    assert steps(lab)["strip"]["why"] == "finished"
    assert {stage["errors"] for stage in lab.cli("status", "--json").json["stages"]} == {0}


# run, retry, status, report


def test_run_one_stage_runs_those_before_it_and_no_other(lab: Lab) -> None:
    result = lab.cli("run", "index", "--json").json
    assert list(result["computed"]) == STAGES[:3]
    assert result["report"] is None
    complete = [stage["complete"] for stage in lab.cli("status", "--json").json["stages"]]
    assert complete == [True] * 3 + [False] * 8
    assert not (lab.work / "frames").exists()


def test_run_tells_people_what_happened(lab: Lab) -> None:
    lab.add("bad.png", b"")
    ended = lab.cli("run", "all")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert [line.split()[0] for line in lines[: len(STAGES)]] == STAGES
    assert re.search(r"index +3 rows +0 rejected +1 errors +1 of 1 parts computed", ended.out)
    assert "1 row could not be processed" in ended.out
    assert re.search(r"index: .*bad.png|index: ", ended.out)
    assert str(lab.work / "shards" / "lab") in ended.out
    assert str(lab.work / "reports" / "lab.html") in ended.out


def test_second_run_computes_nothing(done: Lab) -> None:
    ended = done.cli("run", "all")
    assert ended.code == 0
    assert len(re.findall(r" 0 of \d parts computed", ended.out)) == len(STAGES)
    assert set(done.cli("run", "all", "--json").json["computed"].values()) == {0}


def test_strict_is_exit_code_three_after_everything_was_done(lab: Lab) -> None:
    lab.add("bad.png", b"")
    ended = lab.cli("run", "all", "--strict", "--json")
    assert ended.code == 3
    assert ended.json["error_rows"] == 1
    assert Path(ended.json["report"]).is_file()
    lab.add("bad.png", png(9))
    assert lab.cli("run", "all", "--strict").code == 0, "a changed folder is noticed without being told"


def test_retry_takes_only_the_error_rows(lab: Lab) -> None:
    kept = lab.data / "good_1.png"
    data = kept.read_bytes()
    lab.run(then=("download", kept.unlink))
    kept.write_bytes(data)
    assert set(lab.cli("run", "all", "--json").json["computed"].values()) == {0}, "a run alone retries nothing"
    result = lab.cli("retry", "--stage", "index", "--json").json
    assert result["computed"]["index"] == 1
    assert result["error_rows"] == 0
    assert result["rows"]["shard"] == 3


def test_failed_parts_are_exit_code_three(lab: Lab) -> None:
    with mock.patch("ultracurate.core.work._compute", side_effect=RuntimeError("the worker died")):
        ended = lab.cli("run", "all")
    assert ended.code == 3
    assert "1 of 1 parts of stage 'discover' could not be computed" in ended.err
    assert "RuntimeError" in ended.err
    assert "the worker died" not in ended.err + ended.out, "words of libraries can hold names of files and people"
    assert "run the same command again" in ended.err
    assert "Traceback" not in ended.err
    assert lab.cli("run", "all").code == 0


def test_status_of_a_work_directory_that_is_not_there(lab: Lab) -> None:
    assert {stage["rows"] for stage in lab.cli("status", "--json").json["stages"]} == {0}
    assert "discover" in lab.cli("status").out
    assert not lab.work.exists()


def test_report_needs_a_finished_run(lab: Lab) -> None:
    lab.run(last="index")
    ended = lab.cli("report")
    assert (ended.code, ended.out) == (2, "")
    assert "'frames'" in ended.err
    assert "ultracurate run all" in ended.err


def test_report_is_written_again(done: Lab) -> None:
    page = done.work / "reports" / "lab.html"
    before = page.read_bytes()
    page.unlink()
    assert done.cli("report", "--json").json == {"report": str(page)}
    assert page.read_bytes() == before


# Wrong commands


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["run", "indx"], "Did you mean 'index'?"),
        (["retry", "--stage", "indx"], "Did you mean 'index'?"),
        (["run", "indx", "--workers", "2"], "Did you mean 'index'?"),
        (["run", "all", "--executor", "spark"], "No executor is called 'spark'"),
        (["run", "all", "--root", "lab"], "expected NAME=FOLDER"),
        (["run", "all", "--set", "frames.fps=[1"], "frames.fps=[1"),
        (["plan", "--set", "seed=many"], "seed"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_command_is_one_sentence(lab: Lab, args: list[str], text: str) -> None:
    with mock.patch("ultracurate.core.runner.run_job", side_effect=AssertionError("nothing may run")):
        ended = lab.cli(*args)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Error: ")
    assert text in ended.err
    assert "Traceback" not in ended.err


def test_unknown_recipe_lists_the_shipped_ones(tmp_path: Path) -> None:
    ended = call("plan", "--recipe", "dmeo", "--work", str(tmp_path / "w"))
    assert ended.code == 2
    assert "demo" in ended.err
    ended = call("plan", "--recipe", str(tmp_path / "absent.yaml"), "--work", str(tmp_path / "w"))
    assert ended.code == 2
    assert "absent.yaml" in ended.err


def test_recipe_is_found_beside_a_folder_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo writes a folder `demo`; afterwards `--recipe demo` must still mean the recipe."""
    (tmp_path / "demo").mkdir()
    monkeypatch.chdir(tmp_path)
    assert call("plan", "--recipe", "demo", "--work", "demo/work", "--json").json["recipe"] == "demo"


@pytest.mark.parametrize("url", ["nosuch://bucket/run", "s3://bucket/run"])
def test_work_url_that_cannot_be_opened(lab: Lab, url: str) -> None:
    # An earlier test may have opened S3: forget that, and that its package is there.
    with mock.patch.dict("sys.modules", {"s3fs": None}), mock.patch.dict("fsspec.registry._registry", clear=True):
        ended = call("plan", "--recipe", str(lab.recipe_file), "--work", url)
    assert (ended.code, ended.out) == (2, "")
    assert url in ended.err
    assert "ultracurate[s3]" in ended.err or "expected a folder or a URL" in ended.err


def test_a_wrong_label_is_found_before_anything_runs(lab: Lab) -> None:
    lab.describe(labels=[{"positive": ["thyroyd"]}])
    ended = lab.cli("plan")
    assert (ended.code, ended.out) == (2, "")
    assert "thyroyd" in ended.err
    assert "thyroid" in ended.err


def test_unforeseen_errors_are_not_hidden(lab: Lab) -> None:
    with (
        mock.patch("ultracurate.terminal.plan.print_plan", side_effect=RuntimeError("a bug")),
        pytest.raises(RuntimeError),
    ):
        lab.cli("plan")


# Ctrl-C


def test_interrupt_says_that_nothing_is_lost(lab: Lab) -> None:
    with mock.patch("ultracurate.core.runner.run_job", side_effect=KeyboardInterrupt):
        ended = lab.cli("run", "all")
    assert ended.code == 130
    assert "Finished parts are kept; run the same command again" in ended.err
    assert lab.cli("run", "all").code == 0


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_interrupt_of_a_real_process(lab: Lab) -> None:
    os.mkfifo(lab.home / "held")  # opening it blocks until somebody writes: the run waits inside index
    lab.run(last="download")
    (lab.data / "good_1.png").unlink()
    os.mkfifo(lab.data / "good_1.png")
    command = [sys.executable, "-m", "ultracurate", "run", "all"]
    command += ["-r", str(lab.recipe_file), "-w", str(lab.work)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: "part_started" in read_logs(lab.work, process.pid))
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Stopped. Finished parts are kept" in err
    assert "Traceback" not in err
    (lab.data / "good_1.png").unlink()
    lab.good(3)
    assert lab.cli("run", "all").code == 0
    assert len(lab.sharded()) == 9


def read_logs(work: Path, pid: int) -> str:
    return "".join(path.read_text() for path in (work / "logs").rglob(f"*-{pid}.jsonl"))


def wait_for(ready: Callable[[], bool], seconds: float = 30) -> None:
    limit = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.05)


# validate


def test_validate_says_ok(done: Lab) -> None:
    assert call("validate", "manifests").out.startswith("OK: ")
    assert call("validate", "ontology").out.startswith("OK: ontology ")
    ended = call("validate", "shards", str(done.shards), "--json")
    assert ended.json == {"checked": f"shards in {done.shards}", "problems": {}}


def test_validate_manifests_finds_a_bad_one(lab: Lab) -> None:
    assert call("validate", "manifests", str(lab.manifests)).code == 0
    path = lab.describe(labels=[{"positive": ["no_such_organ"]}])
    ended = call("validate", "manifests", str(lab.manifests))
    assert ended.code == 2
    assert "no_such_organ" in ended.err
    lab.describe(licence={"id": "CC-BY-4", "evidence": "x"})
    ended = call("validate", "manifests", str(lab.manifests), "--json")
    assert ended.code == 2
    assert str(path) in str(ended.json["problems"])
    assert "Traceback" not in ended.err


def test_validate_manifests_writes_the_schema_of_the_library() -> None:
    from ultracurate.core.dataset import schema_text

    written: dict[str, str] = {}

    def keep(path: Path, text: str, encoding: str) -> int:
        written[path.name] = text
        return len(text)

    with mock.patch.object(Path, "write_text", keep):
        assert call("validate", "manifests", "--write-schema").code == 0
    assert written == {"_schema.json": schema_text()}


def test_validate_ontology_tells_problems() -> None:
    with mock.patch("ultracurate.ontology.tree.Ontology.validate", return_value=["liver: two parents"]):
        ended = call("validate", "ontology", "--json")
    assert ended.code == 2
    assert ended.json["problems"] == {"ontology": ["liver: two parents"]}


@pytest.fixture
def shards(done: Lab, tmp_path: Path) -> Path:
    """A copy of finished shards, to be damaged."""
    folder = tmp_path / "shards"
    shutil.copytree(done.shards, folder)
    assert check_shards(Store(folder)) == []
    return folder


def first_tar(shards: Path) -> Path:
    return sorted(shards.glob("*.tar"), key=lambda path: -path.stat().st_size)[0]


def index_of(tar: Path) -> Path:
    return tar.with_suffix(".parquet")


def reseal(shards: Path) -> None:
    """Write the digests again, as somebody would who hides a change."""
    names = sorted(path.name for path in shards.iterdir() if path.suffix in (".tar", ".parquet"))
    lines = [f"{hashlib.sha256((shards / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (shards / "SHA256SUMS").write_text("".join(lines))


def rewrite(tar: Path, change: Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]]) -> None:
    """Unpack, change and pack the members of a tar."""
    with tarfile.open(tar) as source:
        members = [(info.name, source.extractfile(info).read()) for info in source]  # type: ignore[union-attr]
    with tarfile.open(tar, "w", format=tarfile.USTAR_FORMAT) as target:
        for name, data in change(members):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            target.addfile(info, io.BytesIO(data))


def flip_byte(shards: Path) -> None:
    tar = first_tar(shards)
    data = bytearray(tar.read_bytes())
    data[len(data) // 2] ^= 1
    tar.write_bytes(data)


def truncate(shards: Path) -> None:
    tar = first_tar(shards)
    tar.write_bytes(tar.read_bytes()[: tar.stat().st_size // 2])


def flip_index_byte(shards: Path) -> None:
    index = index_of(first_tar(shards))
    data = bytearray(index.read_bytes())
    data[-20] ^= 1
    index.write_bytes(data)


def tamper_index(shards: Path) -> None:
    index = index_of(first_tar(shards))
    table = pq.read_table(index)
    sides = pa.array(["test"] * table.num_rows, pa.string())
    pq.write_table(table.set_column(table.schema.get_field_index("split"), "split", sides), index)
    reseal(shards)


def shift_index(shards: Path) -> None:
    index = index_of(first_tar(shards))
    table = pq.read_table(index)
    offsets = pa.array([n + 1 for n in table["tar_image_offset"].to_pylist()], pa.int64())
    place = table.schema.get_field_index("tar_image_offset")
    pq.write_table(table.set_column(place, "tar_image_offset", offsets), index)
    reseal(shards)


def swap_members(shards: Path) -> None:
    rewrite(first_tar(shards), lambda members: [members[1], members[0], *members[2:]])
    reseal(shards)


def add_member(shards: Path) -> None:
    rewrite(first_tar(shards), lambda members: [*members, ("zzz.png", b"")])
    reseal(shards)


def double_member(shards: Path) -> None:
    rewrite(first_tar(shards), lambda members: [*members, members[-1]])
    reseal(shards)


def change_json(shards: Path) -> None:
    def change(members: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        return [(n, d.replace(b'"restricted"', b'"CC0-1.0000"') if n.endswith(".json") else d) for n, d in members]

    rewrite(first_tar(shards), change)
    reseal(shards)


def no_tar(shards: Path) -> None:
    first_tar(shards).write_bytes(b"not a tar" * 100)
    reseal(shards)


def no_index(shards: Path) -> None:
    index_of(first_tar(shards)).write_bytes(b"not a table" * 100)
    reseal(shards)


def foreign_index(shards: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), index_of(first_tar(shards)))
    reseal(shards)


def lead_out(shards: Path) -> None:
    (shards / "SHA256SUMS").write_text(f"{'0' * 64}  ../../etc/passwd\n" + (shards / "SHA256SUMS").read_text())


DAMAGES: list[tuple[Callable[[Path], object], str]] = [
    (flip_byte, "its bytes differ from SHA256SUMS; fetch or write it again"),
    (truncate, "its bytes differ from SHA256SUMS"),
    (flip_index_byte, "parquet: its bytes differ from SHA256SUMS"),
    (lambda shards: first_tar(shards).unlink(), "listed in SHA256SUMS, but missing"),
    (lambda shards: index_of(first_tar(shards)).unlink(), "has no index"),
    (lambda shards: (shards / "SHA256SUMS").unlink(), "There is no SHA256SUMS"),
    (lambda shards: (shards / "SHA256SUMS").write_bytes(b"\xff\x00 what"), "SHA256SUMS, line 1"),
    (lambda shards: shutil.copy(first_tar(shards), shards / "extra.tar"), "extra.tar: is not listed"),
    (lead_out, "SHA256SUMS, line 1: expected a digest and the name of a file beside it"),
    (tamper_index, "and the index differ in split"),
    (shift_index, "is not where the index says"),
    (swap_members, "members are not sorted"),
    (add_member, "member zzz.png is not in the index"),
    (double_member, "a member is there twice"),
    (change_json, "and the index differ in licence"),
    (no_tar, "is not a tar that can be read"),
    (no_index, "is not the index of a shard"),
    (foreign_index, "is not the index of a shard"),
]


@pytest.mark.parametrize(("damage", "text"), DAMAGES, ids=[text for _, text in DAMAGES])
def test_validate_shards_finds_every_damage(shards: Path, damage: Callable[[Path], object], text: str) -> None:
    damage(shards)
    ended = call("validate", "shards", str(shards))
    assert (ended.code, ended.out) == (2, "")
    assert text in ended.err
    assert "Traceback" not in ended.err


def test_validate_shards_of_an_absent_folder(tmp_path: Path) -> None:
    ended = call("validate", "shards", str(tmp_path / "absent"), "--json")
    assert ended.code == 2
    assert "this is not a folder of shards" in str(ended.json["problems"])


def test_validate_shards_on_another_file_system(shards: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.put(str(shards), "/shards-in-memory", recursive=True)
    try:
        assert call("validate", "shards", "memory://shards-in-memory").code == 0
        memory.pipe("/shards-in-memory/extra.tar", b"")
        ended = call("validate", "shards", "memory://shards-in-memory")
        assert ended.code == 2
        assert "extra.tar: is not listed" in ended.err
    finally:
        memory.rm("/shards-in-memory", recursive=True)
