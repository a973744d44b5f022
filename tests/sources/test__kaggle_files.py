from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from tests.sources.conftest import MakeContext
from tests.sources.origin import Origin, Reply, ranged
from ultracurate.core.dataset import FileRef, SourceRef
from ultracurate.sources import RemoteFile, SourceError, SourceState
from ultracurate.sources.kaggle import KaggleSource

API = "https://www.kaggle.com/api/v1"
CSV = b"frame,plane\n" * 60


@pytest.fixture
def source(origin: Origin, make_context: MakeContext, tmp_path: Path) -> KaggleSource:
    return KaggleSource(make_context(hosts={"kaggle": origin.url}, environ={"HOME": str(tmp_path)}))


def zipped(*members: tuple[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        for name, body in members:
            archive.writestr(name, body)
    return buffer.getvalue()


def stored(origin: Origin, elsewhere: Origin, asked: str, path: str, body: bytes) -> RemoteFile:
    """A file whose download leads to `path` on a storage host."""
    place = elsewhere.serve(path, ranged(body))
    where = f"/datasets/download/ada/scans{asked}"
    origin.serve(where, Reply(status=302, headers={"Location": f"{place}?X-Goog-Signature=s3cr3t"}))
    return RemoteFile(asked.lstrip("/") or "scans.zip", f"{API}{where}?datasetVersionNumber=4")


@pytest.mark.parametrize(
    ("name", "path"),
    [("a.csv", "/4/compressed/t/a.csv.zip"), ("a.CSV", "/4/upload/t/a.CSV"), ("a.dat", "/4/compressed/t/a.dat.zip")],
)
def test_a_file_in_a_zip_is_seen_by_its_address_or_its_first_bytes(
    source: KaggleSource, origin: Origin, elsewhere: Origin, tmp_path: Path, name: str, path: str
) -> None:
    file = stored(origin, elsewhere, f"/t/{name}", path, zipped((name, CSV)))
    assert source.fetch(file, tmp_path / "f").path.read_bytes() == CSV
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["f"]


def test_a_plain_table_and_a_zip_that_was_asked_for_stay_as_they_are(
    source: KaggleSource, origin: Origin, elsewhere: Origin, tmp_path: Path
) -> None:
    file = stored(origin, elsewhere, "/t/a.csv", "/4/upload/t/a.csv", CSV)
    assert source.fetch(file, tmp_path / "f").path.read_bytes() == CSV
    body = zipped(("a.csv", CSV))
    file = stored(origin, elsewhere, "/inner.zip", "/4/upload/inner.zip", body)
    assert source.fetch(file, tmp_path / "g").path.read_bytes() == body


@pytest.mark.parametrize(
    ("members", "size", "why"),
    [
        ([("b.csv", CSV)], None, r"holds 'b\.csv'"),
        ([("a.csv", CSV), ("b.csv", CSV)], None, r"'a\.csv', 'b\.csv'"),
        ([("../a.csv", CSV)], None, "instead of"),
        ([], None, "nothing"),
        ([("a.csv", CSV)], 5, "expected 5"),
    ],
)
def test_a_zip_with_something_else_says_what_came(
    source: KaggleSource,
    origin: Origin,
    elsewhere: Origin,
    tmp_path: Path,
    members: list[tuple[str, bytes]],
    size: int | None,
    why: str,
) -> None:
    file = stored(origin, elsewhere, "/a.csv", "/4/compressed/a.csv.zip", zipped(*members))
    with pytest.raises(SourceError, match=why) as caught:
        source.fetch(RemoteFile(file.name, file.url, size), tmp_path / "f")
    assert caught.value.state is SourceState.BAD_ANSWER
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == []


@pytest.mark.parametrize("damage", ["crc", "short", "bzip2"])
def test_a_damaged_or_odd_zip_is_told(
    source: KaggleSource, origin: Origin, elsewhere: Origin, tmp_path: Path, damage: str
) -> None:
    kind = {"crc": zipfile.ZIP_STORED, "short": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2}[damage]
    body = zipped(("a.csv", CSV), kind=kind)
    body = {"crc": body.replace(b"frame", b"frxme", 1), "short": body[:-30], "bzip2": body}[damage]
    file = stored(origin, elsewhere, "/a.csv", "/4/compressed/a.csv.zip", body)
    with pytest.raises(SourceError, match="zip of its own") as caught:
        source.fetch(file, tmp_path / "f")
    assert caught.value.state is SourceState.BAD_ANSWER
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == []


def test_an_archive_that_is_a_tar_gz_says_how_to_name_it(
    source: KaggleSource, origin: Origin, elsewhere: Origin, tmp_path: Path
) -> None:
    body = b"\x1f\x8b\x08" + b"tar" * 100
    file = stored(origin, elsewhere, "", "/4/bundle/archive.tar.gz", body)
    with pytest.raises(SourceError, match=r"<slug>\.tar\.gz") as caught:
        source.fetch(file, tmp_path / "f")
    assert caught.value.state is SourceState.BAD_ANSWER
    for path, data in {
        "view": {"title": "S", "currentVersionNumber": 4},
        "list": {"datasetFiles": [{"name": "a"}]},
    }.items():
        body_of = json.dumps(data).encode()
        origin.serve(f"/datasets/{path}/ada/scans", Reply(body_of, headers={"Content-Type": "application/json"}))
    wanted = SourceRef(host="kaggle", record="ada/scans", files=[FileRef(name="scans.tar.gz")])
    (named,) = source.list_files(wanted)
    assert source.fetch(named, tmp_path / "f").path.read_bytes() == body
