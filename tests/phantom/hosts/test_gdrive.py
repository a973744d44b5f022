from __future__ import annotations

import hashlib
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
import requests

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.gdrive import SCAN_LIMIT, file_id, folder_id
from ultracurate.phantom.hosts.records import Blob, HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts

LARGE = HostFile("videos/large & more.zip", Blob(SCAN_LIMIT + 1, seed=9))
FOLDER = HostRecord(
    "gdrive",
    "1FolderOfUltrasound",
    "Ultrasound <set>",
    files=(
        HostFile("readme.txt", b"read me"),
        HostFile("videos/médico.avi", b"clip"),
        LARGE,
        HostFile("videos/more/b.avi", b"b"),
    ),
)
ALONE = HostRecord("gdrive", "1LonelyFile", "One file", files=(HostFile("set.zip", b"PK one"),))
PRIVATE = HostRecord("gdrive", "1Private", "Private", access="restricted", files=(HostFile("p.zip", b"p"),))
POPULAR = HostRecord("gdrive", "1Popular", "Popular", keywords=("quota",), files=(HostFile("q.zip", b"q"),))


class Page(HTMLParser):
    """Links with their texts, the action of the form, and its hidden fields."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[list[str]] = []
        self.action, self.hidden, self._open = "", dict[str, str](), False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.append([named["href"], ""])
        if tag == "form":
            self.action = named["action"]
        if tag == "input" and named.get("type") == "hidden":
            self.hidden[named["name"]] = named["value"]
        self._open = tag == "a" or (self._open and tag == "img")

    def handle_endtag(self, tag: str) -> None:
        self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.links[-1][1] += data.strip()


@pytest.fixture
def hosts() -> Iterator[LocalHosts]:
    with LocalHosts([FOLDER, ALONE, PRIVATE, POPULAR]) as server:
        yield server


def get(hosts: LocalHosts, path: str, **more: Any) -> requests.Response:
    return requests.get(hosts.hosts["gdrive"] + path, timeout=10, **more)


def test_small_files_come_at_once(hosts: LocalHosts) -> None:
    answer = get(hosts, "/uc?id=1LonelyFile")
    assert answer.content == b"PK one"
    assert answer.headers["Content-Disposition"] == "attachment; filename=\"set.zip\"; filename*=UTF-8''set.zip"
    other = get(hosts, f"/uc?id={file_id(FOLDER, 'videos/médico.avi')}")
    assert "filename*=UTF-8''m%C3%A9dico.avi" in other.headers["Content-Disposition"]
    moved = get(hosts, "/uc?id=1LonelyFile&export=download")
    assert moved.history[0].status_code == 303
    assert moved.url.startswith(hosts.hosts["gdrive_content"])
    assert moved.content == b"PK one"
    assert get(hosts, "/uc?id=1Nothing").status_code == 404
    assert get(hosts, f"/uc?id={FOLDER.id}").status_code == 404


def test_large_files_come_behind_a_page_with_a_form(hosts: LocalHosts) -> None:
    number = file_id(FOLDER, LARGE.key)
    page = get(hosts, f"/uc?id={number}")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "Content-Disposition" not in page.headers
    form = Page(page.text)
    assert form.action == f"{hosts.hosts['gdrive_content']}/download"
    assert form.hidden["id"] == number
    assert form.hidden["at"] == "APH8r&x=1"
    answer = requests.get(form.action, params=form.hidden, timeout=10)
    assert hashlib.sha256(answer.content).hexdigest() == LARGE.sha256
    assert answer.headers["Content-Length"] == str(LARGE.size)
    headers = {"Range": f"bytes={SCAN_LIMIT}-"}
    part = requests.get(form.action, params=form.hidden, headers=headers, timeout=10)
    assert (part.status_code, len(part.content)) == (206, 1)
    unconfirmed = requests.get(form.action, params={"id": number}, timeout=10)
    assert "download-form" in unconfirmed.text
    assert "download-form" in get(hosts, f"/uc?id={number}&confirm=t").text


def test_folders_list_files_and_folders(hosts: LocalHosts) -> None:
    def entries(number: str) -> dict[str, str]:
        page = Page(get(hosts, f"/embeddedfolderview?id={number}").text)
        return {name: href for href, name in page.links}

    top = entries(FOLDER.id)
    assert set(top) == {"readme.txt", "videos"}
    readme = file_id(FOLDER, "readme.txt")
    assert top["readme.txt"] == f"{hosts.hosts['gdrive']}/file/d/{readme}/view?usp=drive_web"
    videos = folder_id(FOLDER, "videos")
    assert top["videos"] == f"{hosts.hosts['gdrive']}/drive/folders/{videos}"
    assert set(entries(videos)) == {"médico.avi", "large & more.zip", "more"}
    assert set(entries(folder_id(FOLDER, "videos/more"))) == {"b.avi"}
    assert get(hosts, f"/embeddedfolderview?id={readme}").status_code == 404
    hosts.faults = Faults(shrink_pages=1)
    assert set(entries(FOLDER.id)) == {"readme.txt"}


def test_a_page_about_a_file_is_not_the_file(hosts: LocalHosts) -> None:
    answer = get(hosts, "/file/d/1LonelyFile/view")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert b"PK" not in answer.content
    assert get(hosts, "/drive/folders/1Nothing").status_code == 404


def test_quota_and_private_pages(hosts: LocalHosts) -> None:
    quota = get(hosts, "/uc?id=1Popular")
    assert quota.status_code == 200
    assert '<p class="uc-error-subcaption">Too many users' in quota.text
    for path in ("/uc?id=1Private", "/uc?id=1Private&export=download", "/file/d/1Private/view"):
        answer = get(hosts, path)
        assert answer.history[-1].status_code == 302
        assert "/accounts/" in answer.url
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "Sign-in" in answer.text
