"""The published overlay detector of USF-MAE: words, colours and thin grey marks, united and smoothed.

It follows the method of Megahed et al., "USF-MAE" (2025, section 2.2) with the settings of the notebook that its
authors published, and is kept as the baseline that other methods are compared with, weaknesses included: colour
Doppler and tinted frames count as overlay, and the last opening deletes marks thinner than its kernel.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.core.errors import ConfigError, MissingExtraError, RowError

U8 = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SeedParams:
    """Settings of the method; the defaults are the published ones unless a line says otherwise.

    Attributes:
        ocr: whether to run the text branch (ours; the published method always does).
        min_confidence: words below this Tesseract confidence (0..100) are ignored; the publication sets no threshold,
            so every non-blank word counts.
        ocr_timeout_s: seconds before a page is given up (ours).
        clahe_clip: contrast limit of CLAHE, for both other branches.
        clahe_tiles: CLAHE tiles along each side.
        saturation: HSV saturation (0..255) above which a pixel is coloured.
        clusters: k of k-means over the coloured pixels, in HSV.
        min_value: clusters whose centre has an HSV value (0..255) of this or less are dropped.
        colour_min_area: pixels; smaller coloured components are dropped.
        seed: of k-means.
        max_samples: k-means is fitted to at most this many pixels, drawn with `seed`, and then applied to all (ours:
            the publication fits to all; a whole tinted frame would take seconds).
        canny: lower and upper threshold.
        grey_min_area: pixels; contours must enclose more than this.
        grey_max_area: pixels; contours must enclose less than this.
        kernel: side of the square of the final closing and opening.
        radius: of the Navier-Stokes inpainting, for `erase.inpaint`.
    """

    ocr: bool = True
    min_confidence: float = -1.0
    ocr_timeout_s: float = 60.0
    clahe_clip: float = 2.0
    clahe_tiles: int = 8
    saturation: int = 40
    clusters: int = 3
    min_value: int = 20
    colour_min_area: int = 20
    seed: int = 42
    max_samples: int = 20_000
    canny: tuple[int, int] = (50, 150)
    grey_min_area: int = 30
    grey_max_area: int = 2_000
    kernel: int = 5
    radius: int = 3


PUBLISHED = SeedParams()


@dataclass(frozen=True, slots=True)
class SeedMasks:
    """What each branch found, before smoothing, and the mask to inpaint; each (H, W) bool.

    Attributes:
        ocr: filled word boxes.
        colour: coloured components.
        grey: filled contours.
        final: their union after closing and opening.
        strings: how many words were read; the words themselves are never kept.
    """

    ocr: Mask
    colour: Mask
    grey: Mask
    final: Mask
    strings: int


def seed_masks(image: U8, params: SeedParams = PUBLISHED) -> SeedMasks:
    """Run the three branches on one picture.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
        params: settings.

    Raises:
        MissingExtraError: pytesseract is not installed.
        ConfigError: the tesseract program is not installed.
        RowError: tesseract failed on this picture.
    """
    pixels = np.ascontiguousarray(image)
    rgb: U8 = pixels if image.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    luma: U8 = pixels if image.ndim == 2 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    text, strings = text_mask(luma, params) if params.ocr else (np.zeros(luma.shape, bool), 0)
    colour = colour_mask(rgb, params)
    grey = grey_mask(luma, params)
    return SeedMasks(text, colour, grey, refine(text | colour | grey, params), strings)


def refine(mask: Mask, params: SeedParams = PUBLISHED) -> Mask:
    """Close, then open with a square: (H, W) bool in and out."""
    square = np.ones((params.kernel, params.kernel), np.uint8)
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, square)
    return cv2.morphologyEx(closed, cv2.MORPH_OPEN, square) > 0


def colour_mask(rgb: U8, params: SeedParams = PUBLISHED) -> Mask:
    """Saturated pixels after CLAHE on CIELAB lightness, by k-means cluster: (H, W, 3) uint8 RGB -> (H, W) bool."""
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    lab[..., 0] = _clahe(params).apply(np.ascontiguousarray(lab[..., 0]))
    hsv = cv2.cvtColor(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), cv2.COLOR_RGB2HSV)
    coloured = hsv[..., 1] > params.saturation
    pixels = hsv[coloured].astype(np.float64)
    found = np.zeros(rgb.shape[:2], np.uint8)
    if len(pixels) >= params.clusters:
        found[coloured] = _bright_clusters(pixels, params)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(found, connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= params.colour_min_area
    large[0] = False
    return np.asarray(large[labels])


def grey_mask(luma: U8, params: SeedParams = PUBLISHED) -> Mask:
    """Filled outer contours of dilated edges, if neither too small nor too large: (H, W) uint8 -> (H, W) bool."""
    edges = cv2.Canny(_clahe(params).apply(luma), *params.canny)
    thick = cv2.dilate(edges, np.ones((3, 3), np.uint8))
    contours, _ = cv2.findContours(thick, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    kept = [c for c in contours if params.grey_min_area < cv2.contourArea(c) < params.grey_max_area]
    mask = np.zeros(luma.shape, np.uint8)
    for contour in kept:  # one by one: drawn together, overlapping ones would cancel each other
        cv2.drawContours(mask, [contour], -1, 1, cv2.FILLED)
    return mask > 0


def text_mask(luma: U8, params: SeedParams = PUBLISHED) -> tuple[Mask, int]:
    """Filled boxes of the words that Tesseract reads, and their number: (H, W) uint8 -> (H, W) bool, count."""
    try:
        import pytesseract
    except ImportError:
        raise MissingExtraError("Reading text with Tesseract", "ocr") from None
    # Tesseract's own threads slow it down on small pages and would fight with our worker processes.
    os.environ.setdefault("OMP_THREAD_LIMIT", "1")
    try:
        words = pytesseract.image_to_data(luma, output_type=pytesseract.Output.DICT, timeout=params.ocr_timeout_s)
    except pytesseract.TesseractNotFoundError:
        raise ConfigError(
            "strip: expected the program 'tesseract' on the PATH, found none. Install it (Debian and Ubuntu: apt-get "
            "install tesseract-ocr; macOS: brew install tesseract) or switch the text branch off with 'ocr: false'"
        ) from None
    except (pytesseract.TesseractError, RuntimeError) as exc:
        # Its message is left out: it may quote what was on the page.
        raise RowError(f"tesseract failed on this picture ({type(exc).__name__}); retry, or use 'ocr: false'") from None
    return _word_boxes(words, luma.shape[:2], params.min_confidence)


def _word_boxes(words: dict[str, list[Any]], shape: tuple[int, ...], min_confidence: float) -> tuple[Mask, int]:
    mask = np.zeros(shape, bool)
    strings = 0
    for text, confidence, left, top, width, height in zip(
        words["text"], words["conf"], words["left"], words["top"], words["width"], words["height"], strict=True
    ):
        if str(text).strip() and float(confidence) >= min_confidence:
            # The published boxes include their far edge.
            mask[max(0, top) : top + height + 1, max(0, left) : left + width + 1] = True
            strings += 1
    return mask, strings


def _bright_clusters(pixels: npt.NDArray[np.float64], params: SeedParams) -> npt.NDArray[np.bool_]:
    """Which of the (N, 3) HSV pixels lie in a cluster with a saturated and bright centre: (N,) bool."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    sample = pixels
    if len(pixels) > params.max_samples:
        order = np.random.default_rng(params.seed).choice(len(pixels), params.max_samples, replace=False)
        sample = pixels[np.sort(order)]
    clusters = min(params.clusters, len(np.unique(sample, axis=0)))
    # One thread: partial sums of several would be added in the order in which they finish.
    with threadpool_limits(limits=1):
        model = KMeans(n_clusters=clusters, random_state=params.seed, n_init=1).fit(sample)
        labels = model.predict(pixels)
    centres = model.cluster_centers_
    return np.asarray(((centres[:, 1] > params.saturation) & (centres[:, 2] > params.min_value))[labels])


def _clahe(params: SeedParams) -> Any:
    return cv2.createCLAHE(clipLimit=params.clahe_clip, tileGridSize=(params.clahe_tiles, params.clahe_tiles))
