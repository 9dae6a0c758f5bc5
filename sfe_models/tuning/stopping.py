"""When to stop: a loss that no longer falls."""

from __future__ import annotations

from torch import Tensor

# Falling means: by so large a share of itself within so many steps.
_SHARE, _STEPS = 0.01, 30


class Falling:
    """Asked after every step with the lowest losses so far, [B]: whether that of any picture still falls."""

    def __init__(self):
        self.lowest: list[Tensor] = []

    def __call__(self, lowest: Tensor) -> bool:
        self.lowest.append(lowest.clone())
        if len(self.lowest) <= _STEPS:
            return True
        before = self.lowest[-1 - _STEPS]
        return bool((lowest < (1 - _SHARE) * before).any())
