"""Names, numbers, dates and places of patients go in wherever files can hold them, and none of them comes out."""

from __future__ import annotations

import base64
import gc
import hashlib
import io
import json
import re
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image, PngImagePlugin

from tests.e2e.lab import Finished, Lab, encode, picture, png
from ultracurate.core import log
from ultracurate.core.schema import content_id
from ultracurate.core.store import Store
from ultracurate.phantom.files import encode_dicom
from ultracurate.phantom.packing import pack_zip
from ultracurate.phantom.screens import invent_identity
from ultracurate.stages._shard_check import check_shards

IDENTITY = invent_identity(3)
WARD = [*IDENTITY.words, "CORNELIUS", "BRAMBLEWICK", "PERPETUA", "19480229", "OSTRANDER", "HEATHCLIFFE", "ZQ7654321"]
EMBEDDED = ["Artistide Pemberwick", "Comment of Nurse Tansy", "Grizelda", "Ambrosius", "Lavinia"]
PLANTED = [*WARD, *EMBEDDED]
BLOTCHES = {"index": {"keep_foreign": True}, "frames": {"keep_foreign": True}, "strip": {"method": "none"}}
"""Settings of the stages under which the lab's pictures need not look like ultrasound."""
LATITUDE = (48.0, 51.0, 29.1234)


def jpg_with_exif(seed: int) -> bytes:
    """A JPEG with artist, description and place."""
    exif = Image.Exif()
    exif[0x013B] = "Artistide Pemberwick"  # Artist
    exif[0x010E] = "CORNELIUS BRAMBLEWICK"  # ImageDescription
    exif.get_ifd(0x8825)[2] = LATITUDE  # GPSLatitude
    exif.get_ifd(0x8825)[28] = b"ASCII\0\0\0OSTRANDER"  # GPSAreaInformation
    return encode(picture(seed), "JPEG", exif=exif, quality=95)


def png_with_text(seed: int) -> bytes:
    """A PNG with text chunks, plain, compressed and international."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "Grizelda")
    info.add_text("Comment", "Ambrosius", zip=True)
    info.add_itxt("Description", "Lavinia")
    return encode(picture(seed), pnginfo=info)


def tif_with_tags(seed: int) -> bytes:
    """A TIFF with an artist and a host."""
    return encode(picture(seed), "TIFF", tiffinfo={315: "PERPETUA", 316: "HEATHCLIFFE"})


def zip_with_comments(seed: int) -> bytes:
    """Comments of the archive and of a member, and a patient's name in a member's path."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.comment = b"For PERPETUA OSTRANDER, born 19480229"
        member = zipfile.ZipInfo("PERPETUA_OSTRANDER_19480229/scan.png")
        member.comment = b"HEATHCLIFFE"
        archive.writestr(member, png(seed))
        archive.writestr("../HEATHCLIFFE.png", png(seed))
    return buffer.getvalue()


