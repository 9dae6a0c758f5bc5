"""The Inverter: a picture to (w, F_k) (section 3.2 of the SFE paper).

IResNet-50 with the third stage's stride removed; linear heads on the pooled stages give w, a small convolution
head on the third stage predicts the feature tensor, and the Fuser joins it with the generator's own for w.
Parameter names are those of the published checkpoint (`inverter.` of sfe_editor_light.pt).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..domain import DomainSpec
from ..nn.convolution import Linear, PReLU, conv3x3
from .stack import FeatureStack, IBasicBlock


class InverterBackbone(nn.Module):
    """IResNet-50 to a W+ code and a predicted feature tensor."""

    def __init__(self, spec: DomainSpec):
        super().__init__()
        inverter, features = spec.inverter, spec.feature_channels
        self.pooled = inverter.pooled
        self.conv = nn.Sequential(conv3x3(3, inverter.stem), nn.BatchNorm2d(inverter.stem), PReLU(inverter.stem))
        before = inverter.stem
        stages = zip(inverter.widths, inverter.depths, inverter.strides, strict=True)
        for number, (width, depth, stride) in enumerate(stages, 1):
            # The published third stage keeps the shortcut convolution that its removed stride had asked for.
            blocks = [IBasicBlock(before, width, stride, downsample=True)]
            blocks += [IBasicBlock(width, width) for _ in range(depth - 1)]
            self.add_module(f"block_{number}", nn.Sequential(*blocks))
            before = width
        self.content_layer = nn.Sequential(
            nn.BatchNorm2d(inverter.widths[2]),
            conv3x3(inverter.widths[2], features, inverter.content_stride[0]),
            nn.BatchNorm2d(features),
            PReLU(features),
            conv3x3(features, features, inverter.content_stride[1]),
            nn.BatchNorm2d(features),
        )
        pooled = sum(inverter.widths) * inverter.pooled**2
        self.styles = nn.ModuleList(Linear(pooled, spec.generator.style_dim) for _ in range(spec.n_styles))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """image: [B,3,h,w] in [-1,1]. Returns w [B,N,style_dim] without the average latent, feature [B,C,r,r]."""
        x, pooled, feature = self.conv(image).to(image.dtype), [], None
        for number in range(1, 5):
            x = getattr(self, f"block_{number}")(x)
            pooled.append(F.adaptive_avg_pool2d(x, self.pooled))
            if number == 3:
                feature = self.content_layer(x)
        flat = torch.cat(pooled, dim=1).flatten(1)
        return torch.stack([head(flat) for head in self.styles], dim=1), feature


class Inverter(nn.Module):
    """Backbone and Fuser: X to (w, F_pred), then F_k = Fuser(F_pred, F_w) (equations 3 and 4)."""

    signature = "fs_backbone.conv.0.weight"

    def __init__(self, spec: DomainSpec):
        super().__init__()
        channels = spec.feature_channels
        self.fs_backbone = InverterBackbone(spec)
        self.fuser = None
        if spec.inverter.fuser:
            self.fuser = FeatureStack(2 * channels, channels, spec.inverter.fuser_blocks, spec.stack_start)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Run the backbone alone; see `InverterBackbone`."""
        return self.fs_backbone(image)

    def fuse(self, predicted: Tensor, from_w: Tensor) -> Tensor:
        """Join the predicted feature with the generator's: both [B,C,r,r], returns F_k [B,C,r,r]; the predicted one
        itself without a Fuser.

        A prediction from a picture that is wider than high (cars) fills the middle rows; zeros stand above and
        below it.
        """
        margin = from_w.shape[2] - predicted.shape[2]
        if margin:
            predicted = F.pad(predicted, (0, 0, margin // 2, margin - margin // 2))
        return predicted if self.fuser is None else self.fuser(torch.cat([predicted, from_w], dim=1))
