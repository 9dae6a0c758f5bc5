"""Inversion and edit with the operations and in the order of the published SFE code: speed.py's baseline.

The same numbers as `sfe_models.pipeline`, computed as the published program does on a CPU without its CUDA
operators: NCHW float32, BatchNorm as it is, a weight of its own for every picture in a modulated convolution,
an unseparated 4 x 4 blur, and everything that an edit needs generated anew. Two things favour this baseline:
autograd is off all the way, and features that nobody reads are freed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sfe_models.directions.base import WPlusDirection
from sfe_models.generators.base import Generator
from sfe_models.generators.stylegan2.filters import filter_4x4
from sfe_models.generators.stylegan2.layers import ModulatedConv2d, StyledConv, ToRGB
from sfe_models.networks import SFENetworks
from sfe_models.nn.convolution import Conv2d


@dataclass(frozen=True, eq=False)
class PublishedInversion:
    """w, w_e: [B,N,D]; fused: the Fuser's output [B,C,r,r]; image: the inversion as a picture [B,3,R,R]."""

    w: Tensor
    w_e: Tensor
    fused: Tensor
    image: Tensor


def as_published(networks: SFENetworks) -> SFENetworks:
    """Make every convolution of unfolded networks a direct one, in place.

    The encoders and the two feature networks then compute as the published ones, layer by layer.
    """
    if networks.folded or networks.spec.delta_layer != networks.spec.feature_layer:
        raise ValueError("The baseline needs unfolded networks, and delta_layer = feature_layer.")
    for module in networks.modules():
        if isinstance(module, Conv2d):
            module.convolution = None
    return networks


# Generator


def upfirdn(x: Tensor, kernel: Tensor, up: int, pad: tuple[int, int]) -> Tensor:
    """Stuff x [B,C,H,W] with zeros by `up`, pad (before, after) on both axes, filter with `kernel` [4,4].

    Every channel is a picture of its own with one input channel. The kernel is symmetric and not flipped.
    """
    batch, channels, height, width = x.shape
    x = F.pad(x.reshape(batch * channels, height, 1, width, 1), (0, up - 1, 0, 0, 0, up - 1))
    x = F.pad(x.reshape(batch * channels, 1, up * height, up * width), (*pad, *pad))
    x = F.conv2d(x, kernel[None, None])
    return x.view(batch, channels, *x.shape[2:])


def modulated_convolution(conv: ModulatedConv2d, x: Tensor, w: Tensor) -> Tensor:
    """Convolve x [B,I,H,W] with one weight per picture (Karras et al. 2020, equations 1 to 3); w: [B,D]."""
    batch, in_channels, height, width = x.shape
    _, out_channels, _, kernel, _ = conv.weight.shape
    style = conv.modulation(w).view(batch, 1, in_channels, 1, 1)
    weight = conv.weight / (in_channels * kernel**2) ** 0.5 * style
    if conv.demodulate:
        weight = weight * torch.rsqrt(weight.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8)
    x = x.reshape(1, batch * in_channels, height, width)
    if conv.upsample:
        weight = weight.transpose(1, 2).reshape(batch * in_channels, out_channels, kernel, kernel)
        x = F.conv_transpose2d(x, weight, stride=2, groups=batch)
        x = x.view(batch, out_channels, *x.shape[2:])
        return upfirdn(x, filter_4x4(4.0, x), up=1, pad=(1, 1))
    weight = weight.view(batch * out_channels, in_channels, kernel, kernel)
    x = F.conv2d(x, weight, padding=kernel // 2, groups=batch)
    return x.view(batch, out_channels, *x.shape[2:])


def styled_convolution(layer: StyledConv, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
    """Modulated convolution, noise, bias, leaky ReLU, gain: one pass over the activations each."""
    x = modulated_convolution(layer.conv, x, w)
    x = x + layer.noise.weight * noise
    x = x + layer.activate.bias.view(1, -1, 1, 1)
    x = F.leaky_relu(x, 0.2)
    return x * 2**0.5


def rgb_layer(layer: ToRGB, x: Tensor, w: Tensor, skip: Tensor | None) -> Tensor:
    """Modulated 1 x 1 convolution, bias, and the upsampled picture so far."""
    rgb = modulated_convolution(layer.conv, x, w) + layer.bias
    return rgb if skip is None else rgb + upfirdn(skip, filter_4x4(4.0, skip), up=2, pad=(2, 1))


def generate(
    generator: Generator, w_plus: Tensor, layers: int, feature: tuple[int, Tensor] | None = None
) -> tuple[Tensor, Tensor]:
    """Run from layer 0 to outs[layers]: returns it and the RGB skip that belongs to it.

    w_plus: [B,N,D]. feature: (k, F_k), F_k to take the place of outs[k] after that resolution's RGB layer.
    """
    x = generator.input.input.repeat(len(w_plus), 1, 1, 1)
    rgb = None
    for i in range(layers):
        if feature is not None and i == feature[0]:
            x = feature[1]
        x = styled_convolution(generator.conv(i), x, w_plus[:, i], getattr(generator.noises, f"noise_{i}"))
        if i % 2 == 0:
            rgb = rgb_layer(generator.to_rgb(i // 2), x, w_plus[:, i + 1], rgb)
    return x, rgb


# Stages


@torch.no_grad()
def invert(networks: SFENetworks, image: Tensor) -> PublishedInversion:
    """Invert pictures [B,3,R,R] in [-1,1]: w, F_k and the whole picture, then all styles of e4e."""
    spec, generator = networks.spec, networks.generator
    k = spec.feature_layer
    small = F.interpolate(image, size=spec.encoder_size, mode="bilinear", align_corners=False)
    w, predicted = networks.inverter(small)
    w = w + generator.latent_avg
    from_w, _ = generate(generator, w, k)
    fused = networks.inverter.fuse(predicted, from_w)
    feature = networks.feature_editor(fused, torch.zeros_like(fused))
    _, picture = generate(generator, w, spec.generator.n_layers, (k, feature))

    small = F.interpolate(image, size=spec.encoder_size, mode="bilinear", align_corners=False)
    w_e = networks.e4e_encoder(small) + generator.latent_avg
    return PublishedInversion(w, w_e, fused, picture)


@torch.no_grad()
def edit(
    networks: SFENetworks,
    inversion: PublishedInversion,
    direction: WPlusDirection,
    strengths: Sequence[float],
) -> Tensor:
    """Edit inverted pictures, one after the other, all strengths of a picture as one batch: [B,S,3,R,R]."""
    spec, generator = networks.spec, networks.generator
    k, values = spec.feature_layer, torch.tensor(strengths, dtype=torch.float32)
    pictures = []
    for i in range(len(inversion.w)):
        w, w_e, fused = (v[i : i + 1] for v in (inversion.w, inversion.w_e, inversion.fused))
        w_edited = direction.move(w.repeat(len(values), 1, 1), values)
        w_e_edited = direction.move(w_e.repeat(len(values), 1, 1), values)
        before, _ = generate(generator, w_e, k)
        after, _ = generate(generator, w_e_edited, k)
        feature = networks.feature_editor(fused.repeat(len(values), 1, 1, 1), before - after)
        pictures.append(generate(generator, w_edited, spec.generator.n_layers, (k, feature))[1])
    return torch.stack(pictures)
