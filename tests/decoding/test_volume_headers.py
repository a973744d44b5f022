"""Volumes: what PLUS says in its headers, values in a second file, and headers that lie."""

from __future__ import annotations

import bz2
import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import nrrd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decoding.files import speckle
from tests.decoding.samples import samples_folder
from tests.decoding.volume_files import expected, frames, mha, nifti, nrrd_file, same, times
from ultracurate.core.errors import RowError
from ultracurate.decoding._arrays import metaimage as _metaimage
from ultracurate.decoding._arrays import nrrd as _nrrd
from ultracurate.decoding.volumes import probe_volume


@pytest.mark.parametrize(
    ("orientation", "undo"),
    [
        ("MF", lambda a: a), ("UF", lambda a: a[::-1]), ("MN", lambda a: a[:, ::-1]), ("UN", lambda a: a[::-1, ::-1]),
        ("FM", lambda a: a.swapaxes(0, 1)), ("NU", lambda a: a.swapaxes(0, 1)[::-1, ::-1]),
        ("UFA", lambda a: a[::-1]), ("MFD", lambda a: a[:, :, ::-1]), ("AMF", lambda a: a), ("", lambda a: a),
    ],
)  # fmt: skip
def test_plus_orientations_are_turned_to_marked_far(orientation: str, undo: Any) -> None:
    values = np.random.default_rng(0).integers(0, 255, (20, 24, 3), dtype=np.uint8)  # (x, y, z)
    data = mha(values, UltrasoundImageOrientation=orientation, UltrasoundImageType="BRIGHTNESS", ElementSpacing="1 2 3")
    assert same(frames(data, "mha"), expected(undo(values)))
    info = probe_volume(data, "mha")
    assert (info.spacing_x, info.spacing_y) == ((2, 1) if orientation in ("FM", "NU") else (1, 2))


def test_a_plus_sequence_is_a_clip_with_the_times_of_its_frames(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 255, (20, 24, 3), dtype=np.uint8)
    stamps: dict[str, Any] = {f"Seq_Frame{n:04d}_Timestamp": stamp for n, stamp in enumerate((7.25, 7.5, 8.25))}
    for data, fmt in (
        (mha(values, ElementSpacing="1 1 1", UltrasoundImageOrientation="MFD", **stamps), "mha"),
        (nrrd_file(values, tmp_path, **stamps, kinds=["domain", "domain", "list"]), "nrrd"),
    ):
        info = probe_volume(data, fmt)
        assert (info.media, info.frames, info.fps, info.spacing_x) == ("clip", 3, 2, None)
        assert times(data, fmt) == [0, 0.25, 1]
        assert same(frames(data, fmt), expected(values))
    broken = stamps | {"Seq_Frame0001_Timestamp": 99}
    data = mha(values, **broken)
    assert (probe_volume(data, "mha").media, times(data, "mha")) == ("clip", [None] * 3)


@pytest.mark.samples
def test_the_real_volumes_and_sequences() -> None:
    folder = samples_folder() / "plus" / "TestImages"

    def read(name: str) -> bytes:
        return (folder / name).read_bytes()

    bone = probe_volume(read("BoneUltrasound_L14.igs.mha"), "mha")
    assert (bone.media, bone.width, bone.height, bone.frames, bone.spacing_x) == ("clip", 820, 616, 21, None)
    assert bone.fps == pytest.approx(11.63, abs=0.01)
    seconds = times(read("BoneUltrasound_L14.igs.mha"), "mha")
    assert seconds[1] == pytest.approx(232.628014 - 232.542071)
    phantom = probe_volume(read("NwirePhantomFreehandReconstructed.mha"), "mha")
    assert (phantom.media, phantom.frames, phantom.spacing_x, phantom.spacing_z) == ("volume", 74, 0.5, 0.5)
    head = probe_volume(read("NrrdSample.igs.nrrd"), "nrrd")
    assert (head.media, head.width, head.height, head.set_aside) == ("image", 256, 256, None)
    name = "SegmentationTest_BKMedical_RandomStepperMotionData2_Trimmed{}.igs.mha"
    named, filled = (frames(read(name.format(end)), "mha") for end in ("", "_Anonymized"))
    strip = frames(read(name.format("_PatientCropped")), "mha")
    assert len(named) == len(filled) == len(strip) == 6
    for before, after, cut in zip(named, filled, strip, strict=True):
        rows, columns = np.nonzero(before != after)
        # The strip lies 52 pixels from the left and 25 from the top, says its own header.
        assert np.array_equal(before[25:50, 52:312], cut)
        assert 25 <= rows.min() <= rows.max() < 50
        assert 52 <= columns.min() <= columns.max() < 312


