"""Masks with soft edges."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def feathered(masks: Tensor, feather: float) -> Tensor:
    """Blur masks [B,H,W] in [0,1] by a Gaussian whose deviation is half of `feather` times the longer side.

    The blur ends at two deviations; at the border the mask goes on as its reflection.
    """
    side = max(masks.shape[1:])
    deviation = 0.5 * feather * side
    radius = min(int(2 * deviation), min(masks.shape[1:]) - 1)
    if radius < 1:
        return masks
    offsets = torch.arange(-radius, radius + 1, device=masks.device, dtype=masks.dtype)
    kernel = torch.exp(-0.5 * (offsets / deviation).square())
    kernel = (kernel / kernel.sum()).reshape(1, 1, 1, -1)
    blurred = F.conv2d(F.pad(masks[:, None], (radius, radius, 0, 0), "reflect"), kernel)
    blurred = F.conv2d(F.pad(blurred, (0, 0, radius, radius), "reflect"), kernel.transpose(2, 3))
    return blurred[:, 0].clamp(0, 1)
