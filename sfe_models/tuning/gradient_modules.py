"""Gradient Adjusting Networks, M: from the gradient of a picture's loss to a correction of the generator's weights.

A reconstruction after Sheffi, Rotman and Wolf (SCIA 2023): the paper's code was never released and some of its numbers
are lost, so what is not certain is ours. Its equations: theta' = theta + M_c(g), one M for all weights of c channels
(2); x <- x + V s(U SN(x) + b), SN(x) = scale x / |x| (3, 4).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_SLOPE = 0.2
# Factor on V's He deviation, so that tuning starts near theta + g; the paper has one, whose value is lost.
_SMALL = 0.01
_EPS = 1e-12


class ScaleNorm(nn.Module):
    """scale x / |x| over the last dimension; the scale, at first sqrt(c), is learned."""

    def __init__(self, channels: int):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(math.sqrt(channels)))

    def forward(self, x: Tensor) -> Tensor:
        return x * (self.scale / x.norm(dim=-1, keepdim=True).clamp_min(_EPS))


class GradientBlock(nn.Module):
    """One residual block on rows [...,c]. normalise: False leaves out SN, which the paper finds harmful."""

    def __init__(self, channels: int, random: torch.Generator, normalise: bool = True):
        super().__init__()

        def he(factor: float) -> nn.Parameter:
            return nn.Parameter(torch.randn(channels, channels, generator=random) * (factor * (2 / channels) ** 0.5))

        self.norm = ScaleNorm(channels) if normalise else nn.Identity()
        self.inner, self.outer = he(1.0), he(_SMALL)
        bound = channels**-0.5
        self.bias = nn.Parameter((torch.rand(channels, generator=random) * 2 - 1) * bound)

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.leaky_relu(F.linear(self.norm(x), self.inner, self.bias), _SLOPE)
        return x + F.linear(hidden, self.outer)


class GradientModules(nn.Module):
    """One M for every number of output channels among the weights; each works on rows along the output channels.

    weights: [O,I,...] or [1,O,I,...] by name; seed: of the modules' own weights.
    """

    def __init__(self, weights: Mapping[str, Tensor], blocks: int = 2, normalise: bool = True, seed: int = 0):
        super().__init__()
        random = torch.Generator().manual_seed(seed)
        self.by_channels = nn.ModuleDict()
        for channels in sorted({output_channels(weight) for weight in weights.values()}):
            parts = (GradientBlock(channels, random, normalise) for _ in range(blocks))
            self.by_channels[str(channels)] = nn.Sequential(*parts)

    def forward(self, gradients: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Turn gradients by name into corrections of the same shapes."""
        return {name: self._corrected(gradient) for name, gradient in gradients.items()}

    def _corrected(self, gradient: Tensor) -> Tensor:
        channels = output_channels(gradient)
        rows = gradient.reshape(channels, -1).T
        return self.by_channels[str(channels)](rows).T.reshape(gradient.shape)


def output_channels(weight: Tensor) -> int:
    """Count the output channels of a convolution's weight [O,I,...] or [1,O,I,...]."""
    return weight.shape[1] if weight.ndim == 5 else weight.shape[0]
