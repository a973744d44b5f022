"""Frames as a file of any format that is read: known pixels, spacing and timing in, bytes out, for proofs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ultracurate.core.errors import ConfigError
from ultracurate.phantom import format_arrays, format_pictures, format_videos, format_volumes
from ultracurate.phantom.files import encode_dicom
from ultracurate.phantom.format_facts import Facts, Writer
from ultracurate.phantom.screens import invent_identity
from ultracurate.phantom.textures import Grey

__all__ = ["VARIANTS", "Facts", "Variant", "write", "write_files"]


@dataclass(frozen=True)
class Variant:
    """One way of writing a format.

    Attributes:
        format: name among `decoding.decode.FORMATS`, or "tfrecord", which is a container.
        ending: of the file, with its dot; of a format in two files, of the one that is read.
        write: frames and facts to the bytes of each file, by ending.
        lossless: whether the same pixels come back.
        media: what one frame and what several are: (image, clip), (image, volume), ...
    """

    format: str
    ending: str
    write: Writer
    lossless: bool = True
    media: tuple[str, str] = ("image", "clip")


def _dicom(frames: Grey, facts: Facts) -> dict[str, bytes]:
    colour = frames.shape[-1] == 3 and frames.ndim == 4
    pixels = frames if len(frames) > 1 else frames[0]
    spacing = facts.spacing[0] if facts.spacing else 0.21
    return {".dcm": encode_dicom(pixels, invent_identity(facts.seed), facts.seed, colour, spacing, facts.fps)}


_PAGES, _SLICES, _FRAMES = ("image", "volume"), ("image", "volume"), ("image", "stack")
_MOVING = ("clip", "clip")
_picture, _video, _volume, _array = (
    format_pictures.writer,
    format_videos.writer,
    format_volumes.WRITERS,
    format_arrays.WRITERS,
)

VARIANTS: dict[str, Variant] = {
    "png": Variant("png", ".png", _picture("png")),
    "png/16": Variant("png", ".png", _picture("png", deep=True)),
    "png/palette": Variant("png", ".png", _picture("png", palette=True)),
    "png/animated": Variant("png", ".png", _picture("png", animated=True)),
    "jpg": Variant("jpg", ".jpg", _picture("jpg"), lossless=False),
    "jpg/progressive": Variant("jpg", ".jpeg", _picture("jpg", progressive=True), lossless=False),
    "bmp": Variant("bmp", ".bmp", _picture("bmp")),
    "tif": Variant("tif", ".tif", _picture("tif"), media=_PAGES),
    "tif/lzw": Variant("tif", ".tiff", _picture("tif", compression="tiff_lzw"), media=_PAGES),
    "tif/16": Variant("tif", ".tif", _picture("tif", deep=True), media=_PAGES),
    "tif/imagej": Variant("tif", ".tif", _picture("tif", imagej=True), media=_PAGES),
    "gif": Variant("gif", ".gif", _picture("gif")),
    "webp": Variant("webp", ".webp", _picture("webp", lossless=True)),
    "webp/lossy": Variant("webp", ".webp", _picture("webp", quality=95), lossless=False),
    "jp2": Variant("jp2", ".jp2", _picture("jp2", irreversible=False)),
    "jp2/codestream": Variant("jp2", ".j2k", _picture("jp2", irreversible=False, no_jp2=True)),
    "mp4": Variant("mp4", ".mp4", _video("mp4", "libx264", crf="16"), False, _MOVING),
    "mp4/lossless": Variant("mp4", ".mp4", _video("mp4", "libx264", "gray", qp="0"), True, _MOVING),
    "mp4/mpeg4": Variant("mp4", ".m4v", _video("mp4", "mpeg4", qscale="2"), False, _MOVING),
    "mp4/hevc": Variant("mp4", ".mp4", _video("mp4", "libx265", crf="14"), False, _MOVING),
    "mov": Variant("mov", ".mov", _video("mov", "libx264", crf="16"), False, _MOVING),
    "mov/mjpeg": Variant("mov", ".mov", _video("mov", "mjpeg", "yuvj420p", qscale="2"), False, _MOVING),
    "mkv": Variant("mkv", ".mkv", _video("matroska", "libx264", crf="16"), False, _MOVING),
    "mkv/ffv1": Variant("mkv", ".mkv", _video("matroska", "ffv1", "gray"), True, _MOVING),
    "mkv/webm": Variant("mkv", ".webm", _video("webm", "libvpx-vp9", crf="10", b="0"), False, _MOVING),
    "avi": Variant("avi", ".avi", _video("avi", "mjpeg", "yuvj420p", qscale="2"), False, _MOVING),
    "avi/raw": Variant("avi", ".avi", _video("avi", "rawvideo", "gray"), True, _MOVING),
    "avi/rgb": Variant("avi", ".avi", _video("avi", "rawvideo", "bgr24"), True, _MOVING),
    "avi/ffv1": Variant("avi", ".avi", _video("avi", "ffv1", "gray"), True, _MOVING),
    "wmv": Variant("wmv", ".wmv", _video("asf", "wmv2", qscale="2"), False, _MOVING),
    "mpg": Variant("mpg", ".mpg", _video("mpeg", "mpeg1video", qscale="2"), False, _MOVING),
    "mpg/mpeg2": Variant("mpg", ".mpeg", _video("mpeg", "mpeg2video", qscale="2"), False, _MOVING),
    "mpg/ts": Variant("mpg", ".ts", _video("mpegts", "mpeg2video", qscale="2"), False, _MOVING),
    "dicom": Variant("dicom", ".dcm", _dicom),
    "nifti": Variant("nifti", ".nii", _volume["nifti"], media=_SLICES),
    "nifti/gz": Variant("nifti", ".nii.gz", _volume["nifti_gz"], media=_SLICES),
    "mha": Variant("mha", ".mha", _volume["mha"], media=_SLICES),
    "mha/zlib": Variant("mha", ".mha", _volume["mha_zlib"], media=_SLICES),
    "mha/mhd": Variant("mha", ".mhd", _volume["mhd"], media=_SLICES),
    "nrrd": Variant("nrrd", ".nrrd", _volume["nrrd"], media=_SLICES),
    "nrrd/gzip": Variant("nrrd", ".nrrd", _volume["nrrd_gzip"], media=_SLICES),
    "nrrd/nhdr": Variant("nrrd", ".nhdr", _volume["nhdr"], media=_SLICES),
    "npy": Variant("npy", ".npy", _array["npy"], media=_FRAMES),
    "npz": Variant("npz", ".npz", _array["npz"], media=_FRAMES),
    "mat": Variant("mat", ".mat", _array["mat5"], media=_FRAMES),
    "mat/v73": Variant("mat", ".mat", _array["mat73"], media=_FRAMES),
    "hdf5": Variant("hdf5", ".h5", _array["hdf5"], media=_FRAMES),
    "tfrecord": Variant("tfrecord", ".tfrecord", _array["tfrecord"], media=_FRAMES),
}
"""Every way of writing, by `format` or `format/variant`."""


def write_files(variant: str, frames: Grey, facts: Facts | None = None) -> dict[str, bytes]:
    """The file or files of some frames, by ending; the same input gives the same bytes on one machine.

    Args:
        variant: a key of `VARIANTS`.
        frames: (F, H, W) or (F, H, W, 3) uint8; formats of stills take one frame, grey codecs no colour.
        facts: spacing and timing to be written, as far as the format can hold them.

    Raises:
        ConfigError: no such variant.
        MissingExtraError: the package that writes the format is not installed.
    """
    if variant not in VARIANTS:
        raise ConfigError(
            f"Expected a way of writing of {', '.join(VARIANTS)}, found {variant!r}. Choose one of these."
        )
    return VARIANTS[variant].write(np.ascontiguousarray(frames), facts or Facts())


def write(variant: str, frames: Grey, facts: Facts | None = None) -> bytes:
    """As `write_files`, of a format in two files only the one that is read (without its samples)."""
    return write_files(variant, frames, facts)[VARIANTS[variant].ending]
