from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.stages.bench import Bench, by_path, fields, manifest, picture, png
from ultracurate.core.schema import content_id
from ultracurate.phantom.files import encode_dicom, encode_video
from ultracurate.phantom.packing import pack_hostile_zip, pack_tar, pack_zip
from ultracurate.phantom.screens import Identity, invent_identity
from ultracurate.stages import index

ONE, TWO = png(picture(1)), png(picture(2))


def reasons(rejects: object) -> dict[str, str]:
    """Sample id -> reason."""
    return {row["sample_id"]: row["reason"] for row in rejects.to_pylist()}  # type: ignore[attr-defined]


def test_a_loose_file_is_its_own_sample(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    file = bench.put("left/one.png", ONE)
    result, ctx = bench.call("index", [file])
    (row,) = result.rows.to_pylist()
    assert row["path"] == "left/one.png"
    assert row["member"] is None
    assert row["raw_uri"] == file["file_uri"]
    assert ctx.read(row, "raw") == ONE
    assert (row["format"], row["media"], row["width"], row["height"]) == ("png", "image", 80, 64)
    assert (row["channels"], row["frames"], row["fps"]) == (1, 1, None)
    assert row["group_id"] == row["sample_id"], "nothing says what it belongs to"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.zip", pack_zip({"d/one.png": ONE, "d/two.png": TWO})),
        ("a.zip", pack_zip({"d/one.png": ONE, "d/two.png": TWO}, stored=False)),
        ("a.tar", pack_tar({"d/one.png": ONE, "d/two.png": TWO}, compress=False)),
        ("a.tar.gz", pack_tar({"d/one.png": ONE, "d/two.png": TWO})),
    ],
    ids=["stored", "deflated", "tar", "gz"],
)
def test_members_are_read_back_through_their_reference(tmp_path: Path, name: str, data: bytes) -> None:
    bench = Bench(tmp_path)
    result, ctx = bench.call("index", [bench.put(name, data)])
    rows = by_path(result)
    assert {path: ctx.read(row, "raw") for path, row in rows.items()} == {
        f"{name}/d/one.png": ONE,
        f"{name}/d/two.png": TWO,
    }
    assert {row["member"] for row in rows.values()} == {"d/one.png", "d/two.png"}


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_pixels_that_can_be_read_in_place_are_not_copied(tmp_path: Path, kind: str, stored: bool) -> None:
    bench = Bench(tmp_path)
    data = pack_zip({"one.png": ONE}, stored) if kind == "zip" else pack_tar({"one.png": ONE}, compress=not stored)
    file = bench.put(f"a.{kind}", data)
    result, ctx = bench.call("index", [file])
    copied = kind == "tar" and not stored  # a gzip stream has no place to start reading in the middle
    assert (ctx.counters["pack_bytes"] > 0) is copied
    assert result.rows["raw_uri"][0].as_py().startswith(file["file_uri"]) is not copied


