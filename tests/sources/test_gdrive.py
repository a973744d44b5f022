from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sources.conftest import MakeContext
from tests.sources.origin import Origin, Reply, ranged
from ultracurate.core.dataset import FileRef, SourceRef
from ultracurate.core.errors import ConfigError
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.gdrive import SCAN_LIMIT, file_id
from ultracurate.phantom.hosts.records import Blob, HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.sources import RemoteFile, SourceError, SourceState
from ultracurate.sources._gdrive_pages import stated_name
from ultracurate.sources.gdrive import GoogleDriveSource

SMALL = HostFile("Übersicht & Maße.csv", b"a,b\n1,2\n")
LARGE = HostFile("set.nii", Blob(SCAN_LIMIT + 100_000, seed=3))
FOLDER = HostRecord(
    "gdrive",
    "1folderAAAAAAAAAAAAAAA",
    "Ovary set",
    files=(SMALL, LARGE, HostFile("train/a.png", b"png a"), HostFile("test/deep/a.png", b"png b")),
)
ALONE = HostRecord("gdrive", "1aloneAAAAAAAAAAAAAAAA", "One file", files=(replace(LARGE, key="alone.nii"),))
PRIVATE = HostRecord("gdrive", "1privateAAAAAAAAAAAAAA", "x", access="restricted", files=(HostFile("d/x", b"x"),))
POPULAR = HostRecord("gdrive", "1popularAAAAAAAAAAAAAA", "x", keywords=("quota",), files=(HostFile("x.zip", b"x"),))
PAGE = {"Content-Type": "text/html; charset=utf-8"}


@pytest.fixture
def hosts() -> Iterator[LocalHosts]:
    with LocalHosts([FOLDER, ALONE, PRIVATE, POPULAR]) as server:
        yield server


@pytest.fixture
def drive(hosts: LocalHosts, make_context: MakeContext) -> GoogleDriveSource:
    return GoogleDriveSource(make_context(hosts=hosts.hosts))


@pytest.fixture
def scripted(origin: Origin, make_context: MakeContext) -> GoogleDriveSource:
    return GoogleDriveSource(make_context(hosts={"gdrive": origin.url, "gdrive_content": origin.url}))


def ref(record: str = FOLDER.id, *names: str) -> SourceRef:
    return SourceRef(host="gdrive", record=record, files=[FileRef(name=name) for name in names])


def view(*links: str, title: str = "t") -> Reply:
    return Reply(f"<html><head><title>{title}</title></head><body>{''.join(links)}</body></html>".encode(), 200, PAGE)


def link(number: str, name: str, kind: str = "file/d") -> str:
    return f'<a href="https://drive.google.com/{kind}/{number}/view?usp=drive_web"><img src="x" alt="">\n{name}\n</a>'


def test_a_folder_is_walked_to_its_end(drive: GoogleDriveSource) -> None:
    found = drive.describe(ref())
    assert (found.title, found.access, found.files_listed) == ("Ovary set", "open", True)
    assert found.url == f"https://drive.google.com/drive/folders/{FOLDER.id}"
    assert {file.name for file in found.files} == {file.key for file in FOLDER.files}
    (small,) = drive.list_files(ref(FOLDER.id, SMALL.key))
    assert small.url == f"https://drive.google.com/file/d/{file_id(FOLDER, SMALL.key)}/view"


@pytest.mark.parametrize("file", FOLDER.files, ids=lambda file: file.key)
def test_every_file_can_be_fetched(drive: GoogleDriveSource, tmp_path: Path, file: HostFile) -> None:
    (remote,) = drive.list_files(ref(FOLDER.id, file.key))
    bare = RemoteFile(remote.name, remote.url)  # as a table gives it back
    assert drive.fetch(bare, tmp_path / "f").sha256 == file.sha256


def test_the_answers_to_the_warning_stay_out_of_the_table(drive: GoogleDriveSource, hosts: LocalHosts) -> None:
    (file,) = drive.list_files(ref(FOLDER.id, LARGE.key))
    with drive.open(file) as stream:
        assert stream.read(100) == b"".join(LARGE.pieces(0, 100))
    sent = hosts.requests[-1]
    assert (sent.host, sent.one("confirm"), sent.one("at")) == ("gdrive_content", "t", "APH8r&x=1")
    assert "?" not in file.url


