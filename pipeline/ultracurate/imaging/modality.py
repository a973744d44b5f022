"""Says what kind of ultrasound a frame shows, whether it is two views, and whether it is ultrasound at all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from ultracurate.decoding.levels import U8
from ultracurate.imaging._features import features
from ultracurate.imaging.quality import Problem

KINDS = ("b_mode", "colour_doppler", "spectral_doppler", "m_mode", "elastography", "contrast")
"""What a frame can show; colour Doppler includes power Doppler, contrast includes strongly tinted grey maps."""

OTHERS = ("chart", "ct", "document", "mr", "noise", "photograph", "screenshot", "xray")
"""What a frame can be when it is no ultrasound."""

REJECT_BELOW = 0.35
"""Probability of ultrasound under which a frame is dropped; no real frame seen is below 0.45."""

MIN_JUDGED = 96
"""Pixels of the smaller side below which no frame is dropped: so small a picture says too little."""

PAPER = 190
"""Brightness that more than half of a page reaches; of the brightest real frame seen, half lies below 140."""

_WEIGHTS = "triage-v1.npz"


@dataclass(frozen=True, slots=True)
class Triage:
    """The verdict on one frame.

    Attributes:
        kind: one of `KINDS`, the likeliest even where the frame is no ultrasound.
        confidence: 0..1, probability of `kind`.
        dual: 0..1, probability of two views side by side.
        ultrasound: 0..1, probability that this is an ultrasound frame at all.
        other: one of `OTHERS` where `ultrasound` is below a half, else None.
    """

    kind: str
    confidence: float
    dual: float
    ultrasound: float
    other: str | None


def triage(image: U8) -> Triage:
    """Judge one frame by hand-made features and boosted trees; the same pixels give the same verdict.

    Trained on phantoms, generated negatives and permitted public frames; see `docs/models/triage-v1.md`.

    Args:
        image: (H, W) or (H, W, 3) uint8 RGB.
    """
    forest = _forest()
    scores = forest.scores(features(image))
    origin, kind = _softmax(scores["origin"]), _softmax(scores["kind"])
    dual = 1.0 / (1.0 + np.exp(-scores["dual"][0]))
    ultrasound = float(origin[0])
    if float((image[::4, ::4] >= PAPER).mean()) > 0.5:
        ultrasound *= 0.1  # the trees know few kinds of pages; this holds for all light ones
    if min(image.shape[:2]) < MIN_JUDGED:
        ultrasound = max(ultrasound, REJECT_BELOW)
    likeliest = int(np.argmax(kind))
    return Triage(
        kind=KINDS[likeliest],
        confidence=round(float(kind[likeliest]), 4),
        dual=round(float(dual), 4),
        ultrasound=round(ultrasound, 4),
        other=OTHERS[int(np.argmax(origin[1:]))] if ultrasound < 0.5 else None,
    )


def rejects(verdict: Triage) -> Problem | None:
    """The reason to drop a frame that is surely no ultrasound, or None: a weak verdict keeps the frame."""
    if verdict.ultrasound >= REJECT_BELOW or verdict.other is None:
        return None
    detail = f"looks like: {verdict.other}"
    return Problem("not_ultrasound", round(1.0 - verdict.ultrasound, 4), detail)


@dataclass(frozen=True)
class Forest:
    """Boosted trees of all heads in flat arrays; a leaf points to itself, so every walk takes the same steps.

    Attributes:
        feature: (N,) index of the feature a node asks for.
        threshold: (N,) float32, left where the feature is at most this.
        next: (2 N,) indices of the next node, left and right in turns.
        value: (N,) float32, what a leaf adds.
        roots: (T,) first node of each tree.
        output: (T,) output each tree adds to.
        baseline: (K,) float32, start of each output.
        heads: name and first and last output of each head.
        depth: steps that reach the deepest leaf.
    """

    feature: npt.NDArray[np.int16]
    threshold: npt.NDArray[np.float32]
    next: npt.NDArray[np.int32]
    value: npt.NDArray[np.float32]
    roots: npt.NDArray[np.int32]
    output: npt.NDArray[np.int32]
    baseline: npt.NDArray[np.float32]
    heads: dict[str, slice]
    depth: int

    def scores(self, vector: npt.NDArray[np.float32]) -> dict[str, npt.NDArray[np.float64]]:
        """Raw outputs of each head for one feature vector (F,)."""
        node = self.roots
        for _ in range(self.depth):
            further = vector.take(self.feature.take(node)) > self.threshold.take(node)
            node = self.next.take(2 * node + further)
        sums = np.bincount(self.output, weights=self.value[node], minlength=len(self.baseline)).astype(np.float64)
        sums += self.baseline
        return {name: sums[part] for name, part in self.heads.items()}


def load_forest(file: str | bytes) -> Forest:
    """A forest from the path or the bytes of an npz file written by `train.triage`."""
    import io

    with np.load(io.BytesIO(file) if isinstance(file, bytes) else file, allow_pickle=False) as data:
        ends = data["ends"].tolist()
        starts = [0, *ends[:-1]]
        heads = {name: slice(a, b) for name, a, b in zip(("origin", "kind", "dual"), starts, ends, strict=True)}
        arrays = {name: data[name] for name in ("threshold", "value", "roots", "output", "baseline")}
        return Forest(
            **arrays,
            # Nodes lie far apart and every step waits for memory: short numbers and neighbours halve the wait.
            feature=data["feature"].astype(np.int16),
            next=np.stack([data["left"], data["right"]], axis=1).ravel(),
            heads=heads,
            depth=int(data["depth"]),
        )


@cache
def _forest() -> Forest:
    return load_forest((resources.files("ultracurate.imaging") / "weights" / _WEIGHTS).read_bytes())


def _softmax(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum(), np.float64)
