from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from tests.screening.made import candidate, files
from ultracurate.core.dataset import DatasetManifest
from ultracurate.core.errors import ContractError, RowError
from ultracurate.screening.catalogue import Catalogue
from ultracurate.screening.funnel import check, count
from ultracurate.screening.licence import forbids, note
from ultracurate.screening.links import Link
from ultracurate.screening.verdicts import SENTENCES, Screened, Verdict, screen
from ultracurate.sources import Candidate, RemoteFile, SourceError, SourceState

MD5 = "md5:" + "0" * 31
EMPTY = Catalogue.of([])


class Hosts:
    """What the hosts would answer, and what they were asked."""

    def __init__(
        self, whole: dict[str, Any] | None = None, inside: Any = None, behind: dict[str, Any] | None = None
    ) -> None:
        self.whole, self.inside, self.behind = whole or {}, inside or {}, behind or {}
        self.described: list[str | None] = []
        self.peeked: list[str | None] = []
        self.followed: list[str] = []
        self.threads: set[int] = set()

    def describe(self, one: Candidate) -> Candidate:
        self.described.append(one.record)
        self.threads.add(threading.get_ident())
        answer = self.whole[str(one.record)]
        if isinstance(answer, Exception):
            raise answer
        described: Candidate = answer
        return described

    def peek(self, one: Candidate) -> list[RemoteFile] | None:
        self.peeked.append(one.record)
        if isinstance(answer := self.inside.get(one.record), Exception):
            raise answer
        return None if answer is None else list(files(*answer))

    def follow(self, link: Link) -> Candidate | None:
        self.followed.append(f"{link.host} {link.record}")
        if isinstance(answer := self.behind.get(link.record), Exception):
            raise answer
        found: Candidate | None = answer
        return found


def run(
    found: list[Candidate], hosts: Hosts | None = None, catalogue: Catalogue = EMPTY, **more: Any
) -> list[Screened]:
    hosts = hosts or Hosts()
    made = screen(found, catalogue=catalogue, describe=hosts.describe, peek=hosts.peek, follow=hosts.follow, **more)
    count(made)  # the books balance, always
    return made


def manifest(**source: Any) -> DatasetManifest:
    data = {"slug": "ours", "title": "Our set", "licence": {"id": "MIT"}, "access": "open", "sources": [source]}
    return DatasetManifest.model_validate(data)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "awaits_manifest"),
        ({"files": files("a.PNG")}, "awaits_manifest"),
        ({"files": files("IM_0001", "IM_0002")}, "awaits_manifest"),
        ({"files": files("data.mat")}, "awaits_manifest"),
        ({"access": "unknown"}, "awaits_manifest"),
        ({"licence_raw": None, "licence_spdx": None}, "awaits_manifest"),
        ({"licence_raw": "cc-by-nc-4.0", "licence_spdx": "CC-BY-NC-4.0"}, "awaits_manifest"),
        ({"licence_raw": "All rights reserved", "licence_spdx": None}, "licence"),
        ({"licence_spdx": None, "description": "B-mode. Any reuse of the data is strictly prohibited."}, "licence"),
        ({"files": files("paper.pdf", "scores.csv")}, "no_image_files"),
        ({"files": files("Fig1.png", "Fig2.png", "scores.csv")}, "no_image_files"),
        ({"files": ()}, "no_image_files"),
        ({"files": files("link.txt"), "description": "B-mode, at https://pan.example.com/s/1"}, "text_only"),
        ({"title": "Survey on sonography", "files": files("answers.csv")}, "no_image_files"),
        (
            {"title": "Thyroid sonography", "description": "80 patients, one row a patient. Spreadsheets only."},
            "no_image_files",
        ),
        ({"title": "Lecture on lung ultrasound", "files": files("talk.mp4")}, "not_ultrasound"),
        ({"files": (), "description": "B-mode, see https://zenodo.org/records/99"}, "text_only"),
        ({"files": files("README.md"), "description": "B-mode: https://github.com/o/r"}, "text_only"),
        ({"files": files("a.csv"), "description": "B-mode, code: https://github.com/o/r"}, "no_image_files"),
        ({"files": (), "description": "B-mode, paper: https://doi.org/10.1016/j.x.1"}, "no_image_files"),
        (
            {"files": (), "url": "https://zenodo.org/records/1", "description": "B-mode 10.5281/zenodo.1"},
            "no_image_files",
        ),
        ({"access": "restricted"}, "restricted"),
        ({"access": "embargoed", "files": ()}, "restricted"),
        ({"title": "Chest CT", "description": "Tomography."}, "not_ultrasound"),
        ({"title": "Ultrasonic welding", "access": "restricted", "files": ()}, "not_ultrasound"),
    ],
)
def test_the_first_rule_that_holds(changes: dict[str, Any], verdict: str) -> None:
    (made,) = run([candidate(**changes)])
    assert made.verdict == verdict
    assert made.why


