"""Bodies that are not the file, although they come with a success."""

from __future__ import annotations

import hashlib
import zipfile
from http.client import InvalidURL
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.e2e.naive import Duel, bare, body, ref, refusal, trap, zenodo
from tests.stages.bench import Bench, manifest
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.gdrive import SCAN_LIMIT
from ultracurate.phantom.hosts.records import Blob, HostFile, HostRecord
from ultracurate.sources import RemoteFile, SourceState

SCAN = HostFile("scans/one.nii", Blob(300_000, seed=5))
REPOSITORY = HostRecord(
    "github",
    "lab/thyroid",
    "Thyroid ultrasound",
    files=(HostFile(".gitattributes", b"*.nii filter=lfs diff=lfs merge=lfs -text\n"), SCAN),
)
SET = HostFile("set.zip", b"PK\x03\x04" + b"fetal head" * 9000)
ARTICLE = HostRecord("figshare", "5", "Fetal ultrasound", files=(SET,))


@trap("Figshare's page address answers 202 with 0 bytes")
def test_a_202_with_no_bytes_is_not_the_file(tmp_path: Path) -> None:
    with Duel(ARTICLE) as duel:
        (row,) = duel.naive.json(duel.url("figshare", "/articles/5"))["files"]
        assert duel.naive.save(row["download_url"], tmp_path / "n").read_bytes() == b""
        ours = duel.ours("figshare")
        (file,) = ours.list_files(ref("figshare", "5"))
        assert ours.fetch(bare(file), tmp_path / "f").path.read_bytes() == SET.body
        assert "figshare_web" not in {asked.host for asked in duel.asked_by_ours()}


INSTEAD = {
    "202, empty, from a firewall": (Faults(empty_instead=frozenset({"set.zip"})), b"", SourceState.BLOCKED),
    "a web page in place of a file": (Faults(html_instead=frozenset({"set.zip"})), b"<!doc", SourceState.BAD_ANSWER),
}


@trap(*INSTEAD)
@pytest.mark.parametrize("name", INSTEAD)
@pytest.mark.parametrize("known", [True, False], ids=["digest known", "nothing known"])
def test_a_success_that_is_something_else_leaves_no_file(tmp_path: Path, name: str, known: bool) -> None:
    faults, found, state = INSTEAD[name]
    with Duel(zenodo(SET), faults=faults) as duel:
        link = duel.naive.json(duel.url("zenodo", "/api/records/77"))["files"][0]["links"]["self"]
        assert duel.naive.save(link, tmp_path / "n").read_bytes()[:5] == found
        ours = duel.ours("zenodo")
        (file,) = ours.list_files(ref("zenodo", "77"))
        asked = bare(file) if known else RemoteFile(file.name, file.url)
        assert refusal(lambda: ours.fetch(asked, tmp_path / "f")).state is state
        assert [path.name for path in tmp_path.iterdir()] == ["n"]


@trap("a Kaggle CSV arrives as <name>.csv.zip", "a csv in a zip")
def test_a_table_that_comes_in_a_zip_is_taken_out(tmp_path: Path) -> None:
    table = HostFile("labels/all.csv", b"name,label\r\n" * 40)
    with Duel(HostRecord("kaggle", "ada/breast", "Breast", files=(table,))) as duel:
        link = duel.url("kaggle", "/datasets/download/ada/breast/labels/all.csv")
        assert duel.naive.save(link, tmp_path / "all.csv").read_bytes()[:4] == b"PK\x03\x04"
        ours = duel.ours("kaggle", environ={"HOME": str(tmp_path)})
        (file,) = ours.list_files(ref("kaggle", "ada/breast", table.key))
        assert ours.fetch(bare(file), tmp_path / "f").path.read_bytes() == table.body


@trap("a Git LFS pointer in place of data")
def test_a_pointer_leads_to_the_data(tmp_path: Path) -> None:
    with Duel(REPOSITORY) as duel:
        link = duel.url("github_raw", "/lab/thyroid/main/scans/one.nii")
        assert duel.naive.save(link, tmp_path / "n").read_bytes().startswith(b"version https://git-lfs")
        archive = duel.naive.save(duel.url("github_codeload", "/lab/thyroid/zip/main"), tmp_path / "z")
        with zipfile.ZipFile(archive) as inside:
            assert inside.read(next(name for name in inside.namelist() if name.endswith(".nii")))[:7] == b"version"
        ours = duel.ours("github")
        (file,) = ours.list_files(ref("github", "lab/thyroid", SCAN.key))
        assert ours.fetch(bare(file), tmp_path / "f").sha256 == SCAN.sha256


