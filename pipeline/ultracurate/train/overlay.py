"""Trains the overlay net and writes it as ONNX and safetensors.

python -m ultracurate.train.overlay --labels DIR --samples DIR --stills DIR --work DIR [--minutes M] [--legs N]
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ultracurate.train._overlay_data import MARK, RIM, UNSURE, write
from ultracurate.train.blocks import Conv, Light

OPSET = 17
BATCH = 16
PEAK_RATE = 2e-3
MEMORY = 0.99
"""Share of the running mean of the weights that one step keeps; the mean is what is exported."""
POOL = 12
"""Files in memory at a time, of which batches are mixed; the oldest makes room for the next."""
RIM_WEIGHT = 0.25
"""What a pixel beside a mark counts: half covered, it is right either way."""


class OverlayNet(nn.Module):  # type: ignore[misc, unused-ignore]
    """U-Net of about 150,000 weights: maps (N, 3, H, W) 0..255, H and W multiples of 16, to logits (N, 1, H, W).

    Ronneberger et al., MICCAI 2015, doi:10.1007/978-3-319-24574-4_28. It never works at full size: 2 x 2 pixels become
    channels at the start and pixels again at the end (Shi et al., CVPR 2016, doi:10.1109/CVPR.2016.207), which loses
    nothing of a stroke one pixel wide.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = Conv(16, 16)
        self.down = nn.ModuleList(
            [
                nn.Sequential(Conv(16, 32, stride=2), Conv(32, 32)),
                nn.Sequential(Conv(32, 48, stride=2), *(Light(48) for _ in range(3))),
                nn.Sequential(Conv(48, 64, stride=2), *(Light(64) for _ in range(6))),
            ]
        )
        after: list[list[Any]] = [[Conv(48, 48), Light(48)], [Conv(32, 32)]]
        self.up = nn.ModuleList(
            [
                nn.Sequential(Conv(before, width, 1), *blocks)
                for (before, width), blocks in zip([(64 + 48, 48), (48 + 32, 32)], after, strict=True)
            ]
        )
        self.narrow = Conv(32, 16, 1)
        self.fine = Conv(16, 16)
        self.head = nn.Conv2d(16, 4, 3, padding=1)
        nn.init.constant_(self.head.bias, -3.0)  # marks are rare  # type: ignore[arg-type, unused-ignore]

    def forward(self, maps: Tensor) -> Tensor:
        """Logits of maps 0..255."""
        x = self.stem(nn.functional.pixel_unshuffle(_senses(maps / 255.0), 2))
        kept = []
        for block in self.down:
            kept.append(x)
            x = block(x)
        for block, skip in zip(self.up, kept[:0:-1], strict=True):
            x = block(torch.cat([nn.functional.interpolate(x, scale_factor=2.0, mode="nearest"), skip], dim=1))
        x = nn.functional.interpolate(self.narrow(x), scale_factor=2.0, mode="nearest") + kept[0]
        return nn.functional.pixel_shuffle(self.head(self.fine(x)), 2)


def _senses(maps: Tensor) -> Tensor:
    """Grey, two differences of colour, and grey against its surroundings, (N, 4, H, W).

    All of it could be learned from RGB; given as it is, marks are learned in a fraction of the steps.
    """
    red, green, blue = maps[:, :1], maps[:, 1:2], maps[:, 2:]
    grey = maps.mean(dim=1, keepdim=True)
    around = _blur(grey, 7)
    return torch.cat([grey, 3 * (red - green), 3 * (blue - green), 3 * (grey - around)], dim=1)


