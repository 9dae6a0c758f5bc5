"""The stages of the pipeline with gradients, as training runs them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..domain import DomainSpec
from ..encoders.inverter import Inverter
from ..generators.base import Generator, StyleSpace, SynthesisState


@dataclass(frozen=True)
class Inverted:
    """What the Inverter makes of pictures: w [B,N,D], F_k and F_w [B,C,r,r], and the RGB skip [B,3,r,r] of w."""

    w: Tensor
    F_k: Tensor
    F_w: Tensor
    rgb: Tensor


def resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring pictures [B,3,H,W] to the encoders' size as the pipeline does: bilinear, no antialiasing."""
    if image.shape[2:] == size:
        return image
    return F.interpolate(image, size, mode="bilinear", align_corners=False)


def crop(image: Tensor, domain: DomainSpec) -> Tensor:
    """Cut generator output [B,3,R,R] to the domain's pictures (cars: the middle rows)."""
    margin = (image.shape[2] - domain.picture_size[0]) // 2
    return image[:, :, margin : image.shape[2] - margin] if margin else image


def padded(image: Tensor, domain: DomainSpec) -> Tensor:
    """Lay pictures back into the generator's square, black around them, for the discriminator."""
    margin = (domain.generator.resolution - image.shape[2]) // 2
    return F.pad(image, (0, 0, margin, margin), value=-1.0) if margin else image


def run_to_k(generator: Generator, domain: DomainSpec, styles: StyleSpace) -> SynthesisState:
    """G(w_0:k), never in reduced precision: F_w and delta come from it, and delta is a small difference."""
    with torch.autocast(styles.convs[0].device.type, enabled=False):
        return generator.run(generator.start(len(styles.convs[0])), styles.map(Tensor.float), domain.feature_layer)


def delta_features(generator: Generator, domain: DomainSpec, state: SynthesisState, styles: StyleSpace) -> Tensor:
    """Run on from layer k to the layer that delta is taken from."""
    if domain.delta_layer == domain.feature_layer:
        return state.features
    with torch.autocast(state.features.device.type, enabled=False):
        return generator.run(state, styles.map(Tensor.float), domain.delta_layer, rgb=False).features


def invert(inverter: Inverter, generator: Generator, domain: DomainSpec, seen: Tensor) -> Inverted:
    """(w, F_pred) = I_fse(X), F_w = G(w), F_k = I_fus(F_pred, F_w) (equations 3 to 5); seen: at the encoders' size."""
    w, predicted = inverter(seen)
    w = w.float() + generator.latent_avg
    state = run_to_k(generator, domain, generator.style_space(w))
    return Inverted(w, inverter.fuse(predicted, state.features).float(), state.features, state.rgb)


def synthesize(generator: Generator, domain: DomainSpec, styles: StyleSpace, features: Tensor, rgb: Tensor) -> Tensor:
    """G(F_k', w_k+1:N), cropped to the domain's pictures; rgb: the skip of the w path at layer k."""
    state = SynthesisState(domain.feature_layer, features, rgb)
    return crop(generator.run(state, styles).rgb, domain)


def side_by_side(*columns: Tensor, per_row: int = 4) -> Tensor:
    """Arrange pictures [B,3,H,W] beside what belongs to them, several to a row: [rows,columns,3,H,W]."""
    together = torch.stack([c.float() for c in columns], dim=1)
    per_row = min(per_row, len(together))
    together = together[: len(together) // per_row * per_row]
    return together.flatten(0, 1).unflatten(0, (-1, per_row * len(columns)))
