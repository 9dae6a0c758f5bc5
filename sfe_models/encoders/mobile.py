"""Small encoders around MobileNetV2, for models that two CPU cores train and run: e4e and Inverter.

The equations are the paper's; what differs is the networks' size. w is w_0 plus offsets (e4e); F_k is the generator's
own feature for w plus a residual that starts at zero (there is no demodulation that would catch a wild F_k).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..domain import DomainSpec
from ..nn.convolution import Linear, PReLU, conv1x1, conv3x3
from ..nn.initial import initialise
from ..nn.mobilenet import WIDTHS, MobileNetV2
from .stack import FeatureBlock

# The side of the picture of features that the heads read.
_POOLED = 4
# The Inverter's backbone sees the picture at half its size. F_k also gets its first levels at full size.
_SHRINK = 2
_FINE = 2


class StyleHeads(nn.Module):
    """The coarsest features to a W+ code: a base for all latents and an offset for each but the first."""

    def __init__(self, n_styles: int, style_dim: int, hidden: int):
        super().__init__()
        self.squeeze = nn.Sequential(conv1x1(WIDTHS[3], hidden), nn.BatchNorm2d(hidden), PReLU(hidden))
        self.hidden = nn.Sequential(Linear(hidden * _POOLED**2, hidden), nn.LeakyReLU(0.2))
        self.styles = nn.ModuleList(Linear(hidden, style_dim) for _ in range(n_styles))
        for i, head in enumerate(self.styles):
            initialise(head.weight, nn.init.normal_, std=0.0 if i else 0.002)
            nn.init.zeros_(head.bias)

    def forward(self, coarsest: Tensor, n_styles: int, stage: int | None = None) -> Tensor:
        """coarsest: [B,320,h/32,w/32]. Returns the first `n_styles` latents [B,n,D]; offsets beyond `stage` are 0."""
        x = self.hidden(F.adaptive_avg_pool2d(self.squeeze(coarsest), _POOLED).flatten(1))
        base = self.styles[0](x)
        codes = [base] + [
            base if stage is not None and i > stage else base + self.styles[i](x) for i in range(1, n_styles)
        ]
        return torch.stack(codes, dim=1)


class MobileE4E(nn.Module):
    """The e4e encoder on MobileNetV2: pictures to W+ codes relative to the generator's average latent."""

    def __init__(self, spec: DomainSpec):
        super().__init__()
        self.n_styles, self.shrink = spec.n_styles, spec.e4e.shrink
        self.backbone = MobileNetV2()
        self.heads = StyleHeads(spec.n_styles, spec.generator.style_dim, spec.e4e.hidden)

    @property
    def styles(self) -> nn.ModuleList:
        """One head for each latent."""
        return self.heads.styles

    def keep_styles(self, count: int) -> None:
        """Drop the heads beyond the first `count`."""
        self.heads.styles = self.heads.styles[:count]

    def forward(self, image: Tensor, n_styles: int | None = None, stage: int | None = None) -> Tensor:
        """image: [B,3,h,w] in [-1,1]. Returns [B,n_styles,style_dim]; see `E4EEncoder.forward`."""
        n = self.n_styles if n_styles is None else n_styles
        if not 1 <= n <= len(self.styles):
            raise ValueError(f"n_styles is {n}; this encoder has {len(self.styles)} style heads.")
        seen = F.avg_pool2d(image, self.shrink) if self.shrink > 1 else image
        return self.heads(self.backbone(seen)[3], n, stage)


class MobileInverter(nn.Module):
    """The Inverter on MobileNetV2: X to (w, F_pred), then F_k = F_w + R(F_pred, F_w).

    F_pred, [B,channels,h/4,w/4], is a pyramid of the backbone's features of the picture at half and at full size, and
    the picture itself, folded so that every pixel is there.
    """

    def __init__(self, spec: DomainSpec):
        super().__init__()
        inverter, features, width = spec.inverter, spec.feature_channels, spec.inverter.channels
        self.n_styles = spec.n_styles
        self.backbone = MobileNetV2()
        self.heads = StyleHeads(spec.n_styles, spec.generator.style_dim, inverter.hidden)
        self.laterals = nn.ModuleList(conv1x1(channels, width, bias=True) for channels in WIDTHS)
        self.fine = nn.ModuleList(conv1x1(channels, width) for channels in WIDTHS[:_FINE])
        self.pixels = nn.Sequential(conv1x1(48, width, bias=True), PReLU(width), conv3x3(width, width, bias=True))
        self.reduce = conv1x1(features, width, bias=True)
        self.blocks = nn.Sequential(*(FeatureBlock(width) for _ in range(inverter.blocks)))
        self.expand = conv1x1(width, features, bias=True)
        for last in (self.expand, *self.fine):
            nn.init.zeros_(last.weight)
        nn.init.zeros_(self.expand.bias)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """image: [B,3,h,w] in [-1,1]. Returns w [B,N,style_dim] without the average latent, and F_pred."""
        levels = self.backbone(F.avg_pool2d(image, _SHRINK))
        quarter, eighth = (
            lateral(level) for lateral, level in zip(self.fine, self.backbone(image, _FINE), strict=True)
        )
        x = self.laterals[3](levels[3])
        for lateral, level in zip(reversed(self.laterals[:3]), reversed(levels[:3]), strict=True):
            x = _doubled(x) + lateral(level)
        predicted = _doubled(x + eighth) + quarter + self.pixels(F.pixel_unshuffle(image, 4))
        return self.heads(levels[3], self.n_styles), predicted

    def fuse(self, predicted: Tensor, from_w: Tensor) -> Tensor:
        """Add what the picture has beside w: predicted F_pred, from_w F_w [B,C,r,r]. Returns F_k [B,C,r,r]."""
        return from_w + self.expand(self.blocks(predicted + self.reduce(from_w.to(predicted.dtype)))).to(from_w.dtype)


def _doubled(x: Tensor) -> Tensor:
    """Twice the size: bilinear, align_corners off."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class MobileFeatureEditor(nn.Module):
    """The Feature Editor as F_k - delta plus a residual that starts at zero: F_k' = F_k - delta + R(F_k, delta)."""

    def __init__(self, spec: DomainSpec):
        super().__init__()
        channels, width = spec.feature_channels, spec.editor_width
        self.reduce = conv1x1(2 * channels, width, bias=True)
        self.blocks = nn.Sequential(*(FeatureBlock(width) for _ in range(spec.editor_blocks)))
        self.expand = conv1x1(width, channels, bias=True)
        nn.init.zeros_(self.expand.weight)
        nn.init.zeros_(self.expand.bias)

    def forward(self, features: Tensor, delta: Tensor) -> Tensor:
        """features: F_k, [B,C,r,r]; delta: F(w_E) - F(w_E'), [B,C,r,r]. Returns F_k', [B,C,r,r]."""
        residual = self.expand(self.blocks(self.reduce(torch.cat([features, delta], dim=1))))
        return (features - delta).add_(residual.to(features.dtype))
