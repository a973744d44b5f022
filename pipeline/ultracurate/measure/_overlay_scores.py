"""One picture, one answer: what was found of the marks and what was done to tissue, as counts that can be summed."""

from __future__ import annotations

from collections import defaultdict

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8
from ultracurate.imaging.erase import WIDEST, wide
from ultracurate.imaging.sector import find_sector
from ultracurate.imaging.sector import mask as sector_mask
from ultracurate.measure._overlay_methods import Answer
from ultracurate.measure._overlay_sets import CHANGED, Case, difference
from ultracurate.measure._overlay_strings import strings_left

Mask = npt.NDArray[np.bool_]
Score = dict[str, tuple[float, float]]
"""Name -> (counted, of how many); a share of a frame or of many frames comes from the same two numbers."""

REMOVED_FROM = 0.7
"""Share of a mark's pixels that must be removed before the mark is."""


def score(case: Case, answer: Answer) -> Score:
    """All counts of one answer.

    `F` is the true field (of a frame that nobody marked: the field that the finder finds), `T` the true marks' strokes,
    `V` what can be seen of these, `N` T and 3 px around it, `B` tissue: F without N and without what is not vouched
    for. A pixel is removed if it was painted, blanked or changed by more than 8 levels. V is the pixels of T that the
    mark itself changed by more than 8 levels: grey letters on tissue as grey, or the soft end of a rim, hide nothing
    and show nothing, so to leave them is no miss; N holds them too, so to paint them is no damage. Of real frames
    nobody knows what lies below, so V is T. The names and what they count:

    - `pixels`, `pixels KIND`: removed pixels, of those of V in F (of that kind).
    - `pixels outside`: the same of V outside F.
    - `marks`, `field marks`, `field marks KIND`: marks of which >= 70 % of the pixels of V are removed, of all
      marks that V holds a pixel of, of those on the field, of those of that kind on the field.
    - `precision`: painted pixels in N, of those in F, what is not vouched for left out.
    - `iou`: painted pixels in T, of painted pixels and T together, in F.
    - `painted tissue`: painted pixels of B, of F. On frames without marks: everything painted.
    - `changed tissue`: pixels of B that changed by more than 8 levels, those that the field's edge lost too, of B.
    - `lost`: blanked pixels of F, of F. `kept`: pixels neither blanked nor painted outside F, of those outside F.
    - `flow`: removed pixels of true flow, N left out, of these.
    - `psnr`, `ssim`: decibels of the mean squared error of all channels against 255, 50 at most, and mean structural
      similarity (Wang et al., 2004, doi:10.1109/TIP.2003.819861, grey, Gaussian window of 1.5 px), both against the
      picture without marks, over the pixels of T in F that are not wide even with one pixel more around them, so that
      they can be painted over (`erase.wide`): one value for each frame.
    - `strings patient`, `strings ui`, `strings in_sector`, `strings`: strings left, of those readable before;
      `strings passed`: those left on a frame that is not quarantined.
    - `quarantined`, `flagged`: frames of that verdict, of all.
    """
    known = case.field is not None
    field = case.field if case.field is not None else _found(case.image)
    changed = difference(case.image, answer.image) > CHANGED
    removed = changed | answer.painted | answer.blanked
    tissue = field & ~case.near & ~case.loose
    vouched = field & (case.near | ~case.loose)
    found: Score = {
        "painted tissue": _part(answer.painted, tissue, field),
        "precision": _part(case.near, answer.painted & vouched),
        "iou": _part(case.truth & answer.painted, (answer.painted & vouched) | (case.truth & field)),
        "flow": _part(removed, case.flow & ~case.near),
        "quarantined": (float(answer.verdict == "quarantine"), 1.0),
        "flagged": (float(answer.verdict == "flagged"), 1.0),
    }
    if known:
        found |= {
            "pixels": _part(removed, case.seen & field),
            "pixels outside": _part(removed, case.seen & ~field),
            "changed tissue": _part(changed, tissue),
            "lost": _part(answer.blanked, field),
            "kept": _part(~answer.blanked & ~answer.painted, ~field),
        }
    found |= _marks(case, removed, field if known else None)
    found |= _fidelity(case, answer.image, field)
    found |= _strings(case, answer)
    return {name: (count, of) for name, (count, of) in found.items() if of > 0}


def _part(mask: Mask, *within: Mask) -> tuple[float, float]:
    """Pixels of `mask` in the first of `within`, of those of the last."""
    return float(np.count_nonzero(mask & within[0])), float(np.count_nonzero(within[-1]))


def _found(image: U8) -> Mask:
    return sector_mask(find_sector(image), (image.shape[0], image.shape[1]))


def _marks(case: Case, removed: Mask, field: Mask | None) -> Score:
    counts: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for mark in case.marks:
        if mark.mask is None:
            continue
        x0, y0, x1, y1 = mark.box
        strokes = mark.mask & case.seen[y0:y1, x0:x1]
        if not strokes.any():
            continue
        gone = removed[y0:y1, x0:x1] & strokes
        whole = float(gone.sum() >= REMOVED_FROM * strokes.sum())
        names = ["marks"] + (["field marks", f"field marks {mark.kind}"] if mark.in_field else [])
        for name in names:
            counts[name][0] += whole
            counts[name][1] += 1
        inside = strokes if field is None else strokes & field[y0:y1, x0:x1]
        if mark.in_field:
            counts[f"pixels {mark.kind}"][0] += float((gone & inside).sum())
            counts[f"pixels {mark.kind}"][1] += float(inside.sum())
    return {name: (done, of) for name, (done, of) in counts.items()}


def _fidelity(case: Case, cleaned: U8, field: Mask) -> Score:
    if case.clean is None:
        return {}
    grown = cv2.dilate(case.truth.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    thin = case.truth & field & ~wide(grown & field, WIDEST)
    if not thin.any():
        return {}
    error = float(np.mean((case.clean[thin].astype(np.float64) - cleaned[thin]) ** 2))
    similar = _ssim(_grey(case.clean), _grey(cleaned))[thin]
    return {"psnr": (10 * np.log10(255**2 / max(error, 0.65)), 1.0), "ssim": (float(similar.mean()), 1.0)}


def _grey(image: U8) -> npt.NDArray[np.float32]:
    return (image if image.ndim == 2 else image.mean(axis=2)).astype(np.float32)


def _ssim(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    def blur(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5), np.float32)

    mean1, mean2 = blur(one), blur(other)
    spread1, spread2 = blur(one * one) - mean1 * mean1, blur(other * other) - mean2 * mean2
    both = blur(one * other) - mean1 * mean2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    above = (2 * mean1 * mean2 + c1) * (2 * both + c2)
    return np.asarray(above / ((mean1**2 + mean2**2 + c1) * (spread1 + spread2 + c2)), np.float32)


def _strings(case: Case, answer: Answer) -> Score:
    left = strings_left(case, answer.image)
    if not left:
        return {}
    total, of = sum(n for n, _ in left.values()), sum(n for _, n in left.values())
    passed = 0 if answer.verdict == "quarantine" else total
    found: Score = {f"strings {group}": (float(n), float(m)) for group, (n, m) in left.items()}
    return found | {"strings": (float(total), float(of)), "strings passed": (float(passed), float(of))}
