"""The squares of an aligned face crop that face networks look at.

Networks that know or score faces were trained on crops of their own, cut by five points. In a crop aligned as FFHQ's
the eyes and the mouth lie where they always lie, so that a fixed square does the same, exactly and with a gradient.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class View:
    """A square of an aligned crop. x, y: its centre, and side, in shares of the crop's side; pixels: what it becomes.

    The squares in use were measured on 480 photographs by dlib's 68 points: the mean of what the network's own
    alignment cuts out of the aligned crop.
    """

    x: float
    y: float
    side: float
    pixels: int

    def __call__(self, image: Tensor) -> Tensor:
        """Cut the square out of crops [B,C,H,W]: [B,C,pixels,pixels] of the same range.

        Linear, antialiased, pixel centres at halves; beyond the crop its border goes on.
        """
        rows = self._weights(self.y, image.shape[2], image)
        columns = self._weights(self.x, image.shape[3], image)
        return rows @ image @ columns.T

    def _weights(self, centre: float, length: int, like: Tensor) -> Tensor:
        """How much of each of `length` pixels each pixel of the result sees: [pixels, length], rows sum to 1."""
        step = self.side * length / self.pixels
        places = torch.arange(self.pixels, device=like.device, dtype=like.dtype) + 0.5
        places = ((centre - self.side / 2) * length + places * step).clamp(0.5, length - 0.5)
        pixels = torch.arange(length, device=like.device, dtype=like.dtype) + 0.5
        weights = (1 - (pixels - places[:, None]).abs() / max(step, 1.0)).clamp_min(0)
        return weights / weights.sum(dim=1, keepdim=True)


def checked_pictures(image: Tensor, least: int = 16) -> Tensor:
    """Require pictures [B,3,H,W] of at least `least` px; raises ValueError."""
    if image.ndim != 4 or image.shape[1] != 3 or min(image.shape[2:]) < least:
        raise ValueError(
            f"Pictures have the shape {tuple(image.shape)}; expected [B,3,H,W] in [-1,1] of {least} px or more."
        )
    return image
