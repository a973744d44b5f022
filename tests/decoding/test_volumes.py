"""NIfTI, MetaImage and NRRD: pixels, spacing, time and colour."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.decoding.files import Array, speckle
from tests.decoding.volume_files import expected, frames, mha, nifti, nrrd_file, same, times
from ultracurate.core.errors import RowError
from ultracurate.decoding.media import MediaInfo, Reading
from ultracurate.decoding.volumes import iter_volume, probe_volume

VOLUMES = hnp.arrays(
    st.sampled_from(["u1", "i1", "<i2", ">i2", "u2", "i4", "f4", "f8"]),
    st.tuples(st.integers(2, 9), st.integers(2, 9), st.integers(1, 5)),
    elements=st.integers(0, 100),
)


@given(values=VOLUMES, version=st.sampled_from([1, 2]), packed=st.booleans())
@settings(max_examples=40, deadline=None)
def test_nifti_pixels(values: Array, version: int, packed: bool) -> None:
    data = nifti(values.astype(values.dtype.newbyteorder("=")), version=version)
    if values.dtype.str.startswith(">"):
        library: Any = nibabel
        image = library.Nifti1Image(values, np.eye(4), library.Nifti1Header(endianness=">"))
        image.set_data_dtype(values.dtype)
        data = image.to_bytes()
    data = gzip.compress(data) if packed else data
    assert same(frames(data, "nifti"), expected(values))
    info = probe_volume(data, "nifti")
    assert (info.width, info.height, info.frames) == values.shape
    assert info.media == ("volume" if values.shape[2] > 1 else "image")


@given(values=VOLUMES, packed=st.booleans(), big=st.booleans())
@settings(max_examples=40, deadline=None)
def test_metaimage_pixels(values: Array, packed: bool, big: bool) -> None:
    data = mha(values, packed=packed, big=big)
    assert same(frames(data, "mha"), expected(values))
    assert probe_volume(data, "mha").frames == values.shape[2]


@given(values=VOLUMES, encoding=st.sampled_from(["raw", "gzip", "bzip2", "ascii"]))
@settings(max_examples=40, deadline=None)
def test_nrrd_pixels(tmp_path_factory: pytest.TempPathFactory, values: Array, encoding: str) -> None:
    data = nrrd_file(values, tmp_path_factory.getbasetemp(), encoding=encoding)
    assert same(frames(data, "nrrd"), expected(values))
    assert probe_volume(data, "nrrd").width == values.shape[0]


def test_only_wanted_frames_come_and_all_share_one_scale() -> None:
    values = np.zeros((20, 20, 3), np.int16)
    values[..., 0], values[..., 2] = 1000, 4000
    got = list(iter_volume(mha(values), "mha", lambda index, _: index in (0, 2)))
    assert [(index, int(image.max())) for index, _, image in got] == [(0, 64), (2, 255)]


def test_spacing_of_nifti_follows_its_units() -> None:
    values = speckle(20, 24)[..., None].repeat(3, 2)

    def spacing(info: MediaInfo) -> tuple[float | None, ...]:
        return info.spacing_x, info.spacing_y, info.spacing_z

    assert spacing(probe_volume(nifti(values, zooms=(0.5, 0.25, 2)), "nifti")) == (0.5, 0.25, 2)
    micron = probe_volume(nifti(values, zooms=(500, 250, 2000), units=("micron", "sec")), "nifti")
    assert spacing(micron) == pytest.approx((0.5, 0.25, 2))
    assert spacing(probe_volume(nifti(values), "nifti")) == (1, 1, 1)  # stated in mm
    unknown = ("unknown", "unknown")
    assert spacing(probe_volume(nifti(values, units=unknown), "nifti")) == (None, None, None)
    assert spacing(probe_volume(nifti(values, units=unknown, zooms=(0.5, 0.5, 1)), "nifti")) == (0.5, 0.5, 1)
    bad = nifti(values, pixdim=[1, np.nan, -0.3, 0, 0, 0, 0, 0])
    assert spacing(probe_volume(bad, "nifti")) == (None, float(np.float32(0.3)), None)


def test_time_in_nifti_is_a_clip_and_volumes_in_time_are_slices_unless_the_axis_says_time() -> None:
    random = np.random.default_rng(0)
    clip = random.integers(0, 255, (16, 18, 1, 5), dtype=np.uint8)
    data = nifti(clip, zooms=(1, 1, 1, 50), units=("mm", "msec"))
    info = probe_volume(data, "nifti")
    assert (info.media, info.frames, info.fps, info.spacing_z) == ("clip", 5, 20, None)
    assert times(data, "nifti") == pytest.approx([0, 0.05, 0.1, 0.15, 0.2])
    assert same(frames(data, "nifti"), [clip[:, :, 0, t].T for t in range(5)])

    both = random.integers(0, 255, (16, 18, 3, 4), dtype=np.uint8)
    data = nifti(both, zooms=(1, 1, 2, 0.1))
    assert probe_volume(data, "nifti").media == "volume"
    assert same(frames(data, "nifti"), [both[:, :, z, t].T for t in range(4) for z in range(3)])
    in_time = Reading(axis=3)
    assert (probe_volume(data, "nifti", in_time).media, times(data, "nifti", in_time)) == ("clip", [None] * 12)
    assert same(frames(data, "nifti", in_time), [both[:, :, z, t].T for z in range(3) for t in range(4)])
    with pytest.raises(RowError, match="`axis` among"):
        probe_volume(data, "nifti", Reading(axis=4))


def test_the_manifest_names_the_axis_and_the_kind() -> None:
    values = np.random.default_rng(0).integers(0, 255, (6, 20, 24), dtype=np.uint8)
    data = mha(values, ElementSpacing="1 2 3")
    reading = Reading(axis=0, kind="clip", fps=10)
    info = probe_volume(data, "mha", reading)
    assert (info.media, info.frames, info.width, info.height, info.fps) == ("clip", 6, 20, 24, 10)
    assert (info.spacing_x, info.spacing_y, info.spacing_z) == (2, 3, None)
    assert same(frames(data, "mha", reading), [values[index].T for index in range(6)])
    assert times(data, "mha", reading)[5] == 0.5


def test_colour_in_all_three_formats(tmp_path: Path) -> None:
    colour = np.random.default_rng(1).integers(0, 255, (3, 20, 24), dtype=np.uint8)  # (c, x, y)
    wanted = [colour.transpose(2, 1, 0)]
    rgb = np.ascontiguousarray(colour.transpose(1, 2, 0))[:, :, None].view(
        np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    )
    for data, fmt in (
        (nifti(rgb[..., 0]), "nifti"),
        (mha(colour, ElementNumberOfChannels=3, NDims=2, DimSize="20 24"), "mha"),
        (nrrd_file(colour, tmp_path, kinds=["RGB-color", "domain", "domain"]), "nrrd"),
    ):
        info = probe_volume(data, fmt)
        assert (info.channels, info.width, info.height, info.media) == (3, 20, 24, "image")
        assert same(frames(data, fmt), wanted)


def test_slope_and_intercept_of_nifti_are_applied_to_deep_values_only() -> None:
    values = np.arange(400, dtype=np.int16).reshape(20, 20)
    inverted = nifti(values, scl_slope=-1.0, scl_inter=399.0)
    assert frames(inverted, "nifti")[0][0, 0] == 255
    assert frames(inverted, "nifti")[0][-1, -1] == 0
    assert np.array_equal(frames(nifti(speckle(20, 20).T, scl_slope=0.1), "nifti")[0], speckle(20, 20))


def test_a_pair_of_header_and_image_is_read_from_both_together() -> None:
    values = np.random.default_rng(0).integers(0, 255, (20, 24, 3), dtype=np.uint8)
    whole = nifti(values)
    pair = nifti(values, magic=b"ni1\0", vox_offset=0)[:348] + b"\0" * 4 + whole[352:]
    assert same(frames(pair, "nifti"), expected(values))
    with pytest.raises(RowError, match="truncated"):
        frames(pair[:348], "nifti")


def test_what_headers_say_is_set_aside(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 255, (20, 24, 3), dtype=np.uint8)
    assert probe_volume(nifti(values, intent_code=1002), "nifti").set_aside == "mask"
    named = nrrd_file(values, tmp_path, Segment0_Name="liver", encoding="raw")
    assert probe_volume(named, "nrrd").set_aside == "mask"
    iq = nifti(values.astype(np.complex64))
    assert probe_volume(iq, "nifti").set_aside == "iq_data"
    with pytest.raises(RowError, match="IQ signal"):
        frames(iq, "nifti")
    for kind, reason in (("RF_REAL", "rf_data"), ("RF_IQ_LINE", "iq_data"), ("RF_I_LINE_Q_LINE", "iq_data")):
        data = mha(values.astype(np.int16), UltrasoundImageType=kind, UltrasoundImageOrientation="FM")
        assert probe_volume(data, "mha").set_aside == reason
        with pytest.raises(RowError, match=reason):
            frames(data, "mha")
    labels = np.zeros((30, 30, 4), np.int16)
    labels[5:20, 5:20] = 2
    assert probe_volume(mha(labels), "mha").set_aside == "mask"
    assert probe_volume(mha(values), "mha").set_aside is None


def test_nrrd_axes_of_time_and_spacing(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 255, (4, 20, 24), dtype=np.uint8)
    data = nrrd_file(
        values, tmp_path, kinds=["time", "domain", "domain"], spacings=[40, 0.05, 2], units=["ms", "cm", "mm"]
    )
    info = probe_volume(data, "nrrd")
    assert (info.media, info.frames, info.fps, info.spacing_x, info.spacing_y) == ("clip", 4, 25, 0.5, 2)
    assert same(frames(data, "nrrd"), [values[index].T for index in range(4)])
    turned = np.diag([0.3, 0.4, 0.5])[:, [1, 0, 2]]
    data = nrrd_file(values, tmp_path, **{"space": "left-posterior-superior", "space directions": turned})
    info = probe_volume(data, "nrrd")
    assert (info.spacing_x, info.spacing_y, info.spacing_z) == pytest.approx((0.3, 0.4, 0.5))
