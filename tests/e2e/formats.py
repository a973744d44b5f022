"""One dataset with a file of every format and an archive of every kind, run through index and frames once."""

from __future__ import annotations

import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.e2e.lab import Lab
from ultracurate.core.blobs import Blobs, PixelRef
from ultracurate.core.schema import content_id
from ultracurate.core.store import Store
from ultracurate.decoding.decode import decode_image
from ultracurate.phantom.formats import VARIANTS, Facts, write_files
from ultracurate.phantom.frame import make_clip

FPS, SPACING = 25.0, (0.2, 0.3, 0.5)
RULE_FPS = 20.0
"""What the manifest says about clips in arrays, which cannot say it themselves."""
COUNT = 4
"""Not 3: MATLAB's (H, W, 3) could be a picture in colour."""
SIZE = (96, 128)


@dataclass(frozen=True)
class Case:
    """A way of writing, what the layout calls the file, and what has to come out.

    Attributes:
        variant: key of `formats.VARIANTS`.
        kind: what the layout rule says: image, clip or volume.
        media: what the sample is.
        count: frames in the file and in the answer.
        fps: of the sample.
        spacing: (x, y, z) of the sample, None where unknown.
        timed: whether frames carry times.
        colour: frames in colour.
        psnr: at least so much, where the codec loses something; None: identical pixels.
    """

    variant: str
    kind: str = "image"
    media: str = "image"
    count: int = 1
    fps: float | None = None
    spacing: tuple[float | None, float | None, float | None] = (None, None, None)
    timed: bool = False
    colour: bool = False
    psnr: float | None = None

    @property
    def usual(self) -> bool:
        """Whether it is the first way of writing its format, in grey: the others are left to the slow tests."""
        first = "/" not in self.variant and not self.colour
        return first and (self.kind == "image" or self.variant not in ("npz", "mat", "hdf5"))

    @property
    def folder(self) -> str:
        """Where its file lies, one folder for each case."""
        how = VARIANTS[self.variant]
        place = "arrays" if self.kind == "clip" and how.format in ("npy", "npz", "mat", "hdf5") else self.kind
        return f"{place}/{self.variant.replace('/', '-')}-{'rgb' if self.colour else 'grey'}"

    @property
    def path(self) -> str:
        """Path of its file in the dataset, and of its sample."""
        return f"{self.folder}/x{VARIANTS[self.variant].ending}"


def _still(variant: str, **more: Any) -> list[Case]:
    return [Case(variant, **more), Case(variant, **more, colour=True)]


def _clip(variant: str, psnr: float | None = 35.0, grey_only: bool = False) -> list[Case]:
    common: dict[str, Any] = {"kind": "clip", "media": "clip", "count": COUNT, "fps": FPS, "timed": True, "psnr": psnr}
    return [Case(variant, **common)] + ([] if grey_only else [Case(variant, **common, colour=True)])


def _volume(variant: str, spacing: tuple[float | None, ...] = SPACING, **more: Any) -> list[Case]:
    common: dict[str, Any] = {"kind": "volume", "media": "volume", "count": COUNT, "spacing": spacing} | more
    return [Case(variant, **common), Case(variant, **common, colour=True)]


def _array(variant: str) -> list[Case]:
    stack: dict[str, Any] = {"media": "stack", "count": COUNT}
    clip: dict[str, Any] = {"kind": "clip", "media": "clip", "count": COUNT, "fps": RULE_FPS, "timed": True}
    volume: dict[str, Any] = {"kind": "volume", "media": "volume", "count": COUNT}
    return [Case(variant, **stack), Case(variant, **clip), Case(variant, **volume), Case(variant, **stack, colour=True)]


