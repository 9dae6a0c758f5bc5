"""The trained parts of a gradual model, and the two streams that they make with a generator.

| stage m, layer k_m of the generator | equation | here |
|---|---|---|
| Encoding Phase | w = E(X); T_1 ... T_M = detail encoder(X, X - G(w)) | `encode` |
| Reconstruction Stream | F_m = E_res(W_T T_m, W_f f_m); f'_m = f_m + gate(f_m, F_m) fuse(F_m) | `reconstruct` |
| Editing Stream | F'_m, c = aligner(f_m^edi, F_m); f'_m^edi = f_m^edi + c gate(f_m^edi, F'_m) fuse(F'_m) | `edit` |

f_m is the generator's feature after the details of stage m - 1 have been added, so that each stage sees what the ones
before it left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..domain import DomainSpec
from ..equations import cropped, resized
from ..generators.base import Generator, StyleSpace, SynthesisState
from .aligner import Aligner
from .detail_encoder import DetailEncoder
from .residual_module import GateFusion, ResidualModule
from .spec import GradualSpec

Maps = tuple[Tensor, ...]


@dataclass(frozen=True)
class Details:
    """What the Reconstruction Stream leaves for edits, by stage: F_m [B,C_m,r,r], and f_m [B,C,r,r] that it saw."""

    residuals: tuple[Tensor, ...]
    features: tuple[Tensor, ...]


class GradualStage(nn.Module):
    """What is trained at one layer."""

    def __init__(self, domain: DomainSpec, gradual: GradualSpec, number: int):
        super().__init__()
        layer, width = gradual.stages[number], gradual.widths[number]
        channels, side = domain.generator.layer_channels(layer), domain.generator.layer_resolution(layer)
        self.residual = ResidualModule(channels, width, gradual)
        self.fusion = GateFusion(channels, width)
        self.aligner = Aligner(channels, width, side, gradual)


class GradualParts(nn.Module):
    """Detail encoder and stages of one domain."""

    def __init__(self, domain: DomainSpec, gradual: GradualSpec):
        super().__init__()
        gradual.check(domain)
        self.gradual = gradual
        self.encoder = DetailEncoder(domain, gradual)
        self.stages = nn.ModuleList(GradualStage(domain, gradual, m) for m in range(len(gradual.stages)))


def encode(generator: Generator, parts: GradualParts, domain: DomainSpec, seen: Tensor, styles: StyleSpace) -> Maps:
    """T_1 ... T_M of pictures at the encoders' size; styles: of their codes, whose own pictures are looked at too."""
    with torch.no_grad():
        coarse = resized(cropped(generator.synthesize(styles), domain), domain.encoder_size)
    return parts.encoder(seen, coarse.to(seen.dtype))


def reconstruct(
    generator: Generator,
    parts: GradualParts,
    styles: StyleSpace,
    maps: Maps,
    stages: int | None = None,
    stop_layer: int | None = None,
) -> tuple[SynthesisState, Details]:
    """Run the generator with the details T_m of a picture added. stages: how many add theirs (None: all)."""
    layers, residuals, features = parts.gradual.stages[:stages], [], []

    def change(layer: int, f: Tensor) -> Tensor:
        m = layers.index(layer)
        features.append(f)
        residuals.append(parts.stages[m].residual(maps[m], f))
        return parts.stages[m].fusion(f, residuals[m])

    state = generator.run(generator.start(len(styles)), styles, stop_layer, read_layers=layers, change=change)
    return state, Details(tuple(residuals), tuple(features))


def edit(
    generator: Generator,
    parts: GradualParts,
    styles: StyleSpace,
    details: Details,
    stop_layer: int | None = None,
    aligned: bool = True,
    blend: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> tuple[SynthesisState, Details]:
    """Run the generator with edited styles, details aligned at every stage; returns F'_m and f_m^edi too.

    aligned: False takes F_m as it lies. blend: makes of f'_m^edi and f'_m, the stage's features with and without the
    edit, those to go on with.
    """
    layers, residuals, features = parts.gradual.stages[: len(details.residuals)], [], []

    def change(layer: int, f: Tensor) -> Tensor:
        m = layers.index(layer)
        stage, residual, before = parts.stages[m], details.residuals[m], details.features[m]
        moved, confidence = stage.aligner(f, residual, before) if aligned else (residual, None)
        features.append(f)
        residuals.append(moved)
        edited = stage.fusion(f, moved, confidence)
        return edited if blend is None else blend(edited, stage.fusion(before, residual))

    state = generator.run(generator.start(len(styles)), styles, stop_layer, read_layers=layers, change=change)
    return state, Details(tuple(residuals), tuple(features))
