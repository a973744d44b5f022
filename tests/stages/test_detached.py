from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.stages.bench import Bench, by_path, picture
from ultracurate.decoding.decode import iter_frames
from ultracurate.decoding.detached import attach, data_file
from ultracurate.phantom.packing import pack_tar, pack_zip

VOLUME = np.stack([picture(n) for n in range(3)])


def meta(name: str, extra: str = "") -> bytes:
    return (
        f"ObjectType = Image\nNDims = 3\nBinaryData = True\nDimSize = 80 64 3\nElementType = MET_UCHAR\n"
        f"ElementSpacing = 0.5 0.25 2\n{extra}ElementDataFile = {name}\n"
    ).encode()


def nrrd(name: str) -> bytes:
    return (
        f"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 80 64 3\nencoding: raw\nspacings: 0.5 0.25 2\ndata file: {name}\n"
    ).encode()


CASES = [
    ("scan.mhd", meta("scan.raw"), VOLUME.tobytes()),
    ("scan.mhd", meta("scan.raw", "HeaderSize = 7\n"), b"header!" + VOLUME.tobytes()),
    ("scan.nhdr", nrrd("scan.raw"), VOLUME.tobytes()),
]


@pytest.mark.parametrize(("name", "header", "pixels"), CASES, ids=["mhd", "mhd-skip", "nhdr"])
@pytest.mark.parametrize("packed", ["loose", "zip", "tar.gz"])
def test_a_header_is_read_with_the_pixels_that_lie_beside_it(
    tmp_path: Path, packed: str, name: str, header: bytes, pixels: bytes
) -> None:
    bench = Bench(tmp_path)
    members = {f"v/{name}": header, "v/scan.raw": pixels}
    if packed == "loose":
        files = [bench.put(path, data) for path, data in members.items()]
    else:
        files = [bench.put(f"a.{packed}", pack_zip(members) if packed == "zip" else pack_tar(members))]
    result, ctx = bench.call("index", files)
    assert not ctx.errors
    (row,) = by_path(result).values()
    assert row["path"].endswith(name)
    assert (row["media"], row["frames"], row["width"], row["height"]) == ("volume", 3, 80, 64)
    assert (row["spacing_x"], row["spacing_y"], row["spacing_z"]) == (0.5, 0.25, 2.0)
    assert [r["reason"] for r in result.rejects.to_pylist()] == ["no_layout_rule"]  # the pixels themselves
    taken, ctx = bench.call("frames", [row])
    assert taken.rows.num_rows == 3
    frames = [image for _, _, image in iter_frames(ctx.read(row, "raw"), row["format"])]
    assert np.array_equal(np.stack(frames), VOLUME)


@pytest.mark.parametrize("name", ["/etc/hostname", "../secret.raw", "C:/secret.raw", "LIST", "slice%03d.raw 0 9 1"])
def test_a_header_that_names_files_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    bench = Bench(tmp_path)
    secret = bench.put("secret.raw", VOLUME.tobytes())
    result, ctx = bench.call("index", [bench.put("v/scan.mhd", meta(name)), secret])
    assert result.rows.num_rows == 0
    (error,) = ctx.errors
    assert error["exception"] == "RowError"


def test_many_headers_cannot_share_one_data_file(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    members = {f"{n}.mhd": meta("scan.raw") for n in range(5)} | {"scan.raw": VOLUME.tobytes()}
    result, ctx = bench.call("index", [bench.put("a.zip", pack_zip(members))])
    assert result.rows.num_rows == 1
    assert len(ctx.errors) == 4
    assert ctx.counters["pack_bytes"] < 2 * VOLUME.nbytes


def test_a_header_without_its_pixels_says_what_is_missing(tmp_path: Path) -> None:
    result, ctx = Bench(tmp_path).call("index", [Bench(tmp_path).put("scan.mhd", meta("scan.raw"))])
    assert result.rows.num_rows == 0
    assert "found none beside it" in ctx.errors[0]["message"]


BLANKS = b" " * 200_000


@pytest.mark.parametrize(
    ("header", "fmt", "name"),
    [
        (b"ElementDataFile =" + BLANKS + b"\rx" + BLANKS + b"\rx\nNDims = 3\n", "mha", "header of blanks"),
        (b"NRRD0004\ndata file:" + BLANKS + b"\rx" + BLANKS + b"\rx\n", "nrrd", "header of blanks"),
    ],
    ids=["mhd", "nhdr"],
)
def test_a_header_of_blanks_is_read_once(header: bytes, fmt: str, name: str) -> None:
    # With the cube of their number of steps this would take years, not a moment.
    assert data_file(header, fmt, name) is None


def test_blanks_around_a_name_are_no_part_of_it() -> None:
    assert data_file(b"ElementDataFile = \t a b.raw \t\r\n", "mha", "a.mhd") == "a b.raw"
    assert data_file(b"ElementDataFile =\tlocal \n", "mha", "a.mhd") is None
    assert data_file(b"NRRD0004\ndatafile:   a b.raw  \r\n", "nrrd", "a.nhdr") == "a b.raw"
    assert attach(b"NDims = 1\nElementDataFile =  a.raw  ", b"xyz", "mha").endswith(b"\nElementDataFile = LOCAL\nxyz")


def test_a_file_in_one_piece_names_nothing() -> None:
    assert data_file(meta("LOCAL"), "mha", "a.mha") is None
    assert data_file(b"NRRD0004\ntype: uint8\n\n\0data file: x\n", "nrrd", "a.nrrd") is None
    assert data_file(b"\0" * 344 + b"n+1\0", "nifti", "a.nii") is None
    assert data_file(b"\0" * 344 + b"ni1\0", "nifti", "b/a.hdr") == "b/a.img"
    assert attach(b"x", b"y", "nifti") == b"xy"
