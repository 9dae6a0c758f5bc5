"""Time the stages of one model on one device: the numbers behind `python -m sfe_models benchmark`."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import torch
from tqdm import tqdm

from ..checkpoints.load import load_networks
from ..directions.base import DirectionInfo
from ..directions.families.linear import LinearDirection
from ..domain import DomainSpec
from ..pipeline import Pipeline

MEASURES = {
    "load": "load the model",
    "invert": "invert a picture",
    "first_edit": "first edit of a new picture (with its inversion)",
    "further_edit": "further edit of the same picture",
    "fine_edit": "further edit of fine layers only (delta = 0)",
    "sweep_8": "sweep of 8 strengths",
}


@dataclass(frozen=True)
class Benchmark:
    """Median seconds by measure, and the peak memory of the process (CPU) or the device in bytes, None if unknown."""

    seconds: dict[str, float]
    peak_memory_bytes: int | None


def benchmark_directions(spec: DomainSpec) -> tuple[LinearDirection, LinearDirection]:
    """Make two seeded directions of norm 1 a layer: one of all layers, one of those that leave delta at 0."""
    random = torch.Generator().manual_seed(0)
    vector = torch.nn.functional.normalize(
        torch.randn(spec.n_styles, spec.generator.style_dim, generator=random), dim=1
    )
    fine = vector.clone()
    fine[: spec.feature_layer + 1] = 0
    return (
        LinearDirection(DirectionInfo("benchmark", "seeded", spec.subject), vector),
        LinearDirection(DirectionInfo("benchmark fine", "seeded", spec.subject), fine),
    )


def peak_memory(device: torch.device) -> int | None:
    """Return the largest memory so far, in bytes: allocated on CUDA, else resident in the process.

    None where nobody says it: Windows does to psutil alone.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ModuleNotFoundError:
        if find_spec("psutil") is None:
            return None
        import psutil

        return getattr(psutil.Process().memory_info(), "peak_wset", None)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def time_stages(model: str, dtype: torch.dtype, device: torch.device, repeats: int = 5) -> Benchmark:
    """Time each measure `repeats` times after a warm-up, batch 1, on a seeded random picture."""
    started = time.perf_counter()
    networks = load_networks(model, dtype, device)
    _synchronize(device)
    times = {"load": [time.perf_counter() - started]}
    pipeline, spec = Pipeline(networks), networks.spec
    random = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, *spec.picture_size, generator=random).to(device) * 2 - 1
    direction, fine = benchmark_directions(spec)
    inversion = pipeline.invert(image)
    pipeline.edit(inversion, [(fine, 1.0)])
    strengths = torch.linspace(-5, 5, 8).tolist()
    measures: dict[str, Callable[[int], object]] = {
        "invert": lambda i: pipeline.invert(image),
        "first_edit": lambda i: pipeline.edit(image, [(direction, 1.0 + i)]),
        "further_edit": lambda i: pipeline.edit(inversion, [(direction, 2.0 + i)]),
        "fine_edit": lambda i: pipeline.edit(inversion, [(fine, 2.0 + i)]),
        "sweep_8": lambda i: pipeline.sweep(inversion, direction, strengths),
    }
    with tqdm(total=len(measures) * (repeats + 1), desc="benchmark", leave=False) as bar:
        for name, run in measures.items():
            times[name] = []
            for i in range(repeats + 1):
                _synchronize(device)
                started = time.perf_counter()
                run(i)
                _synchronize(device)
                if i:  # the first is the warm-up
                    times[name].append(time.perf_counter() - started)
                bar.update()
    medians = {name: statistics.median(values) for name, values in times.items()}
    return Benchmark(medians, peak_memory(device))
