"""Training of the attribute network on rendered portraits."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..demo.attributes import ATTRIBUTES, NAMES, sample_portraits
from ..demo.renderer import render
from ..perception.attribute_network import AttributeNetwork
from .config import AttributesConfig
from .data import Batch
from .distributed import Processes
from .stage import Stage, make_optimizer, side_by_side


def normalised(values: Tensor) -> Tensor:
    """Bring attribute values [B,A] to [0,1], each from its own range."""
    low = values.new_tensor([a.low for a in ATTRIBUTES])
    high = values.new_tensor([a.high for a in ATTRIBUTES])
    return (values - low) / (high - low)


@torch.no_grad()
def explained_variance(network: AttributeNetwork, seeds: Sequence[int], details: bool, size: int) -> dict[str, float]:
    """Measure R2 of each attribute that a network sees, over rendered portraits of these seeds."""
    predicted, wanted = [], []
    for first in range(0, len(seeds), 16):
        portraits = sample_portraits(seeds[first : first + 16], details)
        predicted.append(network(render(portraits, size).image))
        wanted.append(normalised(portraits.values)[:, [NAMES.index(name) for name in network.names]])
    predicted, wanted = torch.cat(predicted), torch.cat(wanted)
    r2 = 1 - (predicted - wanted).square().mean(dim=0) / wanted.var(dim=0, unbiased=False)
    return dict(zip(network.names, r2.tolist(), strict=True))


class AttributesStage(Stage):
    """Regress the attributes of portraits with details; logs R2 over the batch for the worst attribute."""

    def __init__(self, config: AttributesConfig, device: torch.device, processes: Processes):
        super().__init__(config.run, device, processes)
        self.config = config
        self.network = AttributeNetwork(NAMES, config.widths).to(device, memory_format=torch.channels_last)
        self.networks = {"attributes": self.network}
        self.average("attributes")
        self.optimizers = {"attributes": make_optimizer(config.optimizer, self.network.parameters())}

    def step(self, number: int, batch: Batch) -> dict[str, Tensor]:
        """One step of least squares."""
        self.schedule("attributes", self.config.optimizer, number)
        with self.mixed():
            predicted = self.network(batch.image).float()
        wanted = normalised(batch.attributes)
        squares = (predicted - wanted).square().mean(dim=0)
        squares.mean().backward()
        self.apply_gradients("attributes")
        explained = 1 - squares.detach() / wanted.var(dim=0, unbiased=False).clamp_min(1e-6)
        return {"error": squares.mean(), "r2": explained.mean(), "r2_worst": explained.min()}

    @torch.no_grad()
    def samples(self, batch: Batch) -> Tensor:
        """The pictures, to see what is asked of the network."""
        return side_by_side(batch.image)