def test_values_in_a_second_file_are_read_through_the_caller_only(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 255, (20, 24, 3), dtype=np.uint8)
    asked: list[str] = []

    def companion(name: str) -> bytes:
        asked.append(name)
        return b"HEAD" + values.T.tobytes()

    for skip in (4, -1):
        header = mha(values, data_file="./values.raw", HeaderSize=skip)
        assert same(frames(header, "mha", companion=companion), expected(values))
    nrrd.write(str(tmp_path / "x.nhdr"), values, {"encoding": "raw"}, detached_header=True)
    detached = (tmp_path / "x.nhdr").read_bytes().replace(b"encoding:", b"byte skip: -1\nencoding:")
    assert same(frames(detached, "nrrd", companion=companion), expected(values))
    assert asked == ["values.raw", "values.raw", "x.raw"]
    with pytest.raises(RowError, match="only the header was given"):
        frames(detached, "nrrd")


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../secret.raw", "a/../../b", "C:\\x.raw", "\\\\host\\x", "LIST", "LIST 2", "x%03d.raw 1 3 1",
     "http://host/x", "~/x", ""],
)  # fmt: skip
def test_a_header_that_names_other_files_is_refused_before_anything_is_read(name: str) -> None:
    values = np.zeros((4, 4), np.uint8)
    nhdr = f"NRRD0004\ntype: uint8\ndimension: 2\nsizes: 4 4\nencoding: raw\ndata file: {name}\n\n".encode()
    asked: list[str] = []
    for data, fmt in ((mha(values, data_file=name or " "), "mha"), (nhdr, "nrrd")):
        with pytest.raises(RowError, match="leads elsewhere") as caught:
            frames(data, fmt, companion=lambda path: asked.append(path) or bytes(16))  # type: ignore[func-returns-value]
        assert not name or name not in str(caught.value)
    assert asked == []


def nrrd_text(sizes: str, body: bytes = b"", encoding: str = "raw", dimension: int = 3) -> bytes:
    text = f"NRRD0004\ntype: uint8\ndimension: {dimension}\nsizes: {sizes}\nencoding: {encoding}\n\n"
    return text.encode() + body


def test_headers_that_lie_about_sizes_cost_nothing() -> None:
    small = np.zeros((8, 8, 2), np.uint8)
    bomb = gzip.compress(bytes(50_000_000))
    hostile = [
        (nifti(small, dim=[3, 32767, 32767, 32767, 1, 1, 1, 1]), "nifti"),
        (nifti(small, dim=[3, -8, 8, 2, 1, 1, 1, 1]), "nifti"),
        (nifti(small, dim=[0, 8, 8, 2, 1, 1, 1, 1]), "nifti"),
        (nifti(small, dim=[99, 8, 8, 2, 1, 1, 1, 1]), "nifti"),
        (nifti(small, vox_offset=-5), "nifti"),
        (nifti(small, vox_offset=np.nan), "nifti"),
        (nifti(small, vox_offset=1e30), "nifti"),
        (nifti(small, datatype=1234), "nifti"),
        (nifti(small)[:400], "nifti"),
        (gzip.compress(nifti(small)[:400]), "nifti"),
        (gzip.compress(nifti(small, dim=[3, 16000, 16000, 8, 1, 1, 1, 1])), "nifti"),
        (gzip.compress(nifti(speckle(30, 30)))[:300], "nifti"),
        (b"\x5c\x01\x00\x00", "nifti"),
        (mha(small, DimSize="100000 100000 100000"), "mha"),
        (mha(small, DimSize="-8 -8 2"), "mha"),
        (mha(small, DimSize="0 8 2"), "mha"),
        (mha(small, DimSize="8 8"), "mha"),
        (mha(small, DimSize="16000 16000 4", packed=True), "mha"),
        (mha(small, DimSize="x y z"), "mha"),
        (mha(small, ElementType="MET_OTHER"), "mha"),
        (mha(small, ElementNumberOfChannels=7), "mha"),
        (mha(small, BinaryData="False"), "mha"),
        (mha(small, HeaderSize=10**30), "mha"),
        (mha(speckle(8, 8), packed=True)[:-9], "mha"),
        (mha(small, ElementType=None), "mha"),
        (b"ObjectType = Image\n" * 1000, "mha"),
        (nrrd_text("8 8"), "nrrd"),
        (nrrd_text("100000 100000 100000"), "nrrd"),
        (nrrd_text("-8 -8 2", bytes(128)), "nrrd"),
        (nrrd_text("8 8 2", bytes(100)), "nrrd"),
        (nrrd_text("8 8 2", b"x", "zip"), "nrrd"),
        (nrrd_text("8 8 2", b"x", "gzip"), "nrrd"),
        (nrrd_text("16000 16000 4", bomb[:200], "gzip"), "nrrd"),
        (nrrd_text("16000 16000 4", bz2.compress(bytes(90_000)), "bzip2"), "nrrd"),
        (nrrd_text("8 8 2", b"1 2 3", "ascii"), "nrrd"),
        (nrrd_text("1 1 1 1 1 1 1 1 1 1", b"1", dimension=10), "nrrd"),
        (nrrd_text("8 8 2", bytes(128)).replace(b"uint8", b"block"), "nrrd"),
        (b"NRRD0004\nnonsense\n\n", "nrrd"),
        (b"NRRD0004\n", "nrrd"),
    ]
    tracemalloc.start()
    try:
        for data, fmt in hostile:
            for function in (probe_volume, frames):
                with pytest.raises(RowError) as caught:
                    function(data, fmt)
                assert str(caught.value).startswith(f"{fmt}: ")
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()


