"""A thousand files full of persons go through the whole pipeline, and nothing that leaves the machine names one.

That is: every byte of the shards with their indexes, the report, the logs and the screen, also in packed and coded
forms. The tables between the stages may hold paths; they are listed here, and in docs/privacy.md.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.docs.pages import ROOT
from tests.e2e.identities import Words, search, search_folder
from tests.e2e.lab import Finished, Lab
from tests.e2e.ward import fill
from ultracurate.core import log
from ultracurate.core.schema import content_id
from ultracurate.report import pictures
from ultracurate.report.losses import ENDINGS
from ultracurate.stages import shard

pytestmark = pytest.mark.timeout(900)

LOCAL = {
    "discover": "tables",
    "download": "tables",
    "index": "tables",
    "frames": "tables",
    "strip": "tables",
    "dedup.hash": "tables",
    "dedup": "tables",
    "label": "tables",
    "split": "tables",
    "shard.plan": "tables",
    "shard": "tables",
    "specs": "`specs/`",
    "runs": "`runs/",
}
"""Folders of the work directory that may name persons, each with the words by which docs/privacy.md tells it."""
STAGES = {
    "index": {"keep_foreign": True},  # blotches are enough here
    "frames": {"keep_foreign": True},
    "strip": {"method": "none"},
    "shard.plan": {"samples": 97},
}
PUBLISHED = ("shards", "reports", "logs")


class Planted:
    """A finished run over planted files, with all that was said on the screen."""

    def __init__(self, home: Path, count: int) -> None:
        self.lab = Lab(home)
        # The folder of the data has a name too, which no output may tell.
        self.words = Words()
        folder = self.lab.data.rename(home / f"{self.words.new('data folder')} 1948-02-29")
        self.lab.data.symlink_to(folder)
        fill(self.lab, count, self.words)
        self.lab.recipe(roots={"lab": folder.name}, stages=STAGES)
        self.ended = self.run()
        self.said = self.ended.out + self.ended.err
        for command in (("status",), ("plan",), ("status", "--json")):
            done = self.lab.cli(*command)
            self.said += done.out + done.err

    def run(self) -> Finished:
        ended = self.lab.cli("run", "all")
        log.open_log(None, "")
        return ended

    def leaks(self, *folders: str) -> list[str]:
        """What is found in folders of the work directory, each with the place where it was planted."""
        return [
            f"{name}/{where}: {found} ({self.words.explain(found)})"
            for name in folders
            for where, found in search_folder(self.lab.work / name)
        ]


@pytest.fixture(scope="module", params=[32, pytest.param(1000, marks=pytest.mark.slow)])
def planted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return Planted(tmp_path_factory.mktemp("planted"), request.param)


def test_every_kind_of_file_went_in_and_came_through(planted: Planted) -> None:
    assert planted.ended.code == 0, planted.ended.err
    rows = planted.lab.rows("shard")
    files = len([path for path in planted.lab.data.resolve().rglob("*.*") if path.is_file()])
    assert files >= 32
    assert len(rows) > 0.8 * files
    assert {row["format"] for row in rows} >= {"png", "jpg", "tif", "gif", "dicom", "mp4"}
    assert planted.lab.rows("index", "errors")
    assert {row["reason"] for row in planted.lab.rows("index", "rejects")} >= {
        "unsafe_member",
        "no_layout_rule",
        "table",
    }
    assert len(planted.words.places) > 6 * files
    assert len(set(planted.words.places.values())) > 40


def test_the_words_are_in_the_files_and_the_control_word_is_in_the_tables(planted: Planted) -> None:
    stored = {found for _, found in search_folder(planted.lab.data.resolve())}
    missing = {word: place for word, place in planted.words.places.items() if word not in stored}
    assert not {place for place in missing.values() if place not in _CUT_OR_CODED}, "planted, but not there"
    (control, *_) = [word for word, place in planted.words.places.items() if place == "folder"]
    for name in ("discover", "index", "shard"):
        assert control in {found for _, found in search_folder(planted.lab.work / name)}, f"{name} is searched in vain"


_CUT_OR_CODED = {"cut off", "data folder", "record of the source"}
"""Places whose words do not stand in a file of the dataset in full: in packed members, or in the manifest."""


def test_nothing_that_is_published_names_anybody(planted: Planted) -> None:
    assert planted.leaks(*PUBLISHED) == []


def test_nothing_on_the_screen_names_anybody(planted: Planted) -> None:
    assert "frames in shards" in planted.said
    assert list(search("screen", planted.said.encode())) == []


def test_no_message_of_a_stage_names_anybody(planted: Planted) -> None:
    said: dict[str, str] = {}
    for stage in [name for name, told in LOCAL.items() if told == "tables"]:
        for row in planted.lab.rows(stage, "errors"):
            said[f"{stage}, {row['exception']}"] = row["message"]
        for row in planted.lab.rows(stage, "rejects"):
            if row["reason"] not in ENDINGS:  # the report looks at these, and shows endings of formats only
                said[f"{stage}, {row['reason']}"] = row["detail"]
    assert len(said) >= 3
    assert [found for where, text in said.items() for found in search(where, text.encode())] == []


def test_only_the_folders_that_the_documentation_lists_may_name_persons(planted: Planted) -> None:
    held = {path.name for path in planted.lab.work.iterdir()}
    assert set(PUBLISHED) <= held
    clean = sorted(held - LOCAL.keys())
    assert planted.leaks(*clean) == []
    page = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
    for name in sorted(held & LOCAL.keys()):
        assert re.search(rf"^\|[^|]*{re.escape(LOCAL[name])}[^|]*\|.*\| no \|$", page, re.MULTILINE), name


def test_pictures_carry_pixels_and_nothing_else(planted: Planted) -> None:
    for name, data in planted.lab.sharded().items():
        if not name.endswith(".json"):
            with Image.open(io.BytesIO(data)) as image:
                image.load()
                assert not image.info, name
                assert not image.getexif(), name


def guesses(rows: list[dict[str, Any]], words: Words) -> set[str]:
    """Ids and digests that anybody can compute who knows how the dataset names its patients, files and folders."""
    keys = {word.title() for word in words.places}
    keys |= {json.loads(row["fields"]).get("patient", "") for row in rows} | {row["path"] for row in rows}
    made: set[str] = set()
    for key in keys:
        plain = [key, hashlib.sha256(key.encode()).hexdigest()]
        made |= {content_id("lab", "group", each) for each in plain} | {
            content_id("group", "lab", each) for each in plain
        }
        made |= {hashlib.new(kind, key.encode()).hexdigest() for kind in ("md5", "sha1", "sha256")}
    return made


def digests(planted: Planted) -> set[str]:
    """Everything in the shards, the report and the logs that looks like a digest or a part of one."""
    found: set[str] = set()
    for folder in PUBLISHED:
        for path in (path for path in (planted.lab.work / folder).rglob("*") if path.is_file()):
            text = str(pq.read_table(path).to_pylist()).encode() if path.suffix == ".parquet" else path.read_bytes()
            found |= {each.decode() for each in re.findall(rb"(?<![0-9a-f])[0-9a-f]{24,64}(?![0-9a-f])", text)}
    return found


def test_no_published_digest_can_be_had_by_trying_names(planted: Planted) -> None:
    rows = planted.lab.rows("shard")
    tried, said = guesses(rows, planted.words), digests(planted)
    assert len(said) > len(rows)
    assert not tried & said
    groups = {row["group_id"] for row in rows}
    assert len(groups & tried) > 0.8 * len(groups), "the ids of the local tables can be guessed, so the search works"
    assert not groups & said
    # With the path in hand, and every digest that is published, nobody can confirm that a frame is of that path.
    for row in rows:
        ids = {row["sample_id"], row["parent_id"]}
        told = {row["pixel_sha256"], row["public_group"], row["dataset"], ""}
        assert not ids & {content_id("lab", digest, row["path"]) for digest in told}
        assert row["file_sha256"] not in said


def test_groups_are_as_they_were(planted: Planted) -> None:
    rows = planted.lab.rows("shard")
    pairs = {(row["group_id"], row["public_group"]) for row in rows}
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_words_told_of_a_frame_are_the_same_in_json_and_index(planted: Planted) -> None:
    members = planted.lab.sharded()
    for path in planted.lab.shards.glob("*.parquet"):
        for row in pq.read_table(path).to_pylist():
            said = json.loads(members[f"{row['sample_id']}.json"])
            assert said["group_id"] == row["group_id"]
            assert (said["record"], said["archive_sha256"], said["original_sha256"]) == ("", "", "")


# What happens when a protection is off


def test_a_protection_that_is_off_is_noticed(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(image: Image.Image) -> pictures.Picture:
        out = io.BytesIO()
        image.save(out, "JPEG")  # Pillow writes the source's comment again
        return pictures.Picture(f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}", None)

    with monkeypatch.context() as patch:
        patch.setattr(shard, "PUBLIC", (*shard.PUBLIC, "path"))
        patch.setattr(pictures, "encode", careless)
        patch.setattr("ultracurate.report.losses.shown_ending", lambda text: text or "")
        planted.run()
        assert any("[path]" in leak for leak in planted.leaks("shards")), "paths in the index of a shard"
        told = planted.leaks("reports")
        assert any("(base64 " in leak and "comment" in leak for leak in told), "comments in pictures of the report"
        assert any("(ending)" in leak for leak in told), "a name behind a dot in the report"
    planted.run()
    assert planted.leaks("shards", "reports") == []


def test_an_internal_group_is_noticed(planted: Planted) -> None:
    rows = planted.lab.rows("shard")
    said = json.dumps(shard.describe(rows[0] | {"public_group": rows[0]["group_id"]}, None))
    assert guesses(rows, planted.words) & set(re.findall(r"[0-9a-f]{24,64}", said))


def test_what_was_met_is_counted_in_the_report(planted: Planted) -> None:
    page = (planted.lab.work / "reports" / "lab.html").read_text(encoding="utf-8")
    assert "Identities met at the door" in page
    met: Counter[str] = Counter()
    for path in (planted.lab.work / "index").rglob("identifying-*.parquet"):
        for row in pq.read_table(path).to_pylist():
            met[row["where"]] += row["count"]
    assert set(met) >= {"folder", "member", "metadata", "archive", "header"}
