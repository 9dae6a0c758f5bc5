"""Sample grids and first numbers of a model of the demo domain: python benchmarks/demo_grids.py --output DIR

Writes 64 generator samples, 16 held-out portraits with details beside their e4e and SFE inversions, and 16 edits at
three strengths; prints the L2 (mean squared error, pictures in [-1,1]) of both inversions over --count portraits.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sfe_models.checkpoints.load import load_networks, model_path  # noqa: E402
from sfe_models.demo.attributes import sample_portraits  # noqa: E402
from sfe_models.demo.renderer import render  # noqa: E402
from sfe_models.directions.files import bundle_directions  # noqa: E402
from sfe_models.pipeline import Pipeline  # noqa: E402
from sfe_models.training.loop import save_grid  # noqa: E402

# Seeds that training never draws from (it begins at a million).
HELD_OUT = 0
_BATCH = 8


@torch.no_grad()
def inversions(pipeline: Pipeline, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Invert pictures [B,3,H,W] with e4e alone and with SFE."""
    inversion = pipeline.invert(pictures, all_styles=True)
    return pipeline.generate_from(inversion.w_e), pipeline.edit(inversion)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="demo")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    pipeline = Pipeline(load_networks(options.model, torch.float32))
    generator, size = pipeline.networks.generator, pipeline.spec.generator.resolution

    with torch.no_grad():
        z = torch.randn(64, generator.spec.style_dim, generator=torch.Generator().manual_seed(0))
        samples = torch.cat([generator(generator.broadcast(generator.mapping(part))) for part in z.split(_BATCH)])
    save_grid(samples.unflatten(0, (8, 8)), options.output / "samples.png")

    errors, rows = [], []
    for first in range(0, options.count, _BATCH):
        seeds = range(HELD_OUT + first, HELD_OUT + min(first + _BATCH, options.count))
        pictures = render(sample_portraits(list(seeds)), size).image
        made = inversions(pipeline, pictures)
        errors.append(torch.stack([(m - pictures).square().mean(dim=(1, 2, 3)) for m in made]))
        if first < 16:
            rows += [torch.stack([pictures, *made], dim=1).flatten(0, 1)]
    shown = torch.cat(rows)[:48]
    columns = min(12, len(shown))
    shown = shown[: len(shown) // columns * columns]
    save_grid(shown.unflatten(0, (-1, columns)), options.output / "inversions.png")
    e4e, sfe = torch.cat(errors, dim=1).mean(dim=1).tolist()
    print(
        f"L2 over {options.count} held-out portraits with details: e4e {e4e:.5f}, SFE {sfe:.5f}, ratio {e4e / sfe:.1f}"
    )

    rows = []
    for i, direction in enumerate(bundle_directions(model_path(options.model))[:16]):
        inversion = pipeline.invert(render(sample_portraits([HELD_OUT + i]), size).image)
        low, high = direction.info.strength_range
        rows.append(torch.cat([inversion.picture, pipeline.sweep(inversion, direction, [low, high / 2, high])[0]]))
    if rows:
        rows = rows[: len(rows) // 2 * 2]
        save_grid(torch.stack(rows).flatten(0, 1).unflatten(0, (-1, 8)), options.output / "edits.png")


if __name__ == "__main__":
    main()
