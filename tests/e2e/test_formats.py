"""Every format and every container goes in, and the right pixels, spacing and times come out, or the right reason."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable

import numpy as np
import py7zr
import pytest

from tests.e2e.formats import CASES, COUNT, FPS, NUMBERS, RULE_FPS, SIZE, Case, Corpus, coco, frames_of, npy, npz, psnr
from tests.e2e.lab import Lab, picture, png
from ultracurate.decoding.decode import FORMATS
from ultracurate.phantom.containers import CONTAINERS, SQUEEZED, pack
from ultracurate.phantom.files import encode_dicom, encode_still
from ultracurate.phantom.formats import VARIANTS, write
from ultracurate.phantom.packing import pack_zip
from ultracurate.phantom.screens import invent_identity


def still(seed: int) -> np.ndarray:
    """A picture that no other file of the corpus holds."""
    return picture(1000 + seed)


def rf_lines() -> np.ndarray:
    """(128, 2048) int16: a 5 MHz carrier under noise, sampled at 40 MHz."""
    rng = np.random.default_rng(0)
    carrier = np.sin(2 * np.pi * 5 / 40 * np.arange(2048) + rng.uniform(0, 6.28, (128, 1)))
    return (3000 * carrier * rng.uniform(0.2, 1, (128, 2048))).astype(np.int16)


def labels() -> np.ndarray:
    """(3, 96, 128) uint8 with three small classes: a segmentation."""
    volume = np.zeros((COUNT, *SIZE), np.uint8)
    volume[:, 20:60, 20:60], volume[1:, 30:40, 30:40], volume[2:, 70:80, 70:80] = 1, 2, 3
    return volume


def header() -> bytes:
    """A MetaImage header whose samples lie in the file called `{stem}.raw`."""
    return write("mha/mhd", labels())


def locked() -> bytes:
    """A 7z whose content and names are encrypted."""
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", password="secret", header_encryption=True) as archive:
        archive.writestr(png(77), "x.png")
    return out.getvalue()


def locked_zip() -> bytes:
    """A zip that says of its member that it is encrypted."""
    data = bytearray(pack_zip({"x.png": png(78)}))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + at] |= 1
    return bytes(data)


def tomography() -> bytes:
    """A DICOM file that says it is CT."""
    return encode_dicom(still(90), invent_identity(1), 90).replace(b"CS\x02\x00US", b"CS\x02\x00CT")


REFUSED: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "rf.npy": (lambda: npy(rf_lines()), "rf_data", ""),
    "iq.npy": (lambda: npy(still(1) * (1 + 1j)), "iq_data", ""),
    "labels.nii": (lambda: write("nifti", labels()), "mask", ""),
    "objects.npy": (lambda: npy(np.array([{"a": 1}, [2]], object)), "RowError", "npy"),
    "several.npz": (lambda: npz(left=still(2), right=still(3)), "RowError", "array"),
    "none.npz": (lambda: npz(a=np.arange(5), b=np.array(1.0)), "RowError", "npz"),
    "header_only.mhd": (lambda: header().replace(b"{stem}", b"absent"), "RowError", "none beside it"),
    "elsewhere.mhd": (
        lambda: write("mha/mhd", labels()).replace(b"{stem}.raw", b"/etc/passwd"),
        "RowError",
        "absolute",
    ),
    "climbs.nhdr": (lambda: write("nrrd/nhdr", labels()).replace(b"{stem}", b"../x"), "RowError", "climbs"),
    "locked.7z": (locked, "RowError|unsafe_member", "encrypted"),
    "locked.zip": (locked_zip, "RowError|unsafe_member", "encrypted"),
    "ct.dcm": (tomography, "not_ultrasound", "CT"),
    "text.txt": (lambda: b"Reading protocol\n", "unsupported_format", "txt"),
    "slides.pdf": (lambda: b"%PDF-1.7\n" + bytes(500), "unsupported_format", "pdf"),
    "photo.heic": (lambda: b"\0\0\0\x18ftypheic" + bytes(500), "unsupported_format", "heic"),
    "page.png": (lambda: b"<html>Not found</html>" * 40, "RowError", "Expected png"),
    "cut.png": (lambda: png(80)[:-300], "RowError", "png"),
    "cut.mp4": (lambda: write("mp4", frames_of(Case("mp4", count=COUNT), 200))[:-200], "RowError", "mp4"),
    "cut.h5": (lambda: write("hdf5", frames_of(Case("hdf5", count=COUNT), 201))[:-900], "RowError", "hdf5"),
    "empty.jpg": (lambda: b"", "RowError", "0 bytes"),
    "black.bmp": (lambda: encode_still(np.zeros((64, 64), np.uint8), "bmp"), "empty", ""),
    "flat.png": (lambda: encode_still(np.full((64, 64), 90, np.uint8), "png"), "constant", ""),
    "tiny.png": (lambda: encode_still(still(4)[:20, :20], "png"), "tiny", ""),
    "bomb.nii.gz": (lambda: _gzipped(64 << 20), "RowError|unsafe_member", ""),
}
"""File -> its bytes, the reason or exception that it ends with, and a word of what is said about it."""


def _gzipped(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([packer.compress(bytes(1 << 20)) for _ in range(size >> 20)]) + packer.flush()


MEMBERS = 2
"""Pictures in each archive."""
TIED = ("image/png-grey/x.png", "image/png-rgb/x.png")
"""Pictures that have a mask and a box."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    made = Corpus(Lab(tmp_path_factory.mktemp("formats")))
    made.add_cases(case for case in CASES if case.usual or case.path in TIED)
    made.add({f"refused/{name}": build() for name, (build, _, _) in REFUSED.items()})
    for number, kind in enumerate(CONTAINERS):
        members = {f"d{n}/p{n}.png": png(100 + 4 * number + n) for n in range(MEMBERS)}
        stem = f"packed/{kind.replace('/', '-')}/a"
        made.add(pack(kind, members, stem))
    for number, (ending, squeeze) in enumerate(SQUEEZED.items()):
        made.add({f"packed/single{number}/a.png{ending}": squeeze(png(200 + number))})
    frames = np.stack([still(number) for number in range(300, 303)])
    made.add({"packed/a.tfrecord": write("tfrecord", frames)})
    made.add({"named/a.npz": npz(**{"study/left": still(310), "study/right": still(311)})})
    made.add({"turned/a.npy": npy(np.moveaxis(frames_of(Case("npy", count=COUNT), 120), 0, 2))})
    mask = np.zeros(SIZE, np.uint8)
    mask[20:60, 10:40] = 255
    made.add({"masks/png-grey.png": encode_still(mask, "png"), "boxes/coco.json": coco(["png-rgb", "nowhere"])})
    made.run()
    return made


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Every way of writing, and nothing else."""
    made = Corpus(Lab(tmp_path_factory.mktemp("whole")))
    made.add_cases(CASES)
    made.run()
    return made


def test_the_table_has_every_format_and_every_way_of_writing() -> None:
    covered = {case.variant for case in CASES}
    assert covered == set(VARIANTS) - {"tfrecord"}
    assert {VARIANTS[variant].format for variant in covered} == FORMATS
    assert {VARIANTS[case.variant].format for case in CASES if case.usual} == FORMATS


@pytest.mark.parametrize("case", [case for case in CASES if case.usual], ids=lambda case: case.folder)
def test_pixels_spacing_and_times_come_out(corpus: Corpus, case: Case) -> None:
    check(corpus, case)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.folder)
def test_every_way_of_writing_comes_out(whole: Corpus, case: Case) -> None:
    check(whole, case)


def check(corpus: Corpus, case: Case) -> None:
    """What the table says about a case is what index and frames made of its file."""
    assert corpus.outcome(case.path) == []
    row = corpus.samples[case.path]
    assert (row["format"], row["media"], row["frames"]) == (VARIANTS[case.variant].format, case.media, case.count)
    assert (row["height"], row["width"]) == SIZE
    assert row["fps"] == (case.fps and pytest.approx(case.fps))
    assert [row[f"spacing_{axis}"] for axis in "xyz"] == [size and pytest.approx(size) for size in case.spacing]
    frames = corpus.frames[case.path]
    assert [frame["frame_no"] for frame in frames] == list(range(case.count))
    assert len({frame["sample_id"] for frame in frames}) == case.count
    if case.timed:
        rate = case.fps or 1.0
        assert [frame["time_s"] for frame in frames] == pytest.approx([n / rate for n in range(case.count)], abs=1e-3)
    else:
        assert {frame["time_s"] for frame in frames} == {None}
    for frame, wanted in zip(frames, frames_of(case, NUMBERS[case]), strict=True):
        decoded = corpus.picture(frame)
        if case.psnr is None:
            assert np.array_equal(decoded, wanted)
        else:
            assert psnr(decoded, wanted) > case.psnr


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_why(corpus: Corpus, name: str) -> None:
    _, reasons, word = REFUSED[name]
    lost = corpus.outcome(f"refused/{name}")
    assert lost, "it became a sample"
    assert {reason for reason, _ in lost} <= set(reasons.split("|"))
    assert all(word in said for _, said in lost)
    assert not any("passwd" in said or "secret" in said for _, said in lost)
    assert f"refused/{name}" not in corpus.samples


@pytest.mark.parametrize("kind", CONTAINERS)
def test_every_container_gives_its_members(corpus: Corpus, kind: str) -> None:
    number = list(CONTAINERS).index(kind)
    folder = f"packed/{kind.replace('/', '-')}/"
    found = {path: row for path, row in corpus.samples.items() if path.startswith(folder)}
    assert sorted(path[-9:] for path in found) == [f"d{n}/p{n}.png" for n in range(MEMBERS)]
    for path, row in found.items():
        (frame,) = corpus.frames[path]
        assert np.array_equal(corpus.picture(frame), picture(100 + 4 * number + int(path[-5])))
        assert row["member"]
    lost = [one for name in corpus.lab.data.glob(f"{folder}*") for one in corpus.outcome(f"{folder}{name.name}")]
    volumes = len(pack(kind, {f"{n}": b"b" * 100 for n in range(MEMBERS)}))
    assert [reason for reason, _ in lost] == ["archive_part"] * (volumes - 1)


@pytest.mark.parametrize("number", range(len(SQUEEZED)))
def test_a_compressed_file_keeps_its_own_path(corpus: Corpus, number: int) -> None:
    path = f"packed/single{number}/a.png{list(SQUEEZED)[number]}"
    (frame,) = corpus.frames[path]
    assert np.array_equal(corpus.picture(frame), picture(200 + number))


def test_pictures_in_a_tfrecord(corpus: Corpus) -> None:
    found = {path: frames for path, frames in corpus.frames.items() if path.startswith("packed/a.tfrecord/")}
    assert len(found) == 3
    for number, (_, (frame,)) in enumerate(sorted(found.items())):
        assert np.array_equal(corpus.picture(frame), still(300 + number))


def test_the_layout_names_the_array_and_the_axis(corpus: Corpus) -> None:
    (frame,) = corpus.frames["named/a.npz"]
    assert np.array_equal(corpus.picture(frame), still(311))
    row = corpus.samples["turned/a.npy"]
    assert (row["media"], row["frames"], row["height"], row["width"]) == ("volume", COUNT, *SIZE)
    wanted = frames_of(Case("npy", count=COUNT), 120)
    assert all(np.array_equal(corpus.picture(f), wanted[f["frame_no"]]) for f in corpus.frames["turned/a.npy"])


def test_nothing_else_was_lost_and_nothing_else_came(corpus: Corpus) -> None:
    expected = {case.path for case in CASES if case.usual} | {*TIED, "named/a.npz", "turned/a.npy"}
    assert {path for path in corpus.samples if not path.startswith("packed/")} == expected
    quiet = {name for name in corpus.rejects | corpus.errors if not name.startswith(("refused/", "packed/", "masks/"))}
    twins = {name for name in quiet if name.endswith((".raw", ".raw.gz"))}
    assert quiet - twins <= {"boxes/coco.json"}


def test_masks_and_boxes_are_tied_to_their_pictures(corpus: Corpus) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from ultracurate.core.annotations import tie

    store = corpus.lab.work / "index"
    tables = [pq.read_table(path) for path in store.rglob("*annotations*.parquet")]
    assert tables, "index writes the side table `annotations`"
    rows = pa.concat_tables(tables)
    samples = corpus.lab.table("index").select(["sample_id", "dataset", "path", "width", "height"])
    tied = dict(zip(*(tie(rows, samples)[name].to_pylist() for name in ("annotation_id", "sample_id")), strict=True))
    found = {(row["kind"], row["picture"]): tied[row["annotation_id"]] for row in rows.to_pylist()}
    grey, colour = (corpus.samples[f"image/png-{name}/x.png"]["sample_id"] for name in ("grey", "rgb"))
    assert found == {
        ("mask", "image/png-grey/x.png"): grey,
        ("box", "image/png-rgb/x.png"): colour,
        ("box", "image/nowhere/x.png"): None,
    }
    (box,) = (row for row in rows.to_pylist() if row["picture"] == "image/png-rgb/x.png")
    assert json.loads(box["geometry"]) == {"box": [10.0, 20.0, 40.0, 60.0]}


assert FPS != RULE_FPS, "else a clip in an array could not show where its rate came from"
