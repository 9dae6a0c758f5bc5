"""A Gaussian blur."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def gaussian_blur(pictures: Tensor, deviation: float) -> Tensor:
    """Blur [...,H,W] by a Gaussian of this deviation in px, cut off at two deviations; the border is reflected."""
    radius = min(int(2 * deviation), min(pictures.shape[-2:]) - 1)
    if radius < 1:
        return pictures
    offsets = torch.arange(-radius, radius + 1, device=pictures.device, dtype=pictures.dtype)
    kernel = torch.exp(-0.5 * (offsets / deviation).square())
    kernel = (kernel / kernel.sum()).reshape(1, 1, 1, -1)
    blurred = pictures.reshape(-1, 1, *pictures.shape[-2:])
    blurred = F.conv2d(F.pad(blurred, (radius, radius, 0, 0), "reflect"), kernel)
    blurred = F.conv2d(F.pad(blurred, (0, 0, radius, radius), "reflect"), kernel.transpose(2, 3))
    return blurred.reshape(pictures.shape)
