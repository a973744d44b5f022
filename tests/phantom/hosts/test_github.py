from __future__ import annotations

import base64
import hashlib
import http.client
import io
import subprocess
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import Blob, HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts

NAME = "echo-lab/thyroid-us"
API = f"/repos/{NAME}"
SCAN = HostFile("scans/big one.nii", Blob(3_000_000, seed=5))
ASSET = HostFile("@releases/v2.0/frames.zip", Blob(70_000, seed=6))
REPOSITORY = HostRecord(
    "github",
    NAME,
    "Thyroid ultrasound frames",
    keywords=("ultrasound", "thyroid nodule"),
    licence="CC-BY-NC-4.0",
    created="2026-02-03",
    concept="echo-lab/old-name",
    files=(
        HostFile("README.md", b"# Thyroid\n"),
        HostFile(".gitattributes", b"# data\n*.nii filter=lfs diff=lfs merge=lfs -text\n"),
        HostFile("images/a.png", b"png a"),
        HostFile("images/b/c.png", b"png c"),
        HostFile("images-2/d.png", b""),
        SCAN,
        ASSET,
        HostFile("@releases/v1.0/old.csv", b"a,b\n"),
    ),
)
EMPTY = HostRecord("github", "echo-lab/empty", "Ultrasound, coming soon", licence=None, created="2026-03-01")
HIDDEN = HostRecord("github", "echo-lab/hidden", "Ultrasound", access="restricted", files=(HostFile("a", b"a"),))
LFS = {"Accept": "application/vnd.git-lfs+json", "Content-Type": "application/vnd.git-lfs+json"}


@pytest.fixture
def hosts() -> Iterator[LocalHosts]:
    with LocalHosts([REPOSITORY, EMPTY, HIDDEN]) as server:
        yield server


def get(hosts: LocalHosts, path: str, name: str = "github", **more: Any) -> requests.Response:
    return requests.get(hosts.hosts[name] + path, timeout=10, **more)


def sha(hosts: LocalHosts) -> str:
    return str(get(hosts, f"{API}/commits/main").json()["sha"])


def git_root(folder: Path) -> str:
    """Tree id that git itself gives the repository's files."""
    for file in REPOSITORY.files:
        if not file.key.startswith("@"):
            path = folder / file.key
            path.parent.mkdir(parents=True, exist_ok=True)
            text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{file.sha256}\nsize {file.size}\n"
            path.write_bytes(text.encode() if file is SCAN else b"".join(file.pieces()))
    git = ["git", "-C", str(folder), "-c", "core.autocrlf=false", "-c", "filter.lfs.clean=cat"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "-c", "filter.lfs.required=false", "add", "-A"], check=True)
    return subprocess.run([*git, "write-tree"], check=True, capture_output=True, text=True).stdout.strip()


def test_objects_have_the_ids_that_git_gives_them(hosts: LocalHosts, tmp_path: Path) -> None:
    commit = get(hosts, f"{API}/commits/v1").json()
    assert commit["commit"]["tree"]["sha"] == git_root(tmp_path)
    tree = get(hosts, f"{API}/git/trees/{commit['sha']}?recursive=1").json()
    assert tree["truncated"] is False
    blobs = {row["path"]: row for row in tree["tree"] if row["type"] == "blob"}
    assert set(blobs) == {file.key for file in REPOSITORY.files if not file.key.startswith("@")}
    assert blobs["images/a.png"]["sha"] == hashlib.sha1(b"blob 5\0png a").hexdigest()
    assert blobs["images/a.png"]["size"] == 5
    assert blobs[SCAN.key]["size"] < 200
    assert {row["path"] for row in tree["tree"] if row["type"] == "tree"} == {
        "images",
        "images/b",
        "images-2",
        "scans",
    }


def test_a_truncated_tree_can_be_walked_folder_by_folder(hosts: LocalHosts) -> None:
    hosts.faults = Faults(shrink_pages=2)
    cut = get(hosts, f"{API}/git/trees/main?recursive=1").json()
    assert cut["truncated"] is True
    assert len(cut["tree"]) == 2
    found, folders = set(), [("", "main")]
    while folders:
        above, tree = folders.pop()
        for row in get(hosts, f"{API}/git/trees/{tree}").json()["tree"]:
            path = f"{above}{row['path']}"
            if row["type"] == "tree":
                folders.append((f"{path}/", row["sha"]))
            else:
                found.add(path)
    assert found == {file.key for file in REPOSITORY.files if not file.key.startswith("@")}


