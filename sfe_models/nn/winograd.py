"""3 x 3 convolution by Winograd's minimal filtering (Lavin and Gray, 2015), for inference on a CPU.

F(m x m, 3 x 3) computes m x m outputs from (m+2) x (m+2) inputs with (m+2)^2 instead of 9 m^2 products:
Y = A^T [ (G g G^T) * (B^T d B) ] A. F(2, 3) saves a factor of 2.25 and is as exact as the direct sum in
float32 (4e-7 relative) and usable in bfloat16; F(4, 3) saves a factor of 4 at 3e-6 in float32.

Everything works on rows of channels (NHWC), a few rows of tiles at a time, so that the transformed tiles stay
in the cache: then the transforms cost little beside the matrix products.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

# G of F(2, 3) and F(4, 3), Lavin and Gray section 4.1 and appendix.
_G = {
    2: ((1, 0, 0), (1 / 2, 1 / 2, 1 / 2), (1 / 2, -1 / 2, 1 / 2), (0, 0, 1)),
    4: (
        (1 / 4, 0, 0),
        (-1 / 6, -1 / 6, -1 / 6),
        (-1 / 6, 1 / 6, -1 / 6),
        (1 / 24, 1 / 12, 1 / 6),
        (1 / 24, -1 / 12, 1 / 6),
        (0, 0, 1),
    ),
}
# Elements of the transformed tiles worked on at once: they stay in a usual L3 cache (16 MiB in float32).
_CHUNK_ELEMENTS = 1 << 22


def transform_weight(weight: Tensor, m: int) -> Tensor:
    """Compute G g G^T.

    weight: [O,I,3,3]. Returns [(m+2)^2, O, I] in the weight's type, the horizontal index first; the sums run
    in float32 at least.
    """
    wide = torch.promote_types(weight.dtype, torch.float32)
    g = torch.tensor(_G[m], dtype=wide, device=weight.device)
    taps = weight.permute(3, 2, 0, 1).reshape(9, -1).to(wide)
    out = torch.kron(g, g) @ taps
    return out.to(weight.dtype).view(-1, *weight.shape[:2])


def _input_2(d: Sequence[Tensor], out: Tensor) -> None:
    """B^T d of F(2, 3)."""
    torch.sub(d[0], d[2], out=out[0])
    torch.add(d[1], d[2], out=out[1])
    torch.sub(d[2], d[1], out=out[2])
    torch.sub(d[1], d[3], out=out[3])


def _input_4(d: Sequence[Tensor], out: Tensor) -> None:
    """B^T d of F(4, 3)."""
    even, odd = torch.sub(d[4], d[2], alpha=4), torch.sub(d[3], d[1], alpha=4)
    torch.add(even, odd, out=out[1])
    torch.sub(even, odd, out=out[2])
    torch.sub(d[4], d[2], out=even)
    torch.sub(d[3], d[1], out=odd)
    torch.add(even, odd, alpha=2, out=out[3])
    torch.sub(even, odd, alpha=2, out=out[4])
    torch.add(d[4], d[0], alpha=4, out=out[0]).sub_(d[2], alpha=5)
    torch.add(d[5], d[1], alpha=4, out=out[5]).sub_(d[3], alpha=5)


def _output_2(t: Tensor, out: Sequence[Tensor]) -> None:
    """A^T t of F(2, 3)."""
    torch.add(t[0], t[1], out=out[0]).add_(t[2])
    torch.sub(t[1], t[2], out=out[1]).sub_(t[3])


def _output_4(t: Tensor, out: Sequence[Tensor]) -> None:
    """A^T t of F(4, 3)."""
    sum_1, difference_1, sum_2, difference_2 = t[1] + t[2], t[1] - t[2], t[3] + t[4], t[3] - t[4]
    torch.add(sum_1, sum_2, out=out[0]).add_(t[0])
    torch.add(difference_1, difference_2, alpha=2, out=out[1])
    torch.add(sum_1, sum_2, alpha=4, out=out[2])
    torch.add(difference_1, difference_2, alpha=8, out=out[3]).add_(t[5])


_INPUT = {2: _input_2, 4: _input_4}
_OUTPUT = {2: _output_2, 4: _output_4}


def winograd_conv3x3(x: Tensor, transformed: Tensor, bias: Tensor | None, m: int) -> Tensor:
    """Convolve with stride 1 and zero padding 1.

    x: [B,I,H,W] with H and W divisible by m, best in channels_last; transformed: `transform_weight`'s result;
    bias: [O]; all of one type. Returns [B,O,H,W] in channels_last. No gradient.
    """
    n = m + 2
    rows = x.permute(0, 2, 3, 1)
    batch, height, width, channels = rows.shape
    out_channels = transformed.shape[1]
    down, across = height // m, width // m
    fitting = max(1, _CHUNK_ELEMENTS // (n * n * across * max(channels, out_channels)))
    count = next(c for c in range(min(fitting, down), 0, -1) if down % c == 0)
    weight = transformed.transpose(1, 2)

    out = x.new_empty(batch, down, m, across, m, out_channels)
    padded = x.new_zeros(m * count + 2, width + 2, channels)
    vertical = x.new_empty(n, count, width + 2, channels)
    tiles = x.new_empty(n, n, count, across, channels)
    products = x.new_empty(n, n, count, across, out_channels)
    half = x.new_empty(n, count, across, m, out_channels)
    for image in range(batch):
        for first in range(0, down, count):
            top, bottom = m * first - 1, m * (first + count) + 1
            inside = slice(max(0, top), min(height, bottom))
            if top < 0:
                padded[0].zero_()
            if bottom > height:
                padded[-1].zero_()
            padded[inside.start - top : inside.stop - top, 1:-1] = rows[image, inside]
            _INPUT[m]([padded[i : i + m * count - m + 1 : m] for i in range(n)], vertical)
            _INPUT[m]([vertical[:, :, i : i + width - m + 1 : m] for i in range(n)], tiles)
            torch.bmm(tiles.view(n * n, -1, channels), weight, out=products.view(n * n, -1, out_channels))
            if bias is not None:
                products[1, 1] += bias  # A^T (.) A of this element alone is 1 everywhere
            _OUTPUT[m](products, [half[..., j, :] for j in range(m)])
            _OUTPUT[m](half, [out[image, first : first + count, i] for i in range(m)])
    return out.view(batch, height, width, out_channels).permute(0, 3, 1, 2)