def test_a_cut_download_goes_on_where_it_was(drive: GoogleDriveSource, hosts: LocalHosts, tmp_path: Path) -> None:
    (file,) = drive.list_files(ref(FOLDER.id, LARGE.key))
    hosts.faults = Faults(only="/gdrive_content/", cut_after=400_000)
    got = drive.fetch(file, tmp_path / "f")
    assert (got.sha256, got.transferred) == (LARGE.sha256, LARGE.size)
    with drive.open(file, 1000) as stream:
        assert stream.read(10) == b"".join(LARGE.pieces(1000, 1010))


@pytest.mark.parametrize(
    "record",
    [
        ALONE.id,
        f"https://drive.google.com/file/d/{ALONE.id}/view?usp=sharing",
        f"https://drive.google.com/open?id={ALONE.id}",
        f"https://drive.google.com/uc?export=download&id={ALONE.id}",
    ],
)
def test_a_single_file_has_its_name_and_size_from_the_answer(drive: GoogleDriveSource, record: str) -> None:
    (file,) = drive.list_files(ref(record))
    assert (file.name, file.size, file.checksum) == ("alone.nii", LARGE.size, None)


@pytest.mark.parametrize(
    "record", [PRIVATE.id, f"https://drive.google.com/drive/folders/{PRIVATE.id}", file_id(PRIVATE, "d/x")]
)
def test_a_private_one_says_whom_to_ask(drive: GoogleDriveSource, record: str) -> None:
    assert drive.describe(ref(record)).access == "restricted"
    with pytest.raises(SourceError, match="Ask the owner to share") as caught:
        drive.list_files(ref(record))
    assert caught.value.state is SourceState.RESTRICTED


def test_too_many_downloads_are_a_quota(drive: GoogleDriveSource, tmp_path: Path) -> None:
    file = RemoteFile("x.zip", f"https://drive.google.com/file/d/{POPULAR.id}/view")
    with pytest.raises(SourceError, match="after a day") as caught:
        drive.fetch(file, tmp_path / "f")
    assert caught.value.state is SourceState.QUOTA
    assert not list(tmp_path.glob("f*"))


def test_a_missing_one_is_told(drive: GoogleDriveSource) -> None:
    with pytest.raises(SourceError) as caught:
        drive.describe(ref("1missingAAAAAAAAAAAAAA"))
    assert caught.value.state is SourceState.NOT_FOUND


def test_nothing_can_be_searched_for(drive: GoogleDriveSource, hosts: LocalHosts) -> None:
    assert list(drive.search("ultrasound", 5)) == []
    assert hosts.requests == []


@pytest.mark.parametrize("wrong", ["", "short", "https://example.org/file/d/1AAAAAAAAAAA", "a b c d e f g h"])
def test_a_wrong_record_is_a_mistake_of_the_manifest(drive: GoogleDriveSource, hosts: LocalHosts, wrong: str) -> None:
    with pytest.raises(ConfigError, match="id of a shared file or folder"):
        drive.describe(ref().model_copy(update={"record": wrong}))
    assert hosts.requests == []


def test_a_view_that_may_be_cut_is_not_taken_for_the_whole(scripted: GoogleDriveSource, origin: Origin) -> None:
    origin.serve("/embeddedfolderview", view(*(link(f"1file{n:020}", f"{n}.png") for n in range(50))))
    found = scripted.describe(ref())
    assert (len(found.files), found.files_listed) == (50, False)
    with pytest.raises(SourceError, match="ends after 50 entries") as caught:
        scripted.list_files(ref())
    assert caught.value.state is SourceState.PARTIAL_LISTING
    assert len(scripted.list_files(ref(FOLDER.id, "7.png"))) == 1  # what is named and seen can be had
    with pytest.raises(SourceError, match="source of its own"):
        scripted.list_files(ref(FOLDER.id, "77.png"))


