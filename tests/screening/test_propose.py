from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.screening.made import candidate, files
from ultracurate.core.dataset import DatasetManifest, load_manifest
from ultracurate.screening.propose import MAX_FILES, MAX_TITLE, draft
from ultracurate.screening.verdicts import Screened, Verdict
from ultracurate.sources import RemoteFile

DAY = datetime.date(2026, 3, 4)
MD5 = "md5:" + "a" * 32


def load(folder: Path, text: str) -> DatasetManifest:
    slug = next(line for line in text.splitlines() if line.startswith("slug: ")).removeprefix("slug: ").strip("'\"")
    path = folder / f"{slug}.yaml"
    path.write_text(text, encoding="utf-8")
    return load_manifest(path)


def proposed(folder: Path, taken: tuple[str, ...] = (), why: str = "", **changes: Any) -> DatasetManifest:
    one = Screened(candidate(**changes), Verdict.AWAITS_MANIFEST, 5.5, why)
    return load(folder, draft(one, read=DAY, taken=taken))


def test_everything_the_host_states_is_in_it(tmp_path: Path) -> None:
    made = proposed(
        tmp_path,
        title="A dataset of <b>Thyroid</b> ultrasound images &amp; clips",
        version="1.2",
        doi="10.5281/zenodo.1",
        files=files(("a/scan.png", 12, MD5), ("b.mp4", 3)),
    )
    assert made.slug == "thyroid_ultrasound_images_clips"
    assert made.title == "A dataset of Thyroid ultrasound images & clips"
    assert (made.version, made.status, made.access, made.doi) == ("1.2", "needs_layout", "open", "10.5281/zenodo.1")
    assert (made.licence.id, made.licence.read, made.licence.note) == ("CC-BY-4.0", DAY, None)
    assert made.licence.evidence == "https://zenodo.example/1"
    (source,) = made.sources
    assert (source.host, source.record) == ("zenodo", "1")
    assert [(file.name, file.size, file.checksum) for file in source.files] == [
        ("a/scan.png", 12, MD5),
        ("b.mp4", 3, None),
    ]
    assert made.media == ["image", "clip"]


def test_what_is_not_known_stays_out(tmp_path: Path) -> None:
    made = proposed(tmp_path, access="unknown", licence_spdx=None, licence_raw="other-nc", doi="no doi", files=())
    assert (made.access, made.doi, made.media, made.modality, made.sources[0].files) == (None, None, [], None, [])
    assert made.licence.id == "unknown"
    assert made.licence.note == "The host states: other-nc"


def test_the_name_is_free(tmp_path: Path) -> None:
    assert proposed(tmp_path, ("thyroid_ultrasound_images", "thyroid_ultrasound_images_2")).slug.endswith("_3")
    assert proposed(tmp_path, title="甲状腺超声").slug == "zenodo_1"
    assert proposed(tmp_path, title="on").slug == "zenodo_1"
    assert proposed(tmp_path, title="", record="o/s x", host="kaggle").slug == "kaggle_o_s_x"


@pytest.mark.parametrize(
    "title",
    [
        *("a: b", "- x", "# none", "yes", "1e3", "2024-01-01", "{a: b}", "!!python/object:x", "&a *a", "'", '"', "| x"),
        *("x\nslug: evil", "x\r\nlicence: {id: MIT}", "\x1b[31mred", "a\u2028b\x85c", "\ufeffbom", "x" * 5000, "---"),
        *("? y", "%TAG", "@at", "`t", "=", "~", "null", "0x1F", "1_000", "12:30:45", "\ud800", "\u202eevil"),
    ],
)
def test_hostile_titles(tmp_path: Path, title: str) -> None:
    made = proposed(tmp_path, title=title, why=title, version=title, licence_raw=title, licence_spdx=None)
    assert made.licence.id == "unknown"
    assert len(made.title) <= MAX_TITLE
    assert made.title.isprintable()


def test_no_mail_address_and_no_token(tmp_path: Path) -> None:
    text = draft(
        Screened(
            candidate(title="Liver ultrasound, ask me@host.example", url="https://u:p@host.example/x?token=s3cret"),
            Verdict.AWAITS_MANIFEST,
            4.0,
            "mail me@host.example",
        ),
        read=DAY,
    )
    assert "@" not in text
    assert "s3cret" not in text


@pytest.mark.parametrize(
    "listed",
    [
        files(*[f"{n}.png" for n in range(MAX_FILES + 1)]),
        (RemoteFile("../x.png", "u"),),
        (RemoteFile("a\\b.png", "u"),),
        (RemoteFile("x.png", "u", 10**30),),
        (RemoteFile("x.png", "u", 1, "sha1:00"),),
        (RemoteFile("x\n.png", "u"), RemoteFile("y.png", "u")),
    ],
)
def test_a_list_that_cannot_be_whole_is_left_out(tmp_path: Path, listed: tuple[RemoteFile, ...]) -> None:
    assert proposed(tmp_path, files=listed).sources[0].files == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    title=st.text(max_size=80),
    raw=st.text(max_size=40),
    name=st.text(max_size=30),
    why=st.text(max_size=40),
    doi=st.text(max_size=20),
)
def test_any_candidate_loads(tmp_path: Path, title: str, raw: str, name: str, why: str, doi: str) -> None:
    made = proposed(
        tmp_path,
        title=title,
        licence_raw=raw,
        licence_spdx=None,
        why=why,
        doi="10.5281/" + doi,
        files=(RemoteFile(name, "u", 1),),
    )
    assert made.status == "needs_layout"
    assert set(" ".join(made.title.split())) <= set(title) | set(" …zenodo1")


def test_the_comments_say_what_to_fill_in(tmp_path: Path) -> None:
    text = draft(Screened(candidate(), Verdict.AWAITS_MANIFEST, 5.5, "thyroid (title)"), read=DAY)
    assert text.startswith("# Proposed from a search: score 5.5; thyroid (title)\n")
    blanks = {line.split(":")[0].removeprefix("# ") for line in text.splitlines() if line.startswith("# ")}
    assert {"modality", "species", "annotations", "layout", "group", "labels"} <= blanks
    assert set(yaml.safe_load(text)) <= set(DatasetManifest.model_fields)
