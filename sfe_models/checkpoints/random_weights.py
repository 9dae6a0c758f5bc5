"""Networks with seeded random weights of a sane size, for timing and tests."""

from __future__ import annotations

import torch
from torch import nn

from ..domain import DomainSpec
from ..generators.stylegan2.layers import NoiseStrength, ToRGB
from ..networks import SFENetworks

# Brings the sum of all RGB layers to about [-1, 1].
_RGB_SCALE = 0.15


@torch.no_grad()
def random_networks(spec: DomainSpec, seed: int = 0, folded: bool = True) -> SFENetworks:
    """Draw weights that keep activations near unit size; the same seed gives the same networks.

    BatchNorm gets statistics other than 0 and 1, so that folding it is a real operation.
    """
    networks = SFENetworks.empty(spec).to_empty(device="cpu")
    random = torch.Generator().manual_seed(seed)

    def normal(tensor: torch.Tensor, scale: float, mean: float = 0.0) -> None:
        tensor.normal_(mean, scale, generator=random)

    for module in networks.modules():
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
        elif isinstance(module, NoiseStrength):
            normal(module.weight, 0.05, 0.1)
        elif hasattr(module, "lr_multiplier"):
            normal(module.weight, 1 / module.lr_multiplier)
            module.bias.zero_()
        else:
            for tensor in (*module._parameters.values(), *module._buffers.values()):
                if tensor is not None:
                    normal(tensor, 1.0 if tensor.ndim in (4, 5) else 0.1)
    for name, module in networks.generator.named_modules():
        if name.endswith("modulation"):
            module.bias.fill_(1.0)
        elif name.startswith("to_rgb") and name.endswith(".conv"):
            module.weight.mul_(_RGB_SCALE)
        elif isinstance(module, ToRGB):
            module.bias.zero_()
    networks.requires_grad_(False)
    return networks.fold() if folded else networks
