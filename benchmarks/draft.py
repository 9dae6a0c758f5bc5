"""Say how near the packaged draft of `photo` is to the pictures it stands for, and how fast; or train it anew.

python benchmarks/draft.py [--people 12] [--threads 1]
python benchmarks/draft.py --train OUTPUT [--samples 3500] [--inverted 40] [--steps 3000]
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sfe_models.checkpoints.load import load_generator, load_networks  # noqa: E402
from sfe_models.checkpoints.places import PHOTO, photo_bundle  # noqa: E402
from sfe_models.directions.files import bundle_directions  # noqa: E402
from sfe_models.generators.mobilestylegan.draft import Draft  # noqa: E402
from sfe_models.generators.mobilestylegan.generator import MobileStyleGAN  # noqa: E402
from sfe_models.photo.draft import draft_of, save_draft  # noqa: E402
from sfe_models.pipeline import Pipeline  # noqa: E402
from sfe_models.training.draft import draw_person, train_draft  # noqa: E402


@torch.no_grad()
def measured(generator: MobileStyleGAN, draft: Draft, people: int) -> None:
    random, errors, early, rest = torch.Generator().manual_seed(99), [], [], []
    for _ in range(people):
        styles, state = draw_person(generator, random)
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
        pipeline, directions = Pipeline(load_networks(PHOTO)), bundle_directions(photo_bundle())
        draft = train_draft(pipeline, directions, arguments.samples, arguments.inverted, arguments.steps)
        save_draft(draft, generator, arguments.train)
    measured(generator, draft, arguments.people)


if __name__ == "__main__":
    main()
