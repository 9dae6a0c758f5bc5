"""How many faces go through the networks at once, and how many threads read and write."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch

from ..domain import DomainSpec
from ..memory import pictures_at_once

# More threads than these keep no GPU busier, and each has a photo at hand.
_MOST_THREADS = 8


@dataclass(frozen=True)
class Pace:
    """faces: how many go through the networks at once; threads: how many read, and how many write.

    cores: of each of those threads; 0: as many as torch takes for everything.
    """

    faces: int = 1
    threads: int = 1
    cores: int = 0


def usual_pace(spec: DomainSpec, device: torch.device, gradients: bool = False) -> Pace:
    """Choose by the machine: on a CPU one of each, since who reads takes from who computes; else by what is free."""
    faces = pictures_at_once(spec, device, gradients)
    if device.type == "cpu":
        return Pace(faces)
    cores = _own_cores()
    threads = max(1, min(_MOST_THREADS, cores // 2))
    return Pace(faces, threads, max(1, cores // (2 * threads)))


def _own_cores() -> int:
    """Cores for this process, which shares the machine with the others that torchrun started."""
    affinity = getattr(os, "sched_getaffinity", None)  # Unix alone
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, cores // max(1, int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))
