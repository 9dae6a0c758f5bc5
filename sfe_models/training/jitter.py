"""Small changes of aligned pictures: as other aligners cut them, in other light and colours."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from .data import Batch

# Largest turn in radians, enlargement, and shift in half sides of the picture.
_TURN, _SCALE, _SHIFT = 0.035, 0.04, 0.025
# Largest changes of saturation, gain, tint of a colour, and brightness.
_SATURATION, _GAIN, _TINT, _BRIGHTNESS = 0.2, 0.12, 0.04, 0.08


def jittered(batch: Batch) -> Batch:
    """Jitter the pictures whose codes are not known; those of samples stay what their codes make."""
    known = 0 if batch.code is None else len(batch.code)
    image = torch.cat([batch.image[:known], jitter(batch.image[known:])]) if known else jitter(batch.image)
    return replace(batch, image=image)


def jitter(image: Tensor) -> Tensor:
    """Move, turn, enlarge and colour each of the pictures [B,3,H,W] in [-1,1]; beyond an edge it is mirrored."""

    def uniform(*shape: int) -> Tensor:
        return torch.rand(len(image), *shape, device=image.device) * 2 - 1

    scale, angle, shift = 1 + _SCALE * uniform(), _TURN * uniform(), _SHIFT * uniform(2, 1)
    cosine, sine = angle.cos() * scale, angle.sin() * scale
    turn = torch.stack([cosine, -sine, sine, cosine], dim=1).unflatten(1, (2, 2))
    grid = F.affine_grid(torch.cat([turn, shift], dim=2), list(image.shape), align_corners=False)
    moved = F.grid_sample(image, grid, "bilinear", "reflection", align_corners=False)
    grey = moved.mean(dim=1, keepdim=True)
    coloured = grey + (moved - grey) * (1 + _SATURATION * uniform(1, 1, 1))
    gain = (1 + _GAIN * uniform(1, 1, 1)) * (1 + _TINT * uniform(3, 1, 1))
    return ((coloured + 1) * gain - 1 + _BRIGHTNESS * uniform(1, 1, 1)).clamp(-1, 1)
