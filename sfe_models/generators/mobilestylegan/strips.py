"""The large blocks of the generator a strip of rows at a time, for inference on a CPU.

At 512 px one layer's activations are 67 MB in float32, and most of the time of a whole layer goes into fresh pages and
memory traffic. In strips of some rows everything between two blocks stays in the cache. The same sums are computed;
rows that two strips share are computed twice. Picture by picture, so that the styles go into the (small) weights.

Inside, pictures are [H,W,C]: a 1 x 1 convolution is one matrix product. Between two blocks the channels stand band by
band (LL, LH, HL, HH), so that the wavelets are sums of contiguous parts; the weights before are put in that order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...nn.convolution import arithmetic_dtype
from .layers import SLOPE, SeparableConvolution, ToPicture

# Below this resolution whole layers fit into the cache.
MIN_RESOLUTION = 64
# Bytes of one layer's activations in a strip (benchmarks/mobile.py).
STRIP_BYTES = 2 << 20


@dataclass(frozen=True)
class BlockInputs:
    """One block's convolutions with the styles of its three layers, each [B,...], and the noise of the convolutions."""

    convs: tuple[SeparableConvolution, SeparableConvolution]
    styles: tuple[Tensor, Tensor, Tensor]
    noises: tuple[Tensor | None, Tensor | None]


def blocks_in_strips(
    x: Tensor, blocks: Sequence[BlockInputs], to_picture: ToPicture | None, picture_style: Tensor | None
) -> Tensor:
    """Run consecutive blocks, and with `to_picture` the picture too.

    x: [B,C,r,r]. Returns the features in channels_last, or the picture.
    """
    dtype = arithmetic_dtype(blocks[0].convs[0].pointwise)
    pictures = []
    for i in range(len(x)):
        rows = x[i].permute(1, 2, 0).to(dtype)[..., band_order(x.shape[1], x.device)]
        for inputs in blocks[:-1]:
            rows = _run(rows, _Block(inputs, i, dtype, by_band=True), None)
        last = None if to_picture is None else _Picture(to_picture, picture_style[i], dtype)
        pictures.append(_run(rows, _Block(blocks[-1], i, dtype, by_band=False), last))
    return torch.stack(pictures).permute(0, 3, 1, 2)


def band_order(channels: int, device: torch.device | str = "cpu") -> Tensor:
    """Numbers of the channels band by band: LL first as they are, then LH, HL and HH, which alternate."""
    quarter = channels // 4
    high = torch.arange(quarter, channels, device=device).view(quarter, 3)
    return torch.cat([torch.arange(quarter, device=device), high.T.flatten()])


def _run(x: Tensor, block: _Block, picture: _Picture | None) -> Tensor:
    """x: [r,r,4C], band by band. Returns [2r,2r,O] or the picture [4r,4r,3]."""
    height, width = 2 * x.shape[0], 2 * x.shape[1]
    step = max(4, STRIP_BYTES // (width * block.channels * x.element_size()) // 2 * 2)
    if picture is None:
        out = x.new_empty((height, width, block.channels))
    else:
        out = torch.empty((2 * height, 2 * width, 3), dtype=picture.bias.dtype)
    for first in range(0, height, step):
        last = min(first + step, height)
        strip = block(x, first, last)
        if picture is None:
            out[first:last] = strip
        else:
            out[2 * first : 2 * last] = picture(strip)
    return out


class _Block:
    """The three layers of one block with one picture's styles folded in."""

    def __init__(self, inputs: BlockInputs, i: int, dtype: torch.dtype, by_band: bool):
        up, *styles = (style[i].to(dtype) for style in inputs.styles)
        self.up = up[band_order(len(up), up.device)] * 0.5  # each axis of the wavelets takes 1 / sqrt 2
        self.noises = [None if n is None else n[i % len(n), 0, :, :, None].to(dtype) for n in inputs.noises]
        self.depthwise = [
            (conv.depthwise * style[:, None, None, None]).to(dtype)
            for conv, style in zip(inputs.convs, styles, strict=True)
        ]
        self.pointwise = [conv.pointwise.flatten(1).to(dtype) for conv in inputs.convs]
        self.biases = [conv.bias.to(dtype) for conv in inputs.convs]
        self.channels = len(self.biases[1])
        if by_band:
            order = band_order(self.channels, up.device)
            self.pointwise[1], self.biases[1] = self.pointwise[1][order], self.biases[1][order]

    def _layer(self, number: int, x: Tensor, first: int, last: int, height: int) -> Tensor:
        """Compute the rows first ... last - 1 of a convolution from the rows around them that there are."""
        above, below = int(first == 0), int(last == height)
        x = F.pad(x, (0, 0, 0, 0, above, below)) if above or below else x
        x = F.conv2d(x[None].permute(0, 3, 1, 2), self.depthwise[number], padding=(0, 1), groups=x.shape[2])
        x = F.linear(x.permute(0, 2, 3, 1)[0], self.pointwise[number], self.biases[number])
        noise = self.noises[number]
        x = x if noise is None else x.add_(noise[first:last])
        return F.leaky_relu_(x, SLOPE)

    def __call__(self, x: Tensor, first: int, last: int) -> Tensor:
        """Compute the output rows first ... last - 1 (first even) from x [r,r,4C]."""
        height = 2 * x.shape[0]
        # Rows of the first convolution that the second reads, and the upsampled rows that the first reads.
        conv_first, conv_last = max(first - 1, 0), min(last + 1, height)
        up_first, up_last = max(conv_first - 1, 0), min(conv_last + 1, height)
        in_first = up_first // 2
        x = _inverse_haar(x[in_first : (up_last + 1) // 2] * self.up)
        x = self._layer(0, x[up_first - 2 * in_first : up_last - 2 * in_first], conv_first, conv_last, height)
        return self._layer(1, x, first, last, height)


class _Picture:
    """The picture's layer with one picture's style folded in."""

    def __init__(self, layer: ToPicture, style: Tensor, dtype: torch.dtype):
        order = band_order(12, style.device)
        self.weight = ((layer.weight.flatten(1) * style) * 0.5)[order].to(dtype)
        self.bias = layer.bias[order] * 0.5

    def __call__(self, x: Tensor) -> Tensor:
        """x: [rows,W,C]. Returns [2 rows,2W,3], float32."""
        return _inverse_haar(F.linear(x, self.weight).to(self.bias.dtype) + self.bias)


def _inverse_haar(x: Tensor) -> Tensor:
    """Transform bands [H,W,4C] back, without their factor: [2H,2W,C]. See `layers.inverse_haar`."""
    ll, lh, hl, hh = x.chunk(4, dim=2)
    height, width, channels = ll.shape
    out = x.new_empty((height, 2, width, 2, channels))
    for row, (same, across) in enumerate(((ll + lh, hl + hh), (ll - lh, hl - hh))):
        torch.add(same, across, out=out[:, row, :, 0])
        torch.sub(same, across, out=out[:, row, :, 1])
    return out.view(2 * height, 2 * width, channels)
