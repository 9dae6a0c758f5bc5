"""ST-LPIPS, the shift-tolerant perceptual distance (Ghildyal and Liu 2022, arXiv 2207.13686), with AlexNet.

LPIPS's arithmetic on an AlexNet that was trained anew: its first convolution has stride 1, and every step that halves
the size blurs first (Zhang 2019), so that a shift by a pixel changes little. Its numbers are not LPIPS's.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checkpoints.assign import assign
from ..checkpoints.errors import CheckpointError
from ..checkpoints.measuring_weights import STLPIPS as STLPIPS_FILE
from ..checkpoints.present import find_weights
from ..checkpoints.reading import tensors_of
from ..checkpoints.unpickling.torch_file import read_torch
from .lpips import SCALE, SHIFT, unit_normalise
from .views import checked_pictures

# (channels, kernel, padding) of the five convolutions: their stride is 1.
_CONVOLUTIONS = ((64, 11, 2), (192, 5, 2), (384, 3, 1), (256, 3, 1), (256, 3, 1))
# Where the file keeps them.
_PLACES = ("slice1.0", "slice2.5", "slice3.9", "slice4.11", "slice5.13")
_BLUR = (0.25, 0.5, 0.25)
_MIN_SIDE = 32


class BlurDown(nn.Module):
    """Blur by [1, 2, 1] x [1, 2, 1] / 16 and keep every second pixel, after two reflected px at each edge."""

    def __init__(self):
        super().__init__()
        taps = torch.tensor(_BLUR)
        self.register_buffer("taps", torch.outer(taps, taps), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B,C,H,W]. Returns [B,C,H//2+1,W//2+1]."""
        channels = x.shape[1]
        weight = self.taps.expand(channels, 1, -1, -1)
        return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), weight, stride=2, groups=channels)


class STLPIPS(nn.Module):
    """Compare pictures: lower is more alike, 0 for the same picture. Frozen.

    widths: channels of the five convolutions. Without weights from the file the numbers mean nothing.
    """

    def __init__(self, widths: tuple[int, ...] = tuple(c for c, _, _ in _CONVOLUTIONS)):
        super().__init__()
        before = (3, *widths)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before[i], widths[i], kernel, padding=padding)
            for i, (_, kernel, padding) in enumerate(_CONVOLUTIONS)
        )
        self.heads = nn.ModuleList(nn.Conv2d(width, 1, 1, bias=False) for width in widths)
        self.down = BlurDown()
        self.register_buffer("shift", torch.tensor(SHIFT)[:, None, None], persistent=False)
        self.register_buffer("scale", torch.tensor(SCALE)[:, None, None], persistent=False)
        self.requires_grad_(False)

    def levels(self, image: Tensor) -> list[Tensor]:
        """Compute the unit-normalised features of the five levels, finest first. image: [B,3,H,W] in [-1,1]."""
        x = F.relu(self.down(self.convolutions[0]((image - self.shift) / self.scale)))
        levels = [x]
        x = self.down(F.max_pool2d(x, 3, 1))
        x = F.relu(self.convolutions[1](x))
        levels.append(x)
        x = self.down(F.max_pool2d(x, 3, 1))
        for convolution in self.convolutions[2:]:
            x = F.relu(convolution(x))
            levels.append(x)
        return [unit_normalise(level) for level in levels]

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """a, b: [B,3,H,W] in [-1,1], at least 32 px. Returns the distances [B]."""
        if a.shape != b.shape:
            raise ValueError(f"ST-LPIPS got pictures of the shapes {tuple(a.shape)} and {tuple(b.shape)}.")
        checked_pictures(a, _MIN_SIDE)
        distances = [
            head((x - y).square()).mean(dim=(1, 2, 3))
            for head, x, y in zip(self.heads, self.levels(a), self.levels(b), strict=True)
        ]
        return torch.stack(distances).sum(dim=0)


def load_stlpips(path: Path | str) -> STLPIPS:
    """Read the package's `alex_shift_tolerant.pth`: AlexNet and heads. Raises CheckpointError."""
    state = tensors_of(read_torch(path), path)
    kept = {}
    for i, place in enumerate(_PLACES):
        for name in ("weight", "bias"):
            kept[f"convolutions.{i}.{name}"] = state.get(f"net.{place}.{name}")
        kept[f"heads.{i}.weight"] = state.get(f"lin{i}.model.1.weight")
    missing = [name for name, tensor in kept.items() if tensor is None]
    if missing:
        raise CheckpointError(
            f"{path} holds no {missing[0]} of ST-LPIPS; expected {STLPIPS_FILE.name} of {STLPIPS_FILE.source}."
        )
    network = STLPIPS(tuple(len(kept[f"convolutions.{i}.bias"]) for i in range(len(_PLACES))))
    assign(network, kept, Path(path), "ST-LPIPS network (AlexNet)")
    return network.requires_grad_(False).eval()


def find_stlpips(folder: Path | str) -> Path:
    """Return ST-LPIPS's file in `folder` or in its package. Raises MissingWeightsError."""
    return find_weights(STLPIPS_FILE, folder)
