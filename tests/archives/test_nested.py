"""Archives in archives: every member at its own path, limits over all levels, nothing left behind."""

from __future__ import annotations

import gzip
import io
import random
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archives.makers import make_7z, make_rar5, make_tar_zst
from tests.archives.test_reading import make_tar, make_zip
from ultracurate.archives import nested as archive_nested
from ultracurate.archives.nested import walk_members
from ultracurate.archives.reading import ArchiveLimits, Member
from ultracurate.core.errors import RowError

NOISE = random.Random(3).randbytes(9000)
LEAVES = {"one.png": NOISE, "two.txt": b"2"}
MAKERS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "zip": make_zip,
    "stored.zip": lambda files: make_zip(files, 0),
    "tar": make_tar,
    "tar.gz": lambda files: make_tar(files, "w:gz"),
    "txz": lambda files: make_tar(files, "w:xz"),
    "tar.zst": make_tar_zst,
    "7z": make_7z,
    "rar": make_rar5,
}


def walk(data: bytes, folder: Path, limits: ArchiveLimits | None = None, **more: object) -> dict[str, object]:
    """Path -> bytes, the problem, or the error; what claims to lie in place is read there."""
    found: dict[str, object] = {}
    for member in walk_members(io.BytesIO(data), "set.zip", limits or ArchiveLimits(), folder, **more):  # type: ignore[arg-type]
        try:
            found[member.path] = member.problem or read(member, data)
        except RowError as exc:
            found[member.path] = exc
    assert not list(folder.iterdir()), "no temporary file is left"
    return found


def read(member: Member, data: bytes) -> bytes:
    content = member.read()
    if place := member.in_place():
        offset, length, deflated = place
        raw = data[offset : offset + length]
        assert (zlib.decompressobj(wbits=-15).decompress(raw) if deflated else raw) == content
    return content


@pytest.mark.parametrize("outer", MAKERS)
def test_every_kind_in_every_kind(outer: str, tmp_path: Path) -> None:
    inner = {
        f"in/{kind}.{kind}": make(LEAVES) for kind, make in MAKERS.items() if outer in ("zip", "7z") or kind != "rar"
    }
    found = walk(MAKERS[outer]({**inner, "last.png": b"3"}), tmp_path)
    expected = {f"{archive}/{name}": data for archive in inner for name, data in LEAVES.items()}
    assert found == expected | {"last.png": b"3"}


def test_stored_archives_are_read_in_place(tmp_path: Path) -> None:
    data = make_tar({"in.zip": make_zip({"deep.tar": make_tar(LEAVES)}, 0), "v.nii.gz": gzip.compress(NOISE)})
    places = {m.path: (m.read(), m.in_place()) for m in walk_members(io.BytesIO(data), "x", ArchiveLimits(), tmp_path)}
    for content, place in places.values():
        assert place is not None
        raw = data[place[0] : place[0] + place[1]]
        assert (zlib.decompressobj(wbits=-15).decompress(raw) if place[2] else raw) == content
    assert places["in.zip/deep.tar/one.png"][0] == places["v.nii.gz"][0] == NOISE


def test_compressed_members_keep_their_path(tmp_path: Path) -> None:
    files = {
        "a.nii.gz": gzip.compress(NOISE),
        "fake.gz": b"not packed",
        "b.csv": b"1",
        "cut.gz": gzip.compress(NOISE)[:-9],
    }
    for make in MAKERS.values():
        members = {}
        for member in walk_members(io.BytesIO(make(files)), "x", ArchiveLimits(), tmp_path):
            if member.path == "cut.gz":
                with pytest.raises(RowError, match=r"'archive\.gz': damaged"):
                    member.read()
                continue
            members[member.path] = member.read()
        assert members == {"a.nii.gz": NOISE, "fake.gz": b"not packed", "b.csv": b"1"}
    as_stored = walk(make_zip(files), tmp_path, as_stored={"a.nii.gz", "cut.gz"})
    assert as_stored["a.nii.gz"] == files["a.nii.gz"]


def test_what_only_looks_like_an_archive_is_a_member(tmp_path: Path) -> None:
    for make in MAKERS.values():
        assert walk(make({"fake.zip": b"text", "b": b"1"}), tmp_path) == {"fake.zip": b"text", "b": b"1"}
        refused = walk(make({"fake.zip": b"text"}), tmp_path, ArchiveLimits(max_member_bytes=3))
        assert refused == {"fake.zip": "expected at most 3 bytes, found 4"}


def test_closed_archives_are_members(tmp_path: Path) -> None:
    inner = make_zip(LEAVES)
    data = make_zip({"a/masks.zip": inner, "b.zip": inner})
    found = walk(data, tmp_path, closed=lambda path: path == "a/masks.zip")
    assert found == {"a/masks.zip": inner, "b.zip/one.png": NOISE, "b.zip/two.txt": b"2"}


