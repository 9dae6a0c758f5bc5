"""Ranger: RAdam with gradient centralisation and lookahead (Wright 2019), as little of it as tuning needs.

Training takes it from pytorch_optimizer, an extra that ComfyUI's machines do not have; tuning must run there.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

# Zhang et al. 2019: every _EVERY steps the slow weights go _SHARE of the way to the fast ones.
_EVERY, _SHARE = 6, 0.5


class Ranger(torch.optim.RAdam):
    """Take `step` after `backward`, as of any optimizer of torch."""

    def __init__(self, parameters: Iterable[nn.Parameter], rate: float):
        self.fast = list(parameters)
        super().__init__(self.fast, rate, (0.95, 0.999))
        self.slow = [weight.detach().clone() for weight in self.fast]
        self.count = 0

    @torch.no_grad()
    def step(self) -> None:
        """Centralise the gradients of matrices, step, and look ahead."""
        for weight in self.fast:
            if weight.ndim > 1:
                weight.grad -= _mean_of_rows(weight.grad)
        super().step()
        self.count += 1
        if self.count % _EVERY == 0:
            for slow, fast in zip(self.slow, self.fast, strict=True):
                slow.lerp_(fast, _SHARE)
                fast.copy_(slow)


def _mean_of_rows(gradient: Tensor) -> Tensor:
    return gradient.mean(dim=tuple(range(1, gradient.ndim)), keepdim=True)