def tar_with_owners(seed: int) -> bytes:
    """A patient's name as owner, in a path and in an extended header."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("OSTRANDER/scan.png")
        info.size, info.uname, info.gname = len(png(seed)), "HEATHCLIFFE", "OSTRANDER"
        info.pax_headers = {"comment": "PERPETUA"}
        archive.addfile(info, io.BytesIO(png(seed)))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, Finished]]:
    """A finished run over files that carry identities everywhere, with losses of every kind among them."""
    lab = Lab(tmp_path_factory.mktemp("ward"))
    lab.recipe(stages=BLOTCHES)
    folder = "CORNELIUS BRAMBLEWICK 19480229"
    lab.add(f"{folder}/scan.png", png(1))
    lab.add(f"{folder}/photo.jpg", jpg_with_exif(2))
    lab.add(f"{folder}/export.png", png_with_text(3))
    lab.add(f"{folder}/export.tif", tif_with_tags(4))
    lab.add(f"{folder}/copy.png", png(1))
    lab.add(f"{folder}/changed.png", png(5))
    lab.add(f"{folder}/gone.png", png(6))
    lab.add(f"{folder}/BRAMBLEWICK.png", b"not a picture of CORNELIUS")
    lab.add(f"{folder}/BRAMBLEWICK.zip", b"not an archive")
    lab.add(f"{folder}/truncated.jpg", jpg_with_exif(7)[:1500])
    lab.add(f"{folder}/letter.txt", b"Dear Mr BRAMBLEWICK")
    lab.add("PERPETUA_OSTRANDER.zip", zip_with_comments(8))
    lab.add("HEATHCLIFFE.tar", tar_with_owners(9))
    lab.add("HEATHCLIFFE_half.tar", tar_with_owners(10)[:3000])
    (lab.data / "OSTRANDER.png").symlink_to("/nonexistent/HEATHCLIFFE")
    dicom = encode_dicom(picture(11), IDENTITY, 3)
    lab.add(f"{IDENTITY.name}/{IDENTITY.patient_id}.dcm", dicom)
    lab.add(f"{IDENTITY.name}/half.dcm", dicom[: len(dicom) // 2])
    lab.add("headers.zip", pack_zip({f"{IDENTITY.patient_id}/{IDENTITY.birth_date}.dcm": dicom[:-2] + b"\1\1"}))
    lab.add("patients.csv", f"CORNELIUS,ZQ7654321\n{folder},ZQ7654321\n".encode())
    lab.describe(
        layout=[
            {"match": "{patient}/**.{ending:png|jpg|tif|dcm}", "kind": "image"},
            {"match": "{patient}/{study}/**.{ending:png|dcm}", "kind": "image"},
            {"match": "**.csv", "kind": "table"},
        ],
        group="{patient}",
    )

    def meddle() -> None:
        lab.add(f"{folder}/changed.png", png(12))
        (lab.data / folder / "gone.png").unlink()

    lab.run(then=("frames", meddle))
    lab.add(f"{folder}/changed.png", png(5))  # as it was: the next run finds its parts, and their errors
    lab.add(f"{folder}/gone.png", png(6))
    yield lab, lab.cli("run", "all")
    log.open_log(None, "")


def assert_clean(data: bytes, where: str) -> None:
    """None of the planted words is in these bytes, in any case or as UTF-16."""
    low = data.lower()
    for word in PLANTED:
        for form in (word.lower().encode(), word.lower().encode("utf-16-le"), word.lower().replace(" ", "_").encode()):
            assert form not in low, f"{word!r} in {where}"
    for number in (IDENTITY.patient_id, "ZQ7654321"):
        assert hashlib.sha256(number.encode()).hexdigest().encode() not in low, f"bare digest of an id in {where}"


def test_the_ward_is_what_this_test_needs(ward: tuple[Lab, Finished]) -> None:
    """Identities went in at every place, and there are rows, rejects and errors that could quote them."""
    lab, ended = ward
    assert ended.code == 0, ended.err
    stored = b"".join(path.read_bytes() for path in lab.data.rglob("*") if path.is_file())
    for word in ("Pemberwick", "Grizelda", "Lavinia", "HEATHCLIFFE", IDENTITY.patient_id):
        assert word.encode() in stored
    assert len(lab.rows("shard")) == 7
    assert {row["reason"] for row in lab.rows("index", "rejects")} >= {"unsafe_member", "no_layout_rule", "table"}
    assert len(lab.rows("index", "errors")) >= 4
    assert len(lab.rows("strip", "errors")) == 2
    assert lab.rows("discover", "rejects")
    assert any("BRAMBLEWICK" in row["path"] for row in lab.rows("shard")), "the local ledger may know"


def test_shards_hold_no_identity(ward: tuple[Lab, Finished]) -> None:
    lab, _ = ward
    published = lab.published()
    assert any(name.endswith(".tar") for name in published)
    for name, data in published.items():
        assert_clean(name.encode(), "a file name")
        assert_clean(data, name)


def test_members_of_shards_hold_no_identity(ward: tuple[Lab, Finished]) -> None:
    lab, _ = ward
    for name, data in lab.sharded().items():
        assert_clean(name.encode(), "a member name")
        assert_clean(data, name)
        if name.endswith(".json"):
            assert_clean(json.dumps(json.loads(data), ensure_ascii=False).encode(), name)
        else:
            with Image.open(io.BytesIO(data)) as image:
                image.load()
                assert not image.info, f"{name} carries more than pixels: {sorted(image.info)}"
                assert not image.getexif()


def test_tar_headers_say_nothing_about_this_machine(ward: tuple[Lab, Finished]) -> None:
    lab, _ = ward
    for path in lab.shards.glob("*.tar"):
        with tarfile.open(path) as tar:
            for info in tar:
                assert (info.mtime, info.uid, info.gid, info.uname, info.gname) == (0, 0, 0, "", "")
                assert not info.pax_headers


def test_index_of_shards_holds_no_identity(ward: tuple[Lab, Finished]) -> None:
    lab, _ = ward
    for path in lab.shards.glob("*.parquet"):
        table = pq.read_table(path)
        assert not {"path", "member", "fields", "file_name", "url", "raw_uri"} & set(table.schema.names)
        assert_clean(json.dumps(table.to_pylist(), ensure_ascii=False).encode(), path.name)
        assert_clean(str(pq.read_metadata(path).metadata).encode(), f"metadata of {path.name}")


def test_what_is_told_of_own_files_cannot_be_tried_out(ward: tuple[Lab, Finished]) -> None:
    lab, _ = ward
    rows = lab.rows("shard")
    said = {name: json.loads(data) for name, data in lab.sharded().items() if name.endswith(".json")}
    index = [row for path in lab.shards.glob("*.parquet") for row in pq.read_table(path).to_pylist()]
    assert len(said) == len(index) == len(rows)
    for row in said.values():
        assert (row["record"], row["archive_sha256"], row["original_sha256"]) == ("", "", "")
    keys = {json.loads(row["fields"])["patient"] for row in rows} | {IDENTITY.patient_id, IDENTITY.name}
    keys |= {hashlib.sha256(key.encode()).hexdigest() for key in keys}
    guessed = {content_id("lab", "group", key) for key in keys} | {content_id("group", "lab", key) for key in keys}
    assert {row["group_id"] for row in rows} <= guessed, "in the local tables a digest of the key is good enough"
    for row in (*said.values(), *index):
        assert row["group_id"] not in guessed
        assert row["group_id"] not in {row["sample_id"], row["pixel_sha256"]}


def test_report_holds_no_identity(ward: tuple[Lab, Finished]) -> None:
    lab, _ = ward
    (page,) = (lab.work / "reports").glob("*.html")
    text = page.read_text(encoding="utf-8")
    assert_clean(text.encode(), page.name)
    pictures = re.findall(r"data:image/[a-z]+;base64,([A-Za-z0-9+/=]+)", text)
    assert pictures
    for number, encoded in enumerate(pictures):
        data = base64.b64decode(encoded)
        assert_clean(data, f"picture {number}")
        with Image.open(io.BytesIO(data)) as image:
            assert not image.getexif(), f"picture {number} kept its EXIF"
            assert "comment" not in image.info


@pytest.fixture(scope="module")
def sly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The report over a JPEG with a comment and over files named like patients, without any ending."""
    lab = Lab(tmp_path_factory.mktemp("sly"))
    lab.recipe(stages=BLOTCHES)
    lab.add("photo.jpg", encode(picture(2), "JPEG", comment=b"Comment of Nurse Tansy"))
    lab.add("CORNELIUS BRAMBLEWICK", tar_with_owners(9)[:3000])
    lab.add("PERPETUA OSTRANDER", png(3))
    lab.run(then=("discover", (lab.data / "PERPETUA OSTRANDER").unlink))
    lab.add("PERPETUA OSTRANDER", png(3))  # as it was: the next run finds the part, and its error
    ended = lab.cli("run", "all")
    assert (ended.code, len(lab.rows("shard"))) == (0, 1)
    assert lab.rows("index", "errors")
    assert lab.rows("download", "errors")
    yield (lab.work / "reports" / "lab.html").read_text(encoding="utf-8")
    log.open_log(None, "")


