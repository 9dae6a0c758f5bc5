"""One resolution of the generator a strip of rows at a time, for inference on a CPU.

At 1024 px one layer's activations are 134 MB in float32. Handled whole, most of the time goes into memory
traffic and fresh pages; in strips of some rows, everything between two resolutions stays in the cache. The
same sums are computed; rows that two strips share are computed twice (6 % at the strip height used).

Picture by picture, so that style, demodulation and gain go into the (small) weights and need no pass over the
activations at all.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .filters import filter_4x4, upsample_rgb
from .layers import LRELU_GAIN, LRELU_SLOPE, ModulatedConv2d, StyledConv, ToRGB, wide

# Below this resolution whole layers fit into the cache.
MIN_RESOLUTION = 256
# Bytes of one layer's activations in a strip (benchmarks/strips.py).
STRIP_BYTES = 8 << 20


def _modulated(conv: ModulatedConv2d, style: Tensor, out_scale: Tensor) -> Tensor:
    """Fold style [I] and out_scale [O] into the weight: [O,I,k,k] in the weight's wide type."""
    weight = conv.weight[0].to(wide(conv.weight.dtype))
    scale = out_scale[:, None] * style[None] / weight[0].numel() ** 0.5
    return weight * scale[:, :, None, None]


def synthesize_in_strips(
    up: StyledConv,
    conv: StyledConv,
    to_rgb: ToRGB,
    x: Tensor,
    rgb: Tensor,
    styles: tuple[Tensor, Tensor, Tensor],
    noises: tuple[Tensor | None, Tensor | None],
    keep: bool,
) -> tuple[Tensor, Tensor]:
    """Run upsampling convolution, second convolution and RGB layer.

    x: [B,I,H,W]; rgb: [B,3,H,W]; styles: [B,...] of the three; noises: [1 or B,1,2H,2W] or None. Returns the
    features [B,O,2H,2W] in channels_last (an empty tensor unless `keep`) and the RGB skip [B,3,2H,2W].
    """
    batch, _, height, width = x.shape
    channels = conv.conv.weight.shape[1]
    out_height, out_width = 2 * height, 2 * width
    features = x.new_empty(0)
    if keep:
        features = torch.empty(
            (batch, channels, out_height, out_width), dtype=x.dtype, memory_format=torch.channels_last
        )
    picture = upsample_rgb(rgb)
    rows = max(8, STRIP_BYTES // (out_width * channels * x.element_size()) // 2 * 2)
    for i in range(batch):
        layers = _Layers(up, conv, to_rgb, [s[i] for s in styles], noises, i, x.dtype)
        for first in range(0, out_height, rows):
            last = min(first + rows, out_height)
            strip = layers(x[i : i + 1], first, last)
            if keep:
                features[i : i + 1, :, first:last] = strip
            picture[i : i + 1, :, first:last] += layers.rgb(strip)
    return features, picture


class _Layers:
    """The three layers of one resolution with one picture's styles folded in."""

    def __init__(self, up, conv, to_rgb, styles, noises, index: int, dtype: torch.dtype):
        channels = conv.conv.weight.shape[1]
        up_scale, conv_scale = (
            layer.conv.out_scale(style[None])[0] for layer, style in zip((up, conv), styles[:2], strict=True)
        )
        # The demodulation of the upsampling convolution moves on into the blur behind it.
        self.up = _modulated(up.conv, styles[0], torch.ones_like(up_scale)).to(dtype).transpose(0, 1)
        blur = filter_4x4(4.0, up_scale)[None, None] * (up_scale * LRELU_GAIN)[:, None, None, None]
        self.blur = blur.expand(channels, 1, 4, 4).to(dtype)
        self.conv = _modulated(conv.conv, styles[1], conv_scale * LRELU_GAIN).to(dtype)
        self.up, self.conv = (w.contiguous(memory_format=torch.channels_last) for w in (self.up, self.conv))
        self.biases = [(layer.activate.bias * LRELU_GAIN).to(dtype) for layer in (up, conv)]
        self.noises = [
            None if noise is None else (noise[index % len(noise)][None] * (layer.noise.weight * LRELU_GAIN)).to(dtype)
            for layer, noise in zip((up, conv), noises, strict=True)
        ]
        rgb = _modulated(to_rgb.conv, styles[2], styles[2].new_ones(3))
        # Sums of at most the largest activation: no overflow in float16.
        self.rgb_size = rgb.abs().sum(dim=1, keepdim=True).amax().clamp_min(1e-12)
        self.rgb_weight = (rgb / self.rgb_size).to(dtype)
        self.rgb_bias = to_rgb.bias

    def _activate(self, x: Tensor, noise: Tensor | None, first: int, last: int) -> Tensor:
        if noise is not None:
            x.add_(noise[:, :, first:last])
        return F.leaky_relu_(x, LRELU_SLOPE)

    def __call__(self, x: Tensor, first: int, last: int) -> Tensor:
        """Compute the output rows first ... last - 1 (first even) from x [1,I,H,W]."""
        height = x.shape[2]
        out_height = 2 * height
        # Rows of the upsampled features that the second convolution reads, and the input rows behind them.
        up_first, up_last = max(first - 1, 0), min(last + 1, out_height)
        in_first, in_last = max(first // 2 - 2, 0), min((last + 1) // 2 + 2, height)
        x = F.conv_transpose2d(x[:, :, in_first:in_last], self.up, stride=2)
        # Output row y of the blur reads rows y - 1 ... y + 2 of the 2 H + 1 transposed rows.
        above, below = max(1 - up_first, 0), max(up_last + 1 - out_height, 0)
        x = x[:, :, up_first - 1 + above - 2 * in_first : up_last + 2 - below - 2 * in_first]
        x = F.pad(x, (0, 0, above, below)) if above or below else x
        x = F.conv2d(x, self.blur, self.biases[0], padding=(0, 1), groups=len(self.blur))
        x = self._activate(x, self.noises[0], up_first, up_last)
        above, below = int(first == 0), int(last == out_height)
        x = F.pad(x, (0, 0, above, below)) if above or below else x
        x = F.conv2d(x, self.conv, self.biases[1], padding=(0, 1))
        return self._activate(x, self.noises[1], first, last)

    def rgb(self, x: Tensor) -> Tensor:
        """Compute the strip's RGB contribution: [1,O,rows,W] to [1,3,rows,W], float32."""
        out = F.conv2d(x, self.rgb_weight)
        return out.to(self.rgb_size.dtype) * self.rgb_size + self.rgb_bias
