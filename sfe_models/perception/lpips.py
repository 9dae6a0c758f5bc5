"""LPIPS, the distance of deep features (Zhang et al. 2018), version 0.1 with AlexNet or VGG16.

Reads the public files as they are: a backbone of torchvision (`features.N.weight`) and the linear heads of the
lpips package (`linK.model.1.weight`), or of pSp, e4e and SFE, which cut those names down to `K.1.weight`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ..checkpoints.assign import assign
from ..checkpoints.errors import CheckpointError
from ..checkpoints.present import find_weights
from ..checkpoints.reading import tensors_of
from ..checkpoints.unpickling.torch_file import read_torch
from ..checkpoints.weights import ALEX_HEADS, ALEXNET, VGG16, VGG_HEADS, WeightFile


@dataclass(frozen=True)
class Backbone:
    """A stack of convolutions as torchvision numbers it.

    layers: (channels, kernel, stride, padding) of a convolution with its ReLU, or (kernel, stride) of a maximum
    pooling. taps: the index of each ReLU whose output is compared. file, heads: the public weights.
    """

    layers: tuple[tuple[int, ...], ...]
    taps: tuple[int, ...]
    file: WeightFile
    heads: WeightFile


def _vgg(*stages: tuple[int, int]) -> tuple[tuple[int, ...], ...]:
    convolutions = [[(channels, 3, 1, 1)] * depth for channels, depth in stages]
    return tuple(layer for stage in convolutions for layer in [*stage, (2, 2)])


# AlexNet: Krizhevsky 2014, table of torchvision; VGG16: configuration D of Simonyan and Zisserman 2015.
BACKBONES = {
    "alex": Backbone(
        ((64, 11, 4, 2), (3, 2), (192, 5, 1, 2), (3, 2), (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1), (3, 2)),
        (1, 4, 7, 9, 11),
        ALEXNET,
        ALEX_HEADS,
    ),
    "vgg": Backbone(
        _vgg((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)),
        (3, 8, 15, 22, 29),
        VGG16,
        VGG_HEADS,
    ),
}
# Mean and deviation of ImageNet for pictures in [-1,1], rounded as the lpips package does.
SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)
_EPSILON = 1e-10
_MIN_SIDE = 32  # smaller pictures vanish in AlexNet's pooling
_HEAD = re.compile(r"(?:lin(\d)\.model|(\d))\.1\.weight")


def unit_normalise(features: Tensor) -> Tensor:
    """Give each pixel's channels length 1; zeros stay zeros, also in the gradient. features: [B,C,H,W]."""
    return features / (torch.linalg.vector_norm(features, dim=1, keepdim=True) + _EPSILON)


class LPIPS(nn.Module):
    """Compare pictures as LPIPS does: lower is more alike, 0 for the same picture. Frozen.

    kind: "alex" (the usual metric) or "vgg". Without weights from files the numbers mean nothing.
    """

    def __init__(self, kind: str = "alex"):
        super().__init__()
        if kind not in BACKBONES:
            raise ValueError(f"LPIPS backbone {kind!r} is unknown; expected one of {', '.join(BACKBONES)}.")
        self.kind, backbone = kind, BACKBONES[kind]
        layers: list[nn.Module] = []
        widths, before = [], 3
        for layer in backbone.layers:
            if len(layer) == 2:
                layers.append(nn.MaxPool2d(*layer))
                continue
            layers += [nn.Conv2d(before, *layer), nn.ReLU()]
            before = layer[0]
            if len(layers) - 1 in backbone.taps:
                widths.append(before)
        self.taps = backbone.taps
        self.features = nn.Sequential(*layers[: self.taps[-1] + 1])
        self.heads = nn.ModuleList(nn.Conv2d(width, 1, 1, bias=False) for width in widths)
        self.register_buffer("shift", torch.tensor(SHIFT)[:, None, None], persistent=False)
        self.register_buffer("scale", torch.tensor(SCALE)[:, None, None], persistent=False)
        self.requires_grad_(False)

    def levels(self, image: Tensor) -> list[Tensor]:
        """Compute the unit-normalised features of the five levels, finest first. image: [B,3,H,W] in [-1,1]."""
        x = (image - self.shift) / self.scale
        levels = []
        for i, layer in enumerate(self.features):
            x = layer(x)
            if i in self.taps:
                levels.append(unit_normalise(x))
        return levels

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """a, b: [B,3,H,W] in [-1,1], at least 32 px. Returns the distances [B], equation 1 of the paper."""
        if a.shape != b.shape or a.ndim != 4 or a.shape[1] != 3 or min(a.shape[2:]) < _MIN_SIDE:
            raise ValueError(
                f"LPIPS got pictures of the shapes {tuple(a.shape)} and {tuple(b.shape)}; expected [B,3,H,W] twice, "
                f"the same size and at least {_MIN_SIDE} px."
            )
        levels_a, levels_b = self.levels(a), self.levels(b)
        distances = [
            head((x - y).square()).mean(dim=(1, 2, 3))
            for head, x, y in zip(self.heads, levels_a, levels_b, strict=True)
        ]
        return torch.stack(distances).sum(dim=0)


def load_lpips(backbone_file: Path | str, heads_file: Path | str, kind: str | None = None) -> LPIPS:
    """Read LPIPS from a backbone of torchvision and the heads of the lpips package.

    kind: "alex" or "vgg"; None recognises it from the backbone. Raises CheckpointError.
    """
    state = tensors_of(read_torch(backbone_file), backbone_file)
    found = _recognise(state, Path(backbone_file))
    if kind is not None and kind != found:
        raise CheckpointError(f"{backbone_file} holds the {found} backbone; expected {kind}. Give the other file.")
    network = LPIPS(found)
    features = {k.removeprefix("features."): v for k, v in state.items() if not k.startswith("classifier.")}
    assign(network.features, features, Path(backbone_file), f"LPIPS backbone {found}")
    heads = {}
    for key, tensor in tensors_of(read_torch(heads_file), heads_file).items():
        match = _HEAD.fullmatch(key)
        heads[f"{match[1] or match[2]}.weight" if match else key] = tensor
    assign(network.heads, heads, Path(heads_file), f"LPIPS heads (v0.1, {found})")
    return network.requires_grad_(False).eval()


def _recognise(state: dict[str, Tensor], path: Path) -> str:
    first = state.get("features.0.weight")
    shape = None if first is None else tuple(first.shape)
    for kind, backbone in BACKBONES.items():
        channels, kernel = backbone.layers[0][:2]
        if shape == (channels, 3, kernel, kernel):
            return kind
    raise CheckpointError(
        f"{path} holds neither AlexNet nor VGG16 (features.0.weight is {shape or 'absent'}); expected "
        f"{' or '.join(backbone.file.name for backbone in BACKBONES.values())} of torchvision."
    )


def find_lpips(folder: Path | str, kind: str = "alex") -> tuple[Path, Path]:
    """Return the backbone's and the heads' file in `folder`, for `load_lpips`. Raises MissingWeightsError."""
    if kind not in BACKBONES:
        raise ValueError(f"LPIPS backbone {kind!r} is unknown; expected one of {', '.join(BACKBONES)}.")
    backbone = BACKBONES[kind]
    return find_weights(backbone.file, folder), find_weights(backbone.heads, folder)