def test_every_verdict_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Verdict)


def test_the_catalogue_comes_first_in_any_version_and_its_copies_are_copies() -> None:
    same = files(("a.zip", 10, MD5 + "1"))
    catalogue = Catalogue.of(
        [
            manifest(host="kaggle", record="o/s"),
        ]
    )
    found = [
        candidate("5", files=same, published="2019-01-01"),
        candidate("O/s", "kaggle", files=same, published="2021-01-01", access="restricted"),
    ]
    made = run(found, catalogue=catalogue)
    assert [(one.verdict, one.of) for one in made] == [("duplicate_content", 1), ("in_catalogue", None)]
    assert (
        Catalogue.of([manifest(host="mendeley", record="abc123def4/1")]).slug(candidate("abc123def4/3", "mendeley"))
        == "ours"
    )
    assert Catalogue.of([manifest(host="zenodo", record="https://zenodo.org/records/5")]).slug(found[0]) == "ours"
    assert EMPTY.slug(found[0]) is None


def test_duplicates_name_what_is_kept() -> None:
    made = run([candidate("1"), candidate("1"), candidate("2", files=files(("z.7z", 2_345_678)))])
    assert [(one.verdict, one.of) for one in made] == [
        ("awaits_manifest", None),
        ("duplicate_record", 0),
        ("duplicate_content", 0),
    ]


def test_a_good_copy_is_not_lost_to_a_silent_original() -> None:
    same = files(("a.zip", 10, MD5 + "1"))
    silent = candidate("1", title="Data", description="", files=same, published="2019-01-01")
    made = run([silent, candidate("2", files=same, published="2020-01-01")])
    assert [(one.verdict, one.of) for one in made] == [("duplicate_content", 1), ("awaits_manifest", None)]


def test_only_promising_records_without_a_list_are_described() -> None:
    short: dict[str, Any] = {"files": (), "files_listed": False, "description": ""}
    found = [
        candidate("1", **short),
        candidate("2", **short, title="Ultrasonic welding of steel"),
        candidate("3"),
        candidate("4", **short, title="Breast ultrasound"),
        candidate("5", **short, title="Fetal ultrasound"),
        candidate("6", **short, title="Lung ultrasound"),
        candidate("6", **short, title="Lung ultrasound"),
    ]
    hosts = Hosts(
        {
            "1": candidate("1", files=files("a.png")),
            "4": SourceError(SourceState.TERMS_REQUIRED, "terms"),
            "5": SourceError(SourceState.GONE, "gone, see https://h.example/?token=s3cret"),
            "6": RowError("odd"),
        }
    )
    made = run(found, hosts)
    assert [one.verdict.value for one in made] == [
        *("awaits_manifest", "not_ultrasound", "awaits_manifest"),
        *("restricted", "unreadable", "unreadable", "duplicate_record"),
    ]
    assert sorted(map(str, hosts.described)) == ["1", "4", "5", "6"]
    assert "s3cret" not in repr([one.why for one in made])
    assert made[0].candidate.files


def test_what_the_search_said_is_kept_where_the_record_is_silent() -> None:
    short = candidate(
        "1", "kaggle", files=(), files_listed=False, description="B-mode of the liver", keywords=("sonography",)
    )
    silent = replace(short, description="", keywords=(), files=files("a.png"), files_listed=True)
    (made,) = run([short], Hosts({"1": silent}))
    assert made.verdict is Verdict.AWAITS_MANIFEST
    assert made.candidate.keywords == ("sonography",)


def test_archives_are_looked_into_only_where_they_decide() -> None:
    zips = files("data.zip")
    found = [
        candidate("1", files=zips),
        candidate("2", files=zips),
        candidate("3", files=zips),
        candidate("4", files=(*zips, *files("a.png"))),
        candidate("5", files=zips, access="restricted"),
        candidate("6", files=zips, title="Rainfall", description="x"),
        candidate("7", files=zips),
    ]
    hosts = Hosts(inside={"1": ["d/1.png"], "2": ["a.csv", "b.csv"], "3": None, "7": RowError("odd")})
    made = run(found, hosts)
    assert [one.verdict.value for one in made] == [
        *("awaits_manifest", "no_image_files", "awaits_manifest", "awaits_manifest"),
        *("restricted", "not_ultrasound", "awaits_manifest"),
    ]
    assert hosts.peeked == ["1", "2", "3", "7"]
    assert "nobody could look" in made[2].why
    assert "nobody" not in made[0].why