@trap("Google Drive's virus page answers 200")
def test_the_form_behind_the_virus_page_is_sent(tmp_path: Path) -> None:
    large = HostFile("set.nii", Blob(SCAN_LIMIT + 1, seed=3))
    with Duel(HostRecord("gdrive", "1aloneAAAAAAAAAAAAAAAA", "Set", files=(large,))) as duel:
        link = duel.url("gdrive", "/uc?export=download&id=1aloneAAAAAAAAAAAAAAAA")
        assert b"virus scan" in duel.naive.save(link, tmp_path / "n").read_bytes().lower()
        ours = duel.ours("gdrive")
        (file,) = ours.list_files(ref("gdrive", "1aloneAAAAAAAAAAAAAAAA"))
        assert ours.fetch(bare(file), tmp_path / "f").sha256 == large.sha256


@trap("Google Drive's quota page answers 200")
def test_a_quota_page_is_a_wait_and_no_file(tmp_path: Path) -> None:
    files = (HostFile("deep/x.zip", b"PK\x03\x04 x"),)
    with Duel(HostRecord("gdrive", "1popularAAAAAAAAAAAAAA", "x", keywords=("quota",), files=files)) as duel:
        view = duel.naive.get(duel.url("gdrive", "/embeddedfolderview?id=1popularAAAAAAAAAAAAAA")).text
        folder = view.partition("/drive/folders/")[2].partition('"')[0]
        view = duel.naive.get(duel.url("gdrive", f"/embeddedfolderview?id={folder}")).text
        number = view.partition("/file/d/")[2].partition("/")[0]
        saved = duel.naive.save(duel.url("gdrive", f"/uc?id={number}"), tmp_path / "x.zip").read_bytes()
        assert b"Too many users" in saved
        ours = duel.ours("gdrive")
        (file,) = ours.list_files(ref("gdrive", "1popularAAAAAAAAAAAAAA"))
        error = refusal(lambda: ours.fetch(bare(file), tmp_path / "f"))
        assert (error.state, error.state.resumable) == (SourceState.QUOTA, True)
        assert not (tmp_path / "f").exists()


@trap("an unescaped link with spaces and a slash")
def test_a_link_that_is_no_address_is_built_anew(tmp_path: Path) -> None:
    file = HostFile("train set/head (1).png", b"\x89PNG head")
    with Duel(zenodo(file)) as duel:
        link = duel.naive.json(duel.url("zenodo", "/api/records/77"))["files"][0]["links"]["self"]
        with pytest.raises(InvalidURL, match="found at least ' '"):
            urlopen(link, timeout=5)  # Python's own way to open an address
        name = duel.naive.json(duel.url("zenodo", "/api/records/77/files"))["entries"][0]["key"]
        with pytest.raises(FileNotFoundError):
            duel.naive.save(link, tmp_path / name)
        ours = duel.ours("zenodo")
        (found,) = ours.list_files(ref("zenodo", "77"))
        assert ours.fetch(found, tmp_path / found.name).path.read_bytes() == file.body


@trap("a file of 0 bytes")
def test_a_file_of_0_bytes_is_a_file(tmp_path: Path) -> None:
    with Duel(zenodo(HostFile("done.flag", b""))) as duel:
        link, tries = duel.naive.json(duel.url("zenodo", "/api/records/77"))["files"][0]["links"]["self"], 0
        while tries < 20 and not duel.naive.get(link).content:  # "until something comes"
            tries += 1
        assert tries == 20
        ours = duel.ours("zenodo")
        (file,) = ours.list_files(ref("zenodo", "77"))
        got = ours.fetch(bare(file), tmp_path / "f")
        assert (got.size, got.path.read_bytes()) == (0, b"")
        assert len([asked for asked in duel.asked_by_ours() if asked.path.endswith("/content")]) == 1


@trap("a wrong md5 in the metadata")
def test_bytes_that_do_not_fit_their_digest_are_not_kept(tmp_path: Path) -> None:
    with Duel(zenodo(SET), faults=Faults(wrong_md5=frozenset({"set.zip"}))) as duel:
        row = duel.naive.json(duel.url("zenodo", "/api/records/77"))["files"][0]
        saved = duel.naive.save(row["links"]["self"], tmp_path / "n").read_bytes()
        assert row["checksum"] != f"md5:{hashlib.md5(saved).hexdigest()}"  # and nobody has noticed
        ours = duel.ours("zenodo")
        (file,) = ours.list_files(ref("zenodo", "77"))
        error = refusal(lambda: ours.fetch(bare(file), tmp_path / "f"))
        assert error.state is SourceState.CHECKSUM_MISMATCH
        assert SET.md5 in str(error)
        assert row["checksum"] in str(error)
        assert [path.name for path in tmp_path.iterdir()] == ["n"]


@trap("no md5 in the metadata")
def test_a_file_without_a_digest_is_fetched_and_digested(tmp_path: Path) -> None:
    with Duel(zenodo(SET), faults=Faults(no_md5=frozenset({"set.zip"}), cut_after=50_000)) as duel:
        row = duel.naive.json(duel.url("zenodo", "/api/records/77"))["files"][0]
        with pytest.raises(KeyError, match="checksum"):
            row["checksum"].partition(":")
        ours = duel.ours("zenodo")
        (file,) = ours.list_files(ref("zenodo", "77"))
        got = ours.fetch(bare(file), tmp_path / "f")
        assert (file.checksum, got.sha256, got.path.read_bytes()) == (None, SET.sha256, SET.body)