def test_wrong_digest_in_the_tree(hosts: LocalHosts) -> None:
    hosts.faults = Faults(wrong_md5=frozenset({"images/a.png"}))
    rows = {row["path"]: row for row in get(hosts, f"{API}/git/trees/main?recursive=1").json()["tree"]}
    assert rows["images/a.png"]["sha"] != hashlib.sha1(b"blob 5\0png a").hexdigest()


def test_requests_without_a_user_agent_are_refused(hosts: LocalHosts) -> None:
    connection = http.client.HTTPConnection(urlsplit(hosts.url).netloc, timeout=5)  # sends no User-Agent
    connection.request("GET", urlsplit(hosts.hosts["github"]).path + API)
    assert connection.getresponse().status == 403
    connection.close()
    assert get(hosts, API, headers={"Authorization": "Bearer bad"}).json()["message"] == "Bad credentials"


def test_repository_and_its_former_name(hosts: LocalHosts) -> None:
    body = get(hosts, API).json()
    assert body["license"]["spdx_id"] == "NOASSERTION"
    assert body["default_branch"] == "main"
    assert body["topics"] == ["ultrasound", "thyroid-nodule"]
    assert body["size"] == sum(file.size for file in REPOSITORY.files) // 1024
    moved = get(hosts, "/repos/echo-lab/old-name/commits/main", allow_redirects=False)
    assert moved.status_code == 301
    assert requests.get(moved.headers["Location"], timeout=5).json()["sha"] == sha(hosts)
    assert get(hosts, "/repos/echo-lab/empty").json()["license"] is None
    assert get(hosts, "/repos/echo-lab/nothing").status_code == 404
    assert get(hosts, "/repos/echo-lab/hidden").status_code == 404
    assert get(hosts, "/repos/echo-lab/hidden", headers={"Authorization": "Bearer x"}).status_code == 200
    assert get(hosts, "/repos/echo-lab/empty/commits/main").status_code == 409
    assert get(hosts, f"{API}/commits/nonsense").status_code == 422


def test_contents_of_folders_and_files(hosts: LocalHosts) -> None:
    rows = get(hosts, f"{API}/contents/images").json()
    assert [(row["name"], row["type"]) for row in rows] == [("a.png", "file"), ("b", "dir")]
    assert requests.get(rows[0]["download_url"], timeout=5).content == b"png a"
    file = get(hosts, f"{API}/contents/images/a.png?ref={sha(hosts)}").json()
    assert base64.b64decode(file["content"]) == b"png a"
    raw = get(hosts, f"{API}/contents/images/a.png", headers={"Accept": "application/vnd.github.raw"})
    assert raw.content == b"png a"
    assert get(hosts, f"{API}/contents/images/zz.png").status_code == 404


@pytest.mark.parametrize("form", ["zipball", "tarball"])
def test_archive_by_the_api_is_chunked_and_has_no_ranges(hosts: LocalHosts, form: str) -> None:
    moved = get(hosts, f"{API}/{form}/main", allow_redirects=False)
    assert moved.status_code == 302
    assert moved.headers["Location"].startswith(hosts.hosts["github_codeload"])
    answer = requests.get(moved.headers["Location"], headers={"Range": "bytes=5-"}, timeout=5)
    assert answer.status_code == 200
    assert "Content-Length" not in answer.headers
    assert answer.headers["Transfer-Encoding"] == "chunked"
    if form == "zipball":
        names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    else:
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
            names = archive.getnames()
    assert any(name == f"echo-lab-thyroid-us-{sha(hosts)[:7]}/images/a.png" for name in names)


def test_archive_of_a_commit_is_the_same_every_time_and_holds_pointers(hosts: LocalHosts) -> None:
    commit = sha(hosts)
    first = get(hosts, f"/{NAME}/zip/{commit}", "github_codeload").content
    assert get(hosts, f"/{NAME}/zip/{commit}", "github_codeload").content == first
    archive = zipfile.ZipFile(io.BytesIO(first))
    assert archive.comment.decode() == commit
    assert all(name.startswith(f"thyroid-us-{commit}/") for name in archive.namelist())
    assert archive.read(f"thyroid-us-{commit}/{SCAN.key}").startswith(b"version https://git-lfs")
    assert not any("@releases" in name for name in archive.namelist())
    assert get(hosts, f"/{NAME}/zip/no-such-ref", "github_codeload").status_code == 404


