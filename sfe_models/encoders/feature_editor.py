"""The Feature Editor H (section 3.4 of the SFE paper).

Parameter names are those of the published checkpoint (`encoder.` of sfe_editor_light.pt).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..domain import DomainSpec
from .stack import FeatureStack, IBasicBlock


class FeatureEditor(FeatureStack):
    """Move F_k by what the W+ edit does to the e4e code's features: F_k' = H(F_k, delta) (equation 6).

    If delta comes from a later layer than k, a trainable stride-2 IResNet block brings it to k's size first
    (appendix 8).
    """

    signature = "body.0.body.0.weight"

    def __init__(self, spec: DomainSpec):
        channels = spec.feature_channels
        super().__init__(2 * channels, channels, spec.editor_blocks, spec.stack_start)
        self.delta_layer = None
        if spec.delta_layer != spec.feature_layer:
            self.delta_layer = IBasicBlock(spec.generator.layer_channels(spec.delta_layer), channels, 2)

    def forward(self, features: Tensor, delta: Tensor) -> Tensor:
        """features: F_k, [B,C,r,r]; delta: F(w_E) - F(w_E'), [B,C,r,r] ([B,C',2r,2r] from a later layer)."""
        if self.delta_layer is not None:
            delta = self.delta_layer(delta)
        return super().forward(torch.cat([features, delta], dim=1))


class FeatureDifference(nn.Module):
    """F_k' = F_k - delta: what stands for H where none was trained; exact where F_k is F(w)."""

    def forward(self, features: Tensor, delta: Tensor) -> Tensor:
        """features: F_k; delta: F(w) - F(w'); both [B,C,r,r]."""
        return features - delta
