"""Learns to tell places that were cleaned from places that were not: `python -m ultracurate.train.cleaned FOLDER`.

A process of its own, so that whoever measures needs no torch. FOLDER holds `patches.npz`: `learn` and `judge` (N, S, S,
3) uint8 RGB, and `answers` (N,) bool of those to learn from. `scores.npy` (M,) float32 of those to judge is put beside.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ultracurate.train.blocks import Conv

BATCH = 64
EPOCHS = 12
PEAK_RATE = 3e-3

U8 = npt.NDArray[np.uint8]


class CleanedNet(nn.Module):  # type: ignore[misc, unused-ignore]
    """About 60,000 weights: patches (N, 3, S, S) 0..255 to logits (N,), above 0 where the middle looks cleaned."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(Conv(5, 16), Conv(16, 24, stride=2), Conv(24, 32), Conv(32, 48, stride=2),
                                  Conv(48, 64, stride=2))  # fmt: skip
        self.head = nn.Linear(3 * 64, 1)

    def forward(self, patches: Tensor) -> Tensor:
        """Logits of patches 0..255."""
        x = self.body(_senses(patches / 255.0))
        middle = x.shape[-1] // 2
        seen = torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3)), x[..., middle, middle]], dim=1)
        return self.head(seen)[:, 0]  # type: ignore[no-any-return, unused-ignore]


def _senses(patches: Tensor) -> Tensor:
    """Grey, two differences of colour, and grey against surroundings of 3 and 9 pixels: noise and its lack, as it is.

    What was filled in is smooth; nets find that fast only where brightness is out of the way (Fridrich and Kodovsky,
    2012, doi:10.1109/TIFS.2012.2190402).
    """
    red, green, blue = patches[:, :1], patches[:, 1:2], patches[:, 2:]
    grey = patches.mean(dim=1, keepdim=True)
    fine, coarse = (nn.functional.avg_pool2d(grey, n, 1, n // 2, count_include_pad=False) for n in (3, 9))
    return torch.cat([grey, 3 * (red - green), 3 * (blue - green), 8 * (grey - fine), 4 * (grey - coarse)], dim=1)


def learn(patches: U8, answers: npt.NDArray[np.bool_], seed: int = 0) -> CleanedNet:
    """A net fitted to patches (N, S, S, 3) and whether each was cleaned (N,); mirrored and turned at random.

    The same numbers give the same net on the same machine; one thread.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    net = CleanedNet()
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE, weight_decay=1e-2)
    rng = np.random.default_rng(seed)
    wanted = torch.from_numpy(answers.astype(np.float32))
    steps, step = EPOCHS * (len(patches) // BATCH), 0
    for _ in range(EPOCHS):
        order = rng.permutation(len(patches))
        for first in range(0, len(order) - BATCH + 1, BATCH):
            rows = order[first : first + BATCH]
            turned = patches[rows][:, :: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
            turned = turned.swapaxes(1, 2) if rng.random() < 0.5 else turned
            loss = nn.functional.binary_cross_entropy_with_logits(net(_maps(turned)), wanted[rows])
            for group in optimiser.param_groups:
                group["lr"] = PEAK_RATE * (0.5 + 0.5 * math.cos(math.pi * step / steps)) * min(1, (step + 1) / 20)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
            optimiser.step()
            step += 1
    net.eval()
    return net


def judge(net: CleanedNet, patches: U8) -> npt.NDArray[np.float32]:
    """Logits (N,) of patches (N, S, S, 3), mean of a patch and its mirror image."""
    found = []
    with torch.no_grad():
        for first in range(0, len(patches), BATCH):
            part = patches[first : first + BATCH]
            found.append(sum(net(_maps(each)) for each in (part, part[:, :, ::-1])).numpy() / 2)
    return np.concatenate(found).astype(np.float32)


def _maps(patches: U8) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(patches.transpose(0, 3, 1, 2), dtype=np.float32))


def main() -> None:
    """Learn and judge what lies in a folder."""
    options = argparse.ArgumentParser(description="Tell cleaned places from untouched ones.")
    options.add_argument("folder", type=Path)
    folder: Path = options.parse_args().folder
    with np.load(folder / "patches.npz", allow_pickle=False) as given:
        scores = judge(learn(given["learn"], given["answers"]), given["judge"])
    np.save(folder / "scores.npy", scores)


if __name__ == "__main__":
    main()
