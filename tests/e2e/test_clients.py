"""Clients that others wrote, against the local hosts: what these serve is what the real hosts serve."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.naive import body, zenodo
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.figshare import file_id
from ultracurate.phantom.hosts.records import Blob, HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts

PORT = 7777
"""Where the test mode of Kaggle's own clients expects their host."""
PATIENCE = 5.0
"""Seconds until another test run has given the port back."""
TABLE = HostFile("labels/all.csv", b"name,label\r\n" * 40)
CLIP = HostFile("clip.avi", Blob(3_000_000, seed=4))
FILES = (HostFile("train/a.png", b"\x89PNG one"), TABLE, CLIP)
OPEN = HostRecord("kaggle", "ada/breast-us", "Breast ultrasound", version=3, files=FILES)
GATED = HostRecord("kaggle", "ada/gated", "Gated", access="terms", files=FILES)
SCRIPT = """
import json, sys
import kagglehub
from kagglesdk.kaggle_http_client import KaggleHttpClient
KaggleHttpClient._print_response = lambda *_: None  # in test mode it shows whole files, and reads them for that
handle, path, answer = sys.argv[1:]
found = kagglehub.dataset_download(handle, path=path or None)
open(answer, "w").write(json.dumps(found))
"""
SET = HostFile("set (1).zip", b"PK\x03\x04" + b"fetal head" * 9000)
RECORD = zenodo(SET, HostFile("labels.csv", b"a,b\n"))
ARTICLE = HostRecord("figshare", "5", "Fetal ultrasound", files=(SET,))
curl = pytest.mark.skipif(shutil.which("curl") is None, reason="needs the program curl")


# --- kagglehub, in its test mode


@pytest.fixture
def kaggle() -> Iterator[LocalHosts]:
    pytest.importorskip("kagglehub")
    end = time.monotonic() + PATIENCE
    while True:
        try:
            hosts = LocalHosts([OPEN, GATED], port=PORT, root="kaggle")
            break
        except OSError as exc:
            if time.monotonic() > end:
                pytest.skip(f"port {PORT}, which kagglehub insists on, is taken: {exc}")
            time.sleep(0.2)
    with hosts:
        yield hosts


def kagglehub(folder: Path, handle: str, path: str = "", **login: str) -> tuple[Path | None, str]:
    """Where kagglehub has put what it was asked for, or None, and what it said."""
    answer = folder / "answer.json"
    answer.unlink(missing_ok=True)
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "NO_PROXY": "*", "KAGGLEHUB_CACHE": str(folder / "hub")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, handle, path, str(answer)],
        env=environ | {"KAGGLE_API_ENVIRONMENT": "TEST"} | login,
        capture_output=True,
        timeout=60,
    )
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    return (Path(json.loads(answer.read_text())) if answer.exists() else None), said


def test_kagglehub_fetches_a_whole_dataset(kaggle: LocalHosts, tmp_path: Path) -> None:
    found, said = kagglehub(tmp_path, "ada/breast-us")
    assert found is not None, said
    assert found.name == "3"  # the version that the host stated
    got = {path.relative_to(found).as_posix(): path.read_bytes() for path in found.rglob("*") if path.is_file()}
    assert got == {file.key: body(file) for file in FILES}
    assert [asked.path.rpartition("/")[2] for asked in kaggle.requests] == [
        "GetDataset",
        "DownloadDataset",
        "archive.zip",
    ]


def test_kagglehub_takes_a_table_out_of_its_zip(kaggle: LocalHosts, tmp_path: Path) -> None:
    found, said = kagglehub(tmp_path, "ada/breast-us", TABLE.key)
    assert found is not None, said
    assert found.read_bytes() == TABLE.body
    assert kaggle.requests[-1].path.endswith("/all.csv.zip")


def test_kagglehub_goes_on_with_a_cut_file(kaggle: LocalHosts, tmp_path: Path) -> None:
    kaggle.faults = Faults(only="/storage/", cut_after=2 << 20)
    found, said = kagglehub(tmp_path, "ada/breast-us/versions/2", CLIP.key)
    assert (found, "IncompleteRead" in said) == (None, True)
    found, said = kagglehub(tmp_path, "ada/breast-us/versions/2", CLIP.key)
    assert found is not None, said
    assert found.read_bytes() == body(CLIP)
    resumed = kaggle.requests[-1]
    assert (resumed.host, resumed.headers["range"], resumed.status) == ("storage", f"bytes={2 << 20}-", 206)


def test_kagglehub_believes_the_digest_of_the_storage_host(kaggle: LocalHosts, tmp_path: Path) -> None:
    kaggle.faults = Faults(wrong_md5=frozenset({CLIP.key}))
    found, said = kagglehub(tmp_path, "ada/breast-us", CLIP.key)
    assert (found, "DataCorruptionError" in said) == (None, True)


def test_kagglehub_needs_a_login_for_a_gated_dataset(kaggle: LocalHosts, tmp_path: Path) -> None:
    found, said = kagglehub(tmp_path, "ada/gated", CLIP.key)
    assert (found, "403" in said) == (None, True)
    found, said = kagglehub(tmp_path, "ada/gated", CLIP.key, KAGGLE_API_TOKEN="KGAT_s3cr3t")
    assert found is not None, said
    assert found.read_bytes() == body(CLIP)
    sent = {asked.host: asked.headers.get("authorization") for asked in kaggle.requests[-2:]}
    assert sent == {"kaggle": "Bearer KGAT_s3cr3t", "storage": None}
    found, said = kagglehub(tmp_path / "none", "ada/nowhere")
    assert (found, "404" in said) == (None, True)


# --- pooch, by address and by DOI


