"""The large blocks of the generator a strip of rows at a time, for inference on a CPU.

At 512 px one layer's activations are 67 MB in float32, and most of the time of a whole layer goes into fresh pages and
memory traffic. In strips of some rows everything between two blocks stays in the cache. The same sums are computed;
rows that two strips share are computed twice. Picture by picture, so that the styles go into the (small) weights.

Inside, pictures are [H,W,C]: a 1 x 1 convolution is one matrix product. Between two blocks the channels stand band by
band (LL, LH, HL, HH), so that the wavelets are sums of contiguous parts; the weights before are put in that order.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .layers import SLOPE, SeparableConvolution, ToPicture

# Below this resolution whole layers fit into the cache.
MIN_RESOLUTION = 64
# Bytes of one layer's activations in a strip (benchmarks/mobile.py).
STRIP_BYTES = 2 << 20

Convolutions = tuple[SeparableConvolution, SeparableConvolution]
Noises = Sequence[Tensor | None]


def rows_of(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Bring one picture's features [C,r,r] to [r,r,C], band by band."""
    rows = x.permute(1, 2, 0).to(dtype)
    # Of two dimensions torch's index_select is many times faster.
    return rows.flatten(0, 1).index_select(1, band_order(len(x), x.device)).view_as(rows)


def block_in_strips(
    x: Tensor, convs: Convolutions, styles: Sequence[Tensor], noises: Noises, picture: Picture | None, by_band: bool
) -> Tensor:
    """Run the upsampling and the two convolutions of one block, and the picture's layer if there is one.

    x: [r,r,4C], band by band; styles: of the three layers, [C] each; noises: [1,r,r] each or None. Returns [2r,2r,O],
    by_band or as the next layers have it, or the picture [4r,4r,3].
    """
    height, width = 2 * x.shape[0], 2 * x.shape[1]
    channels = len(convs[1].bias)
    step = min(height, max(4, STRIP_BYTES // (width * channels * x.element_size()) // 2 * 2))
    block = _Block(convs, styles, noises, x, step, by_band)
    if picture is None:
        out = x.new_empty((height, width, channels))
    else:
        out = torch.empty((2 * height, 2 * width, 3), dtype=picture.bias.dtype)
        strip = x.new_empty((step, width, channels))
    for first in range(0, height, step):
        last = min(first + step, height)
        if picture is None:
            block(first, last, out[first:last])
        else:
            block(first, last, strip[: last - first])
            picture(strip[: last - first], out[2 * first : 2 * last])
    return out


def band_order(channels: int, device: torch.device | str = "cpu") -> Tensor:
    """Numbers of the channels band by band: LL first as they are, then LH, HL and HH, which alternate."""
    quarter = channels // 4
    high = torch.arange(quarter, channels, device=device).view(quarter, 3)
    return torch.cat([torch.arange(quarter, device=device), high.T.flatten()])


class _Block:
    """The three layers of one block with one picture's styles folded in, and room for what a strip has in between."""

    def __init__(
        self, convs: Convolutions, styles: Sequence[Tensor], noises: Noises, x: Tensor, step: int, by_band: bool
    ):
        up, *styles = (style.to(x.dtype) for style in styles)
        self.x, width = x, 2 * x.shape[1]
        self.up = up[band_order(len(up), up.device)] * 0.5  # each axis of the wavelets takes 1 / sqrt 2
        self.noises = [None if noise is None else noise[0, :, :, None].to(x.dtype) for noise in noises]
        self.depthwise = [
            (conv.depthwise * style[:, None, None, None]).to(x.dtype) for conv, style in zip(convs, styles, strict=True)
        ]
        self.pointwise = [conv.pointwise.flatten(1).to(x.dtype) for conv in convs]
        self.biases = [conv.bias.to(x.dtype) for conv in convs]
        if by_band:
            order = band_order(len(self.biases[1]), up.device)
            self.pointwise[1], self.biases[1] = self.pointwise[1][order], self.biases[1][order]
        # Fresh memory would be zeroed by the system again and again.
        self.upsampled = x.new_empty((step + 4, width, len(up) // 4))
        self.between = x.new_empty((step + 2, width, len(self.biases[0])))

    def __call__(self, first: int, last: int, out: Tensor) -> None:
        """Compute the output rows first ... last - 1, both even."""
        height, count = 2 * self.x.shape[0], last - first
        # The second convolution reads one row more on each side of the first, and that two more of what it reads.
        upsampled, between = self.upsampled[: count + 4], self.between[: count + 2]
        above, below = int(first == 0), int(last == height)
        rows = self.x[first // 2 - 1 + above : last // 2 + 1 - below]
        _inverse_haar(rows * self.up, upsampled[2 * above : count + 4 - 2 * below])
        _zero_outside(upsampled, 2 * above, 2 * below)
        self._layer(0, upsampled, first - 1, between)
        _zero_outside(between, above, below)
        self._layer(1, between, first, out)

    def _layer(self, number: int, x: Tensor, first: int, out: Tensor) -> None:
        """Compute the rows of a convolution from `first` on from all rows around them."""
        x = F.conv2d(x[None].permute(0, 3, 1, 2), self.depthwise[number], padding=(0, 1), groups=x.shape[2])
        x = x.permute(0, 2, 3, 1).flatten(0, 2)
        torch.addmm(self.biases[number], x, self.pointwise[number].T, out=out.flatten(0, 1))
        noise = self.noises[number]
        if noise is not None:
            above = max(-first, 0)
            seen = noise[first + above : first + len(out)]
            out[above : above + len(seen)].add_(seen)
        F.leaky_relu_(out, SLOPE)


def _zero_outside(rows: Tensor, above: int, below: int) -> None:
    """Make the rows black that lie above and below the picture."""
    rows[:above].zero_()
    rows[len(rows) - below :].zero_()


class Picture:
    """The picture's layer with one picture's style folded in."""

    def __init__(self, layer: ToPicture, style: Tensor, dtype: torch.dtype):
        order = band_order(12, style.device)
        self.weight = ((layer.weight.flatten(1) * style) * 0.5)[order].to(dtype)
        self.bias = layer.bias[order] * 0.5

    def __call__(self, x: Tensor, out: Tensor) -> None:
        """x: [rows,W,C]; out: [2 rows,2W,3], float32."""
        _inverse_haar(F.linear(x, self.weight).to(self.bias.dtype) + self.bias, out)


def _inverse_haar(x: Tensor, out: Tensor) -> None:
    """Transform bands [H,W,4C] back, without their factor, into [2H,2W,C]. See `layers.inverse_haar`."""
    ll, lh, hl, hh = x.chunk(4, dim=2)
    height, width, channels = ll.shape
    pixels = out.view(height, 2, width, 2, channels)
    for row, (same, across) in enumerate(((ll + lh, hl + hh), (ll - lh, hl - hh))):
        torch.add(same, across, out=pixels[:, row, :, 0])
        torch.sub(same, across, out=pixels[:, row, :, 1])