def test_links_of_a_text_are_followed_one_hop() -> None:
    page = "https://zenodo.org/records/"
    text = f"B-mode: {page}50 {page}51 {page}1 10.17632/abc123def4.1"
    found = [
        candidate("1"),
        candidate("2", files=files("README.txt"), description=text),
        candidate("3", files=(), description=text),
    ]
    behind = {
        "50": candidate("50", title="Liver ultrasound", files=files(("x.zip", 3_456_789))),
        "51": candidate("51", files=(), description="B-mode: https://zenodo.org/records/52"),
        "abc123def4/1": RowError("gone"),
    }
    hosts = Hosts(behind=behind)
    made = run(found, hosts)
    assert [(one.verdict.value, one.through_link) for one in made] == [
        *(("awaits_manifest", False), ("text_only", False), ("text_only", False)),
        *(("awaits_manifest", True), ("text_only", True)),
    ]
    assert hosts.followed == ["zenodo 50", "zenodo 51", "mendeley abc123def4/1"]
    assert [link.record for link in made[1].links] == ["50", "51", "1", "abc123def4/1"]
    assert made[1].of == 3
    assert count(made).as_dict()["found_through_links"] == {"zenodo": 2}


def test_a_pool_of_threads_gives_the_same_answer() -> None:
    short: dict[str, Any] = {"files": (), "files_listed": False, "description": ""}
    found = [candidate(str(n), title=f"Liver ultrasound {n}", **short) for n in range(40)]
    whole = {str(n): candidate(str(n), title=f"Liver ultrasound {n}", files=files(f"{n}.zip")) for n in range(40)}
    alone = run(found, Hosts(whole))
    hosts = Hosts(whole)
    with ThreadPoolExecutor(4) as pool:
        assert run(found, hosts, map_=pool.map) == alone
    assert threading.get_ident() not in hosts.threads


def test_the_table_of_the_funnel() -> None:
    made = run([candidate("1"), candidate("1"), candidate("2", "kaggle", title="Welds", description="ultrasonic")])
    funnel = count(made)
    books = funnel.as_dict()
    assert books["identified"] == {"kaggle": 1, "zenodo": 2}
    assert books["excluded"]["duplicate_record"] == {"zenodo": 1}
    assert books["accepted"] == {"zenodo": 1}
    lines = funnel.lines()
    assert lines[0].split() == ["identified", "3", "3", "zenodo", "2,", "kaggle", "1"]
    assert lines[-1].split()[:3] == ["accepted", "1", "1"]
    books["accepted"]["zenodo"] = 2
    with pytest.raises(ContractError, match=r"zenodo: expected 3 verdicts, found 4"):
        check(books)
    with pytest.raises(ContractError, match="not kept"):
        count([made[1], replace(made[1], of=0)])
    assert count([]).lines()[-1].split() == ["accepted", "0", "0"]


@pytest.mark.parametrize(
    ("words", "forbidden"),
    [
        ("All rights are reserved.", True),
        ("Todos los derechos reservados", True),
        ("The images may not be used or copied.", True),
        ("Use of the data is not permitted.", True),
        ("No reuse without", True),
        ("May not be used for commercial purposes.", False),
        ("Patients were not allowed to drink.", False),
        ("We reserve a table.", False),
        ("", False),
    ],
)
def test_words_that_forbid(words: str, forbidden: bool) -> None:
    assert bool(forbids(candidate(description=words, licence_spdx=None, licence_raw=None))) is forbidden
    assert bool(forbids(candidate(description="", licence_spdx=None, licence_raw=words))) is forbidden


def test_a_footer_beside_an_open_licence_forbids_nothing() -> None:
    assert not forbids(candidate(description="(c) 2020, all rights reserved"))
    assert note(candidate()) == ""
    assert "no licence" in note(candidate(licence_spdx=None, licence_raw=None))
    assert "commercial" in note(candidate(licence_spdx="CC-BY-NC-4.0"))
    assert "changed copies" in note(candidate(licence_spdx="CC-BY-NC-ND-4.0"))
