from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts

UID = "1.2.826.0.1.99.7"
PLACE = "Phantom-Prostate-US"
COLLECTION = HostRecord(
    "tcia",
    PLACE,
    "Prostate ultrasound and MR",
    description="<p>Invented ultrasound volumes.</p>",
    keywords=("prostate",),
    files=(
        HostFile(f"P-001/US/{UID}/1.dcm", b"one" * 500),
        HostFile(f"P-001/US/{UID}/2.dcm", b"two" * 500),
        HostFile("P-001/MR/t2/1.dcm", b"mr"),
        HostFile("P-002/US/scan/1.dcm", b"three"),
        HostFile("clinical.csv", b"patient,age\n"),
        HostFile("aspera/whole.zip", b"never served here"),
    ),
)
PLAIN = HostRecord("tcia", "Breast-Zips", "Breast ultrasound", licence="CC-BY-NC-4.0", files=(HostFile("b.zip", b"b"),))
CONTROLLED = HostRecord(
    "tcia", "Locked", "Head CT", access="restricted", files=(HostFile("Q/CT/s/1.dcm", b"x"), HostFile("q.csv", b"q"))
)


@pytest.fixture
def hosts() -> Iterator[LocalHosts]:
    with LocalHosts([COLLECTION, PLAIN, CONTROLLED]) as server:
        yield server


def get(hosts: LocalHosts, path: str, name: str = "tcia", **more: Any) -> requests.Response:
    return requests.get(f"{hosts.hosts[name]}/{path}", timeout=10, **more)


def test_series_are_a_bare_array_with_an_empty_row(hosts: LocalHosts) -> None:
    rows = get(hosts, f"getSeries?Collection={PLACE}&Modality=US").json()
    assert rows[0] == {}
    first, second = rows[1:]
    assert (first["SeriesInstanceUID"], first["ImageCount"], first["FileSize"]) == (UID, 2, 3000)
    assert (first["PatientID"], second["PatientID"]) == ("P-001", "P-002")
    assert first["BodyPartExamined"] == "PROSTATE"
    assert first["LicenseURI"] == "https://creativecommons.org/licenses/by/4.0/"
    assert second["SeriesInstanceUID"].startswith("2.25.")
    assert len(second["SeriesInstanceUID"]) <= 64


@pytest.mark.parametrize(
    "path",
    ["getSeries?Collection=None", "getSeries?Modality=NM", "getCollectionValues?Modality=NM", "getSeriesMetaData"],
)
def test_no_rows_are_an_empty_body_with_200(hosts: LocalHosts, path: str) -> None:
    answer = get(hosts, path)
    assert (answer.status_code, answer.content) == (200, b"")


def test_values_patients_studies_sizes(hosts: LocalHosts) -> None:
    assert get(hosts, "getCollectionValues").json() == [{"Collection": PLACE}]
    assert [row["Modality"] for row in get(hosts, "getModalityValues").json()] == ["MR", "US"]
    assert len(get(hosts, f"getPatient?Collection={PLACE}").json()) == 2
    studies = get(hosts, "getPatientStudy?PatientID=P-001").json()
    assert [study["SeriesCount"] for study in studies] == [2]
    size = get(hosts, f"getSeriesSize?SeriesInstanceUID={UID}").json()
    assert size == [{"TotalSizeInBytes": 3000, "ObjectCount": 2}]
    uids = {row["SOPInstanceUID"] for row in get(hosts, f"getSOPInstanceUIDs?SeriesInstanceUID={UID}").json()}
    assert len(uids) == 2
    assert get(hosts, "getSeries?Modalty=US").status_code == 400
    assert get(hosts, "getNothing").status_code == 404


def test_a_value_that_some_series_lack_has_an_empty_row() -> None:
    bare = HostRecord("tcia", "Bare", "No body part", files=(HostFile("R/US/s/1.dcm", b"r"),))
    with LocalHosts([COLLECTION, bare]) as hosts:
        assert get(hosts, "getBodyPartValues").json() == [{}, {"BodyPartExamined": "PROSTATE"}]


def test_metadata_has_other_names_dates_and_numbers(hosts: LocalHosts) -> None:
    (row,) = get(hosts, f"getSeriesMetaData?SeriesInstanceUID={UID}").json()
    assert (row["Series UID"], row["File Size"], row["Study Date"]) == (UID, "3000", "01-05-2026")
    posted = requests.post(f"{hosts.hosts['tcia']}/getSeriesMetaData", data={"list": UID}, timeout=5)
    assert posted.json() == [row]


