"""What strip knows besides a frame's pixels: the field settled among its neighbours, and what its results depend on."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ultracurate.core.errors import UltracurateError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from ultracurate.imaging.sector import Sector

PAINTED_BIT = 2 | 4
"""Bits of a mask (`imaging.cleaning.Bit`) of what is not real any more inside the field: INVENTED, ZEROED."""

_NONE = "none"
_SECONDS = 20  # a program that has not told its version by then hangs


def settled_sector(settled: Mapping[str, Any]) -> Sector:
    """The field on which `prepare` settled; a frame that is all field differs from one of which none is known."""
    from ultracurate.imaging.sector import Sector

    polygons = json.loads(settled.get("sector") or "[]")
    corners = [[(int(x), int(y)) for x, y in polygon] for polygon in polygons]
    return Sector(corners, settled.get("sector_confidence") or 0.0, settled.get("sector_kind") or "unsure")


def versions(method: str, *, audit: bool, ocr: bool) -> dict[str, str]:
    """What a result depends on besides code and settings: the net, what runs it, and who reads with which model.

    Args:
        method: of the settings.
        audit: whether cleaned frames are read; by `default` and `classic` only.
        ocr: whether the seed method reads.

    Returns:
        Name -> version or digest; "none" stands for what is not installed, so that a plan can be made without it.
    """
    if method == "seed":
        return dict(program(), **_package("pytesseract")) if ocr else {}
    if method == "none":
        return {}
    found = dict(_package("onnxruntime"), net=_net()) if method == "default" else {}
    if audit:
        found |= _package("onnxruntime") | _audit()
    return found


def program() -> dict[str, str]:
    """The tesseract program of the PATH and the digest of its English model, which pytesseract uses."""
    import shutil

    path = shutil.which("tesseract")
    if path is None:
        return {"tesseract": _NONE}
    known = Path(path).stat()
    return dict(_program(path, known.st_mtime_ns, known.st_size))


@lru_cache(maxsize=8)
def _program(path: str, changed: int, size: int) -> dict[str, str]:
    del changed, size  # they tell one program from the one that was there before

    def said(*words: str) -> list[str]:
        done = subprocess.run([path, *words], capture_output=True, text=True, errors="replace", timeout=_SECONDS)
        return (done.stdout or done.stderr).splitlines() or [""]

    try:
        version = said("--version")[0].removeprefix("tesseract").strip()
        folder = said("--list-langs")[0].partition('"')[2].partition('"')[0]
    except (OSError, subprocess.SubprocessError):
        return {"tesseract": _NONE}
    return {"tesseract": version or _NONE, "eng": _model(folder)}


def _audit() -> dict[str, str]:
    """The recognisers of the audit, and the digest of the model with which the one reads."""
    from ultracurate.imaging import _recognisers, audit

    try:
        return {"audit": audit.version(), "audit_eng": _model(str(_recognisers.tesseract().GetDatapath()))}
    except UltracurateError:  # not installed: strip itself says so, if it comes to that
        return {"audit": _NONE}


def _net() -> str:
    from importlib.resources import files

    return net_digest(files("ultracurate.imaging") / "weights")


def net_digest(weights: Traversable) -> str:
    """First 16 hex digits of the sha256 of all nets in a folder: several have a say in what was burned in."""
    found = hashlib.sha256()
    names = sorted(file.name for file in weights.iterdir() if file.name.endswith((".onnx", ".npz")))
    for name in names:
        found.update(name.encode() + hashlib.sha256((weights / name).read_bytes()).digest())
    return found.hexdigest()[:16] if names else _NONE


def _package(name: str) -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return {name: version(name)}
    except PackageNotFoundError:
        return {name: _NONE}


def _model(folder: str) -> str:
    """First 16 hex digits of the sha256 of Tesseract's English model."""
    path = Path(folder) / "eng.traineddata"
    if not folder or not path.is_file():
        return _NONE
    known = path.stat()
    return _digest(str(path), known.st_mtime_ns, known.st_size)


@lru_cache(maxsize=8)
def _digest(path: str, changed: int, size: int) -> str:
    del changed, size
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