def test_raw_files_have_etags_and_ranges(hosts: LocalHosts) -> None:
    path = f"/{NAME}/{sha(hosts)}/images/a.png"
    whole = get(hosts, path, "github_raw")
    assert whole.content == b"png a"
    part = get(hosts, path, "github_raw", headers={"Range": "bytes=2-", "If-Range": whole.headers["ETag"]})
    assert (part.status_code, part.content) == (206, b"g a")
    assert get(hosts, f"/{NAME}/refs/heads/main/images/a.png", "github_raw").content == b"png a"
    assert get(hosts, f"/{NAME}/main/{SCAN.key}", "github_raw").content.startswith(b"version https://git-lfs")
    assert get(hosts, f"/{NAME}/main/images", "github_raw").status_code == 404


def test_lfs_batch_gives_signed_addresses_and_errors_per_object(hosts: LocalHosts) -> None:
    url = f"{hosts.hosts['github_web']}/{NAME}.git/info/lfs/objects/batch"
    objects = [{"oid": SCAN.sha256, "size": SCAN.size}, {"oid": "0" * 64, "size": 1}, {"oid": SCAN.sha256, "size": 2}]
    body = {"operation": "download", "transfers": ["basic"], "objects": objects}
    assert requests.post(url, json=body, timeout=5).status_code == 406
    answer = requests.post(url, json=body, headers=LFS, timeout=5)
    assert answer.headers["Content-Type"] == LFS["Accept"]
    good, missing, other = answer.json()["objects"]
    action = good["actions"]["download"]
    assert action["href"].startswith(hosts.storage_url)
    assert requests.get(action["href"], headers=action["header"], timeout=5).content == SCAN.body.read(0, SCAN.size)  # type: ignore[union-attr]
    assert (missing["error"]["code"], other["error"]["code"]) == (404, 422)
    many = requests.post(url, json={**body, "objects": objects[:1] * 101}, headers=LFS, timeout=5)
    assert many.status_code == 413
    hosts.faults = Faults(signature_seconds=0.0)
    href = requests.post(url, json=body, headers=LFS, timeout=5).json()["objects"][0]["actions"]["download"]["href"]
    time.sleep(0.01)
    assert requests.get(href, timeout=5).status_code == 403


def test_media_host_gives_the_data_behind_a_pointer(hosts: LocalHosts) -> None:
    answer = get(hosts, f"/media/{NAME}/main/{SCAN.key}", "github_media")
    assert hashlib.sha256(answer.content).hexdigest() == SCAN.sha256
    assert get(hosts, f"/media/{NAME}/main/images/a.png", "github_media").content == b"png a"


def test_releases_and_their_assets(hosts: LocalHosts) -> None:
    newest, oldest = get(hosts, f"{API}/releases").json()
    assert (newest["tag_name"], oldest["tag_name"]) == ("v2.0", "v1.0")
    (asset,) = newest["assets"]
    assert asset["digest"] == f"sha256:{ASSET.sha256}"
    assert asset["name"] == "frames.zip"
    assert requests.get(asset["url"], timeout=5).json() == asset
    headers = {"Accept": "application/octet-stream", "Authorization": "Bearer fine"}
    moved = requests.get(asset["url"], headers=headers, timeout=5, allow_redirects=False)
    assert moved.status_code == 302
    assert moved.headers["Location"].startswith(hosts.storage_url)
    for url in (moved.headers["Location"], asset["browser_download_url"]):
        part = requests.get(url, headers={"Range": "bytes=69000-"}, timeout=5)
        assert (part.status_code, part.content) == (206, ASSET.body.read(69_000, 70_000))  # type: ignore[union-attr]
    page = get(hosts, f"{API}/releases?per_page=1")
    assert requests.get(page.links["next"]["url"], timeout=5).json() == [oldest]
    hosts.faults = Faults(no_md5=frozenset({"frames.zip"}))
    assert get(hosts, f"{API}/releases/latest").json()["assets"][0]["digest"] is None
    assert get(hosts, f"{API}/releases/tags/v9").status_code == 404
    assert get(hosts, f"{API}/releases/assets/word").status_code == 404


def test_rate_limits(hosts: LocalHosts) -> None:
    hosts.faults = Faults(fail_first=1, fail_status=403, retry_after=None)
    limited = get(hosts, API)
    assert (limited.status_code, limited.headers["x-ratelimit-remaining"]) == (403, "0")
    assert "retry-after" not in limited.headers
    assert -3 < int(limited.headers["x-ratelimit-reset"]) - time.time() < 3
    assert get(hosts, API).status_code == 200
    hosts.faults = Faults(fail_first=1, fail_status=429, retry_after="7")
    limited = get(hosts, API)
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")
    assert "secondary rate limit" in limited.json()["message"]
    assert get(hosts, API).headers["x-ratelimit-limit"] == "60"
    known = get(hosts, API, headers={"Authorization": "Bearer fine"})
    assert known.headers["x-ratelimit-limit"] == "5000"
