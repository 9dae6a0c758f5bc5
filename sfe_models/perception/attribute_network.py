"""A small network that reads the attributes of rendered portraits, and the distances that come with it.

A stand-in for the rendered domain, not LPIPS and not ArcFace: it is trained on pictures whose attributes the
renderer knows, it says nothing about photographs, and its numbers compare with no published ones. Where LPIPS and
ArcFace cannot be had, it takes their places in training and evaluation.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..atomic import save_tensors
from ..checkpoints.assign import assign
from ..checkpoints.errors import CheckpointError
from ..checkpoints.reading import read_safetensors
from ..nn.initial import initialise
from .lpips import unit_normalise

KIND = "sfe_attribute_network"  # in the file's metadata
INPUT_SIDE = 128
_WIDTHS = (24, 48, 96, 128)
_EMBEDDING = 128
_SQUEEZED = 32  # channels that the embedding sees with their places
_BRANCH_GAIN = 0.5  # of a residual branch at the start; takes the place of a normalisation


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions with SiLU beside a shortcut; stride 2 halves the size.

    No normalisation: it would take away the brightness and the colours that attributes are about.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1)
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1) if in_channels != out_channels else None
        self.gain = nn.Parameter(torch.tensor(_BRANCH_GAIN))
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """x: [B,I,H,W]. Returns [B,O,H/stride,W/stride]."""
        shortcut = F.avg_pool2d(x, self.stride) if self.stride > 1 else x
        if self.shortcut is not None:
            shortcut = self.shortcut(shortcut)
        return F.silu(shortcut + self.gain * self.conv2(F.silu(self.conv1(x))))


class AttributeNetwork(nn.Module):
    """Predict the attributes of a rendered portrait; a stand-in for LPIPS and ArcFace in that domain only.

    names: the attributes, in the order of the outputs. widths: channels at the strides 2, 4, 8, 16.
    """

    def __init__(self, names: Sequence[str], widths: Sequence[int] = _WIDTHS, embedding: int = _EMBEDDING):
        super().__init__()
        if not names or len(set(names)) != len(names):
            raise ValueError(f"Attribute names are {list(names)}; expected at least one, each once.")
        if len(widths) != len(_WIDTHS):
            raise ValueError(f"{len(widths)} widths; expected {len(_WIDTHS)}, for the strides 2, 4, 8 and 16.")
        self.names, self.widths = tuple(names), tuple(widths)
        self.stem = nn.Conv2d(3, widths[0], 5, 2, 2)
        self.blocks = nn.ModuleList(
            [ResidualBlock(widths[0], widths[0], 1), *(ResidualBlock(a, b, 2) for a, b in pairwise(widths))]
        )
        self.squeeze = nn.Conv2d(widths[-1], _SQUEEZED, 1)
        self.penultimate = nn.Linear(_SQUEEZED * (INPUT_SIDE // 2 ** len(widths)) ** 2, embedding)
        self.output = nn.Linear(embedding, len(self.names))
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)) and layer is not self.output:
                # without normalisation the default fades
                initialise(layer.weight, nn.init.kaiming_normal_, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
        nn.init.constant_(self.output.bias, 0.5)  # the middle of every attribute's range

    @property
    def embedding(self) -> int:
        """Width E of the embedding."""
        return self.penultimate.out_features

    def features(self, image: Tensor) -> list[Tensor]:
        """Compute the features at the strides 2, 4, 8, 16 of the picture brought to 128 px.

        image: [B,3,H,W] in [-1,1]; resized bilinearly, antialiased, align_corners off.
        """
        if image.shape[2:] != (INPUT_SIDE, INPUT_SIDE):
            size = (INPUT_SIDE, INPUT_SIDE)
            image = F.interpolate(image, size=size, mode="bilinear", align_corners=False, antialias=True)
        x, levels = F.silu(self.stem(image)), []
        for block in self.blocks:
            x = block(x)
            levels.append(x)
        return levels

    def penultimate_features(self, image: Tensor) -> Tensor:
        """image: [B,3,H,W] in [-1,1]. Returns what the output layer reads: [B,E]."""
        return F.silu(self.penultimate(F.silu(self.squeeze(self.features(image)[-1])).flatten(1)))

    def forward(self, image: Tensor) -> Tensor:
        """image: [B,3,H,W] in [-1,1]. Returns [B,A]: 0 to 1 is the attribute's range; nothing is clamped."""
        return self.output(self.penultimate_features(image))

    def embed(self, image: Tensor) -> Tensor:
        """image: [B,3,H,W] in [-1,1]. Returns the penultimate features [B,E], each of length 1."""
        return F.normalize(self.penultimate_features(image), dim=1)

    def perceptual_distance(self, a: Tensor, b: Tensor) -> Tensor:
        """Compare pictures with LPIPS's arithmetic (equation 1 of Zhang et al. 2018), every weight 1.

        a, b: [B,3,H,W] in [-1,1]. Returns [B], 0 for the same picture; not comparable with LPIPS.
        """
        levels = zip(self.features(a), self.features(b), strict=True)
        distances = [(unit_normalise(x) - unit_normalise(y)).square().sum(dim=1).mean(dim=(1, 2)) for x, y in levels]
        return torch.stack(distances).sum(dim=0)


def save_attribute_network(network: AttributeNetwork, path: Path | str) -> Path:
    """Write one safetensors file with the names and sizes in its metadata. Raises OSError."""
    metadata = {
        "kind": KIND,
        "names": json.dumps(network.names),
        "widths": json.dumps(network.widths),
        "embedding": json.dumps(network.embedding),
    }
    return save_tensors(network.state_dict(), path, metadata)


def load_attribute_network(path: Path | str) -> AttributeNetwork:
    """Read what `save_attribute_network` wrote, frozen and on the CPU. Raises CheckpointError."""
    file = read_safetensors(path)
    metadata = file.metadata
    if metadata.get("kind") != KIND:
        raise CheckpointError(
            f"{path} is of the kind {metadata.get('kind', 'unknown')!r}; expected {KIND!r}, a file written by "
            "save_attribute_network."
        )
    try:
        names, widths, embedding = (json.loads(metadata[key]) for key in ("names", "widths", "embedding"))
        with torch.device("meta"):
            network = AttributeNetwork(names, widths, embedding)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} has unusable metadata ({error}); expected names, widths and embedding. Write it again."
        ) from error
    assign(network, file.tensors(), Path(path), "attribute network")
    return network.requires_grad_(False).eval()
