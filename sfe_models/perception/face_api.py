"""The small networks of face-api (MIT): expressions, age, 68 points; from the npm package @vladmandic/face-api.

Each is a `.bin` of 8 bit weights, and a manifest in JSON beside it that says where in it each tensor lies and how it
was rounded. Layers are named as in the manifests.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checkpoints.assign import assign
from ..checkpoints.errors import CheckpointError
from ..checkpoints.measuring_weights import EXPRESSION, FACE_API
from ..checkpoints.present import find_weights
from ..checkpoints.weight_file import WeightFile
from .views import View, checked_pictures

EXPRESSIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")
# The box about the 68 points and a tenth of it on each side, as the package aligns faces.
_VIEW = View(0.504, 0.655, 0.67, 112)
# The square in which its points lie nearest to dlib's: 0.017 of the crop's side off, over 80 photographs.
_LANDMARKS_VIEW = View(0.5, 0.64, 0.74, 112)
_MEAN = (122.782, 117.001, 104.298)  # levels of 255
_POINTS = 68
_WIDTHS = (32, 64, 128, 256)
_XCEPTION_WIDTHS, _MAIN_BLOCKS = (32, 64, 128, 256, 512), 2


def _normalised(face: Tensor) -> Tensor:
    return ((face + 1) * 127.5 - face.new_tensor(_MEAN)[:, None, None]) / 255


def _same(x: Tensor, stride: int, value: float = 0.0) -> Tensor:
    """Pad for a 3 x 3 window as TensorFlow's "same": with stride 2, an even side gets one px at its end alone."""
    before = [0 if stride == 2 and side % 2 == 0 else 1 for side in x.shape[2:]]
    return F.pad(x, (before[1], 1, before[0], 1), value=value)