def test_hostile_and_doubled_names_stay_apart(scripted: GoogleDriveSource, origin: Origin) -> None:
    ids = [f"1file{n:020}" for n in range(6)]
    links = [
        link(ids[0], "../../etc/passwd"),
        link(ids[1], ".."),
        link(ids[2], "a.png"),
        link(ids[3], "a.png"),
        link(ids[4], ""),
        link("../x", "bad"),
        '<a href="http://[">x</a><a>y</a>',
        '<a href="https://docs.google.com/document/d/1docAAAAAAAAAAAAAA/edit">Notes</a>',
    ]
    origin.serve("/embeddedfolderview", view(*links))
    found = scripted.describe(ref())
    names = {file.name for file in found.files}
    assert names == {".._.._etc_passwd", "__", "a.png", f"a.png ({ids[3]})", ids[4], "Notes"}
    assert "Notes" not in {file.name for file in scripted.list_files(ref())}


def test_a_folder_inside_itself_ends(scripted: GoogleDriveSource, origin: Origin) -> None:
    inner = "1innerAAAAAAAAAAAAAAAA"
    rows = (link(inner, "again", "drive/folders"), link(FOLDER.id, "up", "drive/folders"))
    origin.serve("/embeddedfolderview", view(*rows, link("1file" + "0" * 20, "a.png")))
    assert {file.name for file in scripted.list_files(ref())} == {"a.png", "again/a.png"}
    assert len(origin.seen) == 2


def test_folders_without_end_are_cut(scripted: GoogleDriveSource, origin: Origin) -> None:
    count = iter(range(10**6))
    origin.serve(
        "/embeddedfolderview",
        lambda _: view(*(link(f"1folder{next(count):020}", "x", "drive/folders") for _ in range(2))),
    )
    assert not scripted.describe(ref()).files_listed
    assert len(origin.seen) <= 300


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html><body>Something new</body></html>", "another web page"),
        (b'<form id="download-form" action="https://evil.example.org/get"></form>', "another web page"),
        (b'<form id="download-form" action="file:///etc/passwd"></form>', "another web page"),
        (b'<p class="uc-error-caption">Sorry, no.</p>', "the host says 'Sorry, no.'"),
        (b'<form id="download-form" action="/uc"><input type="hidden" name="a" value="b"></form>', "after 3 pages"),
    ],
)
def test_an_unknown_page_is_not_the_file(
    scripted: GoogleDriveSource, origin: Origin, tmp_path: Path, body: bytes, words: str
) -> None:
    origin.serve("/uc", Reply(body, 200, PAGE))
    file = RemoteFile("x.zip", f"https://drive.google.com/file/d/{ALONE.id}/view")
    with pytest.raises(SourceError, match=words) as caught:
        scripted.fetch(file, tmp_path / "f")
    assert caught.value.state is SourceState.BAD_ANSWER
    assert len(origin.seen) <= 3


def test_the_older_warning_is_answered_too(scripted: GoogleDriveSource, origin: Origin, tmp_path: Path) -> None:
    old = b'<a href="/uc2?x">no</a><a href="/uc?export=download&amp;confirm=abcd&amp;id=7">yes</a>'
    file = ranged(b"PK\x03\x04data")
    origin.serve("/uc", lambda seen: file(seen) if seen.query.get("confirm") == "abcd" else Reply(old, 200, PAGE))
    remote = RemoteFile("x.zip", f"https://drive.google.com/file/d/{ALONE.id}/view")
    assert scripted.fetch(remote, tmp_path / "f").size == 8


def test_an_old_link_keeps_its_resource_key(scripted: GoogleDriveSource, origin: Origin, tmp_path: Path) -> None:
    origin.serve("/uc", ranged(b"data"))
    (file,) = scripted.list_files(ref(f"https://drive.google.com/file/d/{ALONE.id}/view?resourcekey=0-abc"))
    assert (file.name, file.url.rpartition("/")[2]) == (ALONE.id, "view?resourcekey=0-abc")
    scripted.fetch(file, tmp_path / "f")
    assert {seen.query.get("resourcekey") for seen in origin.seen} == {"0-abc"}


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("attachment; filename=\"x.zip\"; filename*=UTF-8''%C3%9Cber%20x.zip", "Über x.zip"),
        ('attachment; filename="Ã\x9cber.zip"', "Über.zip"),
        ("attachment; filename=plain.zip", "plain.zip"),
        ("attachment", None),
    ],
)
def test_names_in_a_header(header: str, name: str | None) -> None:
    assert stated_name(header) == name