UNKNOWN = (None, None, None)
CASES: tuple[Case, ...] = (
    *_still("png"),
    Case("png/16"),
    Case("png/palette"),
    *_clip("png/animated", psnr=None),
    *_still("jpg", psnr=35.0),
    *_still("jpg/progressive", psnr=35.0),
    *_still("bmp"),
    *_volume("tif", UNKNOWN),
    *_volume("tif/lzw", UNKNOWN),
    Case("tif/16", "volume", "volume", COUNT),
    Case("tif/imagej", "volume", "volume", COUNT, spacing=SPACING),
    *_clip("gif", psnr=None, grey_only=True),
    *_still("webp"),
    *_still("webp/lossy", psnr=35.0),
    *_still("jp2"),
    *_still("jp2/codestream"),
    *_clip("mp4"),
    *_clip("mp4/lossless", psnr=None, grey_only=True),
    *_clip("mp4/mpeg4"),
    *_clip("mp4/hevc"),
    *_clip("mov"),
    *_clip("mov/mjpeg"),
    *_clip("mkv"),
    *_clip("mkv/ffv1", psnr=None, grey_only=True),
    *_clip("mkv/webm"),
    *_clip("avi"),
    *_clip("avi/raw", psnr=None, grey_only=True),
    *_clip("avi/rgb", psnr=None),
    *_clip("avi/ffv1", psnr=None, grey_only=True),
    *_clip("wmv"),
    *_clip("mpg"),
    *_clip("mpg/mpeg2"),
    *_clip("mpg/ts"),
    Case("dicom", spacing=(0.2, 0.2, None)),
    Case("dicom", "clip", "clip", COUNT, FPS, (0.2, 0.2, None), timed=True),
    Case("dicom", "clip", "clip", COUNT, FPS, (0.2, 0.2, None), timed=True, colour=True),
    *_volume("nifti"),
    *_volume("nifti/gz"),
    *_volume("mha"),
    *_volume("mha/zlib"),
    *_volume("mha/mhd"),
    *_volume("nrrd"),
    *_volume("nrrd/gzip"),
    *_volume("nrrd/nhdr"),
    *_array("npy"),
    *_array("npz"),
    *_array("mat"),
    *_array("mat/v73"),
    *_array("hdf5"),
)
"""Everything that is read, and what has to come out."""

NUMBERS = {case: number for number, case in enumerate(CASES)}
"""What tells the pixels of one case from those of all others."""

LAYOUT = [
    {"match": "image/**", "kind": "image"},
    {"match": "clip/**", "kind": "clip"},
    {"match": "arrays/**", "kind": "clip", "fps": RULE_FPS},
    {"match": "volume/**", "kind": "volume"},
    {"match": "named/**", "kind": "image", "array": "study/right"},
    {"match": "turned/**", "kind": "volume", "axis": 2},
    {"match": "refused/**", "kind": "image"},
    {"match": "packed/**", "kind": "image"},
    {"match": "masks/{name}.png", "kind": "mask", "of": "image/{name}/x.png"},
    {"match": "boxes/**", "kind": "annotation", "format": "coco", "of": "image/{file}/x.png"},
]


def frames_of(case: Case, number: int) -> np.ndarray:
    """(F, H, W) or (F, H, W, 3) uint8, unlike those of any other case: exact copies would leave."""
    grey = np.roll(_base(), 7 * number % SIZE[1] + 1, axis=2)[: case.count].copy()
    grey[:, 2, 2:6] = (0, 85, 170, 255)  # all of the range, so that 16 bits scale back to the same values
    grey[:, 4, 4:20] = number
    return np.stack([grey, (grey * 0.85).astype(np.uint8), (grey * 0.7).astype(np.uint8)], 3) if case.colour else grey


def _base() -> np.ndarray:
    if not _MADE:
        _MADE.append(make_clip("heart_a4c", "phased", "plain", 1, SIZE, COUNT))
    return _MADE[0]


_MADE: list[np.ndarray] = []