def test_a_stream_is_unpacked_only_as_far_as_the_header_says() -> None:
    values = np.random.default_rng(0).integers(0, 255, (8, 8, 2), dtype=np.uint8)
    packed = gzip.compress(nifti(values) + bytes(100_000_000))
    tracemalloc.start()
    try:
        assert same(frames(packed, "nifti"), expected(values))
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    many = nrrd_text("8 8 2", gzip.compress(b"") * 20_000, "gzip")
    with pytest.raises(RowError, match="streams in a row"):
        frames(many, "nrrd")


def test_text_values_cost_what_the_header_says_and_a_header_has_so_many_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).integers(0, 255, (8, 8, 2), dtype=np.uint8)
    text = " ".join(map(str, values.ravel("F"))).encode()
    monkeypatch.setattr(_nrrd, "_TEXT_STEP", 50)  # cuts through numbers
    assert same(frames(nrrd_text("8 8 2", text, "ascii"), "nrrd"), expected(values))
    with pytest.raises(RowError, match="expected 128 values, found 127"):
        frames(nrrd_text("8 8 2", text.rpartition(b" ")[0] + b"   ", "ascii"), "nrrd")
    with pytest.raises(RowError, match="blanks between"):
        frames(nrrd_text("8 8 2", b"1" * 1000, "ascii"), "nrrd")
    monkeypatch.undo()
    longer = nrrd_text("8 8 2", text + b" 1" * 1_000_000, "ascii").replace(b"uint8", b"double")
    probe_volume(nrrd_text("8 8 2", text, "ascii"), "nrrd")  # imports count, too
    tracemalloc.start()
    try:
        probe_volume(longer, "nrrd")
        assert tracemalloc.get_traced_memory()[1] < len(longer) + 15_000_000
    finally:
        tracemalloc.stop()
    lines = 2_000
    for module in (_nrrd, _metaimage):
        monkeypatch.setattr(module, "MAX_LINES", lines)
    with pytest.raises(RowError, match=f"at most {lines} lines"):
        probe_volume(nrrd_text("8 8 2", bytes(128)).replace(b"\n\n", b"\n" + b"#\n" * lines + b"\n"), "nrrd")
    with pytest.raises(RowError, match="expected a header that ends"):
        probe_volume(mha(values).replace(b"NDims", b"\n" * lines + b"NDims"), "mha")
    assert probe_volume(mha(values).replace(b"NDims", b"\n" * 1000 + b"NDims"), "mha").frames == 2


SEEDS = [
    (nifti(np.random.default_rng(0).integers(0, 255, (9, 8, 3)).astype(np.int16)), "nifti"),
    (mha(speckle(9, 8)[..., None].repeat(2, 2), packed=True, ElementSpacing="1 2 3", Seq_Frame0000_Timestamp=1), "mha"),
    (nrrd_text("9 8 2", speckle(9, 16).tobytes()), "nrrd"),
]


@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 600), st.binary(min_size=1, max_size=4)), max_size=6))
@settings(max_examples=300, deadline=None)
def test_a_damaged_file_is_a_row_error_or_pictures(seed: tuple[bytes, str], edits: list[tuple[int, bytes]]) -> None:
    data, fmt = bytearray(seed[0]), seed[1]
    for at, value in edits:
        data[at : at + len(value)] = value
    for function in (probe_volume, frames):
        try:
            function(bytes(data), fmt)
        except RowError:
            continue
