"""Two recognisers of printed lines, run in this process on one thread; what they read goes no further than `audit`."""

from __future__ import annotations

import os
import re
import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, files
from importlib.metadata import version as package_version
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ultracurate.core.errors import ConfigError, MissingExtraError
from ultracurate.decoding.levels import U8

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_HIGH = 48  # pixels, height of the input of both
_WIDEST = 960  # pixels
_NEEDED = "Reading what is left on a cleaned frame"
_ONE_AT_A_TIME = Lock()  # a worker of somebody's cluster may have threads; Tesseract holds one picture
_TESSDATA = ("/usr/share/tesseract-ocr/5/tessdata", "/usr/share/tesseract-ocr/4.00/tessdata", "/usr/share/tessdata",
             "/usr/local/share/tessdata", "/opt/homebrew/share/tessdata")  # fmt: skip


def by_tesseract(line: U8) -> tuple[str, float]:
    """Text of a crop (h, w) uint8 with bright or dark letters, and its confidence 0..1."""
    from PIL import Image

    page: U8 = 255 - line if np.median(line) < 128 else line  # it was trained on dark letters
    large = cv2.resize(page, (_wide(line), _HIGH), interpolation=cv2.INTER_CUBIC)
    framed = cv2.copyMakeBorder(large, 10, 10, 10, 10, cv2.BORDER_REPLICATE)
    reader = tesseract()
    with _ONE_AT_A_TIME:
        reader.SetImage(Image.fromarray(framed))
        text = str(reader.GetUTF8Text())
        return text, float(reader.MeanTextConf()) / 100


def by_paddle(lines: list[U8]) -> list[tuple[str, float]]:
    """Text and confidence of crops (h, w) uint8, by greedy CTC decoding (Graves et al., ICML 2006)."""
    net, characters = paddle()
    found = []
    for line in lines:
        wide = _wide(line)
        small = cv2.resize(line, (wide, _HIGH)).astype(np.float32) / 127.5 - 1
        inputs = np.zeros((1, 3, _HIGH, max(96, wide)), np.float32)
        inputs[..., :wide] = small
        steps = np.asarray(net.run(None, {net.get_inputs()[0].name: inputs})[0])[0]
        best, sure = steps.argmax(axis=1), steps.max(axis=1)
        kept = (best > 0) & (best != np.concatenate([[0], best[:-1]]))
        text = "".join(characters[number - 1] for number in best[kept])
        found.append((text, float(sure[kept].mean()) if kept.any() else 0.0))
    return found


def _wide(line: U8) -> int:
    return int(np.clip(round(_HIGH * line.shape[1] / line.shape[0]), 24, _WIDEST))


@lru_cache(maxsize=1)
def tesseract() -> Any:
    """Tesseract in line mode with the English model.

    Raises:
        MissingExtraError: tesserocr is not installed.
        ConfigError: its English model is not.
    """
    os.environ.setdefault("OMP_THREAD_LIMIT", "1")
    try:
        import tesserocr
    except ImportError:
        if sys.platform == "darwin" and sys.version_info >= (3, 13):
            raise ConfigError(
                "strip: the first reader of the audit, tesserocr, has no wheel for this Python on macOS. Use Python "
                "3.11 or 3.12, or switch the audit off with --set strip.audit=false"
            ) from None
        raise MissingExtraError(_NEEDED, "audit") from None
    for folder in (os.environ.get("TESSDATA_PREFIX", ""), *_TESSDATA):
        if folder and (Path(folder) / "eng.traineddata").is_file():
            mode, engine = tesserocr.PSM.SINGLE_LINE, tesserocr.OEM.LSTM_ONLY  # the other one learns from page to page
            return tesserocr.PyTessBaseAPI(path=folder, lang="eng", psm=mode, oem=engine)
    raise ConfigError(
        "strip: expected Tesseract's English model, found none. Install it (Debian and Ubuntu: apt-get install "
        "tesseract-ocr-eng), name its folder in TESSDATA_PREFIX, or switch the audit off with --set strip.audit=false"
    )


@lru_cache(maxsize=1)
def paddle() -> tuple[InferenceSession, list[str]]:
    """The recogniser of PP-OCR that rapidocr ships, and its characters.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        shipped = files("rapidocr") or []
    except PackageNotFoundError:
        raise MissingExtraError(_NEEDED, "audit") from None
    # Found by name and not by import: its own code would start a logger and ask for the rest of its libraries.
    weights = next((Path(str(f.locate())) for f in sorted(shipped) if re.search(r"_rec_\w+\.onnx$", f.name)), None)
    if weights is None or not weights.is_file():
        raise MissingExtraError(_NEEDED, "audit")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    net = onnxruntime.InferenceSession(weights.read_bytes(), options, providers=["CPUExecutionProvider"])
    return net, [*net.get_modelmeta().custom_metadata_map["character"].splitlines(), " "]


@lru_cache(maxsize=1)
def versions() -> str:
    """Both recognisers with their versions, for the ledger."""
    tesseract()
    paddle()
    import tesserocr

    program = tesserocr.tesseract_version().split()[1]
    return f"tesseract {program}; rapidocr {package_version('rapidocr')}"