@trap("NBIA zips come without Content-Length")
def test_a_zip_that_is_made_on_the_fly_is_counted(tmp_path: Path) -> None:
    """It is cut, and ends as if it were whole: only what is in it tells."""
    files = tuple(HostFile(f"P-1/US/1.2.3.4/{n}.dcm", Blob(40_000, seed=n)) for n in range(3))
    record = HostRecord("tcia", "Phantom-US", "Prostate", files=files)
    link = "/getImageWithMD5Hash?SeriesInstanceUID=1.2.3.4"
    with Duel(record, faults=Faults(only="/getImage", cut_chunked=60_000, clean_end=True)) as duel:
        answer = duel.naive.get(duel.url("tcia", link))
        with pytest.raises(KeyError):
            int(answer.headers["Content-Length"])
        assert answer.ok
        assert len(answer.content) == 60_000
        ours = duel.ours("tcia")
        (file,) = ours.list_files(ref("tcia", "Phantom-US"))
        assert refusal(lambda: ours.fetch(bare(file), tmp_path / "f")).state is SourceState.CHECKSUM_MISMATCH
        assert not (tmp_path / "f").exists()
        with zipfile.ZipFile(ours.fetch(bare(file), tmp_path / "f").path) as archive:  # the cut was used up
            assert [info.file_size for info in archive.infolist()][:3] == [40_000] * 3


def archive_of(duel: Duel) -> RemoteFile:
    sha = str(duel.ours("github").describe(ref("github", "lab/thyroid")).version)
    return RemoteFile("thyroid.zip", f"https://codeload.github.com/lab/thyroid/zip/{sha}")


@trap("GitHub archives come without Content-Length")
def test_an_archive_without_a_length_is_fetched_whole(tmp_path: Path) -> None:
    noise = HostFile("images/a.png", Blob(200_000, seed=8))
    record = HostRecord("github", "lab/thyroid", "Thyroid", files=(noise,))
    with Duel(record, faults=Faults(only="/github_codeload/", cut_chunked=90_000)) as duel:
        with duel.naive.get(duel.url("github_codeload", "/lab/thyroid/zip/main"), stream=True) as answer:
            assert answer.ok
            with pytest.raises(KeyError):
                int(answer.headers["Content-Length"])
        file = archive_of(duel)
        with zipfile.ZipFile(duel.ours("github").fetch(file, tmp_path / "f").path) as archive:
            assert archive.testzip() is None
            (name,) = [name for name in archive.namelist() if name.endswith("a.png")]
            assert archive.read(name) == body(noise)
        assert len([asked for asked in duel.asked_by_ours() if asked.host == "github_codeload"]) == 2


@trap("codeload cannot resume")
def test_a_cut_archive_is_begun_again(tmp_path: Path) -> None:
    noise = HostFile("images/a.png", Blob(200_000, seed=8))
    record = HostRecord("github", "lab/thyroid", "Thyroid", files=(noise,))
    with Duel(record, faults=Faults(only="/github_codeload/", cut_chunked=90_000)) as duel:
        link = duel.url("github_codeload", "/lab/thyroid/zip/main")
        saved = duel.naive.go_on(link, tmp_path / "n")
        whole = duel.naive.get(link).content
        assert saved.read_bytes() == whole[:90_000] + whole  # the second answer began at its start
        file = archive_of(duel)
        got = duel.ours("github").fetch(file, tmp_path / "f")
        assert len(got.path.read_bytes()) == len(whole)
        with zipfile.ZipFile(got.path) as archive:
            assert archive.testzip() is None


@trap("names that differ in case only")
def test_names_that_differ_in_case_only_are_two_files(tmp_path: Path) -> None:
    files = (HostFile("Case1.png", b"\x89PNG upper"), HostFile("case1.png", b"\x89PNG lower"))
    with Duel(zenodo(*files)) as duel:
        rows = duel.naive.json(duel.url("zenodo", "/api/records/77"))["files"]
        # A disk of macOS or Windows, and every table that is joined by lower-case names.
        saved = {row["key"].lower(): duel.naive.get(row["links"]["self"]).content for row in rows}
        assert saved == {"case1.png": b"\x89PNG lower"}
        assert len(duel.ours("zenodo").list_files(ref("zenodo", "77"))) == 2
        toy = manifest(sources=[{"host": "zenodo", "record": "77"}])
        bench = Bench(tmp_path / "work", toy, hosts={"zenodo": duel.url("zenodo")}, limits={"*": 0.0})
        found, _ = bench.call("discover", [{"dataset": "toy"}])
        stored = bench.call("download", found.rows.to_pylist())[0].rows.to_pylist()
        assert {row["file_name"]: bench.store.read(row["file_uri"]) for row in stored} == {f.key: f.body for f in files}
        assert len({row["file_uri"].lower() for row in stored}) == 2  # such a disk keeps both