class Convolution(nn.Module):
    """A 3 x 3 or 1 x 1 convolution with TensorFlow's padding."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1):
        super().__init__()
        self.filters = nn.Parameter(torch.zeros(out_channels, in_channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """x: [B,I,H,W]. Returns [B,O,H/stride,W/stride]."""
        x = _same(x, self.stride) if self.filters.shape[2] == 3 else x
        return F.conv2d(x, self.filters, self.bias, self.stride)


class SeparableConvolution(nn.Module):
    """3 x 3 for each channel alone, then 1 x 1."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1):
        super().__init__()
        self.depthwise_filter = nn.Parameter(torch.zeros(in_channels, 1, 3, 3))
        self.pointwise_filter = nn.Parameter(torch.zeros(out_channels, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """x: [B,I,H,W]. Returns [B,O,H/stride,W/stride]."""
        x = F.conv2d(_same(x, self.stride), self.depthwise_filter, None, self.stride, groups=x.shape[1])
        return F.conv2d(x, self.pointwise_filter, self.bias)


class DenseBlock(nn.Module):
    """Four convolutions, the first of stride 2; each sees the sum of those before it."""

    def __init__(self, in_channels: int, out_channels: int, first: bool):
        super().__init__()
        kind = Convolution if first else SeparableConvolution
        self.conv0 = kind(in_channels, out_channels, stride=2)
        self.conv1, self.conv2, self.conv3 = (SeparableConvolution(out_channels, out_channels) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        """x: [B,I,H,W]. Returns [B,O,H/2,W/2]."""
        total = F.relu(self.conv0(x))
        for convolution in (self.conv1, self.conv2, self.conv3):
            total = total + convolution(F.relu(total))
        return F.relu(total)


class Linear(nn.Module):
    """A matrix and a bias, by the manifests' names."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.weights, self.bias = nn.Parameter(torch.zeros(outputs, inputs)), nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """x: [B,inputs]. Returns [B,outputs]."""
        return F.linear(x, self.weights, self.bias)


class _DenseNetwork(nn.Module):
    def __init__(self, outputs: int, widths: tuple[int, ...] = _WIDTHS):
        super().__init__()
        for i, width in enumerate(widths):
            self.add_module(f"dense{i}", DenseBlock(widths[i - 1] if i else 3, width, not i))
        self.fc = Linear(widths[-1], outputs)

    def run(self, face: Tensor) -> Tensor:
        """face: [B,3,112,112] in [-1,1]. Returns the last layer's numbers."""
        x = _normalised(face)
        for i in range(len(_WIDTHS)):
            x = self.get_submodule(f"dense{i}")(x)
        return self.fc(x.mean(dim=(2, 3)))


class ExpressionNetwork(_DenseNetwork):
    """Say which of seven expressions the face of an aligned crop shows."""

    def __init__(self, widths: tuple[int, ...] = _WIDTHS):
        super().__init__(len(EXPRESSIONS), widths)

    def forward(self, image: Tensor) -> Tensor:
        """image: [B,3,H,W] in [-1,1], aligned as FFHQ's. Returns the logits of `EXPRESSIONS`, [B,7]."""
        return self.run(_VIEW(checked_pictures(image)))


class LandmarkNetwork(_DenseNetwork):
    """Find the 68 points of the face of an aligned crop."""

    def __init__(self, widths: tuple[int, ...] = _WIDTHS):
        super().__init__(2 * _POINTS, widths)

    def forward(self, image: Tensor) -> Tensor:
        """image: [B,3,H,W] in [-1,1], aligned as FFHQ's. Returns (x, y), [B,68,2], in shares of the crop's sides."""
        view = _LANDMARKS_VIEW
        points = self.run(view(checked_pictures(image))).unflatten(1, (_POINTS, 2))
        return points * view.side + points.new_tensor([view.x - view.side / 2, view.y - view.side / 2])


class _ReductionBlock(nn.Module):
    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.separable_conv0 = SeparableConvolution(in_channels, out_channels)
        self.separable_conv1 = SeparableConvolution(out_channels, out_channels)
        self.expansion_conv = Convolution(in_channels, out_channels, 1, 2)

    def forward(self, x: Tensor, activated: Tensor) -> Tensor:
        y = self.separable_conv1(F.relu(self.separable_conv0(activated)))
        return F.max_pool2d(_same(y, 2, -math.inf), 3, 2) + self.expansion_conv(x)


class _MainBlock(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        for i in range(3):
            self.add_module(f"separable_conv{i}", SeparableConvolution(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for i in range(3):
            y = self.get_submodule(f"separable_conv{i}")(F.relu(y))
        return x + y


class XceptionAge(nn.Module):
    """A small Xception that says how old the face of an aligned crop looks."""

    def __init__(self, widths: tuple[int, ...] = _XCEPTION_WIDTHS):
        super().__init__()
        a, b, c, d, e = widths
        self.entry_flow = nn.ModuleDict(
            {
                "conv_in": Convolution(3, a, 3, 2),
                "reduction_block_0": _ReductionBlock(a, b),
                "reduction_block_1": _ReductionBlock(b, c),
            }
        )
        self.middle_flow = nn.ModuleDict({f"main_block_{i}": _MainBlock(c) for i in range(_MAIN_BLOCKS)})
        self.exit_flow = nn.ModuleDict(
            {"reduction_block": _ReductionBlock(c, d), "separable_conv": SeparableConvolution(d, e)}
        )
        self.fc = nn.ModuleDict({"age": Linear(e, 1), "gender": Linear(e, 2)})

    def forward(self, image: Tensor) -> Tensor:
        """image: [B,3,H,W] in [-1,1], aligned as FFHQ's. Returns years, [B]."""
        return self.run(_VIEW(checked_pictures(image)))

    def run(self, face: Tensor) -> Tensor:
        """face: [B,3,112,112] in [-1,1]. Returns years, [B]."""
        entry = self.entry_flow
        x = F.relu(entry["conv_in"](_normalised(face)))
        x = entry["reduction_block_0"](x, x)
        x = entry["reduction_block_1"](x, F.relu(x))
        for block in self.middle_flow.values():
            x = block(x)
        x = self.exit_flow["reduction_block"](x, F.relu(x))
        x = F.relu(self.exit_flow["separable_conv"](x))
        return self.fc["age"](x.mean(dim=(2, 3)))[:, 0]


def read_quantised(path: Path | str) -> dict[str, Tensor]:
    """Read a `.bin` and the manifest beside it: float32 tensors in PyTorch's order of axes, by their names with dots.

    Raises CheckpointError.
    """
    path = Path(path)
    manifest = path.with_name(f"{path.stem}-weights_manifest.json")
    tensors, position = {}, 0
    try:
        content = path.read_bytes()
        entries = [entry for group in json.loads(manifest.read_text(encoding="utf-8")) for entry in group["weights"]]
        for entry in entries:
            rounding, shape = entry.get("quantization"), tuple(entry["shape"])
            kind = np.dtype("<u1" if rounding else "<f4")
            end = position + kind.itemsize * math.prod(shape)
            values = np.frombuffer(content[position:end], kind).astype(np.float32)
            if rounding:
                values = values * np.float32(rounding["scale"]) + np.float32(rounding["min"])
            tensors[entry["name"].replace("/", ".")] = _turned(torch.from_numpy(values.reshape(shape)), entry["name"])
            position = end
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path} or its manifest cannot be read ({error}); get both from {EXPRESSION.source}."
        ) from error
    if position != len(content):
        raise CheckpointError(f"{path} has {len(content)} bytes, its manifest tells of {position}; get both again.")
    return tensors


def _turned(tensor: Tensor, name: str) -> Tensor:
    """Bring TensorFlow's order of axes into PyTorch's.

    [h,w,I,O] to [O,I,h,w]; of a depthwise filter [h,w,C,1] to [C,1,h,w]; of a matrix [I,O] to [O,I].
    """
    if tensor.ndim == 4:
        tensor = tensor.permute((2, 3, 0, 1) if name.endswith("depthwise_filter") else (3, 2, 0, 1))
    return tensor.T.contiguous() if tensor.ndim == 2 else tensor.contiguous()


def _load(network: nn.Module, path: Path | str, what: str):
    assign(network, read_quantised(path), Path(path), what)
    return network.requires_grad_(False).eval()


def load_expression(path: Path | str) -> ExpressionNetwork:
    """Read `face_expression_model.bin`, frozen. Raises CheckpointError."""
    return _load(ExpressionNetwork(), path, "expression network of face-api")


def load_face_api_age(path: Path | str) -> XceptionAge:
    """Read `age_gender_model.bin`, frozen. Raises CheckpointError."""
    return _load(XceptionAge(), path, "age network of face-api")


def load_landmarks(path: Path | str) -> LandmarkNetwork:
    """Read `face_landmark_68_model.bin`, frozen. Raises CheckpointError."""
    return _load(LandmarkNetwork(), path, "landmark network of face-api")


def find_face_api(file: WeightFile, folder: Path | str) -> Path:
    """Return the `.bin` of one network in `folder`, its manifest beside it. Raises MissingWeightsError.

    file: EXPRESSION, POINTS or SMALL_AGE of the table of weights.
    """
    path = find_weights(file, folder)
    find_weights(FACE_API[FACE_API.index(file) + 1], path.parent)
    return path
