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
        scale, shift, scale2, shift2 = self.modulation(later).chunk(4, dim=1)
        x = F.leaky_relu(_modulated(self.first, features.float(), scale, shift), SLOPE)
        x = F.leaky_relu(_modulated(self.pointwise, self.depthwise(x), scale2, shift2), SLOPE) + x
        return F.pixel_shuffle(self.colours(x), 2)


def _modulated(convolution: nn.Conv2d, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Convolve x [B,I,r,r] 1 x 1, then times 1 + scale, plus shift, [B,O] both: in one matrix product each."""
    weight = convolution.weight.flatten(1).T * (1 + scale)[:, None]
    bias = convolution.bias * (1 + scale) + shift
    rows = x.permute(0, 2, 3, 1).flatten(1, 2)
    made = torch.stack([torch.addmm(b, row, w) for b, row, w in zip(bias, rows, weight, strict=True)])
    return made.unflatten(1, x.shape[2:]).permute(0, 3, 1, 2)