def test_a_damaged_archive_costs_only_itself(tmp_path: Path) -> None:
    cut = make_tar({"good.png": NOISE, "lost.png": NOISE})[:10_500]
    for bad in (cut, gzip.compress(cut), make_7z(LEAVES)[:-20]):
        name = "bad.7z" if bad.startswith(b"7z") else "bad.tar.gz" if bad.startswith(b"\x1f") else "bad.tar"
        found = walk(make_zip({"a": b"1", name: bad, "z": b"2"}), tmp_path)
        assert isinstance(found[name], RowError)
        assert found["a"] == b"1"
        assert found["z"] == b"2"
        if "tar" in name:
            assert found[f"{name}/good.png"] == NOISE


def test_encrypted_lists_inside(tmp_path: Path) -> None:
    locked = make_7z(LEAVES, password="x", header_encryption=True)
    assert walk(make_zip({"a.7z": locked, "b": b"1"}), tmp_path) == {"a.7z": "encrypted", "b": b"1"}


def test_depth(tmp_path: Path) -> None:
    data = make_zip(LEAVES)
    for level in (4, 3, 2):
        data = make_zip({f"{level}.zip": data})
    assert walk(data, tmp_path) == {"2.zip/3.zip/4.zip": "an archive in archives, deeper than 3"}
    assert list(walk(data, tmp_path, ArchiveLimits(max_depth=4))) == [f"2.zip/3.zip/4.zip/{name}" for name in LEAVES]
    assert list(walk(data, tmp_path, ArchiveLimits(max_depth=1))) == ["2.zip"]


def matryoshka(level: int, width: int, leaf: bytes) -> bytes:
    """As 42.zip: archives of archives, all of them equal."""
    data = make_zip({"0.dll": leaf})
    for _ in range(level):
        data = make_zip({f"lib {n:x}.zip": data for n in range(width)})
    return data


def test_bombs_over_several_levels(tmp_path: Path) -> None:
    zeros = bytes(1 << 20)  # each alone within the ratio of small members
    data = matryoshka(2, 16, zeros)
    read = refused = 0
    for member in walk_members(io.BytesIO(data), "42.zip", ArchiveLimits(), tmp_path):
        if member.problem:
            refused += 1
            assert "ratio" in member.problem
        elif not member.error:
            read += len(member.read())
    assert refused
    assert read <= 200 * len(data), "the ratio holds over all levels"
    total = walk(matryoshka(2, 4, NOISE), tmp_path, ArchiveLimits(max_total_bytes=60_000))
    assert sum(len(value) for value in total.values() if isinstance(value, bytes)) <= 60_000
    assert any("bytes in all" in str(value) for value in total.values())
    many = walk(matryoshka(2, 6, b"1"), tmp_path, ArchiveLimits(max_members=20))
    assert sum(isinstance(value, bytes) for value in many.values()) <= 20
    assert "at most 20 members" in str(list(many.values())[-1])


def test_large_nested_archives_lie_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = tempfile.SpooledTemporaryFile

    def watched(most: int, **options: Any) -> object:
        seen.append(options)
        return real(most, **options)

    monkeypatch.setattr(archive_nested, "IN_MEMORY", 1000)
    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", watched)
    assert walk(make_tar({"a.zip": make_zip(LEAVES)}, "w:gz"), tmp_path) == {f"a.zip/{n}": d for n, d in LEAVES.items()}
    assert seen == [{"dir": str(tmp_path)}]
    limits = ArchiveLimits(max_nested_bytes=500)
    assert "at most 500 bytes" in str(walk(make_zip({"a.zip": make_zip(LEAVES)}), tmp_path, limits)["a.zip"])


def test_messages_do_not_quote_member_names(tmp_path: Path) -> None:
    found = walk(make_zip({"DOE_JANE.zip": make_zip(LEAVES)[:200]}), tmp_path)
    assert "DOE" not in str(found["DOE_JANE.zip"])


trees = st.recursive(
    st.binary(max_size=300),
    lambda inner: st.tuples(
        st.sampled_from(["zip", "stored.zip", "tar", "tar.gz", "tar.zst"]),
        st.dictionaries(st.sampled_from(["a", "b/c", "é", "ü.txt"]), inner, min_size=1, max_size=3),
    ),
    max_leaves=8,
)


def pack(tree: tuple[str, dict[str, object]], trail: str, leaves: dict[str, object], depth: int = 1) -> bytes:
    """The archive of a tree; notes what should come out of it."""
    kind, content = tree
    files = {}
    for name, node in content.items():
        if isinstance(node, bytes):
            files[name] = node
            leaves[trail + name] = node
            continue
        full = f"{name}.{node[0]}"  # type: ignore[index]
        below: dict[str, object] = {}
        files[full] = pack(node, f"{trail}{full}/", below, depth + 1)  # type: ignore[arg-type]
        leaves |= {trail + full: "deeper"} if depth >= 3 else below
    return MAKERS[kind](files)


@settings(max_examples=60, deadline=None)
@given(tree=trees.filter(lambda tree: isinstance(tree, tuple)))
def test_any_tree_comes_back(tree: tuple[str, dict[str, object]], tmp_path_factory: pytest.TempPathFactory) -> None:
    leaves: dict[str, object] = {}
    data = pack(tree, "", leaves)
    found = walk(data, tmp_path_factory.mktemp("scratch"))
    assert found.keys() == leaves.keys()
    for path, expected in leaves.items():
        assert expected in str(found[path]) if isinstance(expected, str) else found[path] == expected
