from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.sources.conftest import MakeContext
from tests.sources.origin import Origin, Reply
from ultracurate.core.dataset import FileRef, SourceRef
from ultracurate.core.errors import ConfigError
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.sources import RemoteFile, SourceError, SourceState
from ultracurate.sources._tcia_site import one_licence
from ultracurate.sources.tcia import NBIA, TciaSource

UID = "1.2.826.0.1.99.7"
COLLECTION = HostRecord(
    "tcia",
    "Phantom-Prostate-US",
    "Prostate ultrasound and MR",
    description="<p>Invented volumes.</p>",
    keywords=("prostate",),
    files=(
        HostFile(f"P-001/US/{UID}/1.dcm", b"one" * 500),
        HostFile(f"P-001/US/{UID}/2.dcm", b"two" * 500),
        HostFile("P-001/MR/t2/1.dcm", b"mr"),
        HostFile("P-002/US/scan/1.dcm", b"three"),
        HostFile("clinical.csv", b"patient,age\n"),
    ),
)
PLAIN = HostRecord(
    "tcia",
    "Breast-Zips",
    "Breast ultrasound",
    licence="CC-BY-4.0",
    files=(HostFile("b.zip", b"PK\x03\x04 images"), HostFile("c.csv", b"a\n")),
)
ASPERA = HostRecord("tcia", "Huge-Set", "Liver ultrasound", files=(HostFile("aspera/all.zip", b"x"),))
LOCKED = HostRecord("tcia", "Locked", "Head ultrasound", access="restricted", files=(HostFile("q.csv", b"q"),))
CT = HostRecord("tcia", "Only-CT", "Head CT", files=(HostFile("Q/CT/s/1.dcm", b"x"),))
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def hosts() -> Iterator[LocalHosts]:
    with LocalHosts([COLLECTION, PLAIN, ASPERA, LOCKED, CT]) as server:
        yield server


@pytest.fixture
def tcia(hosts: LocalHosts, make_context: MakeContext) -> TciaSource:
    return TciaSource(make_context(hosts=hosts.hosts))


@pytest.fixture
def scripted(origin: Origin, make_context: MakeContext) -> TciaSource:
    return TciaSource(make_context(hosts={"tcia": origin.url, "tcia_collections": origin.url}))


def ref(record: str = COLLECTION.id, *names: str) -> SourceRef:
    return SourceRef(host="tcia", record=record, files=[FileRef(name=name) for name in names])


def answer(data: Any) -> Reply:
    return Reply(json.dumps(data).encode(), 200, JSON)


@pytest.mark.parametrize(
    "record",
    [
        "Phantom-Prostate-US",
        "phantom-prostate-us",  # as manifests write it
        "https://www.cancerimagingarchive.net/collection/phantom-prostate-us/",
        "https://doi.org/10.7937/phantom-phantom-prostate-us",
    ],
)
def test_a_collection_lists_its_ultrasound_series_only(tcia: TciaSource, record: str) -> None:
    found = tcia.describe(ref(record))
    assert (found.record, found.title, found.access) == (COLLECTION.id, COLLECTION.title, "open")
    assert (found.doi, found.licence_spdx) == ("10.7937/phantom-phantom-prostate-us", "CC-BY-4.0")
    first, second = found.files
    assert (first.name, second.name.partition("/")[0]) == (f"P-001/{UID}.zip", "P-002")
    assert first.url == f"{NBIA}/getImageWithMD5Hash?SeriesInstanceUID={UID}"
    assert (first.size, first.checksum) == (None, None)  # the zip is made on the fly
    assert found.total_bytes == 3005


def test_a_series_is_fetched_with_its_digests(tcia: TciaSource, hosts: LocalHosts, tmp_path: Path) -> None:
    file = tcia.list_files(ref())[0]
    got = tcia.fetch(RemoteFile(file.name, file.url), tmp_path / "f")
    names = zipfile.ZipFile(got.path).namelist()
    assert "md5hashes.csv" in names
    assert sum(name.endswith(".dcm") for name in names) == 2
    asked = [seen.one("SeriesInstanceUID") for seen in hosts.requests if seen.path == "/getImageWithMD5Hash"]
    assert asked == [UID]


def test_a_zip_that_is_cut_is_begun_again(tcia: TciaSource, hosts: LocalHosts, tmp_path: Path) -> None:
    file = tcia.list_files(ref())[0]
    hosts.faults = Faults(only="/getImageWithMD5Hash", cut_chunked=60)
    assert zipfile.ZipFile(tcia.fetch(file, tmp_path / "f").path).testzip() is None


