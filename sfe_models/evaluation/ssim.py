"""Multi-scale structural similarity (Wang, Simoncelli and Bovik 2003)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

# Exponents of the five scales, finest first: section 3.2 of the paper.
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
# Gaussian window and constants K1, K2 of SSIM (Wang et al. 2004, section III.C).
TAPS, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03


def scales_of(height: int, width: int) -> int:
    """Return how many of the five scales a picture has room for: the window must fit into the coarsest.

    Five need 161 px on the shorter side; 128 px leave four, 64 px three.
    """
    side = min(height, width)
    count = sum(math.ceil(side / 2**scale) >= TAPS for scale in range(len(SCALE_WEIGHTS)))
    if not count:
        raise ValueError(f"MS-SSIM got pictures of {width} x {height} px; expected at least {TAPS} px on each side.")
    return count


def _window(like: Tensor) -> Tensor:
    window = torch.signal.windows.gaussian(TAPS, std=SIGMA, dtype=like.dtype, device=like.device)
    return window / window.sum()


def _blur(x: Tensor, window: Tensor) -> Tensor:
    """Take Gaussian means where the whole window lies inside: [B,1,H,W] to [B,1,H-10,W-10]."""
    return F.conv2d(F.conv2d(x, window.view(1, 1, -1, 1)), window.view(1, 1, 1, -1))


def _ssim(a: Tensor, b: Tensor, window: Tensor) -> tuple[Tensor, Tensor]:
    """Return the means of SSIM and of its contrast-structure part for each channel [N,1,H,W] in [0,1]: [N] twice."""
    mean_a, mean_b = _blur(a, window), _blur(b, window)
    variance_a, variance_b = _blur(a * a, window) - mean_a.square(), _blur(b * b, window) - mean_b.square()
    covariance = _blur(a * b, window) - mean_a * mean_b
    structure = (2 * covariance + K2**2) / (variance_a + variance_b + K2**2)
    luminance = (2 * mean_a * mean_b + K1**2) / (mean_a.square() + mean_b.square() + K1**2)
    return (luminance * structure).mean(dim=(1, 2, 3)), structure.mean(dim=(1, 2, 3))


def ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    """Compare pictures at five scales: 1 for the same picture. Returns [B], in the pictures' type (float32 or 64).

    a, b: [B,3,H,W] in [-1,1]. Every colour channel is compared alone and their mean taken; negative terms count as 0;
    pictures are halved by means of 2 x 2 pixels, of fewer at an odd edge. Pictures too small for five scales are
    compared at the finest ones that fit, with those scales' exponents divided by their sum: such a number compares
    only with others of pictures of the same size.
    """
    if a.shape != b.shape or a.ndim != 4:
        raise ValueError(f"MS-SSIM got {tuple(a.shape)} and {tuple(b.shape)}; expected two batches of one shape.")
    scales = scales_of(*a.shape[2:])
    a, b = ((x + 1) / 2 for x in (a, b))
    batch, channels = a.shape[:2]
    a, b = a.flatten(0, 1).unsqueeze(1), b.flatten(0, 1).unsqueeze(1)
    window, terms = _window(a), []
    for scale in range(scales):
        if scale:
            a, b = F.avg_pool2d(a, 2, ceil_mode=True), F.avg_pool2d(b, 2, ceil_mode=True)
        whole, structure = _ssim(a, b, window)
        terms.append(whole if scale == scales - 1 else structure)
    weights = a.new_tensor(SCALE_WEIGHTS[:scales])
    weights = weights / weights.sum() if scales < len(SCALE_WEIGHTS) else weights
    product = (torch.stack(terms).clamp_min(0) ** weights[:, None]).prod(dim=0)
    return product.unflatten(0, (batch, channels)).mean(dim=1)
