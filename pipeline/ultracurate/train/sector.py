"""Trains the field net and writes it as ONNX and safetensors.

python -m ultracurate.train.sector --samples DIR --textures DIR --work DIR [--pairs N] [--minutes M]
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ultracurate.core.resources import data_root
from ultracurate.imaging._field_input import GRID
from ultracurate.train._sector_data import write
from ultracurate.train.blocks import Conv, Light

OPSET = 17
BATCH = 16
PEAK_RATE, LATER_RATE = 2e-3, 1e-3
"""Highest learning rate of a first leg, and of one that goes on from weights."""
MEMORY = 0.998
"""Share of the running mean of the weights that one step keeps; the mean is what is exported."""


class FieldNet(nn.Module):  # type: ignore[misc, unused-ignore]
    """U-Net of about 120,000 weights: maps (N, 3, GRID, GRID) 0..255 to logits (N, 2, GRID, GRID).

    The first output is the insonated field, the second the second field of a dual view. Ronneberger et al.,
    MICCAI 2015, doi:10.1007/978-3-319-24574-4_28, with depthwise blocks in the deep half and pixel shuffle at the end
    (Shi et al., CVPR 2016, doi:10.1109/CVPR.2016.207).
    """

    def __init__(self) -> None:
        super().__init__()
        ramp = torch.linspace(-1, 1, GRID // 2)
        grid = torch.stack([ramp.repeat(GRID // 2, 1), ramp.repeat(GRID // 2, 1).T])[None]
        self.register_buffer("grid", grid, persistent=False)
        self.stem = Conv(3, 16, stride=2)
        self.down = nn.ModuleList(
            [
                nn.Sequential(Conv(18, 16)),
                nn.Sequential(Conv(16, 24, stride=2), Conv(24, 24)),
                nn.Sequential(Conv(24, 32, stride=2), Conv(32, 32), Light(32)),
                nn.Sequential(Conv(32, 48, stride=2), *(Light(48) for _ in range(4))),
                nn.Sequential(Conv(48, 48, stride=2, groups=4), *(Light(48) for _ in range(7))),
            ]
        )
        widths = [(48 + 48, 40), (40 + 32, 32), (32 + 24, 24), (24 + 16, 16)]
        after: list[list[Any]] = [
            [Light(40), Light(40)],
            [Conv(32, 32), Light(32)],
            [Conv(24, 24)],
            [Conv(16, 16)],
        ]
        self.up = nn.ModuleList(
            [nn.Sequential(Conv(a, b, 1), *blocks) for (a, b), blocks in zip(widths, after, strict=True)]
        )
        self.head = nn.Conv2d(16, 8, 3, padding=1)

    def forward(self, maps: Tensor) -> Tensor:
        """Logits of maps 0..255."""
        grid = self.grid.expand(maps.shape[0], -1, -1, -1)  # type: ignore[operator, unused-ignore]
        x = torch.cat([self.stem(maps / 255.0), grid], dim=1)  # a plain convolution does not know where it is
        kept = []
        for block in self.down:
            x = block(x)
            kept.append(x)
        for block, skip in zip(self.up, kept[-2::-1], strict=True):
            x = block(torch.cat([nn.functional.interpolate(x, scale_factor=2.0, mode="nearest"), skip], dim=1))
        return nn.functional.pixel_shuffle(self.head(x), 2)


Place = tuple[str, int]
"""A pair: its file's name and its row there."""


def batches(
    folder: Path, seed: int, losses: dict[Place, float] | None = None
) -> Iterator[tuple[Tensor, Tensor, list[Place]]]:
    """Endless batches of maps, targets (0..1) and where they lie in the files x_*.npy, y_*.npy; flipped and varied.

    Args:
        folder: read anew in every epoch, so files may be added.
        seed: of the order.
        losses: the last loss of each pair. One below the median is the more often left out of an epoch the less is to
            learn from it; above it none is favoured, as many of those are dark pictures that nobody could answer.
    """
    losses = {} if losses is None else losses
    for epoch in count():
        names = sorted(folder.glob("x_*.npy"))
        maps = {name.name: np.load(name, mmap_mode="r") for name in names}
        targets = {name.name: np.load(name.with_name("y" + name.name[1:]), mmap_mode="r") for name in names}
        rng = np.random.default_rng([seed, epoch])
        usual = float(np.median(list(losses.values()))) if losses else 1.0
        places = [
            (name, row)
            for name, block in maps.items()
            for row in range(len(block))
            if rng.random() < max(losses.get((name, row), usual) / usual, 0.25)
        ]
        order = rng.permutation(len(places))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            picked = [places[k] for k in order[start : start + BATCH]]
            pairs = [_varied(maps[name][row], targets[name][row], rng) for name, row in picked]
            x, y = (torch.from_numpy(np.stack(part)) for part in zip(*pairs, strict=True))
            yield x, y, picked


