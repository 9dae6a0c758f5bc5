"""What adaptive augmentation does to pictures: whole-pixel moves, antialiased affine maps, and the matrices.

Pixel (row, column) has its centre at these integers; the picture's middle is ((H - 1) / 2, (W - 1) / 2). Beyond
its border every picture is reflected, the border's pixels not repeated, as often as needed.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

# Low-pass filter of the symlet ("least asymmetric" wavelet, Daubechies 1992) with 6 vanishing moments; sum sqrt(2).
_SYM6 = (
    0.015404109327027373,
    0.0034907120842174702,
    -0.11799011114819057,
    -0.048311742585633,
    0.4910559419267466,
    0.787641141030194,
    0.3379294217276218,
    -0.07263752278646252,
    -0.021060292512300564,
    0.04472490177066578,
    0.0017677118642428036,
    -0.007800708325034148,
)
_CENTRE = 5.0983  # sum of k * tap_k over the sum of the taps: where a sample's energy comes out
_MARGIN = 3  # pixels beyond the border that the filter after the warp reads
_PADDING = 6  # pixels beyond the border that the filter before it reads to reach that far


def reflect(position: Tensor, size: int) -> Tensor:
    """Fold positions of any size into [0, size - 1] by reflection about the outer pixels' centres."""
    if size == 1:
        return torch.zeros_like(position)
    position = position.remainder(2 * (size - 1))
    return torch.minimum(position, 2 * (size - 1) - position)


