"""Where optimisation begins: at the mean of w, or at the best of some samples, at equal seconds.

    python benchmarks/starts.py --photos FOLDER [--aligned] [--model photo] [--count 3] [--steps 60] [--device cuda]

Prints the L2 of the pictures that the found codes make (W, then W+), at the side that codes are found by. The sampled
starts take as many steps fewer as their samples cost.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sfe_models.checkpoints.load import load_networks  # noqa: E402
from sfe_models.checkpoints.places import PHOTO, models_folder  # noqa: E402
from sfe_models.choices import DEVICES  # noqa: E402
from sfe_models.directions.finding.sampling import sample_w  # noqa: E402
from sfe_models.evaluation.one_picture import seconds_on  # noqa: E402
from sfe_models.evaluation.sources import RenderedPeople, open_source  # noqa: E402
from sfe_models.faces.find.detectors import load_detector  # noqa: E402
from sfe_models.pipeline import Pipeline  # noqa: E402
from sfe_models.precision import choose_device  # noqa: E402
from sfe_models.tuning.looks import Look  # noqa: E402
from sfe_models.tuning.optimise import Steps, found_code  # noqa: E402

# What is tried: the mean of w, and the best of so many samples.
SAMPLES = (0, 32, 200)
SIDE = 128


class Starts:
    """One model, and small pictures of codes."""

    def __init__(self, pipeline: Pipeline):
        self.pipeline, self.generator = pipeline, pipeline.networks.generator
        self.look = Look(self.generator, pipeline.spec, SIDE)

    @torch.no_grad()
    def l2(self, code: Tensor, image: Tensor) -> float:
        """Compare the small picture of a code [1,N,D] with that of a picture [1,3,H,W]."""
        made = self.look(self.generator.style_space(code))
        return (made - self.look.seen(image)).square().mean().item()

    def best_of(self, samples: int, image: Tensor) -> Tensor:
        """Sample w, and return the code [1,N,D] whose small picture is nearest."""
        codes = [self.generator.broadcast(w) for w in sample_w(self.generator, samples, 0, 1)]
        return min(codes, key=lambda code: self.l2(code, image))

    def found(self, image: Tensor, samples: int, steps: int, step_seconds: float) -> tuple[float, int, float]:
        """Find a code from one start: (L2, steps, seconds)."""
        device = self.pipeline.networks.device
        started = seconds_on(device)
        start = self.best_of(samples, image) if samples else None
        steps -= round((seconds_on(device) - started) / step_seconds) if samples else 0
        code, _ = found_code(self.pipeline, image, Steps.shared(max(steps, 1), "w+"), start)
        seconds = seconds_on(device) - started
        return self.l2(code, image), max(steps, 1), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", metavar="FOLDER", help="(default: rendered people)")
    parser.add_argument("--aligned", action="store_true", help="the folder holds aligned crops")
    parser.add_argument("--model", default=PHOTO)
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--device", choices=DEVICES, default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(1)
    device = choose_device(options.device)
    pipeline = Pipeline(load_networks(options.model, device=device))
    if options.photos:
        detector = None if options.aligned else load_detector(folders=(models_folder(), Path("models")))
        source = open_source(options.photos, pipeline.spec, options.count, 0, detector=detector)
    else:
        source = RenderedPeople(0, options.count, pipeline.spec)
    starts = Starts(pipeline)
    print("| picture | start | L2 | steps | seconds |\n|---|---|---|---|---|")
    for key in source.keys:
        image, step_seconds = source.read(key)[None].to(device), 0.0
        for samples in SAMPLES:
            l2, steps, seconds = starts.found(image, samples, options.steps, step_seconds)
            step_seconds = step_seconds or seconds / steps
            name = f"best of {samples}" if samples else "mean of w"
            print(f"| {key} | {name} | {l2:.4f} | {steps} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
