"""The Gradual Residual Module: what a stage's feature lacks, and Gate and Fusion: how much of it is added."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..encoders.stack import FeatureBlock
from ..nn.convolution import conv1x1, conv3x3
from .spec import GradualSpec

# Channels that the gate sees of either feature, and its bias at the start: nearly open.
_GATE_WIDTH, _OPEN = 8, 2.0


class ResidualModule(nn.Module):
    """F_m = E_res(W_T T_m, W_f f_m): details that the generator's feature f_m lacks."""

    def __init__(self, channels: int, width: int, gradual: GradualSpec):
        super().__init__()
        self.from_details = conv1x1(width, width - width // 2, bias=True)
        self.from_features = conv1x1(channels, width // 2, bias=True)
        self.body = nn.Sequential(*(FeatureBlock(width) for _ in range(gradual.blocks)))

    def forward(self, details: Tensor, features: Tensor) -> Tensor:
        """details: T_m [B,C_m,rows,r]; features: f_m [B,C,r,r]. Returns F_m [B,C_m,r,r].

        Details of pictures that are wider than high fill the middle rows; zeros stand above and below them. No
        gradient goes into f_m: a stage learns beside the one before it, not through it.
        """
        margin = features.shape[2] - details.shape[2]
        both = self.from_details(details), self.from_features(features.detach())
        if margin:
            both = F.pad(both[0], (0, 0, margin // 2, margin - margin // 2)), both[1]
        return self.body(torch.cat(both, dim=1).to(features.dtype))


class GateFusion(nn.Module):
    """f'_m = f_m + gate(f_m, F_m) fuse(F_m); fuse is zero at the start."""

    def __init__(self, channels: int, width: int):
        super().__init__()
        self.from_features = conv1x1(channels, _GATE_WIDTH, bias=True)
        self.from_residual = conv1x1(width, _GATE_WIDTH, bias=True)
        self.gate = conv3x3(2 * _GATE_WIDTH, 1, bias=True)
        self.fuse = conv1x1(width, channels)
        nn.init.constant_(self.gate.bias, _OPEN)
        nn.init.zeros_(self.fuse.weight)

    def openness(self, features: Tensor, residual: Tensor) -> Tensor:
        """The gate, [B,1,r,r] in [0,1], of f_m [B,C,r,r] and F_m [B,C_m,r,r]."""
        seen = torch.cat([self.from_features(features), self.from_residual(residual)], dim=1)
        return torch.sigmoid(self.gate(seen))

    def forward(self, features: Tensor, residual: Tensor, confidence: Tensor | None = None) -> Tensor:
        """Add details to f_m; confidence: [B,1,r,r], which the gate is multiplied by. Returns f'_m [B,C,r,r]."""
        gate = self.openness(features, residual)
        gate = gate if confidence is None else gate * confidence
        return features + (gate * self.fuse(residual)).to(features.dtype)
