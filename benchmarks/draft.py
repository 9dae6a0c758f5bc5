"""Say how near the packaged draft of `photo` is to the pictures it stands for, and how fast; or train it anew.

    python benchmarks/draft.py [--people 12] [--threads 1]
    python benchmarks/draft.py --train OUTPUT [--samples 3500] [--inverted 40] [--steps 3000]

Training: people with seeded codes, two mixed at a random latent, at truncations from 0.5 to 1; of each, two parts of
F_k of 16 x 16 are run on by themselves, which gives features and picture for a sixteenth of the cost. Least squares
on those, AdamW. Then half of each batch are parts of whole people whose pictures the model inverted and edited, as
it does with photographs. Later styles go in by their first 64 principal components, folded into the weights.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sfe_models.checkpoints.load import load_generator, load_networks  # noqa: E402
from sfe_models.checkpoints.places import PHOTO, photo_bundle  # noqa: E402
from sfe_models.directions.base import Direction  # noqa: E402
from sfe_models.directions.files import bundle_directions  # noqa: E402
from sfe_models.generators.base import StyleSpace, SynthesisState  # noqa: E402
from sfe_models.generators.mobilestylegan.draft import Draft  # noqa: E402
from sfe_models.generators.mobilestylegan.generator import MobileStyleGAN  # noqa: E402
from sfe_models.photo.draft import draft_of, save_draft  # noqa: E402
from sfe_models.pipeline import Pipeline  # noqa: E402

# Where F_k stands; side of a part of it, and what the edges of a part make wrong in its features and its picture.
K, PART, FEATURES_EDGE, PICTURE_EDGE = 13, 16, 3, 8
COMPONENTS, BATCH, RATE = 64, 16, 3e-3


def person(generator: MobileStyleGAN, random: torch.Generator) -> tuple[StyleSpace, SynthesisState]:
    truncation = 0.5 + 0.5 * torch.rand(1, generator=random).item()
    w = generator.broadcast(generator.mapping(torch.randn(2, 512, generator=random), truncation))
    cut = int(torch.randint(1, 2 * generator.spec.n_styles, (1,), generator=random))
    styles = generator.style_space(torch.cat([w[:1, :cut], w[1:, cut:]], dim=1))
    return styles, generator.run(generator.start(1), styles, K)


def samples(generator: MobileStyleGAN, draft: Draft, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Features [2n,256,26,26] in float16, later styles [2n,S], pictures [2n,3,48,48] in float16."""
    random, found = torch.Generator().manual_seed(7), []
    inner, seen = slice(FEATURES_EDGE, -FEATURES_EDGE), slice(PICTURE_EDGE, -PICTURE_EDGE)
    for _ in range(count):
        styles, state = person(generator, random)
        for _ in range(2):
            top, left = torch.randint(0, 64 - PART + 1, (2,), generator=random).tolist()
            part = SynthesisState(K, state.features[:, :, top : top + PART, left : left + PART])
            window = top / 64, left / 64
            at = generator.run(part, styles, draft.layer, window=window)
            picture = F.avg_pool2d(generator.picture(generator.run(at, styles, window=window)), 4)
            found.append((at.features[..., inner, inner].half(), draft.later(styles), picture[..., seen, seen].half()))
    return tuple(torch.cat(parts) for parts in zip(*found, strict=True))


def inverted(pipeline: Pipeline, draft: Draft, count: int, directions: Sequence[Direction]) -> list[tuple[Tensor, ...]]:
    """People whose pictures were inverted and edited: features, later styles and picture of each, as `samples`."""
    random, generator, found = torch.Generator().manual_seed(1), pipeline.networks.generator, []
    for _ in range(count):
        styles, _ = person(generator, random)
        inversion = pipeline.invert(generator.synthesize(styles).clamp(-1, 1))
        direction = directions[int(torch.randint(len(directions), (1,), generator=random))]
        edit = pipeline.apply_direction(inversion, direction, 6 * torch.rand(1, generator=random).item() - 3)
        features = pipeline.feature_edit(pipeline.compute_delta(edit))
        styles = generator.style_space(edit.w)
        at = generator.run(SynthesisState(K, features.F_k), styles, draft.layer)
        picture = F.adaptive_avg_pool2d(generator.picture(generator.run(at, styles)), draft.side)
        found.append((at.features.half(), draft.later(styles), picture.half()))
    return found


