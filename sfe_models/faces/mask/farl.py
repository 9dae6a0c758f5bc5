"""FaRL's face parser (Zheng et al. 2022; networks and names of FacePerceiver/FaRL and mmsegmentation's UPerHead).

A CLIP-like vision transformer of 448 px with four of its layers read, a feature pyramid and a UPerNet head; eleven
classes of LaPa. The picture is warped so that the face fills its middle and all the rest its rim (tanh warp).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LABELS = (
    "background", "skin", "right brow", "left brow", "right eye", "left eye", "nose", "upper lip", "mouth",
    "lower lip", "hair",
)  # fmt: skip
# The layers of ViT-B that the head reads, and the pyramid's pooled sizes.
_READ, _POOLED, _HEAD_SIZE = (3, 5, 7, 11), (1, 2, 3, 6), 64
_PATCH = 16
# Where eyes, nose and mouth corners stand before the warp, in [-1,1] of the picture; the warp's share of each half.
_POINTS = ((-60, -30), (60, -30), (0, 30), (-36, 104.4), (36, 104.4))
_POINTS_UNIT, _WARP, _ARCTANH_LIMIT = 256.0, 0.8, 0.999


class ResidualAttentionBlock(nn.Module):
    """A transformer block of CLIP, batch first."""

    def __init__(self, width: int):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, width // _HEAD_SIZE, batch_first=True)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, width * 4), "c_proj": nn.Linear(width * 4, width)})

    def forward(self, x: Tensor) -> Tensor:
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        y = self.mlp["c_fc"](self.ln_2(x))
        return x + self.mlp["c_proj"](y * torch.sigmoid(1.702 * y))


class Visual(nn.Module):
    """The vision transformer's parameters."""

    def __init__(self, width: int, layers: int, grid: int):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, _PATCH, _PATCH, bias=False)
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.positional_embedding = nn.Parameter(torch.zeros(grid**2 + 1, width))
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.ModuleList(ResidualAttentionBlock(width) for _ in range(layers))

    def forward(self, x: Tensor, read: tuple[int, ...]) -> list[Tensor]:
        x = self.conv1(x)
        batch, width, *grid = x.shape
        x = torch.cat([self.class_embedding.expand(batch, 1, width), x.flatten(2).transpose(1, 2)], dim=1)
        x, found = self.ln_pre(x + self.positional_embedding), []
        for block in self.transformer.resblocks:
            x = block(x)
            found.append(x)
        return [found[i][:, 1:].transpose(1, 2).unflatten(2, grid) for i in read]


class Backbone(nn.Module):
    """Four maps, at four, two, one and half times the transformer's size."""

    def __init__(self, width: int, layers: int, grid: int):
        super().__init__()
        self.visual = Visual(width, layers, grid)
        self.register_buffer("image_mean", torch.zeros(1, 3, 1, 1))
        self.register_buffer("image_std", torch.ones(1, 3, 1, 1))
        twice = [nn.ConvTranspose2d(width, width, 2, 2) for _ in range(3)]
        self.fpns = nn.ModuleList(
            [
                nn.Sequential(twice[0], nn.BatchNorm2d(width), nn.GELU(), twice[1]),
                twice[2],
                nn.Identity(),
                nn.MaxPool2d(2, 2),
            ]
        )
        # All layers of a shorter stand-in lie within these.
        self.read = tuple(min(i, layers - 1) for i in _READ)

    def forward(self, image: Tensor) -> list[Tensor]:
        features = self.visual((image - self.image_mean) / self.image_std, self.read)
        return [fpn(feature) for fpn, feature in zip(self.fpns, features, strict=True)]


class ConvModule(nn.Module):
    def __init__(self, n_in: int, n_out: int, kernel: int):
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, kernel, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(n_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x)).relu()


class UPerHead(nn.Module):
    """UPerNet (Xiao et al. 2018)."""

    def __init__(self, width: int, channels: int, classes: int):
        super().__init__()
        self.psp_modules = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(n), ConvModule(width, channels, 1)) for n in _POOLED
        )
        self.bottleneck = ConvModule(width + len(_POOLED) * channels, channels, 3)
        self.lateral_convs = nn.ModuleList(ConvModule(width, channels, 1) for _ in range(3))
        self.fpn_convs = nn.ModuleList(ConvModule(channels, channels, 3) for _ in range(3))
        self.fpn_bottleneck = ConvModule(4 * channels, channels, 3)
        self.conv_seg = nn.Conv2d(channels, classes, 1)

    def forward(self, features: list[Tensor]) -> Tensor:
        last = features[-1]
        pooled = [_resized(module(last), last) for module in self.psp_modules]
        maps = [conv(feature) for conv, feature in zip(self.lateral_convs, features[:-1], strict=True)]
        maps.append(self.bottleneck(torch.cat([last, *pooled], dim=1)))
        for i in (3, 2, 1):
            maps[i - 1] = maps[i - 1] + _resized(maps[i], maps[i - 1])
        maps = [conv(x) for conv, x in zip(self.fpn_convs, maps[:-1], strict=True)] + [maps[-1]]
        return self.conv_seg(self.fpn_bottleneck(torch.cat([_resized(x, maps[0]) for x in maps], dim=1)))


