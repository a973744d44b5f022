"""How well the field finder does: on invented screens of styles it was not trained on, and on hand-marked frames."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ultracurate.core.errors import ConfigError
from ultracurate.core.resources import data_root
from ultracurate.decoding.decode import encode_png, probe, read_frames, sniff
from ultracurate.decoding.levels import U8
from ultracurate.decoding.media import HEAD_BYTES, Region
from ultracurate.imaging.sector import Sector, find_sector, mask
from ultracurate.measure import MEASURES, Measurement, Promise
from ultracurate.phantom.styles import random_screen
from ultracurate.stages._fields import settle

Mask = npt.NDArray[np.bool_]

FIRST_SCREEN = 700_000
"""Seed of the first invented screen of the test; training uses seeds below."""

SCREENS = 500
SAMPLES = "ULTRACURATE_ROOT_SAMPLES"


@dataclass(frozen=True, slots=True)
class Case:
    """One picture with its true field.

    Attributes:
        name: for montages.
        image: (H, W) or (H, W, 3) uint8 RGB.
        truth: (H, W).
        group: what it is reported under.
        regions: areas that the file's header names.
        clip: the file, if it holds several frames.
    """

    name: str
    image: U8
    truth: Mask
    group: str
    regions: tuple[Region, ...] = ()
    clip: str | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """How one answer compares with the truth.

    Attributes:
        iou: overlap of kept and true field.
        cut: share of the field that was cut away: the harm.
        kept: share of the whole picture that is screen and was kept.
        kept_pixels: the same in pixels.
        outside: pixels of screen in the picture.
        seconds: CPU time.
        found: the answer.
    """

    iou: float
    cut: float
    kept: float
    kept_pixels: int
    outside: int
    seconds: float
    found: Sector


def score(case: Case) -> Score:
    """Find the field of one picture and compare."""
    began = time.process_time()
    found = find_sector(case.image)
    return compare(case, found, time.process_time() - began)


def settled(cases: Sequence[Case]) -> list[Score]:
    """The same as the pipeline answers: with the header's areas, and settled among frames of one clip or screen."""
    rows = []
    for index, case in enumerate(cases):
        own = find_sector(case.image, case.regions)
        rows.append(
            {
                "sample_id": str(index),
                "dataset": case.group,
                "parent_id": case.clip or str(index),
                "media": "clip" if case.clip else "image",
                "width": case.image.shape[1],
                "height": case.image.shape[0],
                "field": json.dumps(own.polygons),
                "field_kind": own.kind,
                "field_confidence": own.confidence,
            }
        )
    answers = {row["sample_id"]: row["sector"] for row in settle(pa.Table.from_pylist(rows)).to_pylist()}
    scores = []
    for index, case in enumerate(cases):
        polygons = [[(int(x), int(y)) for x, y in polygon] for polygon in json.loads(answers[str(index)] or "[]")]
        kind = rows[index]["field_kind"] if polygons else "unsure"
        scores.append(compare(case, Sector(polygons, 1.0, kind), 0.0))
    return scores


def compare(case: Case, found: Sector, seconds: float) -> Score:
    """An answer beside the truth."""
    answer, truth = mask(found, (case.image.shape[0], case.image.shape[1])), case.truth
    spare = int((answer & ~truth).sum())
    return Score(
        iou=float((answer & truth).sum() / max(1, (answer | truth).sum())),
        cut=float((truth & ~answer).sum() / max(1, truth.sum())),
        kept=spare / truth.size,
        kept_pixels=spare,
        outside=int((~truth).sum()),
        seconds=seconds,
        found=found,
    )


def screens(count: int = SCREENS) -> Iterator[Case]:
    """Invented screens, furniture and fonts among them that no shipped net was trained on."""
    for seed in range(FIRST_SCREEN, FIRST_SCREEN + count):
        screen = random_screen(seed)
        yield Case(f"{seed} {screen.kind}", screen.image, screen.mask, screen.kind)


def marked(labels: Path, samples: Path, half: str) -> Iterator[Case]:
    """Hand-marked real frames of one half, `train` or `test`.

    Args:
        labels: the JSON list of tests/labels/sectors.json.
        samples: folder of the pictures.
        half: by dataset; nothing was trained or tuned on the test half.
    """
    for index, row in enumerate(json.loads(labels.read_text(encoding="utf-8"))):
        if row["half"] != half:
            continue
        data = (samples / row["path"]).read_bytes()
        fmt = sniff(data[:HEAD_BYTES], row["path"])
        if fmt is None:
            continue
        image = next(image for _, _, image in read_frames(data, fmt, {row["frame"]}))
        fields = [[(int(x), int(y)) for x, y in field] for field in row["fields"]]
        truth = mask(Sector(fields, 1.0, "linear"), (image.shape[0], image.shape[1]))
        info = probe(data, fmt)
        clip = row["path"] if info.frames > 1 else None
        yield Case(f"{index} {row['dataset']}", image, truth, row["dataset"], info.regions, clip)


def summary(scores: Sequence[Score]) -> dict[str, Any]:
    """The figures of one set of answers; shares are of 1."""
    if not scores:
        return {"frames": 0}
    iou, cut = np.asarray([s.iou for s in scores]), np.asarray([s.cut for s in scores])
    return {
        "frames": len(scores),
        "IoU, mean": float(iou.mean()),
        "IoU, worst": float(iou.min()),
        "tissue cut away, mean": float(cut.mean()),
        "tissue cut away, 95th centile": float(np.percentile(cut, 95)),
        "tissue cut away, worst": float(cut.max()),
        "screen kept, of all screen pixels": sum(s.kept_pixels for s in scores)
        / max(1, sum(s.outside for s in scores)),
        "screen kept, mean share of a frame": float(np.mean([s.kept for s in scores])),
        "unsure": sum(s.found.kind == "unsure" for s in scores),
        "ms, median": 1000 * float(np.median([s.seconds for s in scores])),
    }


