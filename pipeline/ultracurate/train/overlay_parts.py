"""Trains the second look at parts that the overlay net found; its weights follow those of that net.

python -m ultracurate.train.overlay_parts --labels DIR --samples DIR --out FILE.onnx [--screens N]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ultracurate.decoding.levels import U8
from ultracurate.imaging import overlay_net
from ultracurate.imaging._by_net import PIXEL, on_black
from ultracurate.imaging._parts import FEATURES, parts
from ultracurate.imaging.modality import triage
from ultracurate.imaging.sector import find_sector
from ultracurate.imaging.sector import mask as sector_mask
from ultracurate.imaging.tint import residual
from ultracurate.phantom.burned import Burned, burn, burned_screen
from ultracurate.train._overlay_data import MARK, UNSURE, near, only_field, read_train_half

FIRST = 600_000
"""Seed of the first screen; none of them was cut into crops for the net, of which its answers are too good."""
SCREENS = 400
STEPS = 3000
WIDTH = 32


class PartsNet(nn.Module):  # type: ignore[misc, unused-ignore]
    """Parts (N, FEATURES) to logits (N, 1); what it is given is scaled by what it was trained on."""

    def __init__(self, mean: Tensor, spread: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)
        self.body = nn.Sequential(
            nn.Linear(FEATURES, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1)
        )

    def forward(self, rows: Tensor) -> Tensor:
        """Logits of parts."""
        return self.body(torch.clamp((rows - self.mean) / self.spread, -4, 4))  # type: ignore[no-any-return, unused-ignore]


def examples(
    labels: Path, samples: Path, screens: int
) -> Iterator[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """For each picture its parts (N, FEATURES), the share of each that is a mark, and how much it counts, both (N,)."""
    for seed in range(FIRST, FIRST + screens):
        burned = burned_screen(seed, held=False)
        yield _described(burned.image, field_of(burned), np.where(burned.mask, np.uint8(MARK), np.uint8(0)))
    frames = read_train_half(labels, samples)
    for frame in frames:
        if frame.field is not None:
            yield _described(frame.image, frame.field, frame.target)
    bare = [frame for frame in frames if frame.clean and frame.field is not None]
    for seed in range(FIRST, FIRST + screens // 2 if bare else FIRST):
        image, field = only_field(bare[seed % len(bare)])
        burned = burn(image, [field], seed, held=False)
        yield _described(burned.image, field_of(burned), np.where(burned.mask, np.uint8(MARK), np.uint8(0)))


def field_of(burned: Burned) -> npt.NDArray[np.bool_]:
    """All fields of a picture as one mask, (H, W) bool."""
    return np.asarray(np.logical_or.reduce(burned.fields))


def _described(
    image: U8, field: npt.NDArray[np.bool_], target: U8
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    inside = sector_mask(find_sector(image), (image.shape[0], image.shape[1]))
    x, y, wide, tall = cv2.boundingRect(inside.astype(np.uint8))
    window = np.s_[y : y + tall, x : x + wide]
    probable = overlay_net.probability(on_black(image, inside), (x, y, x + wide, y + tall))
    unit = float(np.clip(image.shape[0] / 600, 0.6, 2.0))
    found = parts(
        np.ascontiguousarray(image[window]),
        inside[window],
        (probable > PIXEL) & inside[window],
        probable,
        residual(image, inside)[window],
        unit,
        triage(image).confidence,
    )
    field, target = field[window], target[window]
    known = field & (target != UNSURE)
    count = len(found.rows) + 1
    judged = np.bincount(found.labels[known], minlength=count)[1:]
    marks = np.bincount(found.labels[known & near(target == MARK)], minlength=count)[1:]
    share = (marks / np.maximum(judged, 1)).astype(np.float32)
    return found.rows, share, np.sqrt(judged).astype(np.float32)


def train(
    rows: npt.NDArray[np.float32], share: npt.NDArray[np.float32], weight: npt.NDArray[np.float32], seed: int = 0
) -> PartsNet:
    """A net fitted to parts (N, FEATURES), the share (N,) of each that is a mark, and their weights (N,)."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    x, y, w = (
        torch.from_numpy(rows),
        torch.from_numpy(share)[:, None],
        torch.from_numpy(weight / weight.mean())[:, None],
    )
    net = PartsNet(x.mean(dim=0), x.std(dim=0) + 1e-3)
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.02)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for _ in range(STEPS):
        some = torch.randint(len(x), (512,))
        loss = nn.functional.binary_cross_entropy_with_logits(net(x[some]), y[some], weight=w[some])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
        optimiser.step()
        falling.step()
    net.eval()
    return net


def main() -> None:
    """Describe the parts of invented screens and of the train half, fit, write ONNX."""
    options = argparse.ArgumentParser(description="Train the second look at parts that the overlay net found.")
    options.add_argument("--labels", type=Path, required=True, help="folder of overlays.json and sectors.json")
    options.add_argument("--samples", type=Path, required=True, help="folder of the hand-marked pictures")
    options.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    options.add_argument("--screens", type=int, default=SCREENS)
    chosen = options.parse_args()
    rows, share, weight = (
        np.concatenate(p) for p in zip(*examples(chosen.labels, chosen.samples, chosen.screens), strict=True)
    )
    kept = weight > 0
    net = train(rows[kept], share[kept], weight[kept])
    torch.onnx.export(
        net,
        (torch.zeros(2, FEATURES),),
        str(chosen.out),
        input_names=["parts"],
        output_names=["logits"],
        dynamic_axes={"parts": {0: "n"}, "logits": {0: "n"}},
        opset_version=17,
        dynamo=False,
    )


if __name__ == "__main__":
    main()