def part_of(whole: tuple[Tensor, ...], random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    top, left = torch.randint(0, whole[0].shape[2] - 25, (2,), generator=random).tolist()
    pixels = slice(2 * top + 2, 2 * top + 50), slice(2 * left + 2, 2 * left + 50)
    return whole[0][..., top : top + 26, left : left + 26], whole[1], whole[2][..., pixels[0], pixels[1]]


def trained(
    draft: Draft, parts: tuple[Tensor, Tensor, Tensor], wholes: Sequence[tuple[Tensor, ...]], steps: int
) -> Draft:
    """Train a draft from seeded weights: on `parts`, then as long on parts of `wholes` too."""
    features, later, pictures = parts
    mean = later[::2].mean(dim=0)
    _, sizes, vectors = torch.linalg.svd(later[::2] - mean, full_matrices=False)
    components = vectors[:COMPONENTS].T / (sizes[:COMPONENTS] / len(later[::2]) ** 0.5)
    whole, draft.modulation = draft.modulation, torch.nn.Linear(COMPONENTS, draft.modulation.out_features)
    torch.nn.init.zeros_(draft.modulation.weight)
    torch.nn.init.zeros_(draft.modulation.bias)
    with torch.no_grad():
        draft.first.weight /= features[:200].float().square().mean(dim=(0, 2, 3)).sqrt()[:, None, None]
    random = torch.Generator().manual_seed(0)

    def batch(of_wholes: int) -> list[Tensor]:
        some = torch.randint(len(features), (BATCH - of_wholes,), generator=random)
        found = [(features[i : i + 1], later[i : i + 1], pictures[i : i + 1]) for i in some.tolist()]
        chosen = torch.randint(max(len(wholes), 1), (of_wholes,), generator=random).tolist()
        found += [part_of(wholes[i], random) for i in chosen]
        x, codes, y = (torch.cat(values).float() for values in zip(*found, strict=True))
        return [x, (codes - mean) @ components, y]

    minimise(draft, lambda: batch(0), steps, RATE)
    if wholes:
        minimise(draft, lambda: batch(BATCH // 2), steps, RATE / 2)
    with torch.no_grad():
        whole.weight.copy_(draft.modulation.weight @ components.T)
        whole.bias.copy_(draft.modulation.bias - whole.weight @ mean)
    draft.modulation = whole
    return draft


def minimise(draft: Draft, batch: Callable[[], list[Tensor]], steps: int, most: float) -> None:
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


def measured(generator: MobileStyleGAN, draft: Draft, people: int) -> None:
    random, errors, early, rest = torch.Generator().manual_seed(99), [], [], []
    for _ in range(people):
        styles, state = person(generator, random)
        start = time.perf_counter()
        at = generator.run(state, styles, draft.layer)
        made = draft(at.features, draft.later(styles))
        early.append(time.perf_counter() - start)
        picture = generator.picture(generator.run(at, styles))
        rest.append(time.perf_counter() - start)
        errors.append((made - F.adaptive_avg_pool2d(picture, draft.side)).square().mean().item())
    mean, worst = (-10 * math.log10(error / 4) for error in (sum(errors) / people, max(errors)))
    half = people // 2
    print(f"{people} people, {draft.side} px: PSNR {mean:.1f} dB, worst {worst:.1f} dB")
    print(f"from F_k: draft {sorted(early)[half]:.3f} s, whole picture {sorted(rest)[half]:.3f} s")


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--train", metavar="OUTPUT")
    parser.add_argument("--samples", type=int, default=3500)
    parser.add_argument("--inverted", type=int, default=40)
    parser.add_argument("--steps", type=int, default=3000)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    generator = load_generator(PHOTO)
    draft = draft_of(generator)
    if arguments.train:
        torch.manual_seed(0)
        draft = Draft(generator.spec)
        pipeline, directions = Pipeline(load_networks(PHOTO)), bundle_directions(photo_bundle())
        parts = samples(generator, draft, arguments.samples)
        wholes = inverted(pipeline, draft, arguments.inverted, directions)
        with torch.enable_grad():
            draft = trained(draft, parts, wholes, arguments.steps)
        save_draft(draft, generator, arguments.train)
    measured(generator, draft, arguments.people)


if __name__ == "__main__":
    main()
