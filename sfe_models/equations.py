"""The equations of SFE, each once, with gradients or without: what pipeline, training and evaluation all compute.

| stage | equation | here |
|---|---|---|
| Invert | (w, F_pred) = I_fse(X); F_w = G(w_0:k); F_k = I_fus(F_pred, F_w) | `resized`, `run_to_k`, `invert` |
| e4e code | w_E = E(X) | `e4e_code` |
| Compute delta | delta = F(w_E) - F(w_E') | `delta_features`, `delta` |
| Mask delta | delta * (1 - protected) | `mask_delta` |
| Combine deltas | sum of omega_i delta_i; w + sum of omega_i (w'_i - w) | `weighted_sum`, `moved_by`, `moved_styles` |
| Feature Edit | F_k' = H(F_k, delta) | `feature_edit` |
| Synthesize | X' = G(F_k', w'_k+1:N) | `synthesize`, `cropped` |
| Keep within (ours) | sum of m_i X'_i + (1 - sum of m_i) X | `blended` |
| Mix Styles | w'_i = w_i + alpha (w_B,i - w_i) on some layers i | `mixed` |

Apply Direction, w' = w + d, is a direction's `move`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .domain import DomainSpec
from .encoders.e4e import E4EEncoder
from .encoders.feature_editor import FeatureEditor
from .encoders.inverter import Inverter
from .generators.base import Generator, StyleSpace, SynthesisState


@dataclass(frozen=True)
class Inverted:
    """What the Inverter makes of pictures: w [B,N,D], F_k and F_w [B,C,r,r], and what the generator carries at k."""

    w: Tensor
    F_k: Tensor
    F_w: Tensor
    carried: tuple[Tensor, ...]


def resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring pictures [B,3,H,W] to the encoders' size: bilinear, align_corners off, no antialiasing, as published."""
    if image.shape[2:] == size:
        return image
    return F.interpolate(image, size, mode="bilinear", align_corners=False)