def _varied(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    x, y = x.astype(np.float32), y.astype(np.float32) / 255
    if rng.random() < 0.5:
        x, y = x[..., ::-1], y[..., ::-1]
        if y[1].any():  # the second field is the right one
            y = np.stack([y[0], np.clip(y[0] - y[1], 0, 1)])
    if rng.random() < 0.06:
        x, y = x[:, ::-1], y[:, ::-1]
    if rng.random() < 0.3:
        x[0] = 255 * (x[0] / 255) ** rng.uniform(0.7, 1.4)
    if rng.random() < 0.15:  # smooth exports have no fine texture, noisy ones little else
        x[2] *= rng.uniform(0, 1)
    if rng.random() < 0.3:
        x[1] *= rng.uniform(0, 1)
    return np.ascontiguousarray(x), np.ascontiguousarray(y)


def train(folder: Path, minutes: float, seed: int = 0, start: Path | None = None, log: Path | None = None) -> FieldNet:
    """The running mean of a net trained on `folder` for `minutes`; the learning rate falls with the time used.

    Args:
        folder: pairs as `_sector_data.write` leaves them.
        minutes: wall time.
        seed: of the first weights and of the order.
        start: safetensors of an earlier leg to go on from.
        log: a text file that gets a line of step, share of time and loss now and then; the mean so far lies beside it.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    net, mean = FieldNet(), FieldNet()
    peak = PEAK_RATE if start is None else LATER_RATE
    if start is not None:
        net.load_state_dict(load_file(start), strict=False)
    mean.load_state_dict(net.state_dict())
    net.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload, unused-ignore]
    optimiser = torch.optim.AdamW(net.parameters(), lr=peak, weight_decay=1e-3)
    began, total = time.monotonic(), 0.0
    losses: dict[Place, float] = {}
    for step, (x, y, places) in enumerate(batches(folder, seed, losses)):
        used = (time.monotonic() - began) / (60 * minutes)
        if used >= 1:
            break
        rate = peak * min(1.0, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * used)) + 1e-5
        for group in optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(x.contiguous(memory_format=torch.channels_last))
        each = nn.functional.binary_cross_entropy_with_logits(logits.float(), y, reduction="none").mean(dim=(1, 2, 3))
        losses.update(zip(places, each.detach().tolist(), strict=True))
        loss = each.mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
        optimiser.step()
        total = 0.98 * total + 0.02 * float(loss.detach())
        with torch.no_grad():
            keep = min(MEMORY, step / (step + 10))
            for old, new in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
                if old.dtype.is_floating_point:
                    old.mul_(keep).add_(new.detach(), alpha=1 - keep)
        if log is not None and step % 50 == 0:
            with log.open("a") as out:
                out.write(f"{step} {used:.3f} {total / (1 - 0.98 ** (step + 1)):.5f}\n")
            if step % 500 == 0:
                save_file({k: v.contiguous() for k, v in mean.state_dict().items()}, log.with_suffix(".safetensors"))
    mean.eval()
    return mean


def average(nets: Sequence[FieldNet]) -> FieldNet:
    """One net with the mean weights of nets trained from the same start: better than each of them.

    Wortsman et al., ICML 2022, arXiv:2203.05482.
    """
    mean = FieldNet()
    states = [net.state_dict() for net in nets]
    mean.load_state_dict(
        {name: torch.stack([s[name].float() for s in states]).mean(0).to(v.dtype) for name, v in states[0].items()}
    )
    mean.eval()
    return mean


def export(net: FieldNet, path: Path) -> None:
    """Write ONNX of a fixed batch of one, and the same weights as safetensors beside it."""
    example = torch.zeros(1, 3, GRID, GRID)
    torch.onnx.export(
        net, (example,), str(path), input_names=["maps"], output_names=["logits"], opset_version=OPSET, dynamo=False
    )
    save_file({name: value.contiguous() for name, value in net.state_dict().items()}, path.with_suffix(".safetensors"))


def main() -> None:
    """Draw the pairs, train one net, then legs of two nets whose mean is exported to the work folder."""
    options = argparse.ArgumentParser(description="Train the field net.")
    options.add_argument("--samples", type=Path, required=True, help="folder of the hand-marked pictures")
    options.add_argument("--textures", type=Path, required=True, help="folder of tissue pictures and clips")
    options.add_argument("--work", type=Path, required=True, help="where pairs and weights go")
    options.add_argument("--pairs", type=int, default=12_000)
    options.add_argument("--minutes", type=float, default=30.0, help="of one net in one leg")
    options.add_argument("--legs", type=int, default=2)
    chosen = options.parse_args()
    pairs, start = chosen.work / "pairs", None
    if not pairs.is_dir():
        write(data_root() / "tests/labels/sectors.json", chosen.samples, chosen.textures, pairs, chosen.pairs)
    for leg in range(chosen.legs):
        path = chosen.work / f"sector-v1-leg{leg}.onnx"
        logs = [chosen.work / f"loss{leg}-{k}.txt" for k in range(2 if start else 1)]  # twins need a common start
        export(average([train(pairs, chosen.minutes, 2 * leg + k, start, log) for k, log in enumerate(logs)]), path)
        start = path.with_suffix(".safetensors")


if __name__ == "__main__":
    main()
