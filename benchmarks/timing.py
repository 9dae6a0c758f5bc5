"""Timing that stands a noisy machine: everything to compare takes turns within one run."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping


def take_turns(cases: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Run every case once untimed, then `repeats` rounds of all cases in turn. Returns seconds by case."""
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(repeats + 1):
        for name, run in cases.items():
            gc.collect()
            start = time.perf_counter()
            run()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def medians(cases: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of every case; see `take_turns`."""
    return {name: statistics.median(values) for name, values in take_turns(cases, repeats).items()}