def _blur(maps: Tensor, side: int) -> Tensor:
    """Mean of (N, 1, H, W) over a square, what lies beyond the border left out: rows first, then columns."""
    rows = nn.functional.avg_pool2d(maps, (1, side), 1, (0, side // 2), count_include_pad=False)
    return nn.functional.avg_pool2d(rows, (side, 1), 1, (side // 2, 0), count_include_pad=False)


def batches(folders: Sequence[Path], seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless batches of maps (N, 3, H, W) float32 0..255 and targets (N, 1, H, W) uint8, flipped and varied.

    Args:
        folders: hold pairs as `_overlay_data.write` leaves them; each epoch looks for new files.
        seed: of the order and of the changes.
    """
    rng = np.random.default_rng(seed)
    waiting: list[Path] = []
    pool: list[tuple[np.ndarray, np.ndarray]] = []
    while True:
        while len(pool) < POOL:
            if not waiting:
                waiting = sorted(name for folder in folders for name in folder.glob("x_*.npy"))
                rng.shuffle(waiting)  # type: ignore[arg-type, unused-ignore]
            name = waiting.pop()
            pool.append((np.load(name), np.load(name.with_name("y" + name.name[1:]))))
        for _ in range(max(1, len(pool[0][0]) // BATCH)):
            picked = [pool[k] for k in rng.integers(POOL, size=BATCH)]
            rows = [int(rng.integers(len(x))) for x, _ in picked]
            pairs = [_varied(x[row], y[row], rng) for (x, y), row in zip(picked, rows, strict=True)]
            maps, targets = (np.stack(part) for part in zip(*pairs, strict=True))
            yield torch.from_numpy(maps), torch.from_numpy(targets)
        pool.pop(0)


def _varied(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Mirrored, turned, without colour, with other greys and with noise, each at times."""
    if rng.random() < 0.5:
        x, y = x[:, ::-1], y[:, ::-1]
    if rng.random() < 0.15:
        x, y = x[::-1], y[::-1]
    if rng.random() < 0.15:
        x, y = x.swapaxes(0, 1), y.swapaxes(0, 1)
    draw = rng.random()
    if draw < 0.12:
        x = np.repeat(cv2.cvtColor(np.ascontiguousarray(x), cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    elif draw < 0.2:
        x = x[..., rng.permutation(3)]
    power = rng.uniform(0.6, 1.5) if rng.random() < 0.35 else 1.0
    gain = rng.uniform(0.5, 1.1) if rng.random() < 0.25 else 1.0
    curve = np.clip(np.round(255 * gain * (np.arange(256) / 255) ** power), 0, 255).astype(np.uint8)
    value = curve[x].transpose(2, 0, 1).astype(np.float32)
    if rng.random() < 0.2:
        noise = rng.standard_normal(value.shape[1:], np.float32) * np.float32(rng.uniform(1, 8))
        value = np.clip(np.round(value + noise), 0, 255)
    return np.ascontiguousarray(value), np.ascontiguousarray(y[None])


def cost(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy plus Dice loss (Milletari et al., 3DV 2016, doi:10.1109/3DV.2016.79) of a batch."""
    wanted = (targets == MARK).float()
    weight = torch.ones_like(wanted)
    weight[targets == RIM] = RIM_WEIGHT
    weight[targets == UNSURE] = 0.0
    # A bar has as many pixels as a hundred calipers: pixels of fine marks count the more.
    crowd = _blur(wanted, 15)
    weight = weight * torch.where(wanted > 0, 1.0 / (0.3 + crowd), 1.0)
    entropy = nn.functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    entropy = (entropy * weight).sum() / (targets != UNSURE).sum().clamp(min=1)
    likely = torch.sigmoid(logits) * weight
    both = (likely * wanted).sum()
    dice = 1 - (2 * both + 100) / (likely.sum() + (wanted * weight).sum() + 100)
    return 4 * entropy + dice


def train(
    folders: Sequence[Path],
    minutes: float,
    seed: int = 0,
    start: Path | None = None,
    log: Path | None = None,
    rate: float = PEAK_RATE,
) -> OverlayNet:
    """The running mean of a net trained for `minutes`; the learning rate falls with the time used.

    Args:
        folders: pairs as `_overlay_data.write` leaves them.
        minutes: wall time.
        seed: of the first weights and of the order.
        start: safetensors of an earlier leg to go on from.
        log: a text file that gets a line of step, share of time and loss now and then; the mean so far lies beside it.
        rate: largest learning rate.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    net, mean = OverlayNet(), OverlayNet()
    if start is not None:
        net.load_state_dict(load_file(start))
    mean.load_state_dict(net.state_dict())
    net.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload, unused-ignore]
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-3)
    began, total = time.monotonic(), 0.0
    for step, (maps, targets) in enumerate(batches(folders, seed)):
        used = (time.monotonic() - began) / (60 * minutes)
        if used >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * used)) + 1e-5
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(maps.contiguous(memory_format=torch.channels_last))
        loss = cost(logits.float(), targets)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        total = 0.98 * total + 0.02 * float(loss.detach())
        with torch.no_grad():
            keep = min(MEMORY, step / (step + 10))
            for old, new in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
                if old.dtype.is_floating_point:
                    old.mul_(keep).add_(new.detach(), alpha=1 - keep)
        if log is not None and step % 25 == 0:
            with log.open("a") as out:
                out.write(f"{step} {used:.3f} {total / (1 - 0.98 ** (step + 1)):.5f}\n")
            if step % 100 == 0:
                save_file({k: v.contiguous() for k, v in mean.state_dict().items()}, log.with_suffix(".safetensors"))
    mean.eval()
    return mean


def export(net: OverlayNet, path: Path) -> None:
    """Write ONNX of any batch and size, and the same weights as safetensors beside it."""
    axes = {"maps": {0: "n", 2: "h", 3: "w"}, "logits": {0: "n", 2: "h", 3: "w"}}
    torch.onnx.export(
        net.eval(),
        (torch.zeros(1, 3, 192, 192),),
        str(path),
        input_names=["maps"],
        output_names=["logits"],
        dynamic_axes=axes,
        opset_version=OPSET,
        dynamo=False,
    )
    save_file({name: value.contiguous() for name, value in net.state_dict().items()}, path.with_suffix(".safetensors"))


def main() -> None:
    """Draw the crops, train in legs of half an hour, export to the work folder."""
    options = argparse.ArgumentParser(description="Train the overlay net.")
    options.add_argument("--labels", type=Path, required=True, help="folder of overlays.json and sectors.json")
    options.add_argument("--samples", type=Path, required=True, help="folder of the hand-marked pictures")
    options.add_argument("--stills", type=Path, required=True, help="folder of tissue pictures without marks")
    options.add_argument("--work", type=Path, required=True, help="where crops and weights go")
    options.add_argument("--pictures", type=int, default=4000, help="invented or real ones, each cut several times")
    options.add_argument("--minutes", type=float, default=30.0, help="of one leg")
    options.add_argument("--legs", type=int, default=2)
    chosen = options.parse_args()
    crops, start = chosen.work / "crops", None
    if not crops.is_dir():
        write(chosen.labels, chosen.samples, chosen.stills, crops, chosen.pictures)
    for leg in range(chosen.legs):
        path = chosen.work / f"overlay-v1-leg{leg}.onnx"
        export(train([crops], chosen.minutes, leg, start, chosen.work / "loss.txt"), path)
        start = path.with_suffix(".safetensors")


if __name__ == "__main__":
    main()
