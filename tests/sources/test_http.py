from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.sources.conftest import MakeContext
from tests.sources.origin import Origin, Reply, ranged
from ultracurate.core.dataset import FileRef, SourceRef
from ultracurate.sources import SourceError, SourceState
from ultracurate.sources.http import HttpSource

BODY = b"PK\x03\x04 pictures" * 500
SHA256 = "sha256:" + hashlib.sha256(BODY).hexdigest()


def ref(*files: FileRef) -> SourceRef:
    return SourceRef(host="http", files=list(files))


def test_the_manifest_is_the_list(make_context: MakeContext) -> None:
    wanted = FileRef(name="a/set.zip", url="https://h/x.zip", mirrors=["https://m/x.zip"], size=9, checksum=SHA256)
    (file,) = HttpSource(make_context()).list_files(ref(wanted))
    assert (file.name, file.url, file.mirrors) == ("a/set.zip", "https://h/x.zip", ("https://m/x.zip",))
    assert (file.size, file.checksum) == (9, SHA256)


def test_mirrors_are_tried_in_order_until_the_bytes_fit(
    origin: Origin, elsewhere: Origin, make_context: MakeContext, tmp_path: Path
) -> None:
    first = origin.serve("/set.zip", Reply(b"gone", 404))
    second = origin.serve("/old.zip", ranged(b"PK\x03\x04 other pictures"))
    third = elsewhere.serve("/set.zip", ranged(BODY))
    http = HttpSource(make_context())
    (file,) = http.list_files(ref(FileRef(name="set.zip", url=first, mirrors=[second, third], checksum=SHA256)))
    assert f"sha256:{http.fetch(file, tmp_path / 'set').sha256}" == SHA256
    assert (tmp_path / "set").read_bytes() == BODY


def test_one_server_can_stand_for_all(origin: Origin, make_context: MakeContext, tmp_path: Path) -> None:
    origin.serve("/deep/set.zip", ranged(BODY))
    http = HttpSource(make_context(hosts={"http": origin.url}))
    (file,) = http.list_files(ref(FileRef(name="set.zip", url="https://far.example/deep/set.zip?v=2")))
    http.fetch(file, tmp_path / "set")
    assert origin.seen[0].query == {"v": "2"}
    assert file.url == "https://far.example/deep/set.zip?v=2"  # provenance keeps the true address


def test_a_file_without_address_is_manual(make_context: MakeContext) -> None:
    with pytest.raises(SourceError, match=r"No address is known for set\.zip") as caught:
        HttpSource(make_context()).list_files(ref(FileRef(name="set.zip")))
    assert caught.value.state is SourceState.MANUAL


def test_other_schemes_are_not_fetched(make_context: MakeContext) -> None:
    with pytest.raises(SourceError, match="no http address"):
        HttpSource(make_context()).list_files(ref(FileRef(name="set.zip", url="file:///etc/passwd")))


def test_an_empty_list_is_an_error(make_context: MakeContext) -> None:
    with pytest.raises(SourceError, match="lists none"):
        HttpSource(make_context()).list_files(ref())