def _resized(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


class FaRLParser(nn.Module):
    """Classes of every pixel of a picture with a face."""

    labels = LABELS

    def __init__(self, width: int, layers: int, grid: int, channels: int, classes: int):
        super().__init__()
        self.backbone = Backbone(width, layers, grid)
        self.head = nn.Module()
        self.head.head = UPerHead(width, channels, classes)
        self.side = grid * _PATCH

    @staticmethod
    def like(state: Mapping[str, Tensor]) -> FaRLParser:
        """Build the network that a state dict is of, without its weights."""
        prefix = "backbone.visual."
        places, width = state[f"{prefix}positional_embedding"].shape
        names = {key.split(".")[4] for key in state if key.startswith(f"{prefix}transformer.resblocks.")}
        classes, channels = state["head.head.conv_seg.weight"].shape[:2]
        return FaRLParser(width, len(names), round((places - 1) ** 0.5), channels, classes)

    def forward(self, image: Tensor) -> Tensor:
        """image: [B,3,side,side] in [0,1], warped; returns logits [B,classes,side,side]."""
        return _resized(self.head.head(self.backbone(image)), image)

    def parse(self, crops: Tensor, landmarks: Tensor) -> Tensor:
        """crops: [B,3,H,W] in [-1,1]; landmarks: [B,5,2] in the crops' unit squares. Returns logits [B,classes,H,W]."""
        # The published warp counts these points from the first pixel's centre to the last one's.
        target = (crops.new_tensor(_POINTS) / _POINTS_UNIT + 1) * (self.side - 1) / self.side - 1
        matrix = _similarity(landmarks.to(crops), target)
        to_crop = warp_grid(matrix, self.side)
        logits = self(F.grid_sample(crops * 0.5 + 0.5, to_crop, "bilinear", "zeros", align_corners=False))
        from_crop = inverse_warp_grid(matrix, crops.shape[2:])
        return F.grid_sample(logits, from_crop, "bilinear", "zeros", align_corners=False)


def _similarity(points: Tensor, target: Tensor) -> Tensor:
    """The similarity that brings points [B,n,2] nearest to a target [n,2]: [B,2,3]."""
    mean, wanted = points.mean(dim=1, keepdim=True), target.mean(dim=0)
    own, want = torch.view_as_complex((points - mean).contiguous()), torch.view_as_complex(target - wanted)
    turn = (want * own.conj()).sum(dim=1) / own.abs().square().sum(dim=1)
    linear = torch.stack([torch.stack([turn.real, -turn.imag], 1), torch.stack([turn.imag, turn.real], 1)], 1)
    shift = wanted - (linear @ mean.transpose(1, 2))[:, :, 0]
    return torch.cat([linear, shift[:, :, None]], dim=2)


def _centres(size: tuple[int, int], like: Tensor) -> Tensor:
    """Pixel centres of a picture, in [0,1]: [h*w,2]."""
    rows, columns = ((torch.arange(n) + 0.5).to(like) / n for n in size)
    return torch.stack([columns.expand(size[0], -1), rows[:, None].expand(-1, size[1])], dim=-1).flatten(0, 1)


def warp_grid(matrix: Tensor, side: int) -> Tensor:
    """Where the warped picture's pixels lie in the crop, for grid_sample: [B,side,side,2]."""
    points = _centres((side, side), matrix) * 2 - 1
    rim = 1 - _WARP
    beyond = ((points.abs() - rim) / _WARP).clamp(max=_ARCTANH_LIMIT)
    points = torch.where(points.abs() > rim, points.sign() * (beyond.atanh() * _WARP + rim), points)
    linear, shift = matrix[:, :, :2], matrix[:, :, 2]
    units = (points[None] - shift[:, None]) @ torch.linalg.inv(linear).transpose(1, 2)
    return (units * 2 - 1).unflatten(1, (side, side))


def inverse_warp_grid(matrix: Tensor, size: tuple[int, int]) -> Tensor:
    """Where the crop's pixels lie in the warped picture, for grid_sample: [B,h,w,2]."""
    points = _centres(tuple(size), matrix) @ matrix[:, :, :2].transpose(1, 2) + matrix[:, None, :, 2]
    rim = 1 - _WARP
    beyond = (points.abs() - rim) / _WARP
    points = torch.where(points.abs() > rim, points.sign() * (beyond.tanh() * _WARP + rim), points)
    return points.unflatten(1, tuple(size))
