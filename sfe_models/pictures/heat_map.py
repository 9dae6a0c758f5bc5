"""A picture of where delta is large."""

from __future__ import annotations

import torch
from torch import Tensor

from ..domain import DomainSpec
from ..equations import cropped, resized


def heat_map(delta: Tensor, spec: DomainSpec, size: tuple[int, int] | None = None) -> Tensor:
    """Draw the mean magnitude of delta [B,C,r,r] at each place: [B,3,H,W] in [-1,1] at `size`, or the picture's.

    Black, red, yellow, white from 0 to the largest value of each picture; all black where delta is 0. Bilinear,
    align_corners off.
    """
    amount = resized(cropped(delta.float().abs().mean(dim=1, keepdim=True), spec), size or spec.picture_size)
    largest = amount.amax(dim=(1, 2, 3), keepdim=True)
    share = amount * (3 / torch.where(largest > 0, largest, 1.0))
    colours = share.movedim(1, -1) - torch.arange(3, device=share.device)
    return colours.clamp_(0, 1).mul_(2).sub_(1).movedim(-1, 1)
