"""Building blocks that the small nets share."""

from __future__ import annotations

from torch import Tensor, nn


class Conv(nn.Sequential):  # type: ignore[misc, unused-ignore]
    """Convolution, batch norm, ReLU; `groups` as of Conv2d."""

    def __init__(self, before: int, after: int, side: int = 3, stride: int = 1, groups: int = 1) -> None:
        conv = nn.Conv2d(before, after, side, stride, side // 2, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(after), nn.ReLU(inplace=True))


class Light(nn.Module):  # type: ignore[misc, unused-ignore]
    """Depthwise 5 x 5 and pointwise convolution around a shortcut: much sight for few weights."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(Conv(width, width, 5, groups=width), Conv(width, width, 1))
        nn.init.constant_(self.body[1][1].weight, 0.1)  # nearly the identity at first

    def forward(self, x: Tensor) -> Tensor:
        """The same shape, (N, width, H, W)."""
        return x + self.body(x)  # type: ignore[no-any-return, unused-ignore]
