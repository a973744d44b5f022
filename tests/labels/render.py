"""Draws review sheets of the hand-labelled overlays: every frame with dark levels lifted, and again with its marks."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ultracurate.decoding.decode import encode_png, read_frames, sniff
from ultracurate.decoding.levels import U8
from ultracurate.decoding.media import HEAD_BYTES

LABELS = Path(__file__).resolve().with_name("overlays.json")
STROKE, BOX, BOX_ONLY, FLOW = (0, 255, 0), (255, 160, 0), (255, 0, 0), (255, 255, 255)


def runs_to_mask(runs: list[int], box: list[int]) -> npt.NDArray[np.bool_]:
    """The mask of one item, in the frame of its box, from run lengths that begin with zeros."""
    height, width = box[3] - box[1], box[2] - box[0]
    if sum(runs) != height * width or min(runs[1:], default=1) < 1:
        raise ValueError(f"Expected runs over {height} x {width} pixels, found {sum(runs)} pixels.")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)


def overlay_mask(row: dict[str, Any], field_only: bool = False) -> npt.NDArray[np.bool_]:
    """All strokes of a frame, shape (H, W), or only those of items that lie on the field."""
    mask = np.zeros(row["size"][::-1], np.bool_)
    for item in row["items"]:
        if "mask_rle" in item and (item["in_sector"] or not field_only):
            x0, y0, x1, y1 = item["box"]
            mask[y0:y1, x0:x1] |= runs_to_mask(item["mask_rle"], item["box"])
    return mask


def read(row: dict[str, Any], samples: Path) -> U8:
    """The labelled frame, (H, W) or (H, W, 3) RGB, as the pipeline decodes it."""
    data = (samples / row["path"]).read_bytes()
    fmt = sniff(data[:HEAD_BYTES], row["path"])
    if fmt is None:
        raise ValueError("Expected a picture format that the pipeline reads.")
    return next(image for _, _, image in read_frames(data, fmt, {row["frame"]}))


def sheet(row: dict[str, Any], image: U8, side: int = 1100) -> U8:
    """The frame beside the frame with strokes (green), boxes of items on the field, boxes without strokes, flow."""
    colour = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
    lifted = np.asarray(255 * (colour / 255) ** 0.5, np.uint8)
    drawn = lifted.copy()
    drawn[overlay_mask(row)] = STROKE
    scale = min(4.0, side / max(image.shape[:2]))
    method = cv2.INTER_NEAREST if scale > 1 else cv2.INTER_AREA
    panels = [cv2.resize(panel, None, fx=scale, fy=scale, interpolation=method) for panel in (lifted, drawn)]
    boxes = [(i["box"], BOX if "mask_rle" in i else BOX_ONLY) for i in row["items"] if i["in_sector"]]
    for box, line in boxes + [(box, FLOW) for box in row["flow"]]:
        x0, y0, x1, y1 = (round(v * scale) for v in box)
        cv2.rectangle(panels[1], (x0 - 1, y0 - 1), (x1, y1), line, 1)
    return np.asarray(np.hstack(panels), np.uint8)


def main() -> None:
    """Write one PNG per labelled frame."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=Path, required=True, help="folder of the pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder for the sheets")
    parser.add_argument("--dataset", help="only this one")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    for index, row in enumerate(json.loads(LABELS.read_text(encoding="utf-8"))):
        if chosen.dataset in (None, row["dataset"]):
            picture = encode_png(sheet(row, read(row, chosen.samples)))
            (chosen.out / f"{index:03d}-{row['dataset']}.png").write_bytes(picture)


if __name__ == "__main__":
    main()
