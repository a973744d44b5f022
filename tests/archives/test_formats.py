"""Archives of every kind: what goes in comes out, or is refused by name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
import tracemalloc
import unicodedata
import zipfile
import zlib

import libarchive
import py7zr
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archives.makers import make_7z, make_rar4, make_rar5, make_tar_zst, make_zst
from tests.archives.test_reading import TAR_MODES, make_tar, make_zip, names, read_all
from ultracurate.archives import packed as archive_packed
from ultracurate.archives.reading import ArchiveLimits, archive_kind, is_archive, iter_members
from ultracurate.core.errors import RowError

NOISE = random.Random(7).randbytes(60_000)
FILES = {"a/one.png": b"\x89PNG one", "b/two.bin": NOISE, "empty.txt": b"", "last": b"3"}


def by_libarchive(kind: str, files: dict[str, bytes]) -> bytes:
    out = bytearray()

    def write(data: bytes) -> int:
        out.extend(data)
        return len(data)

    with libarchive.custom_writer(write, kind) as archive:
        for name, data in files.items():
            archive.add_file_from_memory(name, len(data), data)
    return bytes(out)


MAKERS = {
    "tar.zst": make_tar_zst,
    "7z": make_7z,
    "7z-lzma": lambda files: make_7z(files, filters=[{"id": py7zr.FILTER_LZMA}]),
    "7z-ppmd": lambda files: make_7z(files, filters=[{"id": py7zr.FILTER_PPMD, "order": 6, "mem": 20}]),
    "7z-bzip2": lambda files: make_7z(files, filters=[{"id": py7zr.FILTER_BZIP2}]),
    "7z-deflate": lambda files: make_7z(files, filters=[{"id": py7zr.FILTER_DEFLATE}]),
    "7z-copy": lambda files: make_7z(files, filters=[{"id": py7zr.FILTER_COPY}]),
    "7z-libarchive": lambda files: by_libarchive("7zip", files),
    "zip-libarchive": lambda files: by_libarchive("zip", files),
    "rar5": make_rar5,
    "rar4": make_rar4,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_every_kind_gives_its_files_back(kind: str) -> None:
    data = MAKERS[kind](FILES)
    assert is_archive(f"x.{kind}", data[:512])
    assert archive_kind(io.BytesIO(data), f"x.{kind}") == kind.partition("-")[0].removesuffix(".zst").rstrip("45")
    assert read_all(data) == FILES
    assert read_all(data, limits=ArchiveLimits(max_member_bytes=100))["last"] == b"3", "goes on behind a refused member"


KINDS = ["zip", *TAR_MODES.values(), "tar.zst", "7z", "rar5"]


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(names, st.binary(max_size=3000), min_size=1, max_size=6), st.sampled_from(KINDS))
def test_any_names_and_bytes_come_back(files: dict[str, bytes], kind: str) -> None:
    if kind == "zip":
        data = make_zip(files)
    else:
        data = make_tar(files, kind) if kind in TAR_MODES.values() else MAKERS[kind](files)
    expected: dict[str, bytes] = {}
    for name, content in files.items():
        expected.setdefault(unicodedata.normalize("NFC", name), content)
    found, refused = {}, set()
    for member in iter_members(io.BytesIO(data), f"x.{kind}"):
        if member.problem:
            refused.add(member.problem)
        else:
            found[member.path] = member.read()
    assert found == expected
    assert refused <= {"a second member of the same path"}


def test_an_empty_7z() -> None:
    data = b"7z\xbc\xaf\x27\x1c\0\4" + zlib.crc32(bytes(20)).to_bytes(4, "little") + bytes(20)
    assert read_all(data, "x.7z") == {}
    assert read_all(make_rar5({}), "x.rar") == {}


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, make_zst])
def test_a_single_compressed_file_is_the_file_itself(pack: object) -> None:
    data = pack(NOISE)  # type: ignore[operator]
    for name in ("x.nii.gz", "no ending"):
        assert archive_kind(io.BytesIO(data), name) == "packed"
        (member,) = iter_members(io.BytesIO(data), name)
        assert (member.path, member.size, member.problem) == ("", -1, None)
        assert member.read() == NOISE
    assert not is_archive("x.nii.gz", data[:512])
    twice = pack(b"one") + pack(b"two")  # type: ignore[operator]
    assert read_all(twice, "x.gz") == {"": b"onetwo"}
    for cut in (1, len(data) // 2, len(data) - 5):
        with pytest.raises(RowError):
            read_all(data[:cut], "x.gz")
    bomb = pack(bytes(30_000_000))  # type: ignore[operator]
    with pytest.raises(RowError, match="ratio"):
        read_all(bomb, "x.gz")
    with pytest.raises(RowError, match="at most 50000 bytes"):
        read_all(data, "x.gz", ArchiveLimits(max_member_bytes=50_000))
    black = pack(bytes(5000))  # type: ignore[operator]
    assert read_all(black, "x.raw.gz") == {"": bytes(5000)}, "zeros are no empty tar"


def test_next_to_empty_streams_without_end() -> None:
    with pytest.raises(RowError, match="ValueError"):
        read_all(gzip.compress(b"") * 60_000, "x.gz")
    assert read_all(gzip.compress(NOISE[:500]) * 1000, "x.gz") == {"": NOISE[:500] * 1000}


def test_a_gzip_file_can_be_read_again_in_place_if_it_is_one_stream() -> None:
    out = io.BytesIO()
    with gzip.GzipFile("a name", "wb", fileobj=out) as file:
        file.write(NOISE)
    plain = gzip.compress(NOISE)
    head = plain[:3] + b"\x06" + plain[4:10] + b"\x03\x00abc"  # an extra field, and the header's own checksum
    extra = head + (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little") + plain[10:]
    for data in (out.getvalue(), plain, extra):
        (member,) = iter_members(io.BytesIO(data), "x.gz")
        assert member.read() == NOISE
        offset, length, deflated = member.in_place() or (0, 0, False)
        assert deflated
        assert zlib.decompressobj(wbits=-15).decompress(data[offset : offset + length]) == NOISE
    (member,) = iter_members(io.BytesIO(plain + plain), "x.gz")
    assert member.in_place() is None, "not known before it was read"
    assert member.read() == NOISE * 2
    assert member.in_place() is None


def test_an_xz_that_wants_too_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    data = lzma.compress(b"small")
    assert read_all(data, "x.xz") == {"": b"small"}
    monkeypatch.setattr(archive_packed, "MOST_DICTIONARY", 1 << 20)  # `xz -6` wants 8 MiB
    with pytest.raises(RowError, match="LZMAError"):
        read_all(data, "x.xz")


def named_zip(raw: bytes, flag: int = 0, extra: bytes = b"") -> bytes:
    """A zip whose only member has these bytes for a name."""
    info = zipfile.ZipInfo("n" * len(raw))
    info.extra = extra
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, b"1")
    data = bytearray(out.getvalue().replace(b"n" * len(raw), raw))
    directory = data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, 6, flag)
    struct.pack_into("<H", data, directory + 8, flag)
    return bytes(data)


@pytest.mark.parametrize(
    ("raw", "flag", "path"),
    [
        ("é.png".encode("cp437"), 0, "é.png"),
        ("é.png".encode(), 0x800, "é.png"),
        ("日本.png".encode(), 0, "日本.png"),  # as macOS writes it
        ("超声.png".encode("gbk"), 0, "│¼╔∙.png"),  # what cp437 makes of it
    ],
)
def test_names_of_a_zip(raw: bytes, flag: int, path: str) -> None:
    assert read_all(named_zip(raw, flag)) == {path: b"1"}


def test_the_unicode_path_of_a_zip_counts_if_it_belongs_to_the_name() -> None:
    raw = "超声.png".encode("gbk")
    for crc, path in ((zlib.crc32(raw), "超声.png"), (1, "│¼╔∙.png")):
        content = b"\x01" + crc.to_bytes(4, "little") + "超声.png".encode()
        data = named_zip(raw, extra=struct.pack("<HH", 0x7075, len(content)) + content)
        assert read_all(data) == {path: b"1"}
    escape = b"\x01" + zlib.crc32(b"ok.png").to_bytes(4, "little") + b"../up.png"
    (member,) = iter_members(
        io.BytesIO(named_zip(b"ok.png", extra=struct.pack("<HH", 0x7075, len(escape)) + escape)), "x"
    )
    assert "'..'" in str(member.problem)


def test_zip64() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("big", "w", force_zip64=True) as member:
        member.write(NOISE)
    assert read_all(out.getvalue()) == {"big": NOISE}


def test_members_of_a_zip_can_be_read_after_the_last_came() -> None:
    members = list(iter_members(io.BytesIO(make_zip(FILES)), "x"))
    assert {member.path: member.read() for member in reversed(members)} == FILES


def test_documents_and_arrays_that_are_zips_are_no_archives() -> None:
    data = make_zip({"arr_0.npy": b"1"})
    for name in ("a.npz", "a.XLSX", "a.docx"):
        assert not is_archive(name, data[:512])
        assert archive_kind(io.BytesIO(data), name) is None


def test_the_last_volume_of_a_split_zip_alone() -> None:
    data = bytearray(make_zip(FILES))
    struct.pack_into("<H", data, len(data) - 18, 3)
    with pytest.raises(RowError, match=r"volume 4 of a split one"):
        read_all(bytes(data))


def test_the_ratio_counts_over_all_members() -> None:
    small = {f"{n}": bytes(1 << 20) for n in range(30)}  # each may be all zeros, all of them together not
    found = read_all(make_zip(small))
    assert found["0"] == bytes(1 << 20)
    assert "over all members" in str(found["29"])


def test_folders_are_counted_too() -> None:
    folders = make_zip({f"{n}/": b"" for n in range(20)} | {"__MACOSX/x": b""})
    assert read_all(folders) == {}
    with pytest.raises(RowError, match="at most 10 folders"):
        read_all(folders, limits=ArchiveLimits(max_members=10))


def test_a_large_member_streams() -> None:
    data = make_zip({"big": random.Random(1).randbytes(1 << 16) * 60}, zipfile.ZIP_BZIP2)
    (member,) = iter_members(io.BytesIO(data), "x", ArchiveLimits(max_ratio=2000))
    tracemalloc.start()
    try:
        assert sum(map(len, member.stream())) == 60 << 16
        assert tracemalloc.get_traced_memory()[1] < 3 << 20
    finally:
        tracemalloc.stop()
