"""Directions from pictures: the difference between two codes, or between the means of two batches."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from ...generators.base import Generator
from ..base import DirectionError, DirectionInfo
from ..families.linear import LinearDirection
from ..families.stylespace import StyleOffsetDirection
from ..layers import chosen_layers, named_layers, on_layers

# Strength 1 is the whole difference; a little further still looks like a picture.
STRENGTH_RANGE = (-1.5, 1.5)


def _codes(source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Check the two batches of W+ codes [B,N,D], and bring them to one device."""
    codes = []
    for which, w in (("first", source), ("second", target)):
        if w.ndim != 3 or not len(w):
            raise DirectionError(f"The {which} codes are {tuple(w.shape)}; expected W+ codes [B,N,D] of some pictures.")
        if not w.isfinite().all():
            raise DirectionError(f"The {which} codes have numbers that are not finite; invert the pictures again.")
        codes.append(w.detach())
    if codes[0].shape[1:] != codes[1].shape[1:]:
        shapes = " and ".join(f"{w.shape[1]} x {w.shape[2]}" for w in codes)
        raise DirectionError(f"The codes are {shapes}; they need to come from one generator.")
    return codes[0], codes[1].to(codes[0].device)


def _mean_difference(source: Tensor, target: Tensor) -> Tensor:
    """mean(target) - mean(source) over the batches, in float64 on the CPU, rounded to float32."""
    return (target.cpu().double().mean(dim=0) - source.cpu().double().mean(dim=0)).float()


def _source(space: str, layers: tuple[int, ...], first: Tensor, second: Tensor) -> str:
    """Say where the direction comes from. first, second: the codes of both sides."""
    counts = len(first), len(second)
    means = "" if counts == (1, 1) else f" of the means of {counts[1]} and {counts[0]} pictures"
    return f"difference{means} in {space}, {named_layers(layers)}"


def picture_difference(
    source: Tensor,
    target: Tensor,
    subject: str | None,
    name: str,
    layers: Iterable[int] | None = None,
    *,
    effect: str = "",
    generator: str | None = None,
) -> LinearDirection:
    """Make the W+ direction that leads from the first pictures to the second.

    source, target: W+ codes [B,N,D] of one generator; batches are averaged. layers: styles that may move, None
    for all. generator: that generator's fingerprint. Strength 1 brings the first code to the second, up to float32's
    rounding.
    """
    first, second = _codes(source, target)
    chosen = chosen_layers(layers, first.shape[1])
    vector = on_layers(_mean_difference(first, second), chosen, first.shape[1])
    _check_moves(vector)
    where = _source("W+", chosen, first, second)
    return LinearDirection(DirectionInfo(name, "pictures", subject, STRENGTH_RANGE, effect, where, generator), vector)


def style_difference(
    generator: Generator,
    source: Tensor,
    target: Tensor,
    subject: str | None,
    name: str,
    layers: Iterable[int] | None = None,
    *,
    rgb: bool = True,
    effect: str = "",
) -> StyleOffsetDirection:
    """Make the StyleSpace direction that leads from the first pictures to the second.

    layers: styles whose convolutions and RGB layers may move, None for all. rgb: move RGB layers at all; without
    them colours stay nearer to the first's.
    """
    first, second = _codes(source, target)
    spec = generator.spec
    if first.shape[1:] != (spec.n_styles, spec.style_dim):
        raise DirectionError(
            f"The codes are {first.shape[1]} x {first.shape[2]}; the generator's are {spec.n_styles} x "
            f"{spec.style_dim}. Invert the pictures with its model."
        )
    chosen = chosen_layers(layers, spec.n_styles)
    convs, rgbs = _style_offsets(generator, first, second)
    convs = tuple(s if i in chosen else s * 0 for i, s in enumerate(convs))
    layers_of_rgbs = spec.picture_layers.values()
    rgbs = tuple(s if n in chosen else s * 0 for n, s in zip(layers_of_rgbs, rgbs, strict=True)) if rgb else ()
    _check_moves(*convs, *rgbs)
    space = "StyleSpace" if rgb else "StyleSpace without RGB layers"
    where, fingerprint = _source(space, chosen, first, second), generator.fingerprint()
    info = DirectionInfo(name, "pictures", subject, STRENGTH_RANGE, effect, where, fingerprint)
    return StyleOffsetDirection(info, convs, rgbs)


@torch.no_grad()
def _style_offsets(
    generator: Generator, first: Tensor, second: Tensor
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Differences of the mean style vectors: of convolutions and of RGB layers, one [C] each."""
    device = generator.latent_avg.device
    a, b = (generator.style_space(w.to(device)) for w in (first, second))
    return tuple(map(_mean_difference, a.convs, b.convs)), tuple(map(_mean_difference, a.rgbs, b.rgbs))


def _check_moves(*offsets: Tensor) -> None:
    if not any(offset.any() for offset in offsets):
        raise DirectionError("Both sides are the same on these layers; give two that differ.")
