"""Networks that tell who or what a picture shows: ArcFace for faces, MoCo v2 for everything else.

ArcFace (Deng et al. 2019) is the IR-SE50 of TreB1eN's InsightFace_Pytorch (`model_ir_se50.pth`), MoCo v2 (Chen et
al. 2020) the ResNet-50 of `moco_v2_800ep_pretrain.pt`: the networks, crops and sizes of pSp, e4e and SFE.
Parameter names are those of the files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checkpoints.assign import assign
from ..checkpoints.errors import CheckpointError
from ..checkpoints.present import find_weights
from ..checkpoints.reading import tensors_of
from ..checkpoints.unpickling.torch_file import read_torch
from ..checkpoints.weights import ARCFACE, MOCO
from ..encoders.e4e import BottleneckIRSE
from ..nn.convolution import Conv2d, PReLU, conv1x1, conv3x3

# IR-SE50: (channels, blocks) of the four stages, each beginning with stride 2.
_IRSE_STAGES = ((64, 3), (128, 4), (256, 14), (512, 3))
_EMBEDDING = 512
_ALIGNED_SIDE, _FACE_SIDE = 256, 112
_FACE_ROWS, _FACE_COLUMNS = slice(35, 223), slice(32, 220)  # the face in an aligned FFHQ picture of 256 px
# ResNet-50: (channels inside a block, blocks, stride of the first one) of the four stages.
_RESNET_STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
_EXPANSION = 4
_MOCO_SIDE = 224
_MOCO_PREFIX = "module.encoder_q."


class IdentityNetwork(Protocol):
    """What a loss or a metric of identity needs."""

    def embed(self, image: Tensor) -> Tensor:
        """image: [B,3,H,W] in [-1,1]. Returns [B,E], each of length 1."""
        ...


def identity_similarity(network: IdentityNetwork, a: Tensor, b: Tensor) -> Tensor:
    """Return the cosine of the embeddings' angle, [B] in [-1,1]. a, b: [B,3,H,W] in [-1,1]."""
    return (network.embed(a) * network.embed(b)).sum(dim=1)


class Frozen(nn.Module):
    """A network that stays in eval mode inside of one that trains: its statistics must not move."""

    def train(self, mode: bool = True):
        return super().train(False)

    def similarity(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the cosine of the embeddings' angle, [B] in [-1,1]. a, b: [B,3,H,W] in [-1,1]."""
        return identity_similarity(self, a, b)


class ArcFace(Frozen):
    """Embed aligned faces (FFHQ's alignment) by identity: IR-SE50 on the middle of the picture."""

    def __init__(self):
        super().__init__()
        before = _IRSE_STAGES[0][0]
        self.input_layer = nn.Sequential(conv3x3(3, before), nn.BatchNorm2d(before), PReLU(before))
        body = []
        for width, depth in _IRSE_STAGES:
            for i in range(depth):
                body.append(BottleneckIRSE(before, width, 1 if i else 2))
                before = width
        self.body = nn.Sequential(*body)
        side = _FACE_SIDE // 2 ** len(_IRSE_STAGES)
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(before),
            nn.Identity(),  # the file's numbering counts a dropout
            nn.Flatten(),
            nn.Linear(before * side * side, _EMBEDDING),
            nn.BatchNorm1d(_EMBEDDING),
        )
        self.train()

    def embed(self, image: Tensor) -> Tensor:
        """image: [B,3,H,W] in [-1,1], brought to 256 px, cut and brought to 112 px by mean pooling.

        Returns [B,512], each of length 1.
        """
        if image.shape[2:] != (_ALIGNED_SIDE, _ALIGNED_SIDE):
            image = F.adaptive_avg_pool2d(image, _ALIGNED_SIDE)
        face = F.adaptive_avg_pool2d(image[:, :, _FACE_ROWS, _FACE_COLUMNS], _FACE_SIDE)
        return F.normalize(self.output_layer(self.body(self.input_layer(face))), dim=1)


class BottleneckBlock(nn.Module):
    """Residual block of ResNet-50: 1 x 1, 3 x 3 (stride), 1 x 1, each with BatchNorm (He et al. 2016)."""

    def __init__(self, in_channels: int, width: int, stride: int):
        super().__init__()
        out_channels = width * _EXPANSION
        self.conv1, self.bn1 = conv1x1(in_channels, width), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv3x3(width, width, stride), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = conv1x1(width, out_channels), nn.BatchNorm2d(out_channels)
        self.downsample = None
        if stride != 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(conv1x1(in_channels, out_channels, stride), nn.BatchNorm2d(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return F.relu(self.bn3(self.conv3(x)) + shortcut)


class MoCo(Frozen):
    """Embed pictures of any subject: the query encoder's ResNet-50 of MoCo v2 without its last layers.

    As in e4e and SFE the picture goes in as it is, in [-1,1] and not ImageNet's normalisation.
    """

    def __init__(self):
        super().__init__()
        before = _RESNET_STAGES[0][0]
        self.conv1, self.bn1 = Conv2d(3, before, 7, 2, 3, bias=False), nn.BatchNorm2d(before)
        for number, (width, depth, stride) in enumerate(_RESNET_STAGES, 1):
            blocks = []
            for i in range(depth):
                blocks.append(BottleneckBlock(before, width, 1 if i else stride))
                before = width * _EXPANSION
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
        self.train()

    def embed(self, image: Tensor) -> Tensor:
        """image: [B,3,H,W] in [-1,1], brought to 224 px by the nearest pixel. Returns [B,2048], each of length 1."""
        x = F.interpolate(image, size=(_MOCO_SIDE, _MOCO_SIDE), mode="nearest")
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for number in range(1, len(_RESNET_STAGES) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return F.normalize(x.mean(dim=(2, 3)), dim=1)


def load_arcface(path: Path | str) -> ArcFace:
    """Read `model_ir_se50.pth`, frozen. Raises CheckpointError."""
    state = tensors_of(read_torch(path), path)
    with torch.device("meta"):
        network = ArcFace()
    assign(network, state, Path(path), "ArcFace network (IR-SE50)")
    return network.requires_grad_(False)


def load_moco(path: Path | str) -> MoCo:
    """Read `moco_v2_800ep_pretrain.pt`, frozen. Raises CheckpointError.

    The file holds both encoders and a queue; only the query encoder up to its pooling is read.
    """
    content = read_torch(path)
    state = tensors_of(content.get("state_dict", content) if isinstance(content, dict) else content, path)
    kept = {k.removeprefix(_MOCO_PREFIX): v for k, v in state.items() if k.startswith(_MOCO_PREFIX)}
    if not kept:
        raise CheckpointError(
            f"{path} has no {_MOCO_PREFIX}* entries; expected the published MoCo v2 checkpoint of 800 epochs."
        )
    with torch.device("meta"):
        network = MoCo()
    without_head = {k: v for k, v in kept.items() if not k.startswith("fc.")}
    assign(network, without_head, Path(path), "MoCo v2 query encoder (ResNet-50)")
    return network.requires_grad_(False)


def find_arcface(folder: Path | str) -> Path:
    """Return ArcFace's file in `folder`. Raises MissingWeightsError."""
    return find_weights(ARCFACE, folder)


def find_moco(folder: Path | str) -> Path:
    """Return MoCo's file in `folder`. Raises MissingWeightsError."""
    return find_weights(MOCO, folder)
