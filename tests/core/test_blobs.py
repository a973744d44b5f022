from __future__ import annotations

import hashlib
import io
import tarfile
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultracurate.core import blobs as blobs_module
from ultracurate.core.blobs import DEFLATE, Blobs, PackWriter, PixelRef
from ultracurate.core.errors import ConfigError, RowError
from ultracurate.core.store import Store


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def pack(members: dict[str, bytes]) -> tuple[bytes, dict[str, PixelRef]]:
    file = io.BytesIO()
    writer = PackWriter(file, "frames/pack-1.tar")
    refs = {name: writer.add(name, data) for name, data in members.items()}
    assert writer.members == len(members)
    writer.close()
    return file.getvalue(), refs


MEMBERS = {
    "a.png": b"first",
    "empty": b"",
    "d/" * 60 + "x.png": b"a name of more than 100 characters",
    "p" * 100 + "/" + "n" * 100: b"the longest that ustar holds without a second header",
    "block": b"x" * 512,
    "überschall.png": b"utf-8",
    "large": bytes(range(256)) * 5000,
}


@pytest.mark.parametrize("place", ["local", "memory", "s3"])
def test_references_into_a_pack_read_back(place: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = {"local": str(tmp_path), "memory": f"memory://{tmp_path.name}/blobs"}.get(place)
    store = Store(url or request.getfixturevalue("s3"))
    data, refs = pack(MEMBERS)
    store.write("frames/pack-1.tar", data)
    blobs = Blobs(store, {})
    assert {name: blobs.read(ref) for name, ref in refs.items()} == MEMBERS


@given(st.lists(st.tuples(st.text("ab/é", min_size=1, max_size=90), st.binary(max_size=1500)), max_size=8))
def test_offsets_are_those_that_a_tar_reader_finds(members: list[tuple[str, bytes]]) -> None:
    file = io.BytesIO()
    writer = PackWriter(file, "p.tar")
    refs = [writer.add(name, data) for name, data in members]
    writer.close()
    with tarfile.open(fileobj=io.BytesIO(file.getvalue())) as tar:
        assert [info.offset_data for info in tar.getmembers()] == [ref.offset for ref in refs]
    for (_, data), ref in zip(members, refs, strict=True):
        assert ref.offset is not None
        assert ref.length == len(data)
        assert file.getvalue()[ref.offset : ref.offset + len(data)] == data
        assert ref.sha256 == sha(data)


def test_packs_hold_no_clock_and_no_owner() -> None:
    first, _ = pack(MEMBERS)
    assert pack(MEMBERS)[0] == first
    with tarfile.open(fileobj=io.BytesIO(first)) as tar:
        assert {(i.mtime, i.uid, i.gid, i.uname, i.gname) for i in tar.getmembers()} == {(0, 0, 0, "", "")}


def test_columns_are_the_reference() -> None:
    ref = PixelRef("a", 1, 2, "c")
    columns = ref.columns("clean")
    assert columns == {"clean_uri": "a", "clean_offset": 1, "clean_length": 2, "clean_sha256": "c"}
    assert PixelRef.of(columns | {"more": 1}, "clean") == ref


@pytest.fixture
def zipped(tmp_path: Path) -> tuple[Blobs, zipfile.ZipInfo, bytes, int]:
    """A store with one zip; its deflated member, content and the offset of the raw stream."""
    content = b"speckle " * 500
    store = Store(tmp_path)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("other.png", b"x" * 99)
        archive.writestr("im.png", content)
        info = archive.getinfo("im.png")
    raw = (tmp_path / "a.zip").read_bytes()
    head = raw[info.header_offset : info.header_offset + 30]
    start = info.header_offset + 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    return Blobs(store, {"sets": str(tmp_path)}), info, content, start


@pytest.mark.parametrize("prefix", ["", "root://sets/"])
def test_a_deflated_zip_member_is_read_in_place(zipped: tuple[Blobs, zipfile.ZipInfo, bytes, int], prefix: str) -> None:
    blobs, info, content, start = zipped
    assert info.compress_size < len(content) / 10
    assert blobs.read(PixelRef(f"{prefix}a.zip{DEFLATE}", start, info.compress_size, sha(content))) == content


def test_a_damaged_member_costs_its_row(zipped: tuple[Blobs, zipfile.ZipInfo, bytes, int]) -> None:
    blobs, info, content, start = zipped
    for offset, length in ((start + 1, info.compress_size), (start, info.compress_size - 3), (start, 0)):
        with pytest.raises(
            RowError, match=r"a \.zip file of the work directory: expected a zip member at byte \d+, found a damaged"
        ):
            blobs.read(PixelRef(f"a.zip{DEFLATE}", offset, length, sha(content)))


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write("x.png", b"before")
    ref = PixelRef("x.png", None, None, sha(b"before"))
    blobs = Blobs(store, {})
    assert blobs.read(ref) == b"before"
    store.write("x.png", b"after!")
    with pytest.raises(RowError) as caught:
        blobs.read(ref)
    for part in (
        "a .png file of the work directory",
        sha(b"before"),
        sha(b"after!"),
        "restore it, or run again from download",
    ):
        assert part in str(caught.value)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> int:
    """Limits that a test can pass without gigabytes."""
    monkeypatch.setattr(blobs_module, "MOST_UNCHECKED", 200_000)
    monkeypatch.setattr(blobs_module, "_PIECE", 4096)
    return 200_000


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def test_a_swapped_member_is_inflated_but_not_held(tmp_path: Path, small: int) -> None:
    """What was indexed had 900 bytes; what lies there now unpacks to 64 million."""
    bomb = deflated(bytes(64_000_000))
    (tmp_path / "a.zip").write_bytes(bomb)
    ref = PixelRef(f"a.zip{DEFLATE}", 0, len(bomb), sha(b"before"))
    tracemalloc.start()
    with pytest.raises(RowError, match="changed after it was indexed"):
        Blobs(Store(tmp_path), {}).read(ref)
    with pytest.raises(RowError, match="at most 200000 bytes, found more"):
        Blobs(Store(tmp_path), {}).read_range(ref.uri, 0, ref.length)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_a_swapped_whole_file_is_not_held_either(tmp_path: Path, small: int) -> None:
    (tmp_path / "a.png").write_bytes(bytes(30_000_000))
    tracemalloc.start()
    with pytest.raises(RowError, match="changed after it was indexed"):
        Blobs(Store(tmp_path), {}).read(PixelRef("a.png", None, None, sha(b"before")))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
    assert Blobs(Store(tmp_path), {}).read(PixelRef("a.png", 0, 5, sha(bytes(5)))) == bytes(5), (
        "no more than the row says"
    )


def test_a_large_file_comes_once_its_digest_fits(tmp_path: Path, small: int) -> None:
    content = bytes(range(256)) * 4000
    (tmp_path / "a.zip").write_bytes(b"xy" + deflated(content) + b"zz")
    (tmp_path / "b.raw").write_bytes(content)
    blobs = Blobs(Store(tmp_path), {})
    assert blobs.read(PixelRef(f"a.zip{DEFLATE}", 2, len(deflated(content)), sha(content))) == content
    assert blobs.read(PixelRef("b.raw", None, None, sha(content))) == content
    assert blobs.read_range("b.raw", 256, small) == content[256 : 256 + small]
    assert blobs.read_range("b.raw", 0, 4 * small) == content[: 4 * small], "its length is known"
    with pytest.raises(RowError, match="expected at most"):
        blobs.read_range("b.raw", 0, None)


def test_no_member_inflates_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs_module, "MOST_INFLATED", 1_000_000)
    bomb = deflated(bytes(1_000_001))
    (tmp_path / "a.zip").write_bytes(bomb)
    with pytest.raises(RowError, match="damaged"):
        Blobs(Store(tmp_path), {}).read(PixelRef(f"a.zip{DEFLATE}", 0, len(bomb), sha(bytes(1_000_001))))