def cropped(square: Tensor, domain: DomainSpec) -> Tensor:
    """Cut the domain's pictures out of generator output [B,3,R,R] of any side (cars: the middle rows)."""
    height, width = domain.picture_size
    margin = (square.shape[2] - square.shape[3] * height // width) // 2
    return square[:, :, margin : square.shape[2] - margin] if margin else square


def padded(image: Tensor, domain: DomainSpec) -> Tensor:
    """Lay pictures back into the generator's square, black around them: the inverse of `cropped`."""
    margin = (domain.generator.resolution - image.shape[2]) // 2
    return F.pad(image, (0, 0, margin, margin), value=-1.0) if margin else image


def run_to_k(generator: Generator, domain: DomainSpec, styles: StyleSpace) -> SynthesisState:
    """G(w_0:k), never in reduced precision: F_w and delta come from it, and delta is a small difference."""
    device = styles.convs[0].device.type
    with torch.autocast(device, enabled=False):
        wide = styles.map(lambda s: s.to(torch.promote_types(s.dtype, torch.float32)))
        return generator.run(generator.start(len(styles)), wide, domain.feature_layer)


def delta_features(generator: Generator, domain: DomainSpec, state: SynthesisState, styles: StyleSpace) -> Tensor:
    """F(w): run on from layer k to the layer that delta is taken from, [B,C,r,r]."""
    if domain.delta_layer == state.layer:
        return state.features
    with torch.autocast(state.features.device.type, enabled=False):
        return generator.run(state, styles, domain.delta_layer, features_only=True).features


def e4e_code(encoder: E4EEncoder, generator: Generator, seen: Tensor, n_styles: int | None = None) -> Tensor:
    """w_E = E(X): the first `n_styles` styles (None for all) [B,n,D], average latent added.

    seen: pictures at the encoders' size.
    """
    return encoder(seen, n_styles).float() + generator.latent_avg


def invert(
    inverter: Inverter,
    generator: Generator,
    domain: DomainSpec,
    seen: Tensor,
    beside: StyleSpace | None = None,
    run: Callable[[Generator, DomainSpec, StyleSpace], SynthesisState] = run_to_k,
) -> tuple[Inverted, SynthesisState | None]:
    """(w, F_pred) = I_fse(X), F_w = G(w_0:k), F_k = I_fus(F_pred, F_w) (equations 3 to 5).

    seen: pictures at the encoders' size. beside: style vectors of other codes that are run to k in the same batch;
    their state comes back too. run: how G is run to k, for a caller that splits batches.
    """
    w, predicted = inverter(seen)
    w = w.float() + generator.latent_avg
    styles = generator.style_space(w, domain.feature_layer)
    state = run(generator, domain, styles if beside is None else StyleSpace.cat([styles, beside]))
    n = len(seen)
    own, other = (state, None) if beside is None else (state[:n], state[n:])
    return Inverted(w, inverter.fuse(predicted, own.features).float(), own.features, own.carried), other


def delta(before: Tensor, after: Tensor) -> Tensor:
    """delta = F(w_E) - F(w_E'), [B,C,r,r]."""
    return before - after


def mask_delta(change: Tensor, mask: Tensor, domain: DomainSpec) -> Tensor:
    """delta * (1 - protected): keep delta [B,C,r,r] where `mask` [1 or B,H,W] is 1, in part where it is between.

    The mask covers the picture, which is a band of the feature square for domains wider than high. Resized bilinear,
    align_corners off, no antialiasing.
    """
    side = change.shape[3]
    rows = side * domain.encoder_size[0] // domain.encoder_size[1]
    small = F.interpolate(mask[:, None], size=(rows, side), mode="bilinear", align_corners=False)
    small = F.pad(small, (0, 0, (side - rows) // 2, side - rows - (side - rows) // 2))
    return change * small.to(change.dtype)


def weighted_sum(tensors: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Sum of omega_i delta_i, on the device of the first."""
    total = weights[0] * tensors[0]
    for weight, tensor in zip(weights[1:], tensors[1:], strict=True):
        total = total + weight * tensor.to(total.device)
    return total


def moved_by(moved: Sequence[Tensor], start: Tensor, weights: Sequence[float]) -> Tensor:
    """w + sum of omega_i (w'_i - w), codes [B,N,D] or style vectors [B,C]; one of fewer latents moves the first."""
    total = start.clone()
    for weight, code in zip(weights, moved, strict=True):
        n = code.shape[1] if code.ndim == 3 else total.shape[1]
        total[:, :n] += weight * (code.to(start.device)[:, :n] - start[:, :n])
    return total


def mixed(w: Tensor, other: Tensor, layers: Sequence[int], alpha: float = 1.0) -> Tensor:
    """w'_i = w_i + alpha (w_B,i - w_i) on some layers i, w elsewhere: style mixing, as e4e and pSp show it.

    w, other: codes [B,n,D] of the first n layers; layers beyond them are passed over. Exact at 0 and at 1.
    """
    index = [i for i in layers if i < w.shape[1]]
    result = w.clone()
    result[:, index] = torch.lerp(w[:, index], other[:, index].to(w), alpha)
    return result


def moved_styles(moved: Sequence[StyleSpace], start: StyleSpace, weights: Sequence[float]) -> StyleSpace:
    """As `moved_by`, for every style vector that all of them have."""
    convs, rgbs = (
        tuple(
            moved_by(vectors, first, weights)
            for first, *vectors in zip(*(getattr(styles, kind) for styles in (start, *moved)), strict=False)
        )
        for kind in ("convs", "rgbs")
    )
    return StyleSpace(convs, rgbs)


def feature_edit(editor: FeatureEditor | None, F_k: Tensor, change: Tensor) -> Tensor:
    """F_k' = H(F_k, delta) (equation 6); F_k itself without an editor, as in training phase 1."""
    return F_k if editor is None else editor(F_k, change).float()


def synthesize(
    generator: Generator,
    domain: DomainSpec,
    styles: StyleSpace,
    features: Tensor,
    carried: tuple[Tensor, ...],
    stop_layer: int | None = None,
) -> Tensor:
    """X' = G(F_k', w'_k+1:N), cropped to the domain's pictures: [B,3,H,W], about [-1,1].

    carried: what the generator carries at k on the w path. stop_layer: one of the generator's `picture_layers`.
    """
    state = SynthesisState(domain.feature_layer, features, carried)
    return cropped(generator.picture(generator.run(state, styles, stop_layer)), domain)


def blended(pictures: Sequence[Tensor], masks: Sequence[Tensor]) -> Tensor:
    """Sum of m_i X_i over pictures [B,3,H,W]; masks: [B,H,W] each, together 1 at every pixel."""
    return sum(picture * mask[:, None].to(picture) for picture, mask in zip(pictures, masks, strict=True))