def test_images_come_in_a_zip_without_length_or_ranges(hosts: LocalHosts) -> None:
    url = f"getImageWithMD5Hash?SeriesInstanceUID={UID}"
    answer = get(hosts, url, headers={"Range": "bytes=100-"})
    assert answer.status_code == 200
    assert "Content-Length" not in answer.headers
    assert "Accept-Ranges" not in answer.headers
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    assert "LICENSE" in archive.namelist()
    rows = list(csv.DictReader(io.StringIO(archive.read("md5hashes.csv").decode())))
    assert [row["Filename"] for row in rows] == ["00000001.dcm", "00000002.dcm"]
    assert all(hashlib.md5(archive.read(row["Filename"])).hexdigest() == row["MD5Hash"] for row in rows)
    assert get(hosts, url).content == answer.content
    hosts.faults = Faults(wrong_md5=frozenset({f"P-001/US/{UID}/2.dcm"}))
    wrong = zipfile.ZipFile(io.BytesIO(get(hosts, url).content)).read("md5hashes.csv").decode()
    assert rows[0]["MD5Hash"] in wrong
    assert rows[1]["MD5Hash"] not in wrong


def test_images_without_digests(hosts: LocalHosts) -> None:
    answer = get(hosts, f"getImage?NewFileNames=Yes&SeriesInstanceUID={UID}")
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert names == ["1-001.dcm", "1-002.dcm", "LICENSE"]
    assert get(hosts, f"getImageWithMD5Hash?NewFileNames=Yes&SeriesInstanceUID={UID}").status_code == 400
    missing = get(hosts, "getImage?SeriesInstanceUID=1.2.3")
    assert (missing.status_code, missing.content) == (200, b"")


def test_collections_page_by_link_headers(hosts: LocalHosts) -> None:
    answer, names = get(hosts, "collections?per_page=1", "tcia_collections"), []
    while True:
        names += [row["collection_short_title"] for row in answer.json()]
        if "next" not in answer.links:
            break
        answer = requests.get(answer.links["next"]["url"], timeout=5)
    assert names == [PLACE, "Breast-Zips", "Locked"]
    assert answer.headers["X-WP-Total"] == "3"
    over = get(hosts, "collections?per_page=1&page=4", "tcia_collections")
    assert (over.status_code, over.json()["code"]) == (400, "rest_post_invalid_page_number")
    assert get(hosts, "collections?per_page=101", "tcia_collections").status_code == 400
    found = get(hosts, "collections?search=ultrasound&_fields=id,slug", "tcia_collections").json()
    assert [row["slug"] for row in found] == [PLACE.lower(), "breast-zips"]
    assert set(found[0]) == {"id", "slug"}
    hosts.faults = Faults(shrink_pages=2)
    assert len(get(hosts, "collections?per_page=100", "tcia_collections").json()) == 2


def test_downloads_hold_files_manifests_and_aspera_packages(hosts: LocalHosts) -> None:
    (collection,) = get(hosts, "collections?search=prostate", "tcia_collections").json()
    ids = ",".join(map(str, collection["collection_downloads"]))
    images, table, package = get(hosts, f"downloads?include={ids}", "tcia_collections").json()
    assert images["file_type"] == ["DICOM"]
    manifest = requests.get(images["download_url"], timeout=5).text.splitlines()
    start = manifest.index("ListOfSeriesToDownload=")
    assert manifest[start + 1] == UID
    assert len(manifest[start + 1 :]) == 3
    assert table["data_license"] == "CC BY 4.0"
    part = requests.get(table["download_url"], headers={"Range": "bytes=8-"}, timeout=5)
    assert (part.status_code, part.content) == (206, b"age\n")
    assert package["download_requirements"] == "IBM Aspera Connect"
    page = requests.get(package["download_url"], timeout=5)
    assert page.headers["Content-Type"].startswith("text/html")
    assert b"never served" not in page.content
    (zips,) = get(hosts, "downloads?search=b.zip", "tcia_collections").json()
    assert zips["data_license"] == "CC BY-NC 4.0"


def test_controlled_collections_are_listed_but_not_given(hosts: LocalHosts) -> None:
    (row,) = get(hosts, "collections?search=locked", "tcia_collections").json()
    assert row["collection_page_accessibility"] == "Limited"
    ids = ",".join(map(str, row["collection_downloads"]))
    downloads = get(hosts, f"downloads?include={ids}", "tcia_collections").json()
    assert {one["download_url"] for one in downloads} == {""}
    site = hosts.hosts["tcia_collections"]
    assert requests.get(f"{site}/wp-content/uploads/Locked/q.csv", timeout=5).status_code == 404