class _SampleBilinear(torch.autograd.Function):
    """`grid_sample` whose gradient has a gradient, which torch does not promise.

    Sampling is linear in the picture, so the gradient is its adjoint and the adjoint's gradient is sampling.
    """

    @staticmethod
    def forward(ctx, image: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.size = image.shape
        return F.grid_sample(image, grid, mode="bilinear", padding_mode="zeros", align_corners=False)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        (grid,) = ctx.saved_tensors
        return _SampleBilinearAdjoint.apply(gradient, grid, ctx.size), None


class _SampleBilinearAdjoint(torch.autograd.Function):
    """The adjoint of `_SampleBilinear`: gradient [B,C,h,w] at the grid's places to a picture of `size`."""

    @staticmethod
    def forward(ctx, gradient: Tensor, grid: Tensor, size: torch.Size) -> Tensor:
        ctx.save_for_backward(grid)
        picture = gradient.new_zeros(()).expand(size)  # only its size is read
        # 0, 0, False: bilinear, zeros beyond the border, align_corners off; the grid's own gradient is not asked for.
        return torch.ops.aten.grid_sampler_2d_backward(gradient, picture, grid, 0, 0, False, [True, False])[0]

    @staticmethod
    def backward(ctx, gradient: Tensor):
        (grid,) = ctx.saved_tensors
        return _SampleBilinear.apply(gradient, grid), None, None


def _filter_rows_and_columns(x: Tensor, up: bool) -> Tensor:
    """Filter with the symlet: [B,C,S+12,S+12] to the [B,C,2S+12,2S+12] that have all taps, or down, the adjoint.

    Down takes [B,C,2S+10,2S+10] to [B,C,S,S].
    """
    taps = torch.tensor(_SYM6, dtype=torch.float64) * (math.sqrt(2) if up else math.sqrt(0.5))
    taps, groups, crop = taps.to(x).expand(x.shape[1], 1, -1), x.shape[1], len(_SYM6) - 1
    if up:
        x = F.conv_transpose2d(x, taps[..., None], stride=(2, 1), padding=(crop, 0), groups=groups)
        return F.conv_transpose2d(x, taps[..., None, :], stride=(1, 2), padding=(0, crop), groups=groups)
    x = F.conv2d(x, taps[..., None], stride=(2, 1), groups=groups)
    return F.conv2d(x, taps[..., None, :], stride=(1, 2), groups=groups)


def warp(image: Tensor, matrix: Tensor) -> Tensor:
    """Resample pictures through an affine map, antialiased; differentiable in the picture as often as wanted.

    image: [B,C,S,S]. matrix: [B,3,3], takes the (x, y, 1) of a result's pixel to the (x, y, 1) in the picture,
    both in pixels from the picture's middle. The picture is doubled with the symlet, sampled bilinearly at twice
    the result's density and filtered down with the symlet's adjoint (appendix B of the paper), so that the
    identity gives the picture back. Returns [B,C,S,S].
    """
    side, device = image.shape[-1], image.device
    padded = reflect(torch.arange(-_PADDING, side + _PADDING, device=device), side)
    doubled = _filter_rows_and_columns(image[:, :, padded][..., padded], up=True)
    # Sample n of what the last filter reads lies at (n - _CENTRE) / 2 in the result.
    line = (torch.arange(2 * side + len(_SYM6) - 2, device=device, dtype=image.dtype) - _CENTRE) / 2 - (side - 1) / 2
    m = matrix.to(image)[:, :2, :, None, None]
    place = m[:, :, 0] * line + m[:, :, 1] * line[:, None] + m[:, :, 2] + (side - 1) / 2  # [B,2,h,w], (x, y)
    inside = (place >= -_MARGIN) & (place <= side - 1 + _MARGIN)
    place = torch.where(inside, place, reflect(place, side))
    # A place u lies at index 2 u + _CENTRE + 1 of the doubled picture.
    grid = (4 * place + 2 * _CENTRE + 3) / doubled.shape[-1] - 1
    return _filter_rows_and_columns(_SampleBilinear.apply(doubled, grid.permute(0, 2, 3, 1)), up=False)


def blit(image: Tensor, flip: Tensor, quarter_turns: Tensor, shift: Tensor) -> Tensor:
    """Mirror, turn and shift pictures by whole pixels, in this order and exactly.

    image: [B,C,S,S]. flip: [B] bool, left to right. quarter_turns: [B] integers, counterclockwise as torch.rot90
    turns. shift: [B,2] integers, pixels to the right and down; what comes in is reflected. Returns [B,C,S,S].
    """
    side = image.shape[-1]
    if image.shape[-2] != side:
        raise ValueError(f"Pictures to augment have the size {tuple(image.shape[2:])}; expected squares.")
    flip, quarter_turns, shift = (each.to(image.device) for each in (flip, quarter_turns, shift))
    pixels = torch.arange(side, device=image.device)
    x = reflect(pixels - shift[:, :1], side)[:, None, :].expand(-1, side, -1)
    y = reflect(pixels - shift[:, 1:], side)[:, :, None].expand(-1, -1, side)
    turns = quarter_turns.remainder(4)[:, None, None]
    # Each quarter turn back sends (x, y) to (side - 1 - y, x).
    for i in range(3):
        x, y = torch.where(turns > i, side - 1 - y, x), torch.where(turns > i, x, y)
    x = torch.where(flip[:, None, None], side - 1 - x, x)
    index = (y * side + x).flatten(1)
    return image.flatten(2).gather(2, index[:, None].expand(-1, image.shape[1], -1)).view(image.shape)


def identities(size: int, batch: int) -> Tensor:
    """Make [batch,size,size] that change nothing, float64."""
    return torch.eye(size, dtype=torch.float64).repeat(batch, 1, 1)


def scale_matrix(x: Tensor, y: Tensor) -> Tensor:
    """Make [B,3,3] that scale by x and y [B]."""
    return torch.diag_embed(torch.stack([x, y, torch.ones_like(x)], dim=-1))


def rotation_matrix(angle: Tensor) -> Tensor:
    """Make [B,3,3] that turn by `angle` [B] in radians, from x to y (clockwise on the screen)."""
    matrix = identities(3, len(angle))
    cosine, sine = angle.cos(), angle.sin()
    matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 0], matrix[:, 1, 1] = cosine, -sine, sine, cosine
    return matrix


def hue_matrix(angle: Tensor) -> Tensor:
    """Make [B,3,3] that turn colours about the grey axis by `angle` [B] in radians (Rodrigues' formula)."""
    grey = torch.full((3, 3), 1 / 3, dtype=torch.float64)
    cross = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], dtype=torch.float64) / math.sqrt(3)
    cosine, sine = angle.cos()[:, None, None], angle.sin()[:, None, None]
    return cosine * torch.eye(3, dtype=torch.float64) + sine * cross + (1 - cosine) * grey
