"""Whole offsets in style space, and the choice of the layers that an offset may touch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor

from ..generators.base import StyleSpace
from .base import DirectionError, DirectionInfo, StyleSpaceDirection


@dataclass(frozen=True, eq=False, repr=False)
class StyleOffsetDirection(StyleSpaceDirection):
    """s + scale * strength * offset, for every style vector s.

    convs: one [C] for each convolution of the generator; rgbs: one [C] for each RGB layer, or none, which
    leaves those alone. Style vectors cut to the first layers take the first offsets.
    """

    info: DirectionInfo
    convs: tuple[Tensor, ...]
    rgbs: tuple[Tensor, ...] = ()
    scale: float = 1.0

    def move(self, styles: StyleSpace, strength: Tensor) -> StyleSpace:
        convs = self._moved("convolution", styles.convs, self.convs, strength)
        rgbs = self._moved("RGB layer", styles.rgbs, self.rgbs, strength) if self.rgbs else styles.rgbs
        return StyleSpace(convs, rgbs)

    def _moved(
        self, kind: str, styles: tuple[Tensor, ...], offsets: tuple[Tensor, ...], strength: Tensor
    ) -> tuple[Tensor, ...]:
        if len(styles) > len(offsets):
            raise DirectionError(
                f"Direction '{self.info.name}' has {len(offsets)} {kind} offsets; the model asks for "
                f"{len(styles)}. Use a direction made for this generator."
            )
        moved = []
        for i, (style, offset) in enumerate(zip(styles, offsets, strict=False)):
            if offset.shape != style.shape[1:]:
                raise DirectionError(
                    f"Direction '{self.info.name}' offsets {kind} {i} by {tuple(offset.shape)} numbers; the "
                    f"model's has {style.shape[1]} channels. Use a direction made for this generator."
                )
            moved.append(style + (self.scale * strength.to(style))[:, None] * offset.to(style))
        return tuple(moved)


def chosen_layers(layers: Iterable[int] | None, n_styles: int) -> tuple[int, ...]:
    """Return the numbers of the W+ styles that are meant, sorted; None means all.

    layers: any of 0 ... n_styles - 1. Style i feeds convolution i, and the RGB layer of 2^(l+2) px reads
    style 2l + 1. Raises DirectionError for none at all, or for one that the generator has not.
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