@MEASURES.register("sector")
def measure_sector(quick: bool = False, montage: Path | None = None) -> Measurement:
    """Score invented screens, and hand-marked real frames where their folder is known.

    Args:
        quick: a tenth of the screens.
        montage: a folder for pictures of all answers, truth in green, answer in red.
    """
    sets = {"screens": list(screens(SCREENS // 10 if quick else SCREENS))}
    labels = data_root() / "tests" / "labels" / "sectors.json"
    samples = Path(os.environ.get(SAMPLES, data_root().parent / "shared" / "samples"))
    if labels.is_file() and samples.is_dir():
        sets |= {f"real, {half} half": list(marked(labels, samples, half)) for half in ("train", "test")}
    figures: dict[str, Any] = {}
    must: list[Promise] = []
    for name, cases in sets.items():
        scores = [score(case) for case in cases]
        found = summary(scores)
        figures |= {f"{name}: {key}": value for key, value in found.items()}
        if name != "screens":
            together = summary(settled(cases))
            together = {key: value for key, value in together.items() if key not in ("ms, median", "unsure")}
            figures |= {f"{name}, as the pipeline answers: {key}": value for key, value in together.items()}
        must += _promises(name, found)
        for group in sorted({case.group for case in cases}):
            own = [s for s, case in zip(scores, cases, strict=True) if case.group == group]
            figures[f"{name}, {group}: IoU and cut, mean"] = (
                f"{np.mean([s.iou for s in own]):.4f}, {np.mean([s.cut for s in own]):.4f} of {len(own)}"
            )
        if montage is not None:
            draw(cases, scores, montage, name)
    figures["ms of a grey 800 x 600 screen, median"] = speed(5 if quick else 40)
    must.append(Promise("ms of a grey 800 x 600 screen", figures["ms of a grey 800 x 600 screen, median"], 15.0))
    return Measurement(figures, None, must)


def _promises(name: str, found: dict[str, Any]) -> list[Promise]:
    if name == "screens":
        return [
            Promise("screens: 1 - IoU, mean", 1 - found["IoU, mean"], 0.01),
            Promise("screens: 1 - IoU, worst", 1 - found["IoU, worst"], 0.03),
        ]
    if name == "real, test half":
        return [
            Promise("real: tissue cut away, mean", found["tissue cut away, mean"], 0.005),
            Promise("real: tissue cut away, 95th centile", found["tissue cut away, 95th centile"], 0.02),
            Promise("real: screen kept, of all screen pixels", found["screen kept, of all screen pixels"], 0.02),
            Promise("real: screen kept, mean share of a frame", found["screen kept, mean share of a frame"], 0.02),
        ]
    return []


def speed(count: int) -> float:
    """Median CPU milliseconds for a grey screen of 800 x 600."""
    taken = []
    for seed in range(FIRST_SCREEN, FIRST_SCREEN + count):
        image = random_screen(seed, size=(600, 800)).image
        grey = image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
        began = time.process_time()
        find_sector(grey)
        taken.append(time.process_time() - began)
    return 1000 * float(np.median(taken))


def draw(cases: Sequence[Case], scores: Sequence[Score], folder: Path, name: str, columns: int = 6) -> None:
    """Write sheets of 30 pictures with truth (green) and answer (red), worst first, dark levels lifted."""
    if folder.exists() and not folder.is_dir():
        raise ConfigError("Expected a folder for the montage, found a file. Name another place.")
    folder.mkdir(parents=True, exist_ok=True)
    order = sorted(range(len(cases)), key=lambda i: -scores[i].cut - 0.2 * scores[i].kept)
    for first in range(0, len(order), 30):
        tiles = [_tile(cases[i], scores[i]) for i in order[first : first + 30]]
        tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
        rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
        stem = name.replace(",", "").replace(" ", "-")
        (folder / f"{stem}-{first // 30:02d}.png").write_bytes(encode_png(np.vstack(rows)))


def _tile(case: Case, got: Score, width: int = 400, height: int = 320) -> U8:
    image = case.image if case.image.ndim == 3 else np.repeat(case.image[..., None], 3, axis=2)
    lifted = (255 * (image / 255) ** 0.5).astype(np.uint8)
    scale = min(width / image.shape[1], (height - 18) / image.shape[0])
    small = cv2.resize(lifted, (round(image.shape[1] * scale), round(image.shape[0] * scale)))
    edge, _ = cv2.findContours(case.truth.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for line, colour in [(c[:, 0], (0, 255, 0)) for c in edge] + [(p, (255, 40, 40)) for p in got.found.polygons]:
        places = np.round(np.asarray(line, float) * scale * 16).astype(np.int32)
        cv2.polylines(small, [places.reshape(-1, 1, 2)], True, colour, 1, cv2.LINE_AA, shift=4)
    tile = np.full((height, width, 3), 50, np.uint8)
    tile[18 : 18 + small.shape[0], : small.shape[1]] = small
    text = f"{case.name} {got.found.kind} cut {got.cut:.3f} kept {got.kept:.3f} c {got.found.confidence:.2f}"
    cv2.putText(tile, text, (2, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (255, 255, 0), 1)
    return tile
