"""The Inception network whose features FID compares (Szegedy et al. 2016; Heusel et al. 2017).

The Inception-v3 of TensorFlow's 2015-12-05 graph, as pytorch-fid publishes it in PyTorch
(`pt_inception-2015-12-05-6726825d.pth`). Parameter names are those of the file, which are torchvision's; other than
torchvision's, mean pooling leaves the border out of its counts, and the last block pools by maximum.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checkpoints.assign import assign
from ..checkpoints.present import find_weights
from ..checkpoints.reading import tensors_of
from ..checkpoints.unpickling.torch_file import read_torch
from ..checkpoints.weights import INCEPTION

FEATURES = 2048
_SIDE = 299
_EPSILON = 1e-3  # of BatchNorm, as in TensorFlow's graph


@dataclass(frozen=True)
class Conv:
    """A convolution with BatchNorm and ReLU: its name, output channels, kernel (height, width), stride and padding.

    same: whether a stride of 1 keeps the size; with a stride of 2 nothing is padded.
    """

    name: str
    channels: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    same: bool = True

    @property
    def padding(self) -> tuple[int, int]:
        return (self.kernel[0] // 2, self.kernel[1] // 2) if self.same and self.stride == 1 else (0, 0)


# A branch is a row of steps; a step of several convolutions runs them side by side on the same input. "mean" and
# "max" are 3 x 3 poolings of stride 1, "max2" is one of stride 2.
Step = tuple[Conv, ...] | str
Branch = tuple[Step, ...]


def _row(*steps: Conv | str | tuple[Conv, ...]) -> Branch:
    return tuple((step,) if isinstance(step, Conv) else step for step in steps)


def _double_3x3(first: int, second: int, stride: int = 1) -> Branch:
    name = "branch3x3dbl"
    return _row(
        Conv(f"{name}_1", first),
        Conv(f"{name}_2", second, (3, 3)),
        Conv(f"{name}_3", second, (3, 3), stride),
    )


def _block_a(pooled: int) -> tuple[Branch, ...]:
    return (
        _row(Conv("branch1x1", 64)),
        _row(Conv("branch5x5_1", 48), Conv("branch5x5_2", 64, (5, 5))),
        _double_3x3(64, 96),
        _row("mean", Conv("branch_pool", pooled)),
    )


_BLOCK_B = (_row(Conv("branch3x3", 384, (3, 3), 2)), _double_3x3(64, 96, 2), _row("max2"))


def _block_c(width: int) -> tuple[Branch, ...]:
    double = "branch7x7dbl"
    return (
        _row(Conv("branch1x1", 192)),
        _row(Conv("branch7x7_1", width), Conv("branch7x7_2", width, (1, 7)), Conv("branch7x7_3", 192, (7, 1))),
        _row(
            Conv(f"{double}_1", width),
            Conv(f"{double}_2", width, (7, 1)),
            Conv(f"{double}_3", width, (1, 7)),
            Conv(f"{double}_4", width, (7, 1)),
            Conv(f"{double}_5", 192, (1, 7)),
        ),
        _row("mean", Conv("branch_pool", 192)),
    )


_BLOCK_D = (
    _row(Conv("branch3x3_1", 192), Conv("branch3x3_2", 320, (3, 3), 2)),
    _row(
        Conv("branch7x7x3_1", 192),
        Conv("branch7x7x3_2", 192, (1, 7)),
        Conv("branch7x7x3_3", 192, (7, 1)),
        Conv("branch7x7x3_4", 192, (3, 3), 2),
    ),
    _row("max2"),
)


def _fork(name: str) -> tuple[Conv, ...]:
    return Conv(f"{name}a", 384, (1, 3)), Conv(f"{name}b", 384, (3, 1))


def _block_e(pooling: str) -> tuple[Branch, ...]:
    double = "branch3x3dbl"
    return (
        _row(Conv("branch1x1", 320)),
        _row(Conv("branch3x3_1", 384), _fork("branch3x3_2")),
        _row(Conv(f"{double}_1", 448), Conv(f"{double}_2", 384, (3, 3)), _fork(f"{double}_3")),
        _row(pooling, Conv("branch_pool", 192)),
    )


_STEM: Branch = _row(
    Conv("Conv2d_1a_3x3", 32, (3, 3), 2),
    Conv("Conv2d_2a_3x3", 32, (3, 3), same=False),
    Conv("Conv2d_2b_3x3", 64, (3, 3)),
    "max2",
    Conv("Conv2d_3b_1x1", 80),
    Conv("Conv2d_4a_3x3", 192, (3, 3), same=False),
    "max2",
)
_BLOCKS: dict[str, tuple[Branch, ...]] = {
    "Mixed_5b": _block_a(32),
    "Mixed_5c": _block_a(64),
    "Mixed_5d": _block_a(64),
    "Mixed_6a": _BLOCK_B,
    "Mixed_6b": _block_c(128),
    "Mixed_6c": _block_c(160),
    "Mixed_6d": _block_c(160),
    "Mixed_6e": _block_c(192),
    "Mixed_7a": _BLOCK_D,
    "Mixed_7b": _block_e("mean"),
    "Mixed_7c": _block_e("max"),
}


class ConvNormReLU(nn.Module):
    """Convolution without bias, BatchNorm, ReLU."""

    def __init__(self, in_channels: int, spec: Conv):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, spec.channels, spec.kernel, spec.stride, spec.padding, bias=False)
        self.bn = nn.BatchNorm2d(spec.channels, eps=_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class Branches(nn.Module):
    """Run branches on one input and join their channels; the table says which."""

    def __init__(self, in_channels: int, branches: tuple[Branch, ...]):
        super().__init__()
        self.branches, self.out_channels = branches, 0
        for branch in branches:
            width = in_channels
            for step in branch:
                if not isinstance(step, str):
                    for conv in step:
                        self.add_module(conv.name, ConvNormReLU(width, conv))
                    width = sum(conv.channels for conv in step)
            self.out_channels += width

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self._run(branch, x) for branch in self.branches], dim=1)

    def _run(self, branch: Branch, x: Tensor) -> Tensor:
        for step in branch:
            if isinstance(step, str):
                x = _pool(step, x)
            else:
                x = torch.cat([self.get_submodule(conv.name)(x) for conv in step], dim=1)
        return x


def _pool(kind: str, x: Tensor) -> Tensor:
    if kind == "mean":
        return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    return F.max_pool2d(x, 3, 1, 1) if kind == "max" else F.max_pool2d(x, 3, 2)


class Inception(Branches):
    """Compute the 2048 pooled features of pictures that FID compares. Frozen, always in eval mode."""

    def __init__(self):
        super().__init__(3, (_STEM,))
        width = self.out_channels
        for name, branches in _BLOCKS.items():
            block = Branches(width, branches)
            self.add_module(name, block)
            width = block.out_channels
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True):
        return super().train(False)

    def forward(self, image: Tensor) -> Tensor:
        """image: [B,3,H,W] in [-1,1], resized to 299 px (bilinear, align_corners off, no antialiasing).

        Returns [B,2048]. The network's own range is [-1,1] too.
        """
        x = F.interpolate(image, size=(_SIDE, _SIDE), mode="bilinear", align_corners=False)
        x = super().forward(x)
        for name in _BLOCKS:
            x = self.get_submodule(name)(x)
        return x.mean(dim=(2, 3))


def load_inception(path: Path | str) -> Inception:
    """Read `pt_inception-2015-12-05-6726825d.pth`, frozen; its classifier is left out. Raises CheckpointError."""
    state = tensors_of(read_torch(path), path)
    features = {key: tensor for key, tensor in state.items() if not key.startswith("fc.")}
    with torch.device("meta"):
        network = Inception()
    assign(network, features, Path(path), "FID Inception network")
    return network.requires_grad_(False)


def find_inception(folder: Path | str) -> Path:
    """Return Inception's file in `folder`. Raises MissingWeightsError."""
    return find_weights(INCEPTION, folder)
