"""What file names say about what is in the files: pictures, clips, volumes, archives, tables; or figures of a paper."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from ultracurate.sources import RemoteFile

Kind = Literal[
    "picture", "clip", "volume", "medical", "array", "figure", "archive", "table", "text", "code", "weights", "other"
]

IMAGES: frozenset[Kind] = frozenset({"picture", "clip", "volume", "medical", "array"})
"""Kinds that are images, or that hold them where the record is about images."""
MAX_FIGURES = 60
_TEXTS: frozenset[Kind] = frozenset({"text", "other"})

_ENDINGS: dict[Kind, str] = {
    "picture": "png jpg jpeg jpe jp2 bmp tif tiff gif webp heic pgm ppm pbm jfif",
    "clip": "mp4 avi mov mkv webm wmv mpg mpeg m4v flv",
    "volume": "nii mha mhd nrrd nhdr mnc hdr vtk vti img vol 3dus mgz",
    "medical": "dcm dicom dic ima dcm30",
    "array": "npy npz mat h5 hdf5 hdf zarr tfrecord tfrecords raw bin rf iq b8 pkl pickle lmdb mdb",
    "archive": "zip tar gz tgz bz2 tbz2 xz txz 7z rar zst lz4 cab arj z",
    "table": "csv tsv xlsx xls xlsm ods json jsonl xml parquet sav dta rds rda rdata sas7bdat db sqlite feather arff",
    "text": "pdf doc docx odt rtf txt md rst html htm tex ppt pptx odp url bib ris epub log",
    "code": "py ipynb m r rmd cpp c h hpp java js jl sh yml yaml toml cfg ini do sps mlx",
    "weights": "pt pth ckpt onnx safetensors keras pb tflite caffemodel params joblib",
    "figure": "svg eps ai ps vsdx drawio emf wmf fig pzfx opju opj",
}  # fmt: skip
_KINDS: dict[str, Kind] = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings.split()}
_PACKED = frozenset({"gz", "bz2", "xz", "zip", "zst"})
_PART = re.compile(r"z\d{2,3}|r\d{2,3}|\d{3}|part\d+|tar\d+")
_DICOM = re.compile(r"(?:im|img|image|i|dcm|us|z|a|e|s)?[-_]?\d{1,8}(?:[-_]\d{1,8}){0,3}|(?:\d{1,40}\.){3,40}\d{1,40}")
_BARE = re.compile(r"\d")
"""A name without an ending, but with a number: so are files of DICOM named, whatever device wrote them."""
_NO_SCAN = re.compile(r"read|licen[sc]e|copying|change|version|make|docker|note|todo", re.IGNORECASE)
_FIGURE = re.compile(
    r"(?:suppl?(?:ementa\w{1,6})?|extended[ _-]data|appendix|additional[ _-]file|s\d?)?[ _.-]{0,3}"
    r"(?:fig|figs|figure|figura|abb|abbildung|graphical[ _-]?abstract|graph|plot|chart|flow[ _-]?chart|diagram|scheme|"
    r"table|roc|auc|box[ _-]?plot|bar[ _-]?plot|scatter|histogram|heat[ _-]?map|confusion[ _-]?matrix|architecture|"
    r"workflow|pipeline|logo|banner|cover|thumbnail|toc|poster|forest[ _-]?plot|prisma|consort|loss|accuracy|curve|"
    r"dataset[ _-]cover)(?:[ _.-]{0,3}s?\d{1,3}[a-z]?|[ _.-]{1,3}(?:[ivx]{1,4}|[a-z])|s)?(?![a-z\d])",
    re.IGNORECASE,
)
_MODEL = re.compile(
    r"weight|checkpoint|(?<![a-z])models?(?![a-z])|u-?net|resnet|best[_-]|epoch|yolo|vgg", re.IGNORECASE
)
_SYSTEM = re.compile(r"(?:^|/)(?:__MACOSX/|\.|Thumbs\.db$|desktop\.ini$)|/$", re.IGNORECASE)


@lru_cache(maxsize=65_536)
def kind(name: str) -> Kind:
    """What a file is by its name; a packed single file (`scan.nii.gz`, `list.csv.zip`) is what is in it."""
    base = name.replace("\\", "/").rpartition("/")[2][-255:]
    stem, dot, ending = base.rpartition(".")
    ending = ending.lower()
    if not dot or not stem or not re.fullmatch(r"[a-z0-9]{1,12}", ending):
        bare = "." not in base and _BARE.search(base) is not None and not _NO_SCAN.match(base)
        return "medical" if bare or _DICOM.fullmatch(base.lower()) else "other"
    if _DICOM.fullmatch(base.lower()) and base.count(".") >= 4:
        return "medical"  # 1.2.840.113619.2: an identifier, not an ending
    found = _KINDS.get(ending)
    if ending in _PACKED:
        inside = _KINDS.get(stem.rpartition(".")[2].lower()) if "." in stem else None
        return inside if inside and inside not in ("archive", "code") else "archive"
    if found is None:
        return "archive" if _PART.fullmatch(ending) else "other"
    if found == "array" and ending in ("h5", "hdf5", "pkl", "pickle", "bin", "mat") and _MODEL.search(stem):
        return "weights"
    if found == "picture" and _FIGURE.match(base):
        return "figure"
    return found


def kinds(files: Iterable[RemoteFile | str]) -> Counter[Kind]:
    """How many files there are of each kind; what systems add by themselves (`__MACOSX/`, `.DS_Store`) is left out."""
    names = (file if isinstance(file, str) else file.name for file in files)
    return Counter(kind(name) for name in names if not _SYSTEM.search(name))


def has_images(found: Counter[Kind]) -> bool:
    """Whether there is anything that can be an image of a collection: figures of a paper are none.

    Up to three pictures beside tables, texts or code, and nothing else, are taken for figures as well; no paper has
    more than `MAX_FIGURES`.
    """
    if found["figure"] > MAX_FIGURES:
        return True
    if any(found[one] for one in IMAGES - {"picture"}):
        return True
    others = sum(found[one] for one in ("table", "text", "code", "weights", "figure"))
    return found["picture"] > 0 and not (found["picture"] <= 3 and others > found["picture"])


def needs_look(files: Iterable[RemoteFile | str]) -> bool:
    """Whether there are archives, and nothing beside them that shows images."""
    found = kinds(files)
    return found["archive"] > 0 and not has_images(found)


def is_text_only(found: Counter[Kind]) -> bool:
    """Whether nothing but texts is there, or nothing at all."""
    return not any(number for one, number in found.items() if one not in _TEXTS)
