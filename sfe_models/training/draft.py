"""The draft of `photo`: a small picture from the middle of the generator, trained on the generator's own people.

People with seeded codes, two mixed at a random latent, at truncations from 0.5 to 1; of each, two parts of F_k of
16 x 16 are run on by themselves, which gives features and picture for a sixteenth of the cost. Least squares on those,
AdamW. Then half of each batch are parts of whole people whose pictures the model inverted and edited, as it does with
photographs. Later styles go in by their first 64 principal components, folded into the weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..directions.base import Direction
from ..generators.base import StyleSpace, SynthesisState
from ..generators.mobilestylegan.draft import Draft
from ..generators.mobilestylegan.generator import MobileStyleGAN
from ..pipeline import Pipeline

# Where F_k stands and its side; side of a part of it, and what a part's edges make wrong in its features and picture.
_K, _SIDE, _PART, _FEATURES_EDGE, _PICTURE_EDGE = 13, 64, 16, 3, 8
_COMPONENTS, _BATCH, _RATE = 64, 16, 3e-3


def train_draft(pipeline: Pipeline, directions: Sequence[Direction], samples: int, inverted: int, steps: int) -> Draft:
    """Train a draft of a model's generator: on parts of `samples` people, then also of `inverted` edited ones.

    steps: of each of the two, with 16 parts each. Seeded. The packaged one took 3,500, 40 and 3,000.
    """
    generator = pipeline.networks.generator
    torch.manual_seed(0)
    draft = Draft(generator.spec)
    with torch.no_grad():
        parts = _samples(generator, draft, samples)
        wholes = _inverted(pipeline, draft, inverted, directions)
    return _trained(draft, parts, wholes, steps)


def draw_person(generator: MobileStyleGAN, random: torch.Generator) -> tuple[StyleSpace, SynthesisState]:
    """Draw somebody whom the generator makes: style vectors, and its state at k."""
    truncation = 0.5 + 0.5 * torch.rand(1, generator=random).item()
    w = generator.broadcast(generator.mapping(torch.randn(2, generator.spec.style_dim, generator=random), truncation))
    cut = int(torch.randint(1, 2 * generator.spec.n_styles, (1,), generator=random))
    styles = generator.style_space(torch.cat([w[:1, :cut], w[1:, cut:]], dim=1))
    return styles, generator.run(generator.start(1), styles, _K)


def _samples(generator: MobileStyleGAN, draft: Draft, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Features [2n,256,26,26] in float16, later styles [2n,S], pictures [2n,3,48,48] in float16."""
    random, found = torch.Generator().manual_seed(7), []
    inner, seen = slice(_FEATURES_EDGE, -_FEATURES_EDGE), slice(_PICTURE_EDGE, -_PICTURE_EDGE)
    for _ in range(count):
        styles, state = draw_person(generator, random)
        for _ in range(2):
            top, left = torch.randint(0, _SIDE - _PART + 1, (2,), generator=random).tolist()
            part = SynthesisState(_K, state.features[:, :, top : top + _PART, left : left + _PART])
            window = top / _SIDE, left / _SIDE
            at = generator.run(part, styles, draft.layer, window=window)
            picture = generator.picture(generator.run(at, styles, window=window))
            picture = F.avg_pool2d(picture, generator.spec.resolution // draft.side)
            found.append((at.features[..., inner, inner].half(), draft.later(styles), picture[..., seen, seen].half()))
    return tuple(torch.cat(parts) for parts in zip(*found, strict=True))


def _inverted(
    pipeline: Pipeline, draft: Draft, count: int, directions: Sequence[Direction]
) -> list[tuple[Tensor, ...]]:
    """People whose pictures were inverted and edited: features, later styles and picture of each, as `samples`."""
    random, generator, found = torch.Generator().manual_seed(1), pipeline.networks.generator, []
    for _ in range(count):
        styles, _ = draw_person(generator, random)
        inversion = pipeline.invert(generator.synthesize(styles).clamp(-1, 1))
        direction = directions[int(torch.randint(len(directions), (1,), generator=random))]
        edit = pipeline.apply_direction(inversion, direction, 6 * torch.rand(1, generator=random).item() - 3)
        features = pipeline.feature_edit(pipeline.compute_delta(edit))
        styles = generator.style_space(edit.w)
        at = generator.run(SynthesisState(_K, features.F_k), styles, draft.layer)
        picture = F.adaptive_avg_pool2d(generator.picture(generator.run(at, styles)), draft.side)
        found.append((at.features.half(), draft.later(styles), picture.half()))
    return found


def _part_of(whole: tuple[Tensor, ...], random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    top, left = torch.randint(0, whole[0].shape[2] - 25, (2,), generator=random).tolist()
    pixels = slice(2 * top + 2, 2 * top + 50), slice(2 * left + 2, 2 * left + 50)
    return whole[0][..., top : top + 26, left : left + 26], whole[1], whole[2][..., pixels[0], pixels[1]]


def _trained(
    draft: Draft, parts: tuple[Tensor, Tensor, Tensor], wholes: Sequence[tuple[Tensor, ...]], steps: int
) -> Draft:
    """Train a draft from seeded weights: on `parts`, then as long on parts of `wholes` too."""
    features, later, pictures = parts
    mean = later[::2].mean(dim=0)
    _, sizes, vectors = torch.linalg.svd(later[::2] - mean, full_matrices=False)
    kept = min(_COMPONENTS, max(1, len(later[::2]) // 8))  # the last ones of a few people would say nothing of others
    components = vectors[:kept].T / (sizes[:kept] / len(later[::2]) ** 0.5)
    whole, draft.modulation = draft.modulation, torch.nn.Linear(kept, draft.modulation.out_features)
    torch.nn.init.zeros_(draft.modulation.weight)
    torch.nn.init.zeros_(draft.modulation.bias)
    with torch.no_grad():
        draft.first.weight /= features[:200].float().square().mean(dim=(0, 2, 3)).sqrt()[:, None, None]
    random = torch.Generator().manual_seed(0)

    def batch(of_wholes: int) -> list[Tensor]:
        some = torch.randint(len(features), (_BATCH - of_wholes,), generator=random)
        found = [(features[i : i + 1], later[i : i + 1], pictures[i : i + 1]) for i in some.tolist()]
        chosen = torch.randint(max(len(wholes), 1), (of_wholes,), generator=random).tolist()
        found += [_part_of(wholes[i], random) for i in chosen]
        x, codes, y = (torch.cat(values).float() for values in zip(*found, strict=True))
        return [x, (codes - mean) @ components, y]

    _minimise(draft, lambda: batch(0), steps, _RATE)
    if wholes:
        _minimise(draft, lambda: batch(_BATCH // 2), steps, _RATE / 2)
    with torch.no_grad():
        whole.weight.copy_(draft.modulation.weight @ components.T)
        whole.bias.copy_(draft.modulation.bias - whole.weight @ mean)
    draft.modulation = whole
    return draft


def _minimise(draft: Draft, batch: Callable[[], list[Tensor]], steps: int, most: float) -> None:
    own = [weight for name, weight in draft.named_parameters() if not name.startswith("modulation")]
    groups = [{"params": own}, {"params": draft.modulation.parameters(), "weight_decay": 1e-2}]
    optimiser = torch.optim.AdamW(groups, weight_decay=1e-4)
    for step in range(steps):
        rate = most * min(1, (step + 1) / 50) * 0.5 * (1 + math.cos(math.pi * step / steps)) + 1e-5
        for group in optimiser.param_groups:
            group["lr"] = rate
        x, codes, y = batch()
        error = (draft(x, codes)[..., 2:-2, 2:-2] - y)[..., 4:-4, 4:-4]
        optimiser.zero_grad()
        (error.square().mean() + 0.1 * error.abs().mean()).backward()
        torch.nn.utils.clip_grad_norm_(draft.parameters(), 1.0)
        optimiser.step()