def test_the_id_of_a_sample_follows_content_and_path(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    first = bench.put("a.zip", pack_zip({"one.png": ONE}))
    result, _ = bench.call("index", [first])
    again, _ = bench.call("index", [first])
    other, _ = bench.call("index", [bench.put("a.zip", pack_zip({"two.png": ONE}))])
    assert result.rows["sample_id"] == again.rows["sample_id"]
    assert result.rows["sample_id"] != other.rows["sample_id"]
    assert result.rows["pixel_sha256"] == other.rows["pixel_sha256"]


def test_one_file_in_two_records_is_one_sample_and_one_reason(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    file = bench.put("one.png", ONE)
    result, _ = bench.call("index", [file, file | {"file_id": "z: the same in another record"}])
    assert result.rows.num_rows == 1
    (reject,) = result.rejects.to_pylist()
    assert (reject["reason"], reject["detail"]) == ("repeated_file", f"same as {file['file_id']}")


def test_whatever_a_member_brings_about_costs_itself_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def odd(data: bytes, path: str, *_: Any, **__: Any) -> Any:
        if path.endswith("two.png"):
            raise FloatingPointError("what no reader promised")
        return described(data, path, *_, **__)

    from ultracurate.stages._sample import describe as described

    monkeypatch.setattr(index, "describe", odd)
    bench = Bench(tmp_path)
    result, ctx = bench.call("index", [bench.put("a.zip", pack_zip({"one.png": ONE, "two.png": TWO}))])
    assert list(by_path(result)) == ["a.zip/one.png"]
    assert [error["exception"] for error in ctx.errors] == ["FloatingPointError"]


def test_other_bytes_of_the_same_pixels_share_the_pixel_digest(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    out = io.BytesIO()
    Image.fromarray(picture(1)).convert("RGB").save(out, "BMP")
    files = [bench.put("one.png", ONE), bench.put("again.png", png(picture(1), level=1))]
    result, _ = bench.call("index", [*files, bench.put("grey-as-colour.bmp", out.getvalue())])
    assert len(set(result.rows["raw_sha256"].to_pylist())) == 3
    assert len(set(result.rows["pixel_sha256"].to_pylist())) == 1


def test_folders_give_the_group_and_no_name_of_a_patient_leaks_into_it(tmp_path: Path) -> None:
    toy = manifest(layout=[{"match": "a.zip/{site}/{patient}/{name}.png", "kind": "image"}], group="{site}/{patient}")
    bench = Bench(tmp_path, toy)
    members = {"x/DOE_JANE/1.png": ONE, "x/DOE_JANE/2.png": TWO, "y/DOE_JANE/1.png": png(picture(3))}
    result, _ = bench.call("index", [bench.put("a.zip", pack_zip(members))])
    rows = by_path(result)
    first, second, other = (rows[f"a.zip/{path}"]["group_id"] for path in members)
    assert first == second
    assert first != other
    assert "DOE" not in first + other
    assert fields(rows["a.zip/x/DOE_JANE/1.png"]) == {"site": "x", "patient": "DOE_JANE", "name": "1"}


def test_the_same_patient_number_in_two_datasets_is_two_groups(tmp_path: Path) -> None:
    layout = [{"match": "{patient}.png", "kind": "image"}]
    bench = Bench(tmp_path, *(manifest(slug, layout=layout, group="{patient}") for slug in ("left", "right")))
    result, _ = bench.call("index", [bench.put("P1.png", ONE, "left"), bench.put("P1.png", ONE, "right")])
    assert len(set(result.rows["group_id"].to_pylist())) == 2


def test_without_a_rule_the_patient_of_the_header_groups_and_stays_secret(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    jane, john = invent_identity(1), invent_identity(2)
    files = [bench.put(f"{n}.dcm", encode_dicom(picture(n), who, n)) for n, who in ((1, jane), (2, jane), (3, john))]
    result, _ = bench.call("index", files)
    groups = {row["path"]: row["group_id"] for row in result.rows.to_pylist()}
    assert groups["1.dcm"] == groups["2.dcm"] != groups["3.dcm"]
    written = str(result.rows.to_pylist())
    assert not [word for who in (jane, john) for word in words(who) if word in written]


def words(who: Identity) -> list[str]:
    return [word for word in who.words if len(word) > 3]


def test_another_modality_in_the_header_is_rejected(tmp_path: Path) -> None:
    import pydicom

    dataset = pydicom.dcmread(io.BytesIO(encode_dicom(picture(1), invent_identity(1), 1)))
    dataset.Modality = "MR"
    out = io.BytesIO()
    pydicom.dcmwrite(out, dataset)
    bench = Bench(tmp_path)
    result, _ = bench.call("index", [bench.put("head.dcm", out.getvalue())])
    assert result.rejects["reason"].to_pylist() == ["not_ultrasound"]


TABLE = b"file,split,age\none.png,train,31\ntwo.png,test,\n"
JOIN = {"file": "**meta.csv", "key": "file", "on": "{name}.png", "columns": ["split", "age"]}
JOINED: dict[str, Any] = {
    "layout": [
        {"match": "**meta.csv", "kind": "table"},
        {"match": "{folder:(.*/)?}{name}.png", "kind": "image"},
    ],
    "tables": [JOIN],
    "split": {"field": "split", "map": {"train": "train", "test": "test"}},
}


@pytest.mark.parametrize(
    "table", [TABLE, TABLE.replace(b",", b";"), TABLE.replace(b",", b"\t"), b"\xef\xbb\xbf" + TABLE]
)
def test_a_loose_table_adds_its_columns(tmp_path: Path, table: bytes) -> None:
    bench = Bench(tmp_path, manifest(**JOINED))
    files = [bench.put("one.png", ONE), bench.put("two.png", TWO), bench.put("three.png", png(picture(3)))]
    result, ctx = bench.call("index", [*files, bench.put("meta.csv", table)])
    assert not ctx.errors
    rows = by_path(result)
    assert {path: row["official_split"] for path, row in rows.items()} == {
        "one.png": "train",
        "two.png": "test",
        "three.png": None,
    }
    assert fields(rows["one.png"])["age"] == "31"
    assert "age" not in fields(rows["two.png"]), "an empty cell is unknown, not a value"
    assert result.rejects["reason"].to_pylist() == ["table"]


def test_a_table_inside_the_archive_adds_its_columns(tmp_path: Path) -> None:
    bench = Bench(tmp_path, manifest(**JOINED))
    data = pack_tar({"d/one.png": ONE, "d/two.png": TWO, "d/meta.csv": TABLE})
    result, ctx = bench.call("index", [bench.put("a.tar.gz", data)])
    assert not ctx.errors
    assert {p: r["official_split"] for p, r in by_path(result).items()} == {
        "a.tar.gz/d/one.png": "train",
        "a.tar.gz/d/two.png": "test",
    }


def test_a_table_without_the_promised_columns_says_what_it_has(tmp_path: Path) -> None:
    bench = Bench(tmp_path, manifest(**JOINED))
    result, ctx = bench.call(
        "index", [bench.put("one.png", ONE), bench.put("meta.csv", b"name,split\none.png,train\n")]
    )
    assert result.rows.num_rows == 0
    (error,) = ctx.errors
    assert "lacks columns ['age', 'file']" in error["message"]
    assert "name" not in error["message"].partition(".")[0], "a table without a header has patients there"


def test_each_kind_of_file_that_is_no_picture_has_its_reason(tmp_path: Path) -> None:
    toy = manifest(
        layout=[
            {"match": "{name}_mask.png", "kind": "mask"},
            {"match": "{name}.json", "kind": "annotation"},
            {"match": "list.csv", "kind": "table"},
            {"match": "figure.png", "kind": "exclude", "reason": "derived_figure: drawn over"},
            {"match": "read.md", "kind": "ignore", "reason": "documentation"},
            {"match": "{name}.{ending:png|svg}", "kind": "image"},
        ]
    )
    bench = Bench(tmp_path, toy)
    dark, flat = np.zeros((100, 100), np.uint8), np.full((64, 64), 80, np.uint8)
    contents = {
        "one.png": (ONE, None),
        "one_mask.png": (ONE, "mask"),
        "one.json": (b"{}", "annotation"),
        "list.csv": (b"a,b\n", "table"),
        "figure.png": (ONE, "derived_figure"),
        "read.md": (b"# hello", "documentation"),
        "tool.exe": (b"MZ", "no_layout_rule"),
        "scan.svg": (b"<svg></svg>", "unsupported_format"),
        "dark.png": (png(dark), "empty"),
        "flat.png": (png(flat), "constant"),
        "icon.png": (png(picture(1, 24, 24)), "tiny"),
    }
    files = {name: bench.put(name, data) for name, (data, _) in contents.items()}
    result, ctx = bench.call("index", list(files.values()))
    assert not ctx.errors
    found = {row["parent_id"].partition("/")[2]: row["reason"] for row in result.rejects.to_pylist()}
    assert found == {name: reason for name, (_, reason) in contents.items() if reason}
    assert result.rows["path"].to_pylist() == ["one.png"]


def test_a_rejected_file_is_never_decoded(tmp_path: Path) -> None:
    toy = manifest(layout=[{"match": "a.zip/{name}_mask.png", "kind": "mask"}])
    bench = Bench(tmp_path, toy)
    result, ctx = bench.call("index", [bench.put("a.zip", pack_zip({"x_mask.png": b"not a picture"}))])
    assert reasons(result.rejects).popitem()[1] == "mask"
    assert not ctx.errors


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "0 bytes"),
        (b"nothing of the kind", "other content"),
        (ONE[: len(ONE) // 2], "truncated"),
        (ONE[:60] + b"\xff" * 40 + ONE[100:], "png"),
    ],
    ids=["empty", "text", "truncated", "damaged"],
)
def test_a_file_that_is_not_what_its_name_says_is_an_error_row(tmp_path: Path, data: bytes, said: str) -> None:
    bench = Bench(tmp_path)
    files = [bench.put("bad.png", data), bench.put("good.png", TWO)]
    result, ctx = bench.call("index", files)
    assert result.rows["path"].to_pylist() == ["good.png"]
    (error,) = ctx.errors
    assert error["parent_id"] == "toy/bad.png"
    assert said in error["message"]


def test_a_damaged_member_costs_itself_only(tmp_path: Path) -> None:
    good = pack_zip({"one.png": ONE, "bad.png": TWO, "three.png": png(picture(3))})
    place = good.index(TWO) + 70
    bench = Bench(tmp_path)
    file = bench.put("a.zip", good[:place] + b"\0\0\0\0" + good[place + 4 :])
    result, ctx = bench.call("index", [file])
    assert sorted(by_path(result)) == ["a.zip/one.png", "a.zip/three.png"]
    (error,) = ctx.errors
    assert error["parent_id"] == file["file_id"]
    assert error["sample_id"] == content_id("toy", file["file_sha256"], "a.zip/bad.png")


@pytest.mark.parametrize("compress", [True, False])
def test_a_truncated_tar_keeps_what_came_before(tmp_path: Path, compress: bool) -> None:
    noise = {f"{n}.png": png(np.random.default_rng(n).integers(1, 255, (64, 64), dtype=np.uint8)) for n in range(6)}
    whole = pack_tar(noise, compress)
    bench = Bench(tmp_path)
    file = bench.put("a.tar", whole[: len(whole) * 6 // 10])
    result, ctx = bench.call("index", [file])
    assert 1 <= result.rows.num_rows < 6
    for row in result.rows.to_pylist():
        assert ctx.read(row, "raw") == noise[row["member"]]
    assert [error["sample_id"] for error in ctx.errors][-1] == file["file_id"]


def test_an_archive_without_members_is_rejected(tmp_path: Path) -> None:
    out = io.BytesIO()
    zipfile.ZipFile(out, "w").close()
    bench = Bench(tmp_path)
    result, ctx = bench.call("index", [bench.put("a.zip", out.getvalue())])
    assert result.rejects["reason"].to_pylist() == ["empty_archive"]
    assert not ctx.errors


def test_hostile_members_are_rejected_and_the_good_one_stays(tmp_path: Path) -> None:
    data, names = pack_hostile_zip({"images/good.png": ONE}, TWO)
    bench = Bench(tmp_path)
    result, ctx = bench.call("index", [bench.put("a.zip", data)])
    assert list(by_path(result)) == ["a.zip/images/good.png"]
    assert result.rejects["reason"].to_pylist() == ["unsafe_member"] * len(names)
    assert not ctx.errors
    assert not list(tmp_path.rglob("*escape*"))


def test_a_link_in_a_tar_is_rejected(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo("link.png")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/hostname"
        tar.addfile(info)
    bench = Bench(tmp_path)
    result, _ = bench.call("index", [bench.put("a.tar", out.getvalue())])
    assert result.rejects["reason"].to_pylist() == ["unsafe_member"]


def test_a_clip_is_one_sample_with_its_true_number_of_frames(tmp_path: Path) -> None:
    frames = np.stack([picture(n) for n in range(9)])
    bench = Bench(tmp_path)
    result, _ = bench.call("index", [bench.put("clip.mp4", encode_video(frames, 25.0, "mp4"))])
    (row,) = result.rows.to_pylist()
    assert (row["media"], row["frames"], row["fps"]) == ("clip", 9, pytest.approx(25.0))
    assert row["reading"] is None
    assert row["seen"] is None, "its frames are looked at when they are taken"


def test_the_limits_of_the_recipe_hold(tmp_path: Path) -> None:
    members = {f"{n}.png": png(picture(n)) for n in range(5)}
    bench = Bench(tmp_path, stages={"index": {"max_members": 3}})
    result, _ = bench.call("index", [bench.put("a.zip", pack_zip(members))])
    assert result.rows.num_rows == 3
    assert result.rejects["reason"].to_pylist() == ["unsafe_member"]
