"""Networks with seeded random weights of a sane size, for timing and tests."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..domain import DomainSpec
from ..generators.stylegan2.layers import EqualizedLinear
from ..networks import SFENetworks


@torch.no_grad()
def random_networks(spec: DomainSpec, seed: int = 0, folded: bool = True) -> SFENetworks:
    """Draw weights that keep activations near unit size; the same seed gives the same networks.

    BatchNorm gets statistics other than 0 and 1, so that folding it is a real operation.
    """
    networks = SFENetworks.empty(spec).to_empty(device="cpu")
    random = torch.Generator().manual_seed(seed)
    networks.generator.draw_weights(random)
    for network in (networks.e4e_encoder, networks.inverter, networks.feature_editor):
        for module in network.modules():
            _draw(module, random)
    return networks.fold() if folded else networks


def _draw(module: nn.Module, random: torch.Generator) -> None:
    def normal(tensor: Tensor, scale: float, mean: float = 0.0) -> None:
        tensor.normal_(mean, scale, generator=random)

    if isinstance(module, nn.BatchNorm2d):
        normal(module.running_mean, 0.1)
        module.running_var.uniform_(0.75, 1.25, generator=random)
        normal(module.weight, 0.1, 0.6)
        normal(module.bias, 0.1)
        module.num_batches_tracked.zero_()
    elif isinstance(module, nn.Conv2d | nn.Linear):
        normal(module.weight, module.weight[0].numel() ** -0.5)
        if module.bias is not None:
            normal(module.bias, 0.1)
    elif isinstance(module, nn.PReLU):
        normal(module.weight, 0.05, 0.25)
    elif isinstance(module, EqualizedLinear):
        normal(module.weight, 1 / module.lr_multiplier)
        module.bias.zero_()