@dataclass
class Corpus:
    """The dataset, its one run, and what came of each file."""

    lab: Lab
    samples: dict[str, dict[str, Any]] = field(default_factory=dict)
    frames: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    rejects: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    errors: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, files: dict[str, bytes]) -> None:
        """Put files into the dataset."""
        for name, data in files.items():
            self.lab.add(name, data)

    def add_cases(self, cases: Iterable[Case]) -> None:
        """The files of these cases; a header in a file of its own names the other one by the place it has here."""
        for case in cases:
            number = NUMBERS[case]
            facts = Facts(spacing=SPACING, fps=FPS, seed=number)
            files = write_files(case.variant, frames_of(case, number), facts)
            how = VARIANTS[case.variant]
            twin = files[how.ending] != files[how.ending].replace(b"{stem}", b"x")
            wanted = files if twin else {how.ending: files[how.ending]}
            self.add({f"{case.folder}/x{ending}": data.replace(b"{stem}", b"x") for ending, data in wanted.items()})

    def run(self) -> None:
        """index and frames, every frame kept, with nothing told apart by what it shows."""
        self.lab.describe(layout=LAYOUT)
        settings = {"index": {"keep_foreign": True}, "frames": {"keep_foreign": True, "mode": "all", "slice_mm": 0.0}}
        self.lab.recipe(stages=settings)
        self.lab.run(last="frames")
        self.samples = {row["path"]: row for row in self.lab.rows("index")}
        by_id = {row["sample_id"]: path for path, row in self.samples.items()}
        for row in self.lab.rows("frames"):
            self.frames[by_id[row["parent_id"]]].append(row)
        for rows in self.frames.values():
            rows.sort(key=lambda row: row["frame_no"])
        files = {row["file_id"]: row["file_name"] for row in self.lab.rows("download")}
        for kind, found in (("rejects", self.rejects), ("errors", self.errors)):
            for row in self.lab.rows("index", kind):
                found[files[row["parent_id"]]].append(row)
            for row in self.lab.rows("frames", kind):
                found[by_id[row["parent_id"]]].append(row)

    def picture(self, row: dict[str, Any]) -> np.ndarray:
        """The pixels of a frame, read as every later stage reads them."""
        blobs = Blobs(Store(self.lab.work), {"lab": str(self.lab.data)})
        return decode_image(blobs.read(PixelRef.of(row, "frame")), row["frame_format"])

    def outcome(self, name: str) -> list[tuple[str, str]]:
        """(reason or exception, detail or message) of everything that a file lost; empty if it became a sample."""
        lost = [(row["reason"], row["detail"]) for row in self.rejects.get(name, [])]
        return lost + [(row["exception"], row["message"]) for row in self.errors.get(name, [])]


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of two pictures; grey beside colour counts as colour."""
    first, second = (np.repeat(x[..., None], 3, 2) if x.ndim < max(a.ndim, b.ndim) else x for x in (a, b))
    error = float(((first.astype(float) - second.astype(float)) ** 2).mean())
    return float("inf") if not error else 10 * float(np.log10(255**2 / error))


def npz(**arrays: np.ndarray) -> bytes:
    """An NPZ of some arrays."""
    out = io.BytesIO()
    np.savez(out, allow_pickle=True, **arrays)
    return out.getvalue()


def npy(array: np.ndarray) -> bytes:
    """An NPY of one array, objects too."""
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


def coco(names: Iterable[str]) -> bytes:
    """A COCO file with one box for each picture."""
    images = [{"id": n, "file_name": name, "width": SIZE[1], "height": SIZE[0]} for n, name in enumerate(names)]
    entries = [{"image_id": one["id"], "category_id": 1, "bbox": [10, 20, 30, 40]} for one in images]
    value = {"images": images, "annotations": entries, "categories": [{"id": 1, "name": "lesion"}]}
    return json.dumps(value).encode()


def id_of(data: bytes, path: str) -> str:
    """Sample id of a member that never became a row."""
    return content_id("lab", hashlib.sha256(data).hexdigest(), path)


__all__ = ["CASES", "NUMBERS", "Case", "Corpus", "coco", "frames_of", "id_of", "npy", "npz", "psnr"]
