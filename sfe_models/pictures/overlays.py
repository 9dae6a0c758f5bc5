"""Pictures of what an edit touches, drawn over the picture itself."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..domain import DomainSpec
from .heat_map import heat_map

# How much of the picture's own brightness stays under a heat map, and where a mask protects it.
_UNDER_HEAT, _PROTECTED = 0.6, 0.35
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def heat_over(picture: Tensor, delta: Tensor, spec: DomainSpec) -> Tensor:
    """Draw where delta [B,C,r,r] is large over picture [B,3,h,w] in [-1,1]: [B,3,h,w] in [-1,1].

    The picture is darkened to 0.6 of its brightness; the heat map covers it as far as delta is large.
    """
    heat = (heat_map(delta, spec, tuple(picture.shape[2:])).to(picture.device) + 1) / 2
    share = heat.amax(dim=1, keepdim=True)
    under = (picture.float() + 1) / 2 * _UNDER_HEAT
    return (under * (1 - share) + heat * share) * 2 - 1


def protected_over(picture: Tensor, mask: Tensor) -> Tensor:
    """Draw the parts of picture [B,3,h,w] in [-1,1] that a mask protects as dark grey: [B,3,h,w] in [-1,1].

    mask: [B or 1,H,W] in [0,1], 1 where the picture may change; resized bilinearly, align_corners off.
    """
    mask = F.interpolate(mask[:, None].to(picture.device), size=picture.shape[2:], mode="bilinear", align_corners=False)
    colour = (picture.float() + 1) / 2
    grey = (colour * torch.tensor(_LUMA, device=picture.device)[:, None, None]).sum(dim=1, keepdim=True) * _PROTECTED
    return (colour * mask + grey * (1 - mask)) * 2 - 1
