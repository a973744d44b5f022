"""Archives as an attacker, an old Mac and a broken download make them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ultracurate.archives.reading import ArchiveLimits, Member, is_archive, iter_members, read_member
from ultracurate.core.errors import RowError

FILES = {"a/one.png": b"\x89PNG one", "a/two.bin": bytes(range(256)) * 40, "empty.txt": b""}
TAR_MODES = {"": "w", ".gz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}


def make_zip(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return out.getvalue()


def make_tar(files: dict[str, bytes], mode: Any = "w", extra: list[tarfile.TarInfo] | None = None) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in extra or []:
            archive.addfile(info)
    return out.getvalue()


def read_all(data: bytes, name: str = "x", limits: ArchiveLimits | None = None) -> dict[str, bytes | str]:
    """Path -> bytes, or the problem."""
    members = iter_members(io.BytesIO(data), name, limits or ArchiveLimits())
    return {member.path: member.problem or member.read() for member in members}


@pytest.mark.parametrize(
    "data",
    [make_zip(FILES, method) for method in (0, 8, 12, 14)] + [make_tar(FILES, mode) for mode in TAR_MODES.values()],
    ids=["stored", "deflate", "bzip2", "lzma", "tar", "tgz", "tbz", "txz"],
)
def test_every_kind_gives_its_files_back(data: bytes) -> None:
    assert read_all(data) == FILES
    assert read_member(io.BytesIO(data), "x", "a/two.bin") == FILES["a/two.bin"]
    with pytest.raises(RowError, match="found none"):
        read_member(io.BytesIO(data), "x", "a/three.bin")


def collect(data: bytes, into: dict[str, bytes]) -> None:
    for member in iter_members(io.BytesIO(data), "x"):
        into[member.path] = member.read()


names = st.text(st.characters(exclude_characters="/\\\0:", exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..", "__MACOSX", ".DS_Store") and not name.startswith("._")
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(names, st.binary(max_size=2000), max_size=6), st.sampled_from(["zip", *TAR_MODES.values()]))
def test_round_trip(files: dict[str, bytes], kind: str) -> None:
    import unicodedata

    data = make_zip(files) if kind == "zip" else make_tar(files, kind)
    expected: dict[str, bytes] = {}
    for name, content in files.items():
        expected.setdefault(unicodedata.normalize("NFC", name), content)
    found = {}
    for member in iter_members(io.BytesIO(data), "x"):
        if member.problem:
            assert member.problem == "a second member of the same path"
        else:
            found[member.path] = member.read()
    assert found == expected


def test_offsets_point_at_the_raw_bytes() -> None:
    for data in (make_zip(FILES, zipfile.ZIP_STORED), make_tar(FILES)):
        for member in iter_members(io.BytesIO(data), "x"):
            assert member.offset is not None
            assert data[member.offset : member.offset + member.size] == FILES[member.path]
    for data in (make_zip(FILES), make_tar(FILES, "w:gz")):
        assert all(member.offset is None for member in iter_members(io.BytesIO(data), "x"))


def test_offset_follows_the_local_header_not_the_directory() -> None:
    out = io.BytesIO(b"self-extracting stub")
    out.seek(0, 2)
    with zipfile.ZipFile(out, "a") as archive:
        info = zipfile.ZipInfo("a.bin")
        info.extra = struct.pack("<HH4s", 0xCAFE, 4, b"abcd")
        archive.writestr(info, b"payload")
    data = out.getvalue()
    with pytest.raises(RowError):
        list(iter_members(io.BytesIO(data), "x"))  # its magic is not a zip's
    stripped = make_zip({"first": b"1"}, 0)
    assert [m.offset for m in iter_members(io.BytesIO(stripped), "x")] == [stripped.index(b"first") + 5]


def test_lazy() -> None:
    class Counting(io.BytesIO):
        count = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            self.count += len(data)
            return data

    source = Counting(make_tar({f"{i}": bytes(100_000) for i in range(50)}))
    next(iter_members(source, "x"))
    assert source.count < 200_000


def test_system_files_are_skipped_and_paths_are_normalised() -> None:
    files = {
        "__MACOSX/a/._one.png": b"x",
        ".DS_Store": b"x",
        "a/.DS_Store": b"x",
        "a/._one.png": b"x",
        "./a//./one.png": b"1",
        "b\\two.png": b"2",
        "cafe\u0301.png": b"3",
        ".hidden/three.png": b"4",
    }
    expected = {"a/one.png": b"1", "b/two.png": b"2", "caf\u00e9.png": b"3", ".hidden/three.png": b"4"}
    assert read_all(make_zip(files)) == expected
    assert read_all(make_tar(files)) == expected


def test_names_that_are_not_utf8_can_be_stored() -> None:
    data = make_tar({"aaaa.png": b"1"}).replace(b"aaaa.png", b"a\xff\xfea.png")
    header = bytearray(data[:512])
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    (member,) = iter_members(io.BytesIO(bytes(header) + data[512:]), "x")
    assert member.path == r"a\xff\xfea.png"
    member.path.encode()


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("../up.png", "'..'"),
        ("a/../../up.png", "'..'"),
        ("a\\..\\up.png", "'..'"),
        ("/etc/passwd", "absolute"),
        ("C:\\windows\\x.png", "absolute"),
        ("\\\\server\\share\\x.png", "absolute"),
    ],
)
def test_escaping_paths_are_named_and_never_read(path: str, problem: str) -> None:
    for data in (make_zip({path: b"evil", "ok.png": b"fine"}), make_tar({path: b"evil", "ok.png": b"fine"})):
        bad, good = iter_members(io.BytesIO(data), "x")
        assert bad.problem is not None
        assert problem in bad.problem
        with pytest.raises(RowError, match="refused"):
            bad.read()
        assert good.path == "ok.png"


def test_links_and_devices_in_a_tar() -> None:
    extra = []
    for name, kind in (
        ("sym", tarfile.SYMTYPE),
        ("hard", tarfile.LNKTYPE),
        ("dev", tarfile.BLKTYPE),
        ("pipe", tarfile.FIFOTYPE),
    ):
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        extra.append(info)
    found = read_all(make_tar({"ok": b"1"}, extra=extra))
    assert found == {
        "ok": b"1",
        "sym": "a symbolic link",
        "hard": "a hard link",
        "dev": "a device or another special file",
        "pipe": "a device or another special file",
    }


def test_links_and_devices_in_a_zip() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, kind in (("sym", stat.S_IFLNK), ("dev", stat.S_IFCHR), ("ok", stat.S_IFREG)):
            info = zipfile.ZipInfo(name)
            info.external_attr = (kind | 0o644) << 16
            archive.writestr(info, b"/etc/passwd")
    found = read_all(out.getvalue())
    assert found["sym"] == "a symbolic link"
    assert found["dev"] == "a device or another special file"
    assert found["ok"] == b"/etc/passwd"


def patch_directory(data: bytes, at: int, value: bytes) -> bytes:
    """The zip with bytes of its first central directory entry replaced."""
    start = data.index(b"PK\x01\x02")
    return data[: start + at] + value + data[start + at + len(value) :]


def test_encrypted_and_unknown_methods() -> None:
    data = make_zip({"a": b"secret"})
    assert read_all(patch_directory(data, 8, b"\x01\x00"))["a"] == "encrypted"
    assert "method 9" in str(read_all(patch_directory(data, 10, b"\x09\x00"))["a"])


def test_a_zip_that_lies_about_its_sizes_cannot_grow() -> None:
    data = make_zip({"a": bytes(50_000_000)})
    lying = patch_directory(data, 24, struct.pack("<I", 1000))
    tracemalloc.start()
    try:
        with pytest.raises(RowError, match="damaged"):
            read_all(lying)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    longer = patch_directory(make_zip({"a": b"abc"}, 0), 24, struct.pack("<I", 4000))
    with pytest.raises(RowError):
        read_all(longer)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_greedy_methods_stay_small(method: int) -> None:
    lying = patch_directory(make_zip({"a": bytes(100_000_000)}, method), 24, struct.pack("<I", 1000))
    tracemalloc.start()
    try:
        with pytest.raises(RowError):
            read_all(lying)
        assert tracemalloc.get_traced_memory()[1] < 120_000_000
    finally:
        tracemalloc.stop()


def test_bombs() -> None:
    bomb = {"zeros": bytes(20_000_000), "ok": b"1"}
    found = read_all(make_zip(bomb))
    assert "ratio" in str(found["zeros"])
    assert found["ok"] == b"1"
    assert read_all(make_zip({"small": bytes(1 << 20)}))["small"] == bytes(1 << 20)
    for mode in ("w:gz", "w:bz2", "w:xz"):
        with pytest.raises(RowError, match="ratio"):
            read_all(make_tar(bomb, mode))


def test_overlapping_members() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("one", bytes(range(256)) * 8)
        archive.writestr("two", b"2")
    data = bytearray(out.getvalue())
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    data[second + 42 : second + 46] = struct.pack("<I", 40)  # inside the data of the first
    first, _ = iter_members(io.BytesIO(data), "x")
    assert (first.path, first.problem) == ("one", "data that overlaps the next member")


def test_limits_of_size_and_number() -> None:
    files = {f"{i}": bytes([i]) * 100 for i in range(5)}
    for data in (make_zip(files), make_tar(files), make_tar(files, "w:gz")):
        few = read_all(data, limits=ArchiveLimits(max_members=2))
        assert list(few) == ["0", "1", "2"]
        assert "at most 2 members" in str(few["2"])
        assert "at most 50 bytes" in str(read_all(data, limits=ArchiveLimits(max_member_bytes=50))["0"])
    total = read_all(make_zip(files), limits=ArchiveLimits(max_total_bytes=250))
    assert [isinstance(value, bytes) for value in total.values()] == [True, True, False, False, False]


def test_a_directory_too_long_to_read() -> None:
    data = make_zip({f"{i:0200}": b"" for i in range(5000)})
    with pytest.raises(RowError, match="directory"):
        read_all(data, limits=ArchiveLimits(max_members=10))


def test_two_members_of_one_path() -> None:
    data = make_zip({"a": b"1", "b": b"2"}).replace(b"b", b"a")
    members = list(iter_members(io.BytesIO(data), "x"))
    assert [member.problem for member in members] == [None, "a second member of the same path"]


def test_tar_headers_that_lie_about_their_length() -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 1 << 33
    with pytest.raises(RowError):
        read_all(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
    plain = bytearray(tarfile.TarInfo("back").tobuf(tarfile.GNU_FORMAT))
    plain[124:136] = b"\xff" * 10 + b"\xfc\x00"  # minus 1,024 in base 256
    plain[148:156] = b"        "
    plain[148:156] = b"%06o\0 " % sum(plain)
    first = make_tar({"ok": b"1"})[:1024]
    with pytest.raises(RowError):
        read_all(first + bytes(plain) + bytes(2048))


@pytest.mark.parametrize("mode", TAR_MODES.values(), ids=["tar", "tgz", "tbz", "txz"])
def test_truncated_tars_give_what_they_hold_then_an_error(mode: str) -> None:
    noise = random.Random(1)
    files = {f"{i}.bin": noise.randbytes(3000) for i in range(20)}
    data = make_tar(files, mode)
    end = len(data.rstrip(b"\0")) if mode == "w" else len(data) - 1200  # what follows is padding
    for cut in [*noise.sample(range(1, end), 25), 512, 1024]:
        members: dict[str, bytes] = {}
        with pytest.raises(RowError):
            collect(data[:cut], members)
        assert all(files[path] == content for path, content in members.items())
        if not mode.partition(":")[2] and cut > 5000:
            assert members


def test_truncated_zips_are_row_errors() -> None:
    data = make_zip(FILES)
    for cut in random.Random(2).sample(range(len(data) - 22), 40):
        with pytest.raises(RowError):
            read_all(data[:cut])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([make_zip(FILES), make_tar(FILES), make_tar(FILES, "w:gz"), make_tar(FILES, "w:xz")]), st.data())
def test_flipped_bytes_never_escape(data: bytes, draw: st.DataObject) -> None:
    spoiled = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 8))):
        spoiled[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    try:
        for path, content in read_all(bytes(spoiled)).items():
            assert isinstance(path, str)
            assert isinstance(content, bytes | str)
    except RowError:
        return


def test_messages_do_not_quote_member_names() -> None:
    data = make_zip({"DOE_JANE_1970.png": bytes(range(256)) * 10}, 0)
    spoiled = data.replace(bytes(range(200, 240)), bytes(40), 1)
    (member,) = iter_members(io.BytesIO(spoiled), "set.zip")
    with pytest.raises(RowError, match=r"set\.zip") as caught:
        member.read()
    assert "DOE" not in str(caught.value)


def test_a_packed_tar_is_read_in_order() -> None:
    members = list(iter_members(io.BytesIO(make_tar(FILES | {"z": bytes(5000)}, "w:gz")), "x"))
    with pytest.raises(RowError, match="in order"):
        members[0].read()
    plain = list(iter_members(io.BytesIO(make_tar(FILES)), "x"))
    assert {member.path: member.read() for member in reversed(plain)} == FILES


def test_is_archive_looks_inside() -> None:
    for data in (make_zip(FILES), make_zip({}), make_tar(FILES), make_tar(FILES, "w:gz")):
        assert is_archive("no-ending", data[:512])
    assert is_archive("x.tar.xz", make_tar(FILES, "w:xz")[:512])
    assert is_archive("x.tbz2", make_tar(FILES, "w:bz2")[:512])
    assert is_archive("old.tar", old_tar()[:512])
    for name, head in {
        "volume.nii.gz": gzip.compress(random.Random(0).randbytes(5000)),
        "table.csv.bz2": bz2.compress(b"a,b\n" * 100),
        "table.csv.xz": lzma.compress(b"a,b\n" * 100),
        "table.xlsx": make_zip({"[Content_Types].xml": b"<x/>"}),
        "fake.zip": b"\x89PNG\r\n\x1a\n" + bytes(600),
        "fake.tar": bytes(1024),
        "text.tar.gz": b"hello" * 200,
        "empty.zip": b"",
    }.items():
        assert not is_archive(name, head[:512]), name


def old_tar() -> bytes:
    """A header of the time before the ustar magic, with only its checksum to know it by."""
    header = bytearray(make_tar({"a": b"1"})[:512])
    header[257:265] = bytes(8)
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def test_not_an_archive() -> None:
    with pytest.raises(RowError, match=r"photo\.png"):
        read_all(b"\x89PNG\r\n\x1a\n" + bytes(2000), "photo.png")
    with pytest.raises(RowError):
        read_all(b"", "empty")


def test_nested_archives_are_ordinary_members() -> None:
    inner = make_zip({"a.png": b"1"})
    assert read_all(make_tar({"inner.zip": inner}))["inner.zip"] == inner


def test_a_member_says_nothing_of_its_reader() -> None:
    member = next(iter_members(io.BytesIO(make_zip({"a": b"1"})), "x"))
    assert isinstance(member, Member)
    assert "function" not in repr(member)
