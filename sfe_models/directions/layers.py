"""Restrict any direction to some layers: StyleCLIP's levels, or numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..generators.base import GeneratorSpec, StyleSpace
from .base import Direction, DirectionError, DirectionInfo, StyleSpaceDirection, WPlusDirection

# Levels of a StyleGAN2's W+ code (StyleCLIP, section 5): the first latent, and the one after the last (None: to the
# end). Other families have them where they have the same pixels.
LEVELS = {"coarse": (0, 4), "medium": (4, 8), "fine": (8, None)}
# What StyleGAN's and e4e's papers call one of them.
_OTHER_WORDS = {"middle": "medium"}
_HOW = "expected 'all', coarse, medium (or middle), fine, numbers, ranges, with commas between them: 'coarse, 5, 9-11'"


def parse_layers(layers: str | Iterable[int] | None, spec: GeneratorSpec) -> tuple[int, ...]:
    """Return the W+ layers that are meant, sorted; None and "all" mean all.

    layers: text such as "coarse", "0-3,7" (ends included) or "medium, 12", or numbers, which count this generator's
    own latents. Raises DirectionError.
    """
    n_styles = spec.n_styles
    if layers is None or isinstance(layers, str) and layers.strip().lower() == "all":
        return chosen_layers(None, n_styles)
    if not isinstance(layers, str):
        return chosen_layers(layers, n_styles)
    chosen: list[int] = []
    for part in layers.lower().split(","):
        part = part.strip()
        part = _OTHER_WORDS.get(part, part)
        if part in LEVELS:
            found = standing_for(*LEVELS[part], spec)
            if not found:
                raise DirectionError(
                    f"There are no {part} layers in this generator of {spec.resolution} px; its layers are 0 to "
                    f"{n_styles - 1}."
                )
            chosen += found
        elif found := re.fullmatch(r"(\d{1,3})\s*(?:-\s*(\d{1,3}))?", part):
            first, last = int(found[1]), int(found[2] or found[1])
            if last < first:
                raise DirectionError(f"The range {part!r} of layers runs backwards; write {last}-{first}.")
            chosen += range(first, last + 1)
        else:
            raise DirectionError(f"Layers {layers!r} cannot be read at {part!r}; {_HOW}.")
    return chosen_layers(chosen, n_styles)


def chosen_layers(layers: Iterable[int] | None, n_styles: int) -> tuple[int, ...]:
    """Return the numbers of the W+ styles that are meant, sorted; None means all.

    layers: any of 0 ... n_styles - 1. Raises DirectionError for none at all, or for one that the generator has not.
    """
    if layers is None:
        return tuple(range(n_styles))
    chosen = tuple(layers)
    if not chosen:
        raise DirectionError(f"No layer is chosen; expected some of 0 to {n_styles - 1}.")
    for layer in chosen:
        if isinstance(layer, bool) or not isinstance(layer, int) or not 0 <= layer < n_styles:
            raise DirectionError(f"Layer {layer!r} is not one of this generator's; expected 0 to {n_styles - 1}.")
    return tuple(sorted(set(chosen)))


def named_layers(layers: tuple[int, ...]) -> str:
    """Write layer numbers shortly: "layers 0-3, 5"."""
    runs: list[list[int]] = []
    for layer in layers:
        if runs and layer == runs[-1][1] + 1:
            runs[-1][1] = layer
        else:
            runs.append([layer, layer])
    return "layers " + ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in runs)


def on_layers(vector: Tensor, layers: tuple[int, ...], n_styles: int) -> Tensor:
    """Restrict a W+ vector, [1,D] or [N,D], to some layers: [N,D], zero elsewhere."""
    restricted = vector.new_zeros(n_styles, vector.shape[1])
    index = list(layers)
    restricted[index] = vector.expand(n_styles, -1)[index]
    return restricted


def has_stylegan2_layers(spec: GeneratorSpec) -> bool:
    """Tell whether the latents are a StyleGAN2's, one by one."""
    return spec.stylegan2_latents == tuple(range(spec.n_styles))


def standing_for(first: int, end: int | None, spec: GeneratorSpec) -> list[int]:
    """List the latents that stand for StyleGAN2's first <= i < end; end: None for all from the first on."""
    return [i for i, n in enumerate(spec.stylegan2_latents) if first <= n and (end is None or n < end)]


def fitted_layers(first: int, end: int | None, spec: GeneratorSpec) -> tuple[int, int]:
    """Find the latents that stand for StyleGAN2's first <= i < end: the first, and the one after the last.

    end: None for all from the first on. The two are equal if the generator has none of them.
    """
    found = standing_for(first, end, spec)
    return (found[0], found[-1] + 1) if found else (first, first)


@dataclass(frozen=True, eq=False, repr=False)
class _LayerMasked:
    """What both kinds of masked direction share."""

    direction: Direction
    layers: tuple[int, ...]

    @property
    def info(self) -> DirectionInfo:
        return self.direction.info

    @property
    def reads_all_layers(self) -> bool:
        return self.direction.reads_all_layers

    def __repr__(self) -> str:
        return f"{self.direction!r} on {named_layers(self.layers)}"


class LayerMaskedDirection(_LayerMasked, WPlusDirection):
    """A W+ direction that moves only some layers; the others stay bit by bit."""

    def move(self, w_plus: Tensor, strength: Tensor) -> Tensor:
        moved = self.direction.move(w_plus, strength)
        keep = torch.tensor([i in self.layers for i in range(w_plus.shape[1])], device=w_plus.device)
        return torch.where(keep[:, None], moved, w_plus)


@dataclass(frozen=True, eq=False, repr=False)
class LayerMaskedStyleDirection(_LayerMasked, StyleSpaceDirection):
    """A style space direction that moves only the vectors which some W+ layers drive.

    Layer i drives convolution i, and layer rgb_layers[r] RGB style vector r.
    """

    rgb_layers: tuple[int, ...]

    def move(self, styles: StyleSpace, strength: Tensor) -> StyleSpace:
        moved = self.direction.move(styles, strength)
        convs = (m if i in self.layers else s for i, (m, s) in enumerate(zip(moved.convs, styles.convs, strict=True)))
        # Style vectors may be cut to those of the first layers.
        rgbs = zip(moved.rgbs, styles.rgbs, self.rgb_layers[: len(styles.rgbs)], strict=True)
        rgbs = (m if layer in self.layers else s for m, s, layer in rgbs)
        return replace(styles, convs=tuple(convs), rgbs=tuple(rgbs))


def on_layers_only(direction: Direction, layers: str | Iterable[int] | None, spec: GeneratorSpec) -> Direction:
    """Restrict a direction to the layers that `parse_layers` reads; for all of them it stays what it is."""
    chosen = parse_layers(layers, spec)
    if len(chosen) == spec.n_styles:
        return direction
    if isinstance(direction, StyleSpaceDirection):
        return LayerMaskedStyleDirection(direction, chosen, tuple(spec.picture_layers.values()))
    return LayerMaskedDirection(direction, chosen)
