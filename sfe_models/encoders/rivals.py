"""Encoders to W+ that SFE is compared with: pSp (Richardson et al. 2021) and ReStyle (Alaluf et al. 2021).

They are made of e4e's parts: the IR-SE body, with or without the feature pyramid, and the style heads. ReStyle looks at
the picture and at what the generator made of the code so far, and says what is to be added. Parameter names are those
of the published files (`encoder.`).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..domain import DomainSpec, E4ESpec
from ..generators.base import Generator
from ..nn.convolution import conv3x3
from .e4e import E4EEncoder, GradualStyleBlock


@dataclass(frozen=True)
class RivalForm:
    """How an encoder is built.

    channels: 3, or 6 for the picture beside the one made so far; pyramid: heads read three levels, as in e4e, or all of
    them the last; offsets: heads beyond the first give offsets to it, as in e4e, or codes of their own; iterations: how
    often it looks.
    """

    channels: int
    pyramid: bool
    offsets: bool
    iterations: int = 1


class RivalEncoder(E4EEncoder):
    """Encode pictures [B,channels,h,w] as W+ codes [B,N,D] relative to another code."""

    def __init__(self, spec: DomainSpec, form: RivalForm):
        super().__init__(spec)
        e4e: E4ESpec = spec.e4e
        self.form = form
        self.input_layer[0] = conv3x3(form.channels, e4e.stem)
        if not form.pyramid:
            side, width = max(spec.encoder_size) // 16, e4e.widths[3]
            heads = (GradualStyleBlock(width, spec.generator.style_dim, side) for _ in range(self.n_styles))
            self.styles = nn.ModuleList(heads)
            del self.latlayer1, self.latlayer2

    def forward(self, image: Tensor) -> Tensor:
        if self.form.pyramid:
            levels = self.pyramid(image, self.n_styles)
        else:
            levels = [self.body(self.input_layer(image))] * 3
        borders = self.coarse, self.middle
        codes = [head(levels[sum(i >= border for border in borders)]) for i, head in enumerate(self.styles)]
        if self.form.offsets:
            codes = [codes[0], *(codes[0] + offset for offset in codes[1:])]
        return torch.stack(codes, dim=1)


@dataclass(frozen=True, eq=False)
class Rival:
    """An encoder with its generator and the code that it begins at, [N,D]."""

    encoder: RivalEncoder
    generator: Generator
    start: Tensor

    @torch.no_grad()
    def codes(self, image: Tensor, size: tuple[int, int]) -> Tensor:
        """Encode pictures [B,3,H,W] in [-1,1]: W+ codes [B,N,D].

        size: of the pictures that the encoder sees; they are brought there bilinear, antialiased, as the authors'
        loaders do, and what the generator made by area averaging.
        """
        seen = image if image.shape[2:] == size else F.interpolate(image, size, mode="bilinear", antialias=True)
        code = self.start.expand(len(image), -1, -1)
        if self.encoder.form.channels == 3:
            return code + self.encoder(seen)
        made = self._made(self.start[None], size).expand(len(image), -1, -1, -1)
        for number in range(self.encoder.form.iterations):
            if number:
                made = self._made(code, size)
            code = code + self.encoder(torch.cat([seen, made], dim=1))
        return code

    def _made(self, code: Tensor, size: tuple[int, int]) -> Tensor:
        return F.adaptive_avg_pool2d(self.generator(code), size)
