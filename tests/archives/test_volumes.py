"""Archives in several files: which belong together, and a split zip put together again."""

from __future__ import annotations

import io
import random
import shutil
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archives.makers import split_zip
from tests.archives.test_reading import make_zip
from ultracurate.archives.joined import Piece, joined, locate
from ultracurate.archives.reading import ArchiveLimits, iter_members
from ultracurate.archives.split_zip import unsplit_zip
from ultracurate.archives.volumes import VolumeSet, find_sets
from ultracurate.core.errors import RowError

FILES = {f"{n}.bin": random.Random(n).randbytes(9000) for n in range(10)} | {"日本/leer": b""}


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["a.7z.002", "a.7z.001", "a.7z.003"], ("joined", ("a.7z.001", "a.7z.002", "a.7z.003"), "a.7z.001", (), True)),
        (["d/A.ZIP.001", "d/A.zip.002"], ("joined", ("d/A.ZIP.001", "d/A.zip.002"), "d/A.ZIP.001", (), True)),
        (["a.tgz.001", "a.tgz.004"], ("joined", ("a.tgz.001", "a.tgz.004"), "a.tgz.001", ("002", "003"), True)),
        (["a.7z.002", "a.7z.003"], ("joined", ("a.7z.002", "a.7z.003"), "a.7z.002", ("001",), True)),
        (["a.000", "a.001"], ("joined", ("a.000", "a.001"), "a.000", (), False)),
        (["im.001", "im.002"], ("joined", ("im.001", "im.002"), "im.001", (), False)),
        (["a.part2.rar", "a.part1.rar"], ("rar", ("a.part1.rar", "a.part2.rar"), "a.part1.rar", (), True)),
        (["a.part1.rar", "a.part3.rar"], ("rar", ("a.part1.rar", "a.part3.rar"), "a.part1.rar", ("part2.rar",), True)),
        (["a.part2.rar"], ("rar", ("a.part2.rar",), "a.part2.rar", ("part1.rar",), True)),
        (["a.rar", "a.r00", "a.r01"], ("rar", ("a.rar", "a.r00", "a.r01"), "a.rar", (), True)),
        (["a.r98", "a.s00"], ("rar", ("a.r98", "a.s00"), "a.r98", ("rar", *(f"r{n:02}" for n in range(19))), False)),
        (["a.rar", "a.r01"], ("rar", ("a.rar", "a.r01"), "a.rar", ("r00",), True)),
        (["a.zip", "a.z01", "a.z02"], ("zip", ("a.z01", "a.z02", "a.zip"), "a.zip", (), True)),
        (["a.zip", "a.z02"], ("zip", ("a.z02", "a.zip"), "a.zip", ("z01",), True)),
        (["a.z01", "a.z02"], ("zip", ("a.z01", "a.z02"), "a.z02", ("zip",), False)),
    ],
)  # fmt: skip
def test_names(names: list[str], found: tuple[object, ...]) -> None:
    assert find_sets(["other.png", *names, "b.zip"]) == [VolumeSet(*found)]  # type: ignore[arg-type]


def test_no_sets() -> None:
    alone = [
        "a.7z.001",
        "a.part1.rar",
        "b.rar",
        "c.zip",
        "im.005",
        "im.006",
        "x/d.zip",
        "d.7z",
        "scan.0001.dcm",
        ".001",
    ]
    assert find_sets(alone) == []
    assert [s.names for s in find_sets(["x/a.zip", "y/a.z01", "x/a.z01"])] == [("x/a.z01", "x/a.zip"), ("y/a.z01",)]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.from_regex(r"[ab]\.(7z\.00[0-9]|part[0-9]{1,2}\.rar|rar|r0[0-9]|zip|z0[0-9]|00[0-9])", fullmatch=True))
)
def test_no_file_is_in_two_sets_and_owners_are_members(names: list[str]) -> None:
    sets = find_sets(names)
    members = [name for found in sets for name in found.names]
    assert len(members) == len(set(members))
    assert set(members) <= set(names)
    assert all(found.owner in found.names for found in sets)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=20), max_size=6), st.data())
