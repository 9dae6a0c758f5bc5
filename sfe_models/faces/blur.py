"""A Gaussian blur."""

from __future__ import annotations

from torch import Tensor


def gaussian_blur(pictures: Tensor, std: float) -> Tensor:
    """Blur [...,H,W] by a Gaussian of this deviation in px, cut off at two deviations; the border is reflected."""
    radius = min(int(2 * std), min(pictures.shape[-2:]) - 1)
    if radius < 1:
        return pictures
    from kornia.filters import gaussian_blur2d  # the pack's import does not wait for kornia

    flat = pictures.reshape(-1, 1, *pictures.shape[-2:])
    return gaussian_blur2d(flat, (2 * radius + 1,) * 2, (std,) * 2).reshape(pictures.shape)
