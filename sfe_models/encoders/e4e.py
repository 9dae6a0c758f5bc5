"""The e4e encoder: a picture to a W+ code (Tov et al. 2021), an IR-SE body with a feature pyramid and style heads.

Parameter names are those of the published checkpoint (`encoder.` of e4e_ffhq_encode.pt).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..domain import DomainSpec
from ..generators.stylegan2.layers import EqualizedLinear
from ..nn.convolution import PReLU, conv1x1, conv3x3

_HEAD_SLOPE = 0.01


class SqueezeExcitation(nn.Module):
    """Weigh the channels by what their means say (Hu et al. 2018)."""

    def __init__(self, channels: int, reduction: int):
        super().__init__()
        self.fc1 = conv1x1(channels, channels // reduction)
        self.fc2 = conv1x1(channels // reduction, channels)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.fc2(F.relu(self.fc1(x.mean(dim=(2, 3), keepdim=True))))
        return x * torch.sigmoid(weight)


class BottleneckIRSE(nn.Module):
    """Residual block of IR-SE50: BN, conv, PReLU, conv (stride), BN, squeeze-and-excitation, beside a shortcut."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, se_reduction: int = 16):
        super().__init__()
        if in_channels == out_channels:
            self.shortcut_layer = nn.MaxPool2d(1, stride)
        else:
            self.shortcut_layer = nn.Sequential(
                conv1x1(in_channels, out_channels, stride), nn.BatchNorm2d(out_channels)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(in_channels),
            conv3x3(in_channels, out_channels),
            PReLU(out_channels),
            conv3x3(out_channels, out_channels, stride),
            nn.BatchNorm2d(out_channels),
            SqueezeExcitation(out_channels, se_reduction),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.res_layer(x) + self.shortcut_layer(x)


class GradualStyleBlock(nn.Module):
    """Style head: stride-2 convolutions down to 1 x 1, then a linear layer (pSp, Richardson et al. 2021)."""

    def __init__(self, in_channels: int, style_dim: int, side: int):
        super().__init__()
        convs: list[nn.Module] = []
        for i in range(max(1, (side - 1).bit_length())):
            convs += [
                conv3x3(style_dim if i else in_channels, style_dim, 2, bias=True),
                nn.LeakyReLU(_HEAD_SLOPE),
            ]
        self.convs = nn.Sequential(*convs)
        self.linear = EqualizedLinear(style_dim, style_dim)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B,C,side,side] or smaller. Returns [B,style_dim]."""
        return self.linear(self.convs(x).flatten(1))


def upsample_add(x: Tensor, lateral: Tensor) -> Tensor:
    """Top-down step of the pyramid: x upsampled to the lateral's size, bilinear, align_corners on, plus it."""
    return F.interpolate(x, size=lateral.shape[2:], mode="bilinear", align_corners=True) + lateral


class E4EEncoder(nn.Module):
    """Encode pictures as W+ codes relative to the generator's average latent.

    Head 0 gives the base w_0, the others offsets to it: w_i = w_0 + delta_i. `stage` is the progressive training
    stage of e4e: offsets beyond it are 0; None opens all.
    """

    signature = "latlayer1.weight"

    def __init__(self, spec: DomainSpec):
        super().__init__()
        e4e, dim = spec.e4e, spec.generator.style_dim
        self.n_styles = spec.n_styles
        self.coarse, self.middle = e4e.coarse_styles, e4e.middle_styles
        self.input_layer = nn.Sequential(conv3x3(3, e4e.stem), nn.BatchNorm2d(e4e.stem), PReLU(e4e.stem))
        body, before = [], e4e.stem
        for width, depth in zip(e4e.widths, e4e.depths, strict=True):
            for i in range(depth):
                body.append(BottleneckIRSE(before, width, 1 if i else 2, e4e.se_reduction))
                before = width
        self.body = nn.Sequential(*body)
        self.taps = e4e.depths[0] + e4e.depths[1], sum(e4e.depths[:3])  # where the pyramid leaves the body
        side = max(spec.encoder_size)
        self.styles = nn.ModuleList(
            GradualStyleBlock(e4e.widths[3], dim, side // self._reduction(i)) for i in range(self.n_styles)
        )
        self.latlayer1 = conv1x1(e4e.widths[2], e4e.widths[3], bias=True)
        self.latlayer2 = conv1x1(e4e.widths[1], e4e.widths[3], bias=True)

    def keep_styles(self, count: int) -> None:
        """Drop the style heads beyond the first `count`."""
        self.styles = self.styles[:count]

    def _reduction(self, style: int) -> int:
        """How much smaller than the picture the features are that head `style` reads."""
        return 16 if style < self.coarse else 8 if style < self.middle else 4

    def pyramid(self, image: Tensor, n_styles: int) -> list[Tensor]:
        """Compute the features of the three levels, coarsest first, as far as `n_styles` heads need them."""
        x = self.input_layer(image).to(image.dtype)
        fine = self.body[: self.taps[0]](x)
        middle = self.body[self.taps[0] : self.taps[1]](fine)
        levels = [self.body[self.taps[1] :](middle)]
        if n_styles > self.coarse:
            levels.append(upsample_add(levels[0], self.latlayer1(middle)))
        if n_styles > self.middle:
            levels.append(upsample_add(levels[1], self.latlayer2(fine)))
        return levels

    def forward(self, image: Tensor, n_styles: int | None = None, stage: int | None = None) -> Tensor:
        """image: [B,3,h,w] in [-1,1]. Returns [B,n_styles,style_dim], average latent not added.

        n_styles: compute only the first styles, exactly those of the whole code.
        """
        n = self.n_styles if n_styles is None else n_styles
        if not 1 <= n <= len(self.styles):
            raise ValueError(f"n_styles is {n}; this encoder has {len(self.styles)} style heads.")
        levels = self.pyramid(image, n)
        base = self.styles[0](levels[0])
        codes = [base]
        for i in range(1, n):
            if stage is not None and i > stage:
                codes.append(base)
                continue
            level = levels[0 if i < self.coarse else 1 if i < self.middle else 2]
            codes.append(base + self.styles[i](level))
        return torch.stack(codes, dim=1)
