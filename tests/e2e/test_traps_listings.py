"""Lists, records and pages that are not what their status says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests

from tests.e2e.naive import Duel, bare, body, ref, refusal, trap, zenodo
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.sources import SourceState

PICTURE = HostFile("a.png", b"\x89PNG echo")


def mendeley(*files: HostFile) -> HostRecord:
    return HostRecord("mendeley", "abc123def4", "Carotid ultrasound", files=files)


def tcia(*files: HostFile, id: str = "Phantom-US") -> HostRecord:
    return HostRecord("tcia", id, "Prostate ultrasound", files=files)


SERIES = HostFile("P-1/US/1.2.3.4/1.dcm", b"one" * 90)


@trap("Zenodo sends retry-after with a 200", "retry-after on a 200")
def test_a_retry_after_that_comes_with_a_200_is_not_obeyed() -> None:
    records = [zenodo(PICTURE, id=str(number)) for number in range(1, 61)]
    with Duel(*records) as duel:
        rows, link = 0, duel.url("zenodo", "/api/records?q=ultrasound&size=25")
        while link:
            page = duel.naive.json(link)
            rows, link = rows + len(page["hits"]["hits"]), page["links"].get("next")
        assert rows == 60
        assert sum(duel.naive.told_to_wait) == 3 * 59  # three minutes for three pages
        assert len(list(duel.ours("zenodo").search("ultrasound", 100))) == 60
        assert duel.clock.slept == []


@trap("a restricted Zenodo record answers 200 with files: []", "restricted files: []")
def test_a_restricted_record_is_not_an_empty_one() -> None:
    with Duel(zenodo(PICTURE, access="restricted")) as duel:
        answer = duel.naive.get(duel.url("zenodo", "/api/records/77"))
        assert (answer.status_code, answer.json()["files"]) == (200, [])  # a loop over it ends at once, and well
        ours = duel.ours("zenodo")
        assert refusal(lambda: ours.list_files(ref("zenodo", "77"))).state is SourceState.RESTRICTED
        assert ours.describe(ref("zenodo", "77")).access == "restricted"


@trap("Kaggle says code>=400 in the body of a 200")
def test_an_error_in_the_body_of_a_200_is_an_error(tmp_path: Path) -> None:
    gated = HostRecord("kaggle", "ada/gated", "Gated", access="terms", files=(HostFile("a.zip", b"PK\x03\x04 x"),))
    with Duel(gated, faults=Faults(error_in_200=True)) as duel:
        page = duel.naive.json(duel.url("kaggle", "/datasets/list/ada/gated"))
        assert page.get("datasetFiles", []) == []
        saved = duel.naive.save(duel.url("kaggle", "/datasets/download/ada/gated"), tmp_path / "all.zip")
        assert json.loads(saved.read_bytes())["code"] == 403  # under the name of an archive
        ours = duel.ours("kaggle", environ={"HOME": str(tmp_path)})
        assert refusal(lambda: ours.list_files(ref("kaggle", "ada/gated"))).state is SourceState.TERMS_REQUIRED


@trap("Mendeley cuts a list at 100 with 206", "a partial JSON list with 206")
def test_a_list_that_is_cut_at_100_is_walked_by_folder() -> None:
    files = [HostFile(f"part {number % 2}/{number:03}.png", b"x" * number) for number in range(130)]
    with Duel(mendeley(*files)) as duel:
        answer = duel.naive.get(duel.url("mendeley", "/public-api/datasets/abc123def4/files"))
        assert answer.ok
        assert len(answer.json()) == 100
        found = duel.ours("mendeley").list_files(ref("mendeley", "abc123def4"))
        assert {file.name for file in found} == {file.key for file in files}


@trap("Mendeley cuts a folder at 1,000 with 206", "a partial JSON list with 206")
def test_a_folder_that_is_cut_at_1000_is_taken_as_a_zip() -> None:
    files = [HostFile(f"{number:04}.png", b"echo") for number in range(1001)]
    with Duel(mendeley(*files)) as duel:
        answer = duel.naive.get(duel.url("mendeley", "/public-api/datasets/abc123def4/files?folder_id=root"))
        assert (answer.ok, len(answer.json())) == (True, 1000)
        (archive,) = duel.ours("mendeley").list_files(ref("mendeley", "abc123def4"))
        assert archive.name == "abc123def4-1.zip"
        assert str(archive.checksum).startswith("sha256:")


@trap("NBIA answers 200 with an empty body", "a 200 with an empty body")
def test_an_empty_body_means_no_rows() -> None:
    only_ct = tcia(HostFile("P-1/CT/1.2.3/1.dcm", b"ct"), id="Only-CT")
    with Duel(only_ct) as duel:
        answer = duel.naive.get(duel.url("tcia", "/getSeries?Collection=Only-CT&Modality=US"))
        assert answer.status_code == 200
        with pytest.raises(requests.exceptions.JSONDecodeError):
            answer.json()
        ours = duel.ours("tcia")
        assert refusal(lambda: ours.list_files(ref("tcia", "Only-CT"))).state is SourceState.NOT_FOUND
        assert ours.describe(ref("tcia", "Only-CT")).files == ()


@trap("NBIA lists hold {}", "{} rows")
def test_empty_rows_are_stepped_over() -> None:
    with Duel(tcia(SERIES)) as duel:
        rows = duel.naive.json(duel.url("tcia", "/getSeries?Collection=Phantom-US&Modality=US"))
        with pytest.raises(KeyError, match="SeriesInstanceUID"):
            [row["SeriesInstanceUID"] for row in rows]
        (file,) = duel.ours("tcia").list_files(ref("tcia", "Phantom-US"))
        assert file.name == "P-1/1.2.3.4.zip"


@trap("410 with a tombstone")
def test_a_withdrawn_record_is_not_asked_for_again_and_again() -> None:
    with Duel(zenodo(PICTURE, deleted=True)) as duel:
        link = duel.url("zenodo", "/api/records/77")
        tries = [duel.naive.get(link).ok for _ in range(20)]  # "until it works"
        assert not any(tries)
        error = refusal(lambda: duel.ours("zenodo").list_files(ref("zenodo", "77")))
        assert error.state is SourceState.GONE
        assert "Withdrawn at the wish of its authors" in str(error)
        assert len(list(duel.asked_by_ours())) == 1


@trap("a concept id redirects")
def test_the_id_of_a_concept_is_pinned_to_the_version_that_it_led_to(tmp_path: Path) -> None:
    old = zenodo(HostFile("set.zip", b"PK\x03\x04 first"), id="77", concept="70")
    new = zenodo(HostFile("set.zip", b"PK\x03\x04 other"), id="78", concept="70", version=2)
    with Duel(old) as duel:
        record = duel.naive.json(duel.url("zenodo", "/api/records/70"))
        duel.naive.save(record["files"][0]["links"]["self"], tmp_path / "1")
        pasted = duel.naive.get(duel.url("zenodo", "/api/records/70/files/set.zip/content"))
        assert pasted.status_code == 404
        duel.hosts.shelf.add(new)
        record = duel.naive.json(duel.url("zenodo", "/api/records/70"))
        duel.naive.save(record["files"][0]["links"]["self"], tmp_path / "2")
        assert (tmp_path / "1").read_bytes() != (tmp_path / "2").read_bytes()  # one id, two contents
        duel.hosts.shelf.remove("zenodo", "78")

        ours = duel.ours("zenodo")
        found = ours.describe(ref("zenodo", "70"))
        assert (found.record, found.concept) == ("77", "10.5281/zenodo.70")
        duel.hosts.shelf.add(new)
        assert ours.fetch(bare(found.files[0]), tmp_path / "3").path.read_bytes() == b"PK\x03\x04 first"


@trap("another's DOI and no conceptdoi")
def test_a_record_with_anothers_doi_has_no_concept_doi() -> None:
    with Duel(zenodo(PICTURE, doi="10.1234/journal.5", concept="70")) as duel:
        record = duel.naive.json(duel.url("zenodo", "/api/records/77"))
        with pytest.raises(KeyError, match="conceptdoi"):
            record["conceptdoi"]
        found = duel.ours("zenodo").describe(ref("zenodo", "77"))
        assert (found.doi, found.concept) == ("10.1234/journal.5", "70")


@trap("1,001 files")
def test_1001_files_are_all_listed() -> None:
    files = [HostFile(f"frame {number:04}.png", b"f%d" % number) for number in range(1001)]
    with Duel(HostRecord("figshare", "5", "Fetal ultrasound", files=tuple(files))) as duel:
        shown = duel.naive.json(duel.url("figshare", "/articles/5"))["files"]
        page = duel.naive.json(duel.url("figshare", "/articles/5/files?page_size=1000"))
        assert (len(shown), len(page)) == (10, 1000)
        assert len(duel.ours("figshare").list_files(ref("figshare", "5"))) == 1001


@trap("two files of one name in different folders")
def test_files_of_one_name_stay_apart(tmp_path: Path) -> None:
    files = (HostFile("benign/1.png", b"\x89PNG benign"), HostFile("malignant/1.png", b"\x89PNG malignant"))
    with Duel(mendeley(*files)) as duel:
        for row in duel.naive.json(duel.url("mendeley", "/public-api/datasets/abc123def4/files")):
            duel.naive.save(row["content_details"]["download_url"], tmp_path / row["filename"])
        assert [path.name for path in tmp_path.iterdir()] == ["1.png"]  # the second was "there already"
        ours = duel.ours("mendeley")
        found = ours.list_files(ref("mendeley", "abc123def4"))
        got = {file.name: ours.fetch(file, tmp_path / str(n)).path.read_bytes() for n, file in enumerate(found)}
        assert got == {file.key: file.body for file in files}


@trap("Zenodo keys hold spaces, parentheses, slashes, other letters")
def test_any_name_of_a_file_can_be_fetched(tmp_path: Path) -> None:
    names = ("head (1) #2?.png", "set/scan 50%25 done.png", "set/B-Bild Übersicht 超声 & +.png")
    files = [HostFile(name, f"\x89PNG {name}".encode()) for name in names]
    with Duel(zenodo(*files)) as duel:
        base, lost = duel.url("zenodo", "/api/records/77/files/"), []
        for number, file in enumerate(files):
            answer = duel.naive.get(f"{base}{file.key}/content")
            if not answer.ok or answer.content != body(file):
                lost.append(number)
        assert lost == [0, 1]  # "#" ends an address, "%25" is unescaped on the way
        with pytest.raises(FileNotFoundError):
            duel.naive.save(f"{base}set/B-Bild Übersicht 超声 & +.png/content", tmp_path / names[2])
        ours = duel.ours("zenodo")
        found = ours.list_files(ref("zenodo", "77"))
        got = {file.name: ours.fetch(file, tmp_path / str(n)).path.read_bytes() for n, file in enumerate(found)}
        assert got == {file.key: body(file) for file in files}
