"""The resampling filters of StyleGAN2: [1, 3, 3, 1] in both directions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

TAPS = (1.0, 3.0, 3.0, 1.0)


def filter_4x4(total: float, like: Tensor) -> Tensor:
    """Make the 4 x 4 filter whose entries sum to `total`, in the type and on the device of `like`."""
    taps = torch.tensor(TAPS, dtype=torch.float32, device=like.device)
    taps = taps / taps.sum()
    return (torch.outer(taps, taps) * total).to(like.dtype)


def depthwise(x: Tensor, kernel: Tensor, stride: int = 1) -> Tensor:
    """Filter every channel of x [B,C,H,W] with one kernel [4,4], without padding."""
    channels = x.shape[1]
    return F.conv2d(x, kernel.expand(channels, 1, 4, 4), stride=stride, groups=channels)


def blur_upsampled(x: Tensor) -> Tensor:
    """Smooth what a transposed convolution of stride 2 made: [B,C,2H+1,2W+1] to [B,C,2H,2W], filter sum 4."""
    return depthwise(F.pad(x, (1, 1, 1, 1)), filter_4x4(4.0, x))


def upsample_rgb(rgb: Tensor) -> Tensor:
    """Double a picture's size with the [1, 3, 3, 1] filter and zeros beyond the border.

    Inside, this is bilinear interpolation with align_corners off; one ring of zeros gives StyleGAN2's border.
    """
    padded = F.pad(rgb, (1, 1, 1, 1))
    doubled = F.interpolate(padded, scale_factor=2, mode="bilinear", align_corners=False)
    return doubled[..., 2:-2, 2:-2]


def downsample(x: Tensor) -> Tensor:
    """Halve a picture's size with the [1, 3, 3, 1] filter of sum 1 and zeros beyond the border."""
    return depthwise(F.pad(x, (1, 1, 1, 1)), filter_4x4(1.0, x), stride=2)


def blur_for_downsampling(x: Tensor) -> Tensor:
    """Smooth before a 3 x 3 convolution of stride 2 without padding: [B,C,H,W] to [B,C,H+1,W+1]."""
    return depthwise(F.pad(x, (2, 2, 2, 2)), filter_4x4(1.0, x))
