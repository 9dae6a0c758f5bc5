"""Masks with soft edges."""

from __future__ import annotations

from torch import Tensor

from ..blur import gaussian_blur


def feathered(masks: Tensor, feather: float) -> Tensor:
    """Blur masks [B,H,W] in [0,1] by a Gaussian whose deviation is half of `feather` times the longer side.

    The blur ends at two deviations; at the border the mask goes on as its reflection.
    """
    deviation = 0.5 * feather * max(masks.shape[1:])
    return gaussian_blur(masks, deviation).clamp(0, 1) if deviation > 0 else masks
