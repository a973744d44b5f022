from __future__ import annotations

import base64
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from urllib.parse import parse_qs, quote, urlencode

import pytest
import requests

from ultracurate.phantom.hosts.aimi import PUT_LIMIT, sas
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import Blob, HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts

BOX = "phantomecho-1"
LARGE = HostFile("videos/large.avi", Blob(PUT_LIMIT + 1, seed=3))
RECORD = HostRecord(
    "aimi",
    BOX,
    "Echo clips",
    files=(
        HostFile("FileList.csv", b"name,ef\n"),
        LARGE,
        *(HostFile(f"videos/a & b ({n}).avi", b"clip %d" % n) for n in range(20)),
    ),
)
LIST = "restype=container&comp=list"


@pytest.fixture
def hosts() -> Iterator[LocalHosts]:
    with LocalHosts([RECORD]) as server:
        yield server


def get(hosts: LocalHosts, path: str, query: str, **more: str) -> requests.Response:
    return requests.get(f"{hosts.hosts['aimi']}/{quote(path)}?{query}", headers=more, timeout=10)


def listed(hosts: LocalHosts, size: int, prefix: str = "") -> tuple[list[ET.Element], int]:
    blobs: list[ET.Element] = []
    marker, pages = "", 0
    while True:
        asked = urlencode({"maxresults": size, "marker": marker, "prefix": prefix})
        answer = get(hosts, BOX, f"{sas(BOX)}&{LIST}&{asked}")
        assert answer.content.startswith(b"\xef\xbb\xbf<?xml")
        root = ET.fromstring(answer.content)
        blobs += root.findall("./Blobs/Blob")
        marker, pages = root.findtext("NextMarker") or "", pages + 1
        if not marker:
            return blobs, pages


def test_listing_pages_by_marker(hosts: LocalHosts) -> None:
    blobs, pages = listed(hosts, 5)
    assert pages == 5
    assert [blob.findtext("Name") for blob in blobs] == sorted(file.key for file in RECORD.files)
    files = {file.key: file for file in RECORD.files}
    for blob in blobs:
        file = files[blob.findtext("Name") or ""]
        assert blob.findtext("Properties/Content-Length") == str(file.size)
        md5 = base64.b64encode(bytes.fromhex(file.md5)).decode() if file is not LARGE else ""
        assert blob.findtext("Properties/Content-MD5") == md5
    assert len(listed(hosts, 5000, "videos/")[0]) == 21
    hosts.faults = Faults(shrink_pages=4, wrong_md5=frozenset({"FileList.csv"}))
    blobs, pages = listed(hosts, 5000)
    assert (len(blobs), pages) == (22, 6)
    true = base64.b64encode(bytes.fromhex(RECORD.files[0].md5)).decode()
    assert blobs[0].findtext("Properties/Content-MD5") not in (true, "")


def test_blobs_have_ranges_and_digests(hosts: LocalHosts) -> None:
    name = "videos/a & b (3).avi"
    whole = get(hosts, f"{BOX}/{name}", sas(BOX))
    assert whole.content == b"clip 3"
    assert base64.b64decode(whole.headers["Content-MD5"]).hex() == HostFile("", b"clip 3").md5
    assert whole.headers["ETag"].startswith('"0x8D')
    part = get(hosts, f"{BOX}/{name}", sas(BOX), **{"Range": "bytes=5-", "If-Range": whole.headers["ETag"]})
    assert (part.status_code, part.content) == (206, b"3")
    assert "Content-MD5" not in part.headers
    assert "Content-MD5" not in get(hosts, f"{BOX}/{LARGE.key}", sas(BOX)).headers


@pytest.mark.parametrize(
    "query",
    [
        "",
        sas("another-container"),
        sas(BOX, until="2026-01-02T00:00:00Z"),
        sas(BOX).replace("sig=", "sig=A"),
        sas(BOX, until="2026-01-02T00:00:00Z").replace("2026-01-02", "2099-01-02"),
    ],
    ids=["none", "other container", "expired", "wrong", "end changed by hand"],
)
def test_only_the_right_signature_opens(hosts: LocalHosts, query: str) -> None:
    for path, more in ((BOX, f"&{LIST}"), (f"{BOX}/FileList.csv", "")):
        answer = get(hosts, path, (query + more).strip("&"))
        assert answer.status_code == 403
        assert ET.fromstring(answer.content).findtext("Code") == "AuthenticationFailed"
        for secret in parse_qs(query).get("sig", []):
            assert secret not in answer.text


def test_other_refusals(hosts: LocalHosts) -> None:
    def code(answer: requests.Response) -> tuple[int, str | None]:
        return answer.status_code, ET.fromstring(answer.content).findtext("Code")

    assert code(get(hosts, f"{BOX}/none", sas(BOX))) == (404, "BlobNotFound")
    assert code(get(hosts, "no-box/none", sas("no-box"))) == (404, "ContainerNotFound")
    assert code(get(hosts, BOX, f"{sas(BOX, permissions='r')}&{LIST}")) == (403, "AuthorizationPermissionMismatch")
    assert code(get(hosts, BOX, f"{sas(BOX)}&{LIST}&maxresults=0")) == (400, "OutOfRangeQueryParameterValue")
    assert code(get(hosts, BOX, f"{sas(BOX)}&{LIST}&marker=2!AAAA")) == (400, "InvalidQueryParameterValue")
    assert code(get(hosts, BOX, sas(BOX))) == (400, "InvalidQueryParameterValue")
    with_login = get(hosts, f"{BOX}/FileList.csv", sas(BOX), Authorization="Bearer x")
    assert code(with_login) == (400, "InvalidAuthenticationInfo")
    hosts.faults = Faults(fail_first=1)
    assert code(get(hosts, f"{BOX}/FileList.csv", sas(BOX))) == (503, "ServerBusy")
