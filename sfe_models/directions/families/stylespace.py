"""StyleSpace directions (Wu et al. 2021): single channels of the style vectors, and offsets of all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from ...generators.base import GeneratorSpec, StyleSpace
from ..base import DirectionError, DirectionInfo, StyleSpaceDirection
from ..layers import has_stylegan2_layers
from .reader import Reader, Stored

# The published SFE code multiplies the strength of its style space directions by this.
PUBLISHED_SCALE = 3.0


@dataclass(frozen=True, eq=False, repr=False)
class StyleChannelsDirection(StyleSpaceDirection):
    """Add scale * strength to some channels; channels: (convolution, channel) pairs, RGB layers not counted."""

    info: DirectionInfo
    channels: tuple[tuple[int, int], ...]
    scale: float = PUBLISHED_SCALE

    def move(self, styles: StyleSpace, strength: Tensor) -> StyleSpace:
        convs = list(styles.convs)
        for conv, channel in self.channels:
            if conv >= len(convs):
                continue  # only the first layers were asked for
            if channel >= convs[conv].shape[1]:
                raise DirectionError(
                    f"Direction '{self.info.name}' moves channel {channel} of convolution {conv}, which has "
                    f"{convs[conv].shape[1]} channels in this model. Use a direction made for this generator."
                )
            moved = convs[conv].clone()
            moved[:, channel] += self.scale * strength.to(moved)
            convs[conv] = moved
        return replace(styles, convs=tuple(convs))


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


def _has_channels(stored: Stored) -> bool:
    return "channels" in stored.parameters


def _read_channels(stored: Stored, spec: GeneratorSpec) -> StyleChannelsDirection:
    """Make the direction of a table's `channels`: (convolution, channel) pairs of a StyleGAN2."""
    if not has_stylegan2_layers(spec):
        raise DirectionError(f"{stored.where} moves channels of a StyleGAN2's layers; this generator has others.")
    return StyleChannelsDirection(
        stored.info, tuple((conv, channel) for conv, channel in stored.parameters["channels"]), stored.scale
    )


def _has_offsets(stored: Stored) -> bool:
    return "convs.0" in stored.tensors


def _read_offsets(stored: Stored, spec: GeneratorSpec) -> StyleOffsetDirection:
    """Read `convs.0`, ... [C], one for each convolution, and `rgbs.0`, ..., one for each RGB layer or none."""
    tensors = stored.tensors
    convs = [f"convs.{i}" for i in range(spec.n_layers)]
    rgbs = [f"rgbs.{i}" for i in range(len(spec.picture_layers))]
    if set(tensors) not in ({*convs}, {*convs, *rgbs}) or any(t.ndim != 1 for t in tensors.values()):
        n_convs, n_rgbs = (sum(name.startswith(kind) for name in tensors) for kind in ("convs.", "rgbs."))
        raise DirectionError(
            f"{stored.where} holds offsets of {n_convs} convolutions and {n_rgbs} RGB layers; the model has "
            f"{len(convs)} and {len(rgbs)}. Expected one [C] for each convolution, and one for each RGB layer or none."
        )
    rgbs = rgbs if rgbs[0] in tensors else []
    parts = (tuple(tensors[name].float() for name in names) for names in (convs, rgbs))
    return StyleOffsetDirection(stored.info, *parts, stored.scale)


CHANNELS = Reader("", _has_channels, _read_channels)
OFFSETS = Reader("convs.0, convs.1, ... (an offset in style space)", _has_offsets, _read_offsets)
