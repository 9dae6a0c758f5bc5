"""Several processes that train one network on parts of one batch, started by `torchrun`.

Every loss here backpropagates more than once a step and some through gradients (R1, path length), so gradients are
averaged by hand once they are complete, as StyleGAN2-ADA does, instead of by DistributedDataParallel's hooks.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class Processes:
    """This process among all of them. rank 0 writes files and speaks."""

    rank: int = 0
    world: int = 1

    @staticmethod
    def start(device: torch.device) -> Processes:
        """Join the group that `torchrun` describes in the environment; alone without one."""
        if "RANK" not in os.environ or int(os.environ.get("WORLD_SIZE", "1")) == 1:
            return Processes()
        if not dist.is_initialized():
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        return Processes(dist.get_rank(), dist.get_world_size())

    def part(self, batch: int) -> slice:
        """Return this process's part of a batch, whose size must be divisible by the number of processes."""
        if batch % self.world:
            raise ValueError(f"A batch of {batch} cannot be split among {self.world} processes; change run.batch.")
        share = batch // self.world
        return slice(self.rank * share, (self.rank + 1) * share)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over the processes."""
        if self.world > 1:
            self._average([p.grad for p in parameters if p.grad is not None])

    def average_buffers(self, modules: Iterable[nn.Module]) -> None:
        """Replace floating-point buffers (BatchNorm's statistics) by their means over the processes."""
        if self.world > 1:
            self._average([b for m in modules for b in m.buffers() if b.is_floating_point()])

    def broadcast(self, modules: Iterable[nn.Module]) -> None:
        """Give every process the weights of rank 0."""
        if self.world > 1:
            for module in modules:
                for tensor in module.state_dict().values():
                    dist.broadcast(tensor, 0)

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of a number over the processes."""
        if self.world > 1:
            value = value.clone()
            self._average([value])
        return value

    def gather(self, value: Tensor) -> Tensor:
        """Join the tensors of all processes along their first dimension."""
        if self.world == 1:
            return value
        parts = [torch.empty_like(value) for _ in range(self.world)]
        dist.all_gather(parts, value.contiguous())
        return torch.cat(parts)

    def _average(self, tensors: list[Tensor]) -> None:
        if not tensors:
            return
        flat = torch.cat([t.flatten() for t in tensors])
        dist.all_reduce(flat)
        flat /= self.world
        for tensor, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def stop(self) -> None:
        """Leave the group."""
        if self.world > 1:
            dist.destroy_process_group()