def test_a_zip_that_ends_early_without_a_sign_is_caught(tcia: TciaSource, hosts: LocalHosts, tmp_path: Path) -> None:
    file = tcia.list_files(ref())[0]
    hosts.faults = Faults(only="/getImageWithMD5Hash", cut_chunked=60, clean_end=True)
    with pytest.raises(SourceError, match="found a damaged one") as caught:
        tcia.fetch(file, tmp_path / "f")
    assert caught.value.state is SourceState.CHECKSUM_MISMATCH
    assert not (tmp_path / "f").exists()


def test_a_series_with_fewer_images_than_stated_is_caught(scripted: TciaSource, origin: Origin, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("1.dcm", b"image")
    origin.serve("/getImageWithMD5Hash", Reply(out.getvalue(), 200, {"Content-Type": "application/octet-stream"}))
    origin.serve("/getSeriesSize", answer([{"TotalSizeInBytes": 10, "ObjectCount": "2"}]))
    file = RemoteFile("p/1.zip", f"{NBIA}/getImageWithMD5Hash?SeriesInstanceUID=1.2")
    with pytest.raises(SourceError, match="expected 2 images, found 1"):
        scripted.fetch(file, tmp_path / "f")
    origin.serve("/getSeriesSize", Reply(b"", 200, JSON))  # nothing stated, nothing to compare
    assert scripted.fetch(file, tmp_path / "f").size == len(out.getvalue())


def test_an_unknown_series_is_no_file(tcia: TciaSource, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="sent 0 bytes") as caught:
        tcia.fetch(RemoteFile("p/1.zip", f"{NBIA}/getImageWithMD5Hash?SeriesInstanceUID=9.9"), tmp_path / "f")
    assert caught.value.state is SourceState.BAD_ANSWER


def test_what_nbia_does_not_have_is_taken_from_the_site(tcia: TciaSource, hosts: LocalHosts, tmp_path: Path) -> None:
    found = tcia.describe(ref("breast-zips"))
    assert (found.licence_raw, found.licence_spdx) == ("CC BY 4.0", "CC-BY-4.0")
    files = {file.name: file for file in tcia.list_files(ref("breast-zips"))}
    assert set(files) == {"b.zip", "c.csv"}
    assert files["b.zip"].url.startswith("https://cancerimagingarchive.net/")
    assert tcia.fetch(files["b.zip"], tmp_path / "f").sha256 == PLAIN.files[0].sha256


def download_id(hosts: LocalHosts, tcia: TciaSource, record: str) -> list[int]:
    row = tcia._site.collection(record)
    assert row is not None
    return list(row["collection_downloads"])


def test_one_download_is_a_record_too(tcia: TciaSource, hosts: LocalHosts) -> None:
    numbers = download_id(hosts, tcia, "phantom-prostate-us")
    listed = {number: tcia.describe(ref(f"downloads/{number}")).files[0] for number in numbers}
    assert {file.name for file in listed.values()} == {"Phantom-Prostate-US.tcia", "clinical.csv"}
    (number,) = [number for number, file in listed.items() if file.name == "clinical.csv"]
    (file,) = tcia.list_files(ref(f"downloads/{number}"))
    assert file.name == "clinical.csv"


@pytest.mark.parametrize("named", [False, True])
def test_an_aspera_package_is_left_to_a_person(tcia: TciaSource, hosts: LocalHosts, named: bool) -> None:
    records = ["huge-set"] + [f"downloads/{number}" for number in download_id(hosts, tcia, "huge-set")]
    for record in records:
        with pytest.raises(SourceError, match="IBM Aspera Connect") as caught:
            tcia.list_files(ref(record, *(["all.zip"] if named else [])))
        assert caught.value.state is SourceState.MANUAL


def test_controlled_data_is_restricted(tcia: TciaSource, hosts: LocalHosts) -> None:
    assert tcia.describe(ref("locked")).access == "restricted"
    for record in ["locked", *(f"downloads/{number}" for number in download_id(hosts, tcia, "locked"))]:
        with pytest.raises(SourceError, match="how to apply") as caught:
            tcia.list_files(ref(record))
        assert caught.value.state is SourceState.RESTRICTED


@pytest.mark.parametrize(("record", "words"), [("only-ct", "no ultrasound series"), ("nothing", "no collection")])
def test_nothing_to_fetch_is_told(tcia: TciaSource, record: str, words: str) -> None:
    with pytest.raises(SourceError, match=words) as caught:
        tcia.list_files(ref(record))
    assert caught.value.state is SourceState.NOT_FOUND


def test_a_search_goes_through_its_pages(tcia: TciaSource, hosts: LocalHosts) -> None:
    for number in range(230):
        hosts.shelf.add(replace(PLAIN, id=f"Set-{number}"))
    found = [one.record for one in tcia.search("breast ultrasound", 1000)]
    assert len(found) == len(set(found)) == 231
    assert len(list(tcia.search("breast ultrasound", 5))) == 5
    hosts.faults = Faults(shrink_pages=60)
    assert len(list(tcia.search("breast ultrasound", 1000))) == 231


def test_both_naming_schemes_and_odd_rows_are_read(scripted: TciaSource, origin: Origin) -> None:
    rows = [
        {},
        None,
        7,
        {"SeriesInstanceUID": "../x", "PatientID": "a"},
        {"SeriesInstanceUID": ["1.2"], "PatientID": "a"},
        {"SeriesInstanceUID": "1.9", "PatientID": "a", "Modality": "CT"},
        {"SeriesInstanceUID": "1.2", "PatientID": "../../etc", "FileSize": 10**30, "LicenseURI": {}},
        {"Series UID": "1.3", "Subject ID": "P 7", "File Size": "40", "License Name": "CC BY 4.0"},
        {"SeriesInstanceUID": "1.4", "PatientID": None, "FileSize": 2, "Modality": "US"},
    ]
    origin.serve("/getCollectionValues", answer([{}, {"Collection": 7}, {"Collection": "Set"}]))
    origin.serve("/getSeries", answer(rows))
    origin.serve("/collections", answer([{}, {"slug": [], "collection_downloads": 7}]))
    found = scripted.describe(ref("set"))
    assert [file.name for file in found.files] == ["_.._etc/1.2.zip", "P_7/1.3.zip", "unknown/1.4.zip"]
    assert (found.total_bytes, found.licence_spdx) == (42, "CC-BY-4.0")
    (series,) = origin.asked("/getSeries")
    assert series.query == {"Collection": "Set", "Modality": "US"}


def test_hostile_downloads_are_passed_over(scripted: TciaSource, origin: Origin) -> None:
    origin.serve("/getCollectionValues", Reply(b"", 200, JSON))
    row = {"slug": "set", "collection_downloads": [1, "2", None, {}, 10**30]}
    origin.serve("/collections", answer([row]))
    links = ["file:///etc/passwd", "http://[", "https://x/..", None, 7, "https://x/a/b.zip?x=1", "https://y/b.zip"]
    origin.serve("/downloads", answer([{"id": n, "download_url": link} for n, link in enumerate(links)]))
    assert [file.name for file in scripted.describe(ref("set")).files] == ["b.zip", "6/b.zip"]
    assert origin.asked("/downloads")[0].query["include"] == "1,2"


@pytest.mark.parametrize("body", [{}, {"Collection": 1}, "x", 7])
def test_another_shape_is_told(scripted: TciaSource, origin: Origin, body: Any) -> None:
    origin.serve("/collections", answer([]))
    origin.serve("/getCollectionValues", answer(body))
    with pytest.raises(SourceError, match="another shape") as caught:
        scripted.describe(ref("set"))
    assert caught.value.state is SourceState.BAD_ANSWER


def test_pages_without_end_are_cut(scripted: TciaSource, origin: Origin) -> None:
    body = json.dumps([{"slug": "a"}]).encode()
    origin.serve("/collections", Reply(body, 200, {**JSON, "Link": '<https://x/?page=2>; rel="next"'}))
    with pytest.raises(SourceError, match="after 50 pages") as caught:
        list(scripted.search("x", 100))
    assert caught.value.state is SourceState.PARTIAL_LISTING
    assert len(origin.seen) == 50


@pytest.mark.parametrize("wrong", ["", "a/b", "10.1000/x", "downloads/x", "https://example.org/collection/x"])
def test_a_wrong_record_is_a_mistake_of_the_manifest(tcia: TciaSource, hosts: LocalHosts, wrong: str) -> None:
    with pytest.raises(ConfigError, match="name, page or DOI"):
        tcia.describe(ref().model_copy(update={"record": wrong}))
    assert hosts.requests == []


def test_parts_under_different_licences_have_no_single_one() -> None:
    by = ("CC BY 3.0", "http://creativecommons.org/licenses/by/3.0/")
    assert one_licence([by, by]) == ("CC BY 3.0", "CC-BY-3.0")
    assert one_licence([by, ("Other terms", None)]) == ("CC BY 3.0; Other terms", None)
    assert one_licence([(None, None)]) == (None, None)
