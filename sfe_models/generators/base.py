"""What a generator of any family offers, and the values that its runs pass on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class StyleSpace:
    """The style vectors of all layers (StyleSpace, Wu et al. 2021).

    convs: one [B,C] for each convolution; rgbs: one [B,C] for each RGB layer. The tuples may be cut short when
    only the first layers are wanted.
    """

    convs: tuple[Tensor, ...]
    rgbs: tuple[Tensor, ...]

    def __repr__(self) -> str:
        return f"StyleSpace(batch={len(self.convs[0])}, convs={len(self.convs)}, rgbs={len(self.rgbs)})"

    def map(self, function) -> StyleSpace:
        """Apply `function` to every style vector."""
        return StyleSpace(tuple(map(function, self.convs)), tuple(map(function, self.rgbs)))

    def __getitem__(self, index) -> StyleSpace:
        return self.map(lambda s: s[index])

    @staticmethod
    def cat(parts: Sequence[StyleSpace]) -> StyleSpace:
        """Join batches."""
        return StyleSpace(
            tuple(torch.cat(s) for s in zip(*(p.convs for p in parts), strict=True)),
            tuple(torch.cat(s) for s in zip(*(p.rgbs for p in parts), strict=True)),
        )


@dataclass(frozen=True)
class SynthesisState:
    """The generator stopped after a layer.

    features: outs[layer], [B,C,r,r]; rgb: the RGB skip summed so far, [B,3,r,r] (r/2 after an upsampling
    convolution), float32; read: the features asked for on the way, by layer.
    """

    layer: int
    features: Tensor
    rgb: Tensor | None
    read: dict[int, Tensor] = field(default_factory=dict)

    def with_features(self, features: Tensor) -> SynthesisState:
        """Put a feature in the place of outs[layer]; the RGB skip stays that of the w path."""
        if features.shape != self.features.shape:
            raise ValueError(
                f"Feature of shape {tuple(features.shape)} in the place of outs[{self.layer}]; "
                f"expected {tuple(self.features.shape)}."
            )
        return replace(self, features=features.to(self.features.dtype))

    def __getitem__(self, index) -> SynthesisState:
        rgb = None if self.rgb is None else self.rgb[index]
        return SynthesisState(self.layer, self.features[index], rgb)

    def __repr__(self) -> str:
        return f"SynthesisState(layer={self.layer}, features={tuple(self.features.shape)})"
