"""Time inversion and edits: the published way, ours in float32, ours in the format that `auto` chooses.

    python benchmarks/speed.py [--model random:ffhq-1024] [--repeats 5] [--threads N] [--json FILE]

The ways take turns in one run; the table shows medians. Random weights: the time does not depend on them.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import published_way  # noqa: E402
from timing import take_turns  # noqa: E402

from sfe_models.checkpoints.random_weights import random_networks  # noqa: E402
from sfe_models.directions.families.linear import LinearDirection  # noqa: E402
from sfe_models.domain import DOMAINS  # noqa: E402
from sfe_models.evaluation.speed import benchmark_directions  # noqa: E402
from sfe_models.pipeline import Pipeline  # noqa: E402
from sfe_models.precision import choose_dtype  # noqa: E402

STRENGTH = 1.5
SWEEP = (-2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0)
# Each of our rows, and what the published code computes for the same result: (times "invert", times "edit").
ROWS = {
    "invert": (1, 0),
    "invert, with the inversion's picture": (1, 0),
    "first edit of a new picture": (1, 1),
    "further edit": (0, 1),
    "further edit, fine layers only": (0, 1),
    f"sweep of {len(SWEEP)} strengths": (0, len(SWEEP)),
}


def our_cases(
    pipeline: Pipeline, image: Tensor, coarse: LinearDirection, fine: LinearDirection
) -> dict[str, Callable[[], object]]:
    """List what is timed of ours, in the order of ROWS."""
    inversion = pipeline.invert(image)
    runs = (
        lambda: pipeline.invert(image),
        lambda: pipeline.edit(image),
        lambda: pipeline.edit(image, [(coarse, STRENGTH)]),
        lambda: pipeline.edit(inversion, [(coarse, STRENGTH)]),
        lambda: pipeline.edit(inversion, [(fine, STRENGTH)]),
        lambda: pipeline.sweep(inversion, coarse, SWEEP),
    )
    return dict(zip(ROWS, runs, strict=True))


def relative_error(ours: Tensor, reference: Tensor) -> float:
    """||ours - reference|| / ||reference||."""
    return ((ours - reference).norm() / reference.norm()).item()


def table(ways: dict[str, str], medians: dict[str, float]) -> str:
    """Format Markdown: seconds and how many times faster than the published way."""
    heads = [f"{title}, s | times faster" for title in ways.values()]
    lines = [f"| | published way, s | {' | '.join(heads)} |", "|---" * (2 + 2 * len(ways)) + "|"]
    for row, (inverts, edits) in ROWS.items():
        reference = inverts * medians["published invert"] + edits * medians["published edit"]
        cells = [f"{medians[f'{way} {row}']:.2f} | {reference / medians[f'{way} {row}']:.1f}" for way in ways]
        lines.append(f"| {row} | {reference:.2f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    names = [f"random:{name}" for name, spec in DOMAINS.items() if spec.delta_layer == spec.feature_layer]
    parser.add_argument("--model", default="random:ffhq-1024", choices=names)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, help="default: as many as torch takes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all seconds and facts")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)

    spec = DOMAINS[arguments.model.removeprefix("random:")]
    coarse, fine = benchmark_directions(spec)
    image = torch.rand(1, 3, *spec.picture_size, generator=torch.Generator().manual_seed(1)) * 2 - 1
    published = published_way.as_published(random_networks(spec, folded=False))
    networks = {"float32": random_networks(spec)}
    ways, auto = {"float32": "ours in float32"}, choose_dtype("auto", torch.device("cpu"))
    if auto != torch.float32:
        networks["auto"] = copy.deepcopy(networks["float32"]).cast(auto)
        ways["auto"] = f"ours in auto ({str(auto).removeprefix('torch.')})"
    pipelines = {way: Pipeline(model) for way, model in networks.items()}

    found = published_way.invert(published, image)
    reference = published_way.edit(published, found, coarse, [STRENGTH])[0]
    errors = {
        way: {
            "inversion": relative_error(pipeline.edit(image), found.image),
            "edit": relative_error(pipeline.edit(image, [(coarse, STRENGTH)]), reference),
        }
        for way, pipeline in pipelines.items()
    }
    cases = {
        "published invert": lambda: published_way.invert(published, image),
        "published edit": lambda: published_way.edit(published, found, coarse, [STRENGTH]),
    }
    for way, pipeline in pipelines.items():
        cases |= {f"{way} {row}": run for row, run in our_cases(pipeline, image, coarse, fine).items()}
    seconds = take_turns(cases, arguments.repeats)
    medians = {name: statistics.median(values) for name, values in seconds.items()}

    facts = {
        "model": arguments.model,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "auto": str(auto).removeprefix("torch."),
        "repeats": arguments.repeats,
    }
    print(table(ways, medians))
    print("\n" + ", ".join(f"{name}: {value}" for name, value in facts.items()))
    for way, error in errors.items():
        print(
            f"{ways[way]} against the published way, relative error: "
            + ", ".join(f"{name} {value:.1e}" for name, value in error.items())
        )
    spread = max(max(values) / min(values) for values in seconds.values())
    print(f"slowest / fastest repeat of one case: at most {spread:.2f}")
    if arguments.json:
        result = {"facts": facts, "relative_errors": errors, "medians": medians, "seconds": seconds}
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
