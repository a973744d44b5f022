"""What the index stage sees of a file: members of any archive, volumes, files that belong to a header."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.archives.makers import make_7z, make_rar5_volumes, split_zip
from tests.stages.bench import Bench, manifest
from ultracurate.archives.reading import ArchiveLimits
from ultracurate.core.blobs import DEFLATE, PixelRef
from ultracurate.core.context import Context
from ultracurate.core.errors import RowError
from ultracurate.phantom.packing import pack_tar, pack_zip
from ultracurate.stages._containers import locate_parts, open_file, volume_of
from ultracurate.stages._siblings import read_sibling, read_siblings, sibling_path

NOISE = random.Random(5).randbytes(4000)
FILES = {"p/one.png": NOISE, "two.nii.gz": gzip.compress(NOISE)}
CONTENT = {"p/one.png": NOISE, "two.nii.gz": NOISE}


class Folder:
    """Downloaded files of one dataset, with what `locate_parts` says of them."""

    def __init__(self, tmp_path: Path, files: dict[str, bytes], **fields: Any) -> None:
        bench = Bench(tmp_path, manifest(**fields))
        self.ctx: Context = bench.context("index")
        self.rows = {name: bench.put(name, data) for name, data in files.items()}
        located = locate_parts(pa.Table.from_pylist(list(self.rows.values())), self.ctx)
        self.prepared = {found["file_id"]: found for found in located}

    def parts(self, name: str) -> dict[str, str]:
        return self.prepared.get(self.rows[name]["file_id"], {})

    def read(self, name: str, limits: ArchiveLimits | None = None) -> dict[str, bytes | str]:
        """Path -> bytes, or what is wrong; what has a place is read there again."""
        found: dict[str, bytes | str] = {}
        for entry in open_file(self.rows[name], self.ctx, limits or ArchiveLimits(), self.parts(name)):
            if entry.problem or entry.error:
                found[entry.path] = entry.problem or str(entry.error)
                continue
            data = found[entry.path] = entry.read()
            assert entry.path == (f"{name}/{entry.member}" if entry.member else name)
            if place := entry.place():
                assert self.ctx.blobs.read(PixelRef(*place, hashlib.sha256(data).hexdigest())) == data
        return found


def test_a_file_is_itself_or_its_members(tmp_path: Path) -> None:
    folder = Folder(
        tmp_path,
        {
            "x/plain.png": NOISE,
            "a.zip": pack_zip(FILES),
            "a.tar.gz": pack_tar(FILES),
            "a.7z": make_7z(FILES),
            "v.nii.gz": gzip.compress(NOISE),
            "out.zip": pack_zip({"in.tar": pack_tar(FILES, compress=False)}),
            "array.npz": pack_zip({"arr_0.npy": NOISE}),
            "locked.7z": make_7z(FILES, password="x", header_encryption=True),
        },
    )
    assert folder.prepared == {}
    assert folder.read("x/plain.png") == {"x/plain.png": NOISE}
    for name in ("a.zip", "a.tar.gz", "a.7z"):
        assert folder.read(name) == {f"{name}/{path}": data for path, data in CONTENT.items()}
    assert folder.read("v.nii.gz") == {"v.nii.gz": NOISE}
    assert folder.read("out.zip") == {f"out.zip/in.tar/{path}": data for path, data in CONTENT.items()}
    assert list(folder.read("array.npz")) == ["array.npz"]
    assert folder.read("locked.7z") == {"locked.7z": "encrypted"}
    with pytest.raises(RowError, match=r"at most 10 bytes \(index.max_member_bytes\), found 4000"):
        folder.read("x/plain.png", ArchiveLimits(max_member_bytes=10))


def test_where_no_copy_is_needed(tmp_path: Path) -> None:
    folder = Folder(tmp_path, {"a.zip": pack_zip({"in.zip": pack_zip(FILES)}), "b.zip": pack_zip(FILES, stored=False)})
    uri = folder.rows["a.zip"]["file_uri"]
    places = []
    for entry in open_file(folder.rows["a.zip"], folder.ctx):
        entry.read()
        places.append(entry.place())
    assert [place and place[0] for place in places] == [uri, uri + DEFLATE]
    deflated = [entry.place() for entry in open_file(folder.rows["b.zip"], folder.ctx) if entry.read()]
    assert [place and place[0].endswith(DEFLATE) for place in deflated] == [True, None]


def test_a_nested_archive_stays_closed_where_a_rule_names_it(tmp_path: Path) -> None:
    inner = pack_zip(FILES)
    layout = [
        {"match": "**/masks.zip", "kind": "ignore", "reason": "not_needed"},
        {"match": "**.nii.gz", "kind": "volume"},
        {"match": "**", "kind": "image"},
    ]
    folder = Folder(tmp_path, {"a.zip": pack_zip({"masks.zip": inner, "b.zip": inner})}, layout=layout)
    found = folder.read("a.zip")
    assert found.pop("a.zip/masks.zip") == inner
    assert found == {f"a.zip/b.zip/{path}": data for path, data in CONTENT.items()}


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[n : n + size] for n in range(0, len(data), size)]


SEVEN = make_7z({"a.bin": NOISE, "b.bin": NOISE[::-1]})
ZIP = pack_zip({f"{n}.bin": random.Random(n).randbytes(9000) for n in range(5)})
RAR = make_rar5_volumes("big.bin", NOISE, [1500, 3000])


@pytest.mark.parametrize(
    ("names", "volumes", "owner", "count"),
    [
        (["s.7z.001", "s.7z.002", "s.7z.003"], cut(SEVEN, len(SEVEN) // 3 + 1), "s.7z.001", 2),
        (["s.001", "s.002", "s.003"], cut(SEVEN, len(SEVEN) // 3 + 1), "s.001", 2),
        (["s.zip.001", "s.zip.002", "s.zip.003"], cut(ZIP, 20_000), "s.zip.001", 5),
        (["s.z01", "s.z02", "s.zip"], split_zip(ZIP, 20_000), "s.zip", 5),
        (["s.part1.rar", "s.part2.rar", "s.part3.rar"], RAR, "s.part1.rar", 1),
        (["s.rar", "s.r00", "s.r01"], RAR, "s.rar", 1),
    ],
)
def test_volumes(tmp_path: Path, names: list[str], volumes: list[bytes], owner: str, count: int) -> None:
    assert len(volumes) == 3
    files = dict(zip(names, volumes, strict=True))
    folder = Folder(tmp_path, {f"d/{name}": data for name, data in files.items()} | {"d/other.png": NOISE})
    owner_id = folder.rows[f"d/{owner}"]["file_id"]
    assert {name for name in names if volume_of(folder.parts(f"d/{name}")) == owner_id} == set(names) - {owner}
    assert volume_of(folder.parts(f"d/{owner}")) is None
    whole = folder.read(f"d/{owner}")
    assert len(whole) == count
    assert NOISE in whole.values() or owner.startswith(("s.z", "s.zip"))
    assert set(whole) == {path for path in whole if path.startswith(f"d/{owner}/")}


def test_the_place_of_a_member_is_in_its_volume(tmp_path: Path) -> None:
    folder = Folder(tmp_path, {f"s.zip.{n + 1:03}": data for n, data in enumerate(cut(ZIP, 20_000))})
    places = {}
    for entry in open_file(folder.rows["s.zip.001"], folder.ctx, prepared=folder.parts("s.zip.001")):
        entry.read()
        places[entry.member] = entry.place()
    uris = [row["file_uri"] for row in folder.rows.values()]
    assert [place and uris.index(place[0]) for place in places.values()] == [0, 0, None, 1, None]


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (["s.7z.001", "s.7z.003"], r"missing \.002\."),
        (["s.7z.002", "s.7z.003"], r"missing \.001\."),
        (["s.z01", "s.z03", "s.zip"], r"missing \.z02\."),
        (["s.rar", "s.r02"], r"missing \.r00, \.r01\."),
        (["s.part2.rar"], r"missing \.part1\.rar\."),
    ],
)
def test_missing_volumes_are_named(tmp_path: Path, names: list[str], missing: str) -> None:
    folder = Folder(tmp_path, dict.fromkeys(names, b"x"))
    (owner,) = [name for name in names if volume_of(folder.parts(name)) is None]
    with pytest.raises(RowError, match=missing):
        folder.read(owner)


def test_numbered_pictures_are_no_volumes(tmp_path: Path) -> None:
    folder = Folder(tmp_path, {"im.001": bytes(128) + b"DICM", "im.002": bytes(128) + b"DICM"})
    assert folder.prepared == {}


def test_records_do_not_share_volumes(tmp_path: Path) -> None:
    ctx = Bench(tmp_path).context("index")
    rows = [
        {
            "dataset": "a",
            "record": record,
            "file_id": f"{record}{name}",
            "file_name": name,
            "file_uri": "x",
            "file_sha256": "",
        }
        for record, name in (("1", "s.7z.001"), ("2", "s.7z.002"))
    ]
    assert [json.loads(found["parts"])["missing"] for found in locate_parts(pa.Table.from_pylist(rows), ctx)] == [
        ["001"]
    ]


def test_files_beside_a_header(tmp_path: Path) -> None:
    files = {"x/a.mhd": b"h", "x/a.raw": b"1", "x/b.raw": b"2", "y/a.raw": b"3", "x/c.nhdr": b"h", "x/d.txt": b"t"}
    folder = Folder(tmp_path, files)
    assert {name for name in files if folder.parts(name)} == {"x/a.mhd", "x/c.nhdr"}

    def beside(header: str, name: str) -> bytes:
        return read_sibling(folder.rows[header], folder.ctx, header, name, prepared=folder.parts(header))

    assert beside("x/a.mhd", "a.raw") == beside("x/a.mhd", ".\\a.raw") == b"1"
    assert beside("x/c.nhdr", "b.raw") == b"2", "no file has its name, so all of the folder may be meant"
    for name in ("../y/a.raw", "/etc/passwd", "C:\\a.raw", "..\\y\\a.raw", ""):
        with pytest.raises(RowError, match="absolute path or one that climbs"):
            beside("x/a.mhd", name)
    with pytest.raises(RowError, match="found none beside it") as caught:
        beside("x/a.mhd", "d.txt")
    assert "d.txt" not in str(caught.value)


def test_many_headers_in_one_folder_cost_little(tmp_path: Path) -> None:
    names = [f"d/{n}.{kind}" for n in range(500) for kind in ("mhd", "raw")] + ["d/lost.mhd"]
    rows = [{"dataset": "a", "file_id": name, "file_name": name, "file_uri": "u", "file_sha256": "s"} for name in names]
    found = locate_parts(pa.Table.from_pylist(rows), Bench(tmp_path).context("index"))
    assert [json.loads(one["parts"])["beside"] for one in found if one["file_id"] == "d/7.mhd"] == [
        [["d/7.raw", "u", "s"]]
    ]
    assert len(found) == 500, "one without a file of its name gets none where the folder is crowded"


@pytest.mark.parametrize("pack", [pack_zip, pack_tar, make_7z])
def test_siblings_in_an_archive(tmp_path: Path, pack: Any) -> None:
    packed = gzip.compress(NOISE)
    folder = Folder(
        tmp_path, {"a.zip": pack({"d/a.nhdr": b"h", "d/a.raw.gz": packed, "d/b.raw": b"2", "a.raw": b"no"})}
    )
    row = folder.rows["a.zip"]
    assert read_sibling(row, folder.ctx, "a.zip/d/a.nhdr", "a.raw.gz") == packed, "as it is stored"
    wanted = {sibling_path("a.zip/d/a.nhdr", name) for name in ("b.raw", "a.raw.gz", "none.raw")}
    both = read_siblings(row, folder.ctx, wanted)
    assert isinstance(both, Iterator)
    assert dict(both) == {"a.zip/d/a.raw.gz": packed, "a.zip/d/b.raw": b"2"}
    with pytest.raises(RowError, match="found none"):
        read_sibling(row, folder.ctx, "a.zip/d/a.nhdr", "a.raw")


def test_messages_name_no_file(tmp_path: Path) -> None:
    folder = Folder(tmp_path, {"DOE.JANE.zip": pack_zip(FILES)[:100], "DOE.JANE.tar.gz": pack_tar(FILES)[:100]})
    for name in folder.rows:
        with pytest.raises(RowError, match=r"'archive\.(zip|tar\.gz)'") as caught:
            folder.read(name)
        assert "JANE" not in str(caught.value)
