"""A small picture from the middle of the generator, which makes none there itself: to be seen while the rest runs."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..base import StyleSpace
from .layers import SLOPE
from .spec import MobileStyleGANSpec


class Draft(nn.Module):
    """Make pictures of twice the side of outs[layer] from it, in a fraction of the time that the layers after it take.

    Pointwise convolution, depthwise 3 x 3 and pointwise with a shortcut, colours of 2 x 2 pixels. Later styles, which
    decide on colours and light, scale and shift the channels of the first two.
    """

    def __init__(self, spec: MobileStyleGANSpec, layer: int = 16, width: int = 48):
        super().__init__()
        self.layer, self.side = layer, 2 * spec.layer_resolution(layer)
        later = sum(spec.layer_channels(n - 1) for n in range(layer + 1, spec.n_layers + 1)) + spec.channels[-1]
        self.first = nn.Conv2d(spec.layer_channels(layer), width, 1)
        self.modulation = nn.Linear(later, 4 * width)
        self.depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.pointwise = nn.Conv2d(width, width, 1)
        self.colours = nn.Conv2d(width, 12, 1)

    def later(self, styles: StyleSpace) -> Tensor:
        """Lay the style vectors after outs[layer] side by side: [B,S]."""
        return torch.cat([*styles.convs[self.layer :], styles.rgbs[-1]], dim=1).float()

    def forward(self, features: Tensor, later: Tensor) -> Tensor:
        """features: outs[layer], [B,C,r,r]; later: [B,S]. Returns [B,3,2r,2r], about [-1,1], float32."""
        scale, shift, scale2, shift2 = self.modulation(later)[:, :, None, None].chunk(4, dim=1)
        x = F.leaky_relu(self.first(features.float()) * (1 + scale) + shift, SLOPE)
        x = F.leaky_relu(self.pointwise(self.depthwise(x)) * (1 + scale2) + shift2, SLOPE) + x
        return F.pixel_shuffle(self.colours(x), 2)
