"""The detail encoder: a picture to one map of features T_m for each stage (the Encoding Phase of GradStyle)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..domain import DomainSpec
from ..encoders.stack import IBasicBlock
from ..nn.convolution import PReLU, conv3x3
from .spec import GradualSpec

# The stem puts 2 x 2 px into channels, so that nothing is lost on the way to half the picture's side.
_UNSHUFFLED = 2


class DetailEncoder(nn.Module):
    """IResNet blocks with strides of 2 that leave a map wherever a stage has its side."""

    def __init__(self, domain: DomainSpec, gradual: GradualSpec):
        super().__init__()
        finest = gradual.widths[-1]
        self.stem = nn.Sequential(
            nn.PixelUnshuffle(_UNSHUFFLED), conv3x3(6 * _UNSHUFFLED**2, finest), nn.BatchNorm2d(finest), PReLU(finest)
        )
        self.levels = nn.ModuleList()
        side, before = domain.encoder_size[1] // _UNSHUFFLED, finest
        for layer, width in zip(reversed(gradual.stages), reversed(gradual.widths), strict=True):
            blocks, wanted = [], domain.generator.layer_resolution(layer)
            while side > wanted:
                blocks.append(IBasicBlock(before, width, 2))
                side, before = side // 2, width
            self.levels.append(nn.Sequential(*(blocks or [IBasicBlock(before, width)])))
            before = width

    def forward(self, image: Tensor, coarse: Tensor) -> tuple[Tensor, ...]:
        """image: [B,3,h,w] in [-1,1], of the encoders' size; coarse: what the code alone makes of it, of that size.

        The encoder sees the picture and what is lost. Returns T_m [B,C_m,r h/w,r], the coarsest first.
        """
        x, maps = self.stem(torch.cat([image, image - coarse], dim=1)).to(image.dtype), []
        for level in self.levels:
            x = level(x)
            maps.append(x)
        return tuple(reversed(maps))
