"""NumPy, MATLAB and HDF5 files: pixels, shapes, and which array is the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.decoding.array_files import frames, hdf5, mat, mat73, npy, npz
from tests.decoding.files import Array, speckle
from tests.decoding.test_radio import b_mode, rf_lines
from ultracurate.core.errors import RowError
from ultracurate.decoding._arrays import hdf5 as _hdf5
from ultracurate.decoding._arrays.mat import mat_arrays
from ultracurate.decoding.arrays import iter_array, probe_array
from ultracurate.decoding.levels import to_8bit
from ultracurate.decoding.media import Reading

STACKS = hnp.arrays(
    st.sampled_from(["u1", "i1", "<i2", ">u2", "i4", "f2", "f4", ">f8"]),
    st.tuples(st.sampled_from([2, 4]), st.integers(16, 20), st.integers(16, 20)),
    elements=st.integers(0, 90),
)


def expected(stack: Array) -> list[Array]:
    low, high = float(stack.min()), float(stack.max())
    return [to_8bit(picture, low, high) for picture in stack]


def same(found: list[Array], wanted: list[Array]) -> bool:
    return len(found) == len(wanted) and all(np.array_equal(a, b) for a, b in zip(found, wanted, strict=True))


@given(stack=STACKS, form=st.sampled_from(["C", "F"]), packed=st.booleans())
@settings(max_examples=40, deadline=None)
def test_numpy_pixels(stack: Array, form: Any, packed: bool) -> None:
    stack = np.asarray(stack, order=form)
    for data, fmt in ((npy(stack), "npy"), (npz(a=stack, labels=np.arange(5), packed=packed), "npz")):
        assert same(frames(data, fmt), expected(stack))
        info = probe_array(data, fmt)
        assert (info.frames, info.height, info.width, info.media) == (*stack.shape, "stack")


@given(stack=STACKS.filter(lambda stack: stack.dtype != np.float16), packed=st.booleans())
@settings(max_examples=40, deadline=None)
def test_matlab_5_pixels_lie_by_columns(stack: Array, packed: bool) -> None:
    stack = stack.astype(stack.dtype.newbyteorder("="))
    data = mat(a=np.moveaxis(stack, 0, 2), age=40.0, packed=packed)
    assert same(frames(data, "mat"), expected(stack))
    info = probe_array(data, "mat")
    assert (info.frames, info.height, info.width) == stack.shape


@given(stack=STACKS, form=st.sampled_from([{}, {"compression": "gzip"}, {"compression": "lzf", "chunks": (1, 8, 8)}]))
@settings(max_examples=25, deadline=None)
def test_hdf5_and_matlab_7_3_pixels(stack: Array, form: dict[str, Any]) -> None:
    assert same(frames(hdf5({"g/deep/er": stack}, **form), "hdf5"), expected(stack))
    data = mat73({"a": np.moveaxis(stack, 0, 2)}, "single")
    assert same(frames(data, "mat"), expected(stack))
    assert probe_array(data, "mat").height == stack.shape[1]


def test_matlab_4_pixels() -> None:
    picture = speckle(20, 30)
    for values in (picture, picture.astype(np.float64), picture.astype(np.int16)):
        data = mat(a=values, age=40.0, version="4")
        assert same(frames(data, "mat"), expected(values[None]))
    assert probe_array(mat(a=picture * 1j, version="4"), "mat").set_aside == "iq_data"


def test_a_large_dataset_is_read_in_blocks_and_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = np.random.default_rng(0).integers(0, 60_000, (9, 24, 20), dtype=np.uint16)
    monkeypatch.setattr(_hdf5, "_WHOLE", 0)
    monkeypatch.setattr(_hdf5, "_BLOCK", 2 * 24 * 20 * 2)  # two pictures
    for data, fmt in ((hdf5({"a": stack}), "hdf5"), (mat73({"a": np.moveaxis(stack, 0, 2)}), "mat")):
        got = [image for _, _, image in _hdf5.iter_hdf5(data, fmt, lambda *_: True)]
        assert same(got, expected(stack))
        some = [(index, image) for index, _, image in _hdf5.iter_hdf5(data, fmt, lambda index, _: index in (1, 6))]
        assert [index for index, _ in some] == [1, 6]
        assert same([image for _, image in some], [expected(stack)[1], expected(stack)[6]])


@pytest.mark.parametrize(
    ("shape", "axis", "wanted"),
    [
        ((20, 30), None, (1, 20, 30, 1)), ((5, 20, 30), None, (5, 20, 30, 1)), ((20, 30, 3), None, (1, 20, 30, 3)),
        ((5, 20, 30, 3), None, (5, 20, 30, 3)), ((5, 3, 20, 30), None, (5, 20, 30, 3)),
        ((5, 1, 20, 30), None, (5, 20, 30, 1)), ((5, 20, 30, 1), None, (5, 20, 30, 1)),
        ((1, 5, 20, 30), None, (5, 20, 30, 1)), ((1, 20, 30), None, (1, 20, 30, 1)),
        ((3, 20, 30), None, (3, 20, 30, 1)), ((3, 20, 30), 0, (3, 20, 30, 1)), ((20, 30, 5), 2, (5, 20, 30, 1)),
        ((20, 30, 3), 2, (3, 20, 30, 1)), ((20, 6, 30), 1, (6, 20, 30, 1)), ((20, 30, 3, 4), 3, (4, 20, 30, 3)),
        ((1, 20, 30), 0, (1, 20, 30, 1)),
    ],
)  # fmt: skip
def test_shapes_of_numpy(shape: tuple[int, ...], axis: int | None, wanted: tuple[int, int, int, int]) -> None:
    array = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    info = probe_array(npy(array), "npy", Reading(axis=axis))
    assert (info.frames, info.height, info.width, info.channels) == wanted
    first = frames(npy(array), "npy", Reading(axis=axis))[0]
    if axis is not None:
        array = np.moveaxis(array, axis, 0)
    inside = wanted[1:3] if wanted[3] == 1 else array.shape[-3:]
    picture = array.reshape(wanted[0], *inside)[0]
    assert np.array_equal(first, np.moveaxis(picture, 0, 2) if inside[0] == 3 else picture)


@pytest.mark.parametrize(
    ("shape", "axis", "wanted"),
    [
        ((20, 30), None, (1, 20, 30, 1)), ((20, 30, 5), None, (5, 20, 30, 1)), ((20, 30, 3), None, (1, 20, 30, 3)),
        ((20, 30, 3, 5), None, (5, 20, 30, 3)), ((20, 30, 1, 5), None, (5, 20, 30, 1)),
        ((5, 20, 30), 0, (5, 20, 30, 1)), ((20, 30, 3), 2, (3, 20, 30, 1)),
    ],
)  # fmt: skip
def test_shapes_of_matlab(shape: tuple[int, ...], axis: int | None, wanted: tuple[int, int, int, int]) -> None:
    array = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    for data in (mat(a=array), mat73({"a": array}, "uint8")):
        info = probe_array(data, "mat", Reading(axis=axis))
        assert (info.frames, info.height, info.width, info.channels) == wanted


def test_shapes_without_pictures_are_refused_with_what_was_found() -> None:
    for shape in ((1000,), (20, 8), (4, 5, 20, 30), (2, 2, 2, 20, 30), (0, 20, 30), ()):
        with pytest.raises(RowError, match=r"npy: expected an array of pictures.*`axis`"):
            probe_array(npy(np.zeros(shape, np.uint8)), "npy")
    with pytest.raises(RowError, match="expected an array of pictures"):
        probe_array(npy(np.zeros((20, 30), "S4")), "npy")
    with pytest.raises(RowError, match="shape of pictures"):
        probe_array(npz(a=np.zeros(9)), "npz", Reading(array="a"))


def test_of_several_arrays_the_manifest_names_one_and_no_name_is_quoted() -> None:
    one, two = speckle(20, 30), speckle(24, 32, seed=1)
    for data, fmt in (
        (npz(**{"jane_doe": one, "g/b": two}), "npz"),
        (hdf5({"jane_doe": one, "g/b": two}), "hdf5"),
        (mat(jane_doe=one, g={"b": two}), "mat"),
        (mat(jane_doe=one, g={"b": two}, packed=True), "mat"),
        (mat73({"jane_doe": one, "g/b": two}), "mat"),
    ):
        assert same(frames(data, fmt, Reading(array="g/b")), [two])
        assert same(frames(data, fmt, Reading(array="/g/b")), [two])
        with pytest.raises(RowError, match=r"found 2 .*\(20,30\).*`array`") as caught:
            probe_array(data, fmt)
        assert "jane" not in str(caught.value)
        with pytest.raises(RowError, match="correct `array`"):
            probe_array(data, fmt, Reading(array="g/c"))


def test_cells_structures_and_what_is_no_number_in_matlab() -> None:
    one, two = speckle(20, 30), speckle(24, 32, seed=1)
    cells = np.empty((1, 2), object)
    cells[0, 0], cells[0, 1] = one, two
    record = np.zeros((1, 2), [("img", object), ("name", object)])
    record[0, 1] = (two, "b")
    record[0, 0] = (one, "a")
    for packed in (False, True):
        data = mat(cells=cells, rec=record, words="text", sparse=scipy.sparse.eye_array(40).tocsc(), packed=packed)
        for name, picture in (("cells/0", one), ("cells/1", two), ("rec/0/img", one), ("rec/1/img", two)):
            assert same(frames(data, "mat", Reading(array=name)), [picture])
        with pytest.raises(RowError, match="found 4 "):
            probe_array(data, "mat")
    function = bytearray(mat(a=one, handle=np.zeros((40, 40))))
    second = 128 + 8 + int.from_bytes(function[132:136], "little")
    for kind in (16, 17, 3):  # function, opaque, object
        function[second + 16] = kind
        assert same(frames(bytes(function), "mat"), [one])


def test_files_that_matlab_itself_wrote_hold_what_scipy_finds_in_them() -> None:
    """Versions 4 to 7, both byte orders, from the tests that scipy is shipped with."""
    folder = Path(scipy.io.__file__).parent / "matlab" / "tests" / "data"
    if not folder.is_dir():
        pytest.skip("this scipy came without its tests")
    compared = 0
    for path in sorted(folder.glob("test*_[4567]*.mat")):
        try:
            wanted = scipy.io.loadmat(path)
        except (ValueError, NotImplementedError):
            continue
        found = {stored.name: stored.load() for stored in mat_arrays(path.read_bytes())}
        for name, values in wanted.items():
            if isinstance(values, np.ndarray) and values.dtype.kind in "buifc" and not name.startswith("__"):
                assert np.array_equal(found[name], values)
                compared += 1
    assert compared >= 30


def test_kind_and_rate_come_from_the_manifest() -> None:
    stack = np.random.default_rng(0).integers(0, 255, (4, 20, 30), dtype=np.uint8)
    clip = Reading(kind="clip", fps=20)
    info = probe_array(npy(stack), "npy", clip)
    assert (info.media, info.fps) == ("clip", 20)
    seconds = [time_s for _, time_s, _ in iter_array(npy(stack), "npy", lambda *_: True, clip)]
    assert seconds == [0, 0.05, 0.1, pytest.approx(0.15)]
    assert probe_array(npy(stack), "npy", Reading(kind="volume")).media == "volume"
    assert probe_array(npy(stack), "npy", Reading(kind="image")).media == "stack"
    assert probe_array(npy(stack[0]), "npy", clip).media == "image"
    over = [time_s for _, time_s, _ in iter_array(hdf5({"a": stack}), "hdf5", lambda *_: True, clip)]
    assert over == seconds


def test_one_rule_of_brightness_for_all_number_types() -> None:
    ramp = np.tile(np.linspace(0, 1, 256), (20, 1))
    wanted = np.tile(np.arange(256, dtype=np.uint8), (20, 1))
    for values in (ramp, ramp * 255, ramp * 60 - 60, (ramp * 65535).astype(np.uint16)):
        got = frames(npy(values), "npy")[0].astype(int)
        assert np.abs(got - wanted).max() <= 1
    assert np.array_equal(frames(npy(wanted.astype(np.int64)), "npy")[0], wanted)
    silent = np.full((20, 30), -np.inf)
    silent[3, 4] = 0
    assert frames(npy(silent), "npy")[0].max() == 0


def test_signals_and_masks_are_set_aside() -> None:
    lines = rf_lines().T
    rf = (lines / np.abs(lines).max() * 8000).astype(np.int16)
    assert probe_array(npy(rf), "npy").set_aside == "rf_data"
    assert probe_array(mat(a=rf.astype(float)), "mat").set_aside == "rf_data"
    assert probe_array(hdf5({"a": np.stack([rf, rf])}), "hdf5").set_aside == "rf_data"
    assert probe_array(npy(lines * 1j), "npy").set_aside == "iq_data"
    assert probe_array(hdf5({"a": lines.astype(np.complex64)}), "hdf5").set_aside == "iq_data"
    pair = {"d/real": rf.astype("f4"), "d/imag": rf[::-1].astype("f4")}
    assert probe_array(hdf5(pair), "hdf5").set_aside == "iq_data"
    assert probe_array(mat(I=rf, Q=rf[::-1]), "mat").set_aside == "iq_data"
    assert probe_array(hdf5(pair | {"d/imag": np.zeros_like(rf)}), "hdf5").set_aside == "rf_data"
    matlab = np.zeros((40, 60), [("real", "f8"), ("imag", "f8")])
    matlab["imag"] = speckle(40, 60)
    assert probe_array(mat73({"a": matlab}), "mat").set_aside == "iq_data"
    mask = np.zeros((40, 60), bool)
    mask[5:20, 5:30] = True
    assert probe_array(npy(mask), "npy").set_aside == "mask"
    assert frames(npy(mask), "npy")[0].max() == 1
    for picture in (b_mode(), np.round((b_mode() + 60) * 900).astype(np.uint16)):
        assert probe_array(npy(picture), "npy").set_aside is None


def test_text_in_hdf5_is_no_picture() -> None:
    picture = speckle(20, 30)
    assert same(frames(hdf5({"a": picture, "text": np.array([[b"x" * 9] * 30] * 20)}), "hdf5"), [picture])
