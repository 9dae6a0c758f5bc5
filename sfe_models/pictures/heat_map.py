"""A picture of where delta is large."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..domain import DomainSpec


def heat_map(delta: Tensor, spec: DomainSpec, size: tuple[int, int] | None = None) -> Tensor:
    """Draw the mean magnitude of delta [B,C,r,r] at each place: [B,3,H,W] in [-1,1] at `size`, or the picture's.

    Black, red, yellow, white from 0 to the largest value of each picture; all black where delta is 0. Bilinear,
    align_corners off.
    """
    amount = delta.float().abs().mean(dim=1, keepdim=True)
    height, width = spec.picture_size
    margin = (amount.shape[2] - amount.shape[3] * height // width) // 2
    amount = amount[:, :, margin : amount.shape[2] - margin]
    amount = F.interpolate(amount, size=size or (height, width), mode="bilinear", align_corners=False)
    largest = amount.amax(dim=(1, 2, 3), keepdim=True)
    share = amount / torch.where(largest > 0, largest, 1.0)
    return torch.cat([(3 * share - i).clamp(0, 1) for i in range(3)], dim=1) * 2 - 1
