"""The built-in copy-detection network: a small residual network, GeM pooling, one linear head.

Basic residual blocks follow He et al. (arXiv 1512.03385) with average-pooled shortcuts
(He et al., arXiv 1812.01187); pooling is GeM (Radenović et al., arXiv 1711.02512).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


class ConvNorm(nn.Module):
    """Convolution and BatchNorm; after `fold` the convolution alone, with the same output."""

    def __init__(self, cin: int, cout: int, size: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, size, stride, padding=(size - 1) // 2, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(cout)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(self.conv(x))
        return out

    def fold(self) -> None:
        if isinstance(self.norm, nn.BatchNorm2d):
            self.conv = fuse_conv_bn_eval(self.conv, self.norm)
            self.norm = nn.Identity()


class Block(nn.Module):
    """Two 3x3 convolutions with a shortcut; stride 2 halves the shortcut by averaging."""

    def __init__(self, cin: int, cout: int, stride: int) -> None:
        super().__init__()
        self.first = ConvNorm(cin, cout, 3, stride)
        self.second = ConvNorm(cout, cout, 3)
        pool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        project = ConvNorm(cin, cout, 1) if cin != cout else nn.Identity()
        self.shortcut = nn.Sequential(pool, project)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


class GeM(nn.Module):
    """Generalised mean over positions, learned exponent; float32 whatever the input."""

    def __init__(self, p: float = 3.0) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor(p))

    def forward(self, x: Tensor) -> Tensor:
        powered = x.float().clamp(min=1e-4).pow(self.p)
        return powered.mean((2, 3)).pow(1 / self.p)


class CopyNet(nn.Module):
    """(n, 3, s, s) normalised pictures → (n, dim) unit vectors; s a multiple of 32.

    `widths` and `depths` give channels and blocks of each stage. The first stage works at a
    quarter of the input's side, every later one at half the side of the one before.
    """

    def __init__(self, widths: list[int], depths: list[int], dim: int) -> None:
        super().__init__()
        self.stem = ConvNorm(3, widths[0], 7, 4)
        blocks, cin = [], widths[0]
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            for index in range(depth):
                blocks.append(Block(cin, width, 2 if stage and not index else 1))
                cin = width
        self.blocks = nn.Sequential(*blocks)
        self.pool = GeM()
        self.head = nn.Linear(cin, dim)

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.pool(self.blocks(F.relu(self.stem(x))))
        return F.normalize(self.head(pooled).float(), dim=1)

    def fold(self) -> CopyNet:
        """Merge every BatchNorm into its convolution, in place; for inference only."""
        self.eval()
        for module in self.modules():
            if isinstance(module, ConvNorm):
                module.fold()
        return self
