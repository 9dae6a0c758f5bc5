"""What every stage of training has in common: networks, averages and optimizers that are saved, and a step."""

from __future__ import annotations

import abc
import copy
import math

import torch
import torch.nn.functional as F
from pytorch_optimizer import Ranger
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam, Optimizer

from ..precision import native_precision
from .config import OptimizerConfig
from .data import Batch
from .distributed import Processes
from .errors import ConfigError


class Stage(abc.ABC):
    """One stage of training.

    networks: what is trained, saved and broadcast; averages: exponential averages of some of them; optimizers:
    their state is saved. A subclass fills them in its constructor and writes `step` and `samples`.
    """

    def __init__(self, run, device: torch.device, processes: Processes):
        self.run, self.device, self.processes = run, device, processes
        self.networks: dict[str, nn.Module] = {}
        self.averages: dict[str, nn.Module] = {}
        self.optimizers: dict[str, Optimizer] = {}

    @abc.abstractmethod
    def step(self, number: int, batch: Batch) -> dict[str, Tensor]:
        """Take step `number`, from 0, on this process's part of the batch; return numbers to log."""

    @abc.abstractmethod
    def samples(self, batch: Batch) -> Tensor:
        """Draw rows of pictures for people to look at: [rows,columns,3,H,W] in [-1,1]."""

    def average(self, name: str) -> None:
        """Keep an exponential average of a network, if the run wants one."""
        if self.run.ema_halflife:
            self.averages[name] = copy.deepcopy(self.networks[name]).eval().requires_grad_(False)

    def averaged(self, name: str) -> nn.Module:
        """Return the averaged network, or the network itself without averaging."""
        return self.averages.get(name, self.networks[name])

    @torch.no_grad()
    def update_averages(self, step: int) -> None:
        """Move the averages towards the networks; early in the run faster, so that the start is forgotten."""
        if not self.averages:
            return
        pictures = (step + 1) * self.run.batch
        decay = 0.5 ** (self.run.batch / min(self.run.ema_halflife, max(1, 0.05 * pictures)))
        for name, average in self.averages.items():
            network = self.networks[name]
            torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)
            for target, source in zip(average.buffers(), network.buffers(), strict=True):
                target.copy_(source)

    def compiled(self, function):
        """Fuse a function of tensors with torch.compile, if the run wants that; not for second derivatives."""
        return torch.compile(function, dynamic=False, fullgraph=True) if self.run.compile else function

    def mixed(self) -> torch.autocast:
        """Compute in the run's dtype."""
        return torch.autocast(
            self.device.type, torch.bfloat16, enabled=native_precision(self.run.precision, self.device) == "bf16"
        )

    def apply_gradients(self, name: str) -> None:
        """Average an optimizer's gradients over the processes and take its step."""
        optimizer = self.optimizers[name]
        self.processes.average_gradients(p for group in optimizer.param_groups for p in group["params"])
        if self.run.clip:
            clip_grad_norm_((p for group in optimizer.param_groups for p in group["params"]), self.run.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    def schedule(self, name: str, config: OptimizerConfig, step: int) -> None:
        """Set an optimizer's learning rate for this step; a group of parameters may have a "factor" on it."""
        for group in self.optimizers[name].param_groups:
            group["lr"] = config.lr * decay_factor(step, self.run.steps, config.decay) * group.get("factor", 1.0)

    def extra_state(self) -> dict:
        """Return what else a resumed run needs; tensors and plain values."""
        return {}

    def load_extra_state(self, state: dict) -> None:  # noqa: B027  most stages have nothing to take
        """Take back what `extra_state` gave."""

    def state(self) -> dict:
        """Return everything that is saved."""
        return {
            "networks": {name: network.state_dict() for name, network in self.networks.items()},
            "averages": {name: network.state_dict() for name, network in self.averages.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "extra": self.extra_state(),
        }

    def load_state(self, state: dict) -> None:
        """Take back what `state` gave."""
        for kind in ("networks", "averages", "optimizers"):
            for name, part in getattr(self, kind).items():
                part.load_state_dict(state[kind][name])
        self.load_extra_state(state["extra"])


def decay_factor(step: int, steps: int, decay: float) -> float:
    """Return 1, falling to 0 along a cosine over the last `decay` share of the steps."""
    first = steps * (1 - decay)
    if not decay or step <= first:
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (step - first) / (steps - first)))


def make_optimizer(config: OptimizerConfig, parameters) -> Optimizer:
    """Make an optimizer over parameters or groups. Raises ConfigError for an unknown name."""
    if config.name == "adam":
        return Adam(parameters, config.lr, config.betas)
    if config.name == "ranger":
        # Before RAdam's variance is known: SGD with momentum, as published; without it, five steps uphill.
        return Ranger(parameters, config.lr, config.betas, degenerated_to_sgd=True)
    raise ConfigError(f"There is no optimizer {config.name!r}; expected 'ranger' or 'adam'.")


def side_by_side(*columns: Tensor, per_row: int = 4) -> Tensor:
    """Arrange pictures [B,3,H,W] beside what belongs to them, several to a row: [rows,columns,3,H,W].

    What is larger is brought to the first column's size by area averaging.
    """
    size = columns[0].shape[2:]
    together = torch.stack([F.adaptive_avg_pool2d(c.float(), size) for c in columns], dim=1)
    per_row = min(per_row, len(together))
    together = together[: len(together) // per_row * per_row]
    return together.flatten(0, 1).unflatten(0, (-1, per_row * len(columns)))