def test_joined_reads_as_one_file(parts: list[bytes], draw: st.DataObject) -> None:
    whole = b"".join(parts)
    pieces = [Piece(io.BytesIO(b"xx" + part + b"yyy"), 2, len(part)) for part in parts]
    file = joined(pieces)
    assert file.read() == whole
    at, length = draw.draw(st.integers(0, len(whole) + 3)), draw.draw(st.integers(0, 30))
    assert file.seek(at) == at
    assert file.read(length) == whole[at : at + length]
    assert file.seek(0, 2) == len(whole)
    place = locate(pieces, at, length)
    if place is not None:
        number, inside = place
        assert parts[number][inside : inside + length] == whole[at : at + length]
        assert inside + length <= len(parts[number])


def together(volumes: list[bytes]) -> io.BytesIO:
    pieces = [Piece(io.BytesIO(volume), 0, len(volume)) for volume in volumes]
    return joined(unsplit_zip(pieces, ArchiveLimits()))  # type: ignore[return-value]


@pytest.mark.parametrize("size", [700, 10_000, 65_536, 1_000_000])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_split_zip_is_the_zip_it_was(size: int, method: int) -> None:
    file = together(split_zip(make_zip(FILES, method), size))
    found = {}
    for member in iter_members(file, "x.zip"):
        found[member.path] = member.read()
        if member.offset is not None:
            file.seek(member.offset)
            assert file.read(member.size) == found[member.path]
    assert found == FILES


@pytest.mark.skipif(shutil.which("zip") is None, reason="needs Info-ZIP's zip")
def test_volumes_by_info_zip(tmp_path: Path) -> None:
    big = {f"{n}.bin": random.Random(n).randbytes(50_000) for n in range(5)}
    for name, data in big.items():
        (tmp_path / name).write_bytes(data)
    subprocess.run(["zip", "-q", "-s", "64k", "set.zip", *big], cwd=tmp_path, check=True)
    volumes = [path.read_bytes() for path in [*sorted(tmp_path.glob("set.z0*")), tmp_path / "set.zip"]]
    assert len(volumes) == 4
    assert {member.path: member.read() for member in iter_members(together(volumes), "x.zip")} == big


def test_volumes_that_do_not_fit_together() -> None:
    volumes = split_zip(make_zip(FILES, 0), 20_000)
    for wrong in (volumes[1:], [*volumes[:-1], volumes[0], volumes[-1]]):
        with pytest.raises(RowError, match=f"expected {len(volumes)} volumes, as the last one says"):
            together(wrong)
    with pytest.raises(RowError, match="expected the end of a zip"):
        together(volumes[:-1])
    last = bytearray(volumes[-1])
    end = last.rindex(b"PK\x05\x06")
    struct.pack_into("<I", last, end + 16, 1 << 30)
    with pytest.raises(RowError, match="outside its volumes"):
        together([*volumes[:-1], bytes(last)])
    struct.pack_into("<I", last, end + 12, 1 << 30)
    struct.pack_into("<I", last, end + 16, 0)
    with pytest.raises(RowError, match="too long"):
        together([*volumes[:-1], bytes(last)])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_spoiled_volumes_never_escape(draw: st.DataObject) -> None:
    volumes = [bytearray(volume) for volume in split_zip(make_zip(FILES, 0), 20_000)]
    for _ in range(draw.draw(st.integers(1, 6))):
        volume = draw.draw(st.sampled_from(volumes[-2:]))
        volume[-draw.draw(st.integers(1, 700))] = draw.draw(st.integers(0, 255))
    try:
        for member in iter_members(together([bytes(volume) for volume in volumes]), "x.zip"):
            assert member.problem or isinstance(member.read(), bytes)
    except RowError:
        return