@pytest.fixture
def pooch(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The package, with doi.org and the public hosts replaced by local ones where it has them written out."""
    found = pytest.importorskip("pooch")
    monkeypatch.setenv("NO_PROXY", "*")
    found.get_logger().setLevel(logging.CRITICAL)
    pages = {"10.5281/zenodo.77": "https://zenodo.org/records/77"}
    pages["10.6084/m9.figshare.5.v1"] = "https://figshare.com/articles/dataset/_/5"
    monkeypatch.setattr(found.downloaders, "doi_to_url", lambda doi, **_: pages[doi])
    return found


@pytest.fixture
def hosts() -> Iterator[LocalHosts]:
    with LocalHosts([RECORD, ARTICLE]) as server:
        yield server


def test_pooch_retrieves_by_address_and_digest(hosts: LocalHosts, pooch: Any, tmp_path: Path) -> None:
    address = f"{hosts.hosts['zenodo']}/api/records/77/files/set (1).zip/content"
    found = pooch.retrieve(address, f"md5:{SET.md5}", "a.zip", tmp_path)
    assert Path(found).read_bytes() == SET.body
    with pytest.raises(ValueError, match="does not match the known hash"):
        pooch.retrieve(address, f"md5:{SET.md5[::-1]}", "b.zip", tmp_path)


@pytest.mark.parametrize("wrong", [frozenset(), frozenset({SET.key})], ids=["right digests", "wrong digests"])
def test_pooch_reads_a_record_of_zenodo(
    hosts: LocalHosts, pooch: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wrong: frozenset[str]
) -> None:
    hosts.faults = Faults(wrong_md5=wrong)
    monkeypatch.setattr(pooch.downloaders.ZenodoRepository, "base_api_url", f"{hosts.hosts['zenodo']}/api/records")
    shelf = pooch.create(tmp_path, base_url="doi:10.5281/zenodo.77/")
    shelf.load_registry_from_doi()
    assert set(shelf.registry) == {SET.key, "labels.csv"}
    assert Path(shelf.fetch("labels.csv")).read_bytes() == b"a,b\n"
    if wrong:
        with pytest.raises(ValueError, match="does not match the known hash"):
            shelf.fetch(SET.key)
    else:
        assert Path(shelf.fetch(SET.key)).read_bytes() == SET.body


def test_pooch_reads_an_article_of_figshare(
    hosts: LocalHosts, pooch: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    get, api = requests.get, "https://api.figshare.com/v2"
    monkeypatch.setattr(requests, "get", lambda url, **more: get(url.replace(api, hosts.hosts["figshare"]), **more))
    shelf = pooch.create(tmp_path, base_url="doi:10.6084/m9.figshare.5.v1/")
    shelf.load_registry_from_doi()
    number = file_id(ARTICLE, SET)
    assert shelf.registry == {SET.key: "md5:" if number % 6 == 1 else f"md5:{SET.md5}"}
    # The address inside the answer leads to the firewall, as at the real host: pooch gets no byte and sees it.
    with pytest.raises(ValueError, match="does not match the known hash"):
        pooch.retrieve(f"doi:10.6084/m9.figshare.5.v1/{SET.key}", f"md5:{SET.md5}", "a.zip", tmp_path)
    assert [asked.status for asked in hosts.requests if asked.host == "figshare_web"] == [202]
    for address in (f"figshare/file/download/{number}", f"figshare_download/files/{number}"):
        host, _, path = address.partition("/")
        found = pooch.retrieve(f"{hosts.hosts[host]}/{path}", f"md5:{SET.md5}", f"{host}.zip", tmp_path)
        assert Path(found).read_bytes() == SET.body


# --- curl


def run_curl(address: str, target: Path, *more: str) -> int:
    """How curl ended; 0 is well."""
    command = ["curl", "-q", "--silent", "--fail", "--location", "--noproxy", "*", "--max-time", "20"]
    return subprocess.run([*command, *more, "--output", str(target), address], timeout=30).returncode


@curl
def test_curl_goes_on_with_a_cut_file(tmp_path: Path) -> None:
    with LocalHosts([zenodo(CLIP)], Faults(cut_at=(1_000_000, 2_000_000))) as hosts:
        address = f"{hosts.hosts['zenodo']}/api/records/77/files/clip.avi/content"
        ends = [run_curl(address, tmp_path / "f", "--continue-at", "-") for _ in range(3)]
        ranges = [asked.headers.get("range") for asked in hosts.requests]
    assert ends == [18, 18, 0]  # 18: only a part came
    assert ranges == [None, "bytes=1000000-", "bytes=2000000-"]
    assert (tmp_path / "f").read_bytes() == body(CLIP)


@curl
def test_curl_sees_a_host_that_ignores_ranges(tmp_path: Path) -> None:
    with LocalHosts([zenodo(CLIP)], Faults(cut_at=(1_000_000,), ignore_range=True)) as hosts:
        address = f"{hosts.hosts['zenodo']}/api/records/77/files/clip.avi/content"
        ends = [run_curl(address, tmp_path / "f", "--continue-at", "-") for _ in range(2)]
    assert ends == [18, 33]  # 33: the host cannot resume


@curl
def test_curl_sees_broken_chunks_and_follows_to_storage(tmp_path: Path) -> None:
    with LocalHosts([HostRecord("kaggle", "ada/a", "a", files=(CLIP,))], Faults(cut_chunked=500_000)) as hosts:
        address = f"{hosts.hosts['kaggle']}/datasets/download/ada/a/clip.avi"
        ends = [run_curl(address, tmp_path / "f") for _ in range(2)]
    assert ends == [18, 0]
    assert (tmp_path / "f").read_bytes() == body(CLIP)