def test_messages_do_not_quote_names(tmp_path: Path) -> None:
    (tmp_path / "DOE_JANE.png").write_bytes(b"1")
    blobs = Blobs(Store(tmp_path), {"sets": str(tmp_path)})
    for uri in ("DOE_JANE.png", "../DOE_JANE", "root://sets/DOE_JANE.png", f"root://sets/DOE_JANE.png{DEFLATE}",
                "root://sets/../DOE_JANE.png", "root://other/DOE_JANE.png", "DOE_JANE.gone"):  # fmt: skip
        with pytest.raises((RowError, ConfigError)) as caught:
            blobs.read(PixelRef(uri, 0, 1, sha(b"2")))
        assert "DOE" not in str(caught.value)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_shortened_file_is_noticed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write("x.tar", b"0123456789")
    with pytest.raises(RowError, match="expected sha256"):
        Blobs(store, {}).read(PixelRef("x.tar", 5, 10, sha(b"5678901234")))


def test_named_roots(tmp_path: Path) -> None:
    (tmp_path / "sets" / "busi").mkdir(parents=True)
    (tmp_path / "sets" / "busi" / "1 (é).png").write_bytes(b"pixels")
    blobs = Blobs(Store(tmp_path / "work"), {"sets": str(tmp_path / "sets")})
    uri = "root://sets/busi/1 (é).png"
    assert blobs.read(PixelRef(uri, None, None, sha(b"pixels"))) == b"pixels"
    assert blobs.read_range(uri, 2, 3) == b"xel"
    with blobs.open(uri) as file:
        assert file.read() == b"pixels"
    assert blobs.local_path(uri) == tmp_path / "sets" / "busi" / "1 (é).png"


@pytest.mark.parametrize(
    "rest", ["../secret", "busi/../../secret", "/etc/passwd", "link/secret", "busi/../link/secret"]
)
@pytest.mark.parametrize("how", ["local_path", "open", "read_range"])
def test_a_root_is_never_left(tmp_path: Path, rest: str, how: str) -> None:
    (tmp_path / "sets" / "busi").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "sets" / "link").symlink_to(tmp_path)
    blobs = Blobs(Store(tmp_path / "work"), {"sets": str(tmp_path / "sets")})
    arguments = (0, 5) if how == "read_range" else ()
    with pytest.raises(RowError, match="out of its root folder; refused"):
        getattr(blobs, how)(f"root://sets/{rest}", *arguments)


def test_a_neighbour_with_the_roots_name_as_prefix_is_outside(tmp_path: Path) -> None:
    (tmp_path / "sets2").mkdir()
    (tmp_path / "sets2" / "x").write_bytes(b"x")
    with pytest.raises(RowError, match="refused"):
        Blobs(Store(tmp_path), {"sets": str(tmp_path / "sets")}).open("root://sets/../sets2/x")


@pytest.mark.parametrize("uri", ["../outside", "/etc/passwd", "a/../../outside"])
def test_the_work_directory_is_never_left(tmp_path: Path, uri: str) -> None:
    (tmp_path / "outside").write_bytes(b"secret")
    with pytest.raises(RowError, match="refused"):
        Blobs(Store(tmp_path / "work"), {}).read_range(uri, 0, 6)


def test_an_unknown_root_says_how_to_name_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--root sets=FOLDER, ULTRACURATE_ROOT_SETS or `roots:` in the recipe"):
        Blobs(Store(tmp_path), {}).read_range("root://sets/a.png", None, None)


def test_only_local_work_has_local_paths() -> None:
    assert Blobs(Store("memory://x/y"), {}).local_path("a/b") is None