def test_report_drops_comments_of_jpegs(sly: str) -> None:
    for encoded in re.findall(r"data:image/[a-z]+;base64,([A-Za-z0-9+/=]+)", sly):
        assert_clean(base64.b64decode(encoded), "a picture of the report")


def test_report_holds_back_names_without_an_ending(sly: str) -> None:
    assert_clean(re.sub(r"data:image[^\"]*", "", sly).encode(), "the report")


def test_report_and_terminal_hold_back_what_is_said_of_own_files(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.recipe(stages=BLOTCHES)
    lab.good(1)
    lab.add("PERPETUA OSTRANDER", png(3))
    lab.run(then=("discover", lambda: lab.add("PERPETUA OSTRANDER", png(5) + b"more")))
    lab.add("PERPETUA OSTRANDER", png(3))  # the next run finds the part, and its error
    ended = lab.cli("run", "all")
    log.open_log(None, "")
    (row,) = lab.rows("download", "errors")
    assert_clean(json.dumps(row["message"]).encode(), "an error row")
    assert_clean((lab.work / "reports" / "lab.html").read_bytes(), "the report")
    assert_clean((ended.out + ended.err).encode(), "the terminal")


def test_logs_and_terminal_hold_no_identity(ward: tuple[Lab, Finished]) -> None:
    lab, ended = ward
    log.open_log(None, "")
    files = [path for path in (lab.work / "logs").rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert_clean(path.read_bytes(), path.name)
    assert_clean((ended.out + ended.err).encode(), "the terminal")


def test_headerless_table_does_not_put_patients_into_messages(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.recipe(stages=BLOTCHES)
    lab.add("a.png", png(1))
    lab.add("list.csv", b"CORNELIUS BRAMBLEWICK,ZQ7654321\na,ZQ7654321\n")
    lab.describe(
        layout=[{"match": "{file}.png", "kind": "image"}, {"match": "list.csv", "kind": "table"}],
        tables=[{"file": "list.csv", "key": "file", "on": "{file}", "columns": ["patient"]}],
    )
    lab.run(last="index")
    (row,) = lab.rows("index", "errors")
    assert "lacks columns ['file', 'patient']" in row["message"]
    assert_clean(json.dumps(row).encode(), "an error row")


# The happy path, from the folder to two readers that know nothing of us


@pytest.fixture(scope="module")
def happy(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A finished run in which every file is explained one way or another."""
    lab = Lab(tmp_path_factory.mktemp("happy"))
    lab.good(6)
    lab.add("more.zip", pack_zip({f"m{n}.png": png(20 + n) for n in range(4)}))
    lab.add("copy.png", png(0))
    lab.add("readme.txt", b"About these pictures.")
    lab.add("bad.png", b"")
    lab.recipe(stages=BLOTCHES | {"shard.plan": {"samples": 4}})
    lab.run()
    log.open_log(None, "")
    return lab


def test_every_file_is_explained(happy: Lab) -> None:
    files = {row["file_id"]: row["file_name"] for row in happy.rows("discover")}
    assert sorted(files.values()) == sorted(p.relative_to(happy.data).as_posix() for p in happy.data.rglob("*.*"))
    explained = Counter(files[row["file_id"]] for row in happy.rows("index"))
    explained += Counter(files[row["parent_id"]] for row in happy.rows("index", "rejects"))
    explained += Counter(files[row["parent_id"]] for row in happy.rows("index", "errors"))
    assert explained == Counter({name: 4 if name == "more.zip" else 1 for name in files.values()})


def test_every_sample_is_explained(happy: Lab) -> None:
    samples = {row["sample_id"] for row in happy.rows("index")}
    copies = {row["parent_id"] for row in happy.rows("frames", "rejects")}
    finished = {row["parent_id"] for row in happy.rows("shard")}
    assert copies | finished == samples
    assert not copies & finished
    assert len(copies) == 1


def test_shards_pass_their_own_check(happy: Lab) -> None:
    assert check_shards(Store(happy.shards)) == []
    assert len(list(happy.shards.glob("*.tar"))) > 2


# webdataset leaves the tars that it read to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_two_plain_readers_agree_with_the_index(happy: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tars = sorted(str(path) for path in happy.shards.glob("*.tar"))
    expected = {row["sample_id"] for path in happy.shards.glob("*.parquet") for row in pq.read_table(path).to_pylist()}
    assert len(expected) == 10
    assert webdataset_ids(tars) == expected
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    assert hugging_face_ids(tars, tmp_path / "cache") == expected
    gc.collect()


def webdataset_ids(tars: list[str]) -> set[str]:
    webdataset = pytest.importorskip("webdataset")
    samples = list(webdataset.WebDataset(tars, shardshuffle=False).decode("rgb8"))
    for sample in samples:
        assert sample["png"].shape == (256, 256, 3)
        assert sample["mask.png"].shape[:2] == (256, 256)
        assert sample["json"]["sample_id"] == sample["__key__"]
    assert len(samples) == len({sample["__key__"] for sample in samples})
    return {sample["__key__"] for sample in samples}


def hugging_face_ids(tars: list[str], cache: Path) -> set[str]:
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    rows = datasets.load_dataset("webdataset", data_files=tars, split="train", cache_dir=str(cache))
    for row in rows:
        assert row["png"].size == (256, 256)
        assert row["json"]["sample_id"] == row["__key__"]
    return {row["__key__"] for row in rows}
