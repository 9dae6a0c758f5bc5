"""BatchNorm folded into the convolutions around it: the same numbers with fewer passes over memory."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Affine(nn.Module):
    """Scale and shift every channel: what is left of a BatchNorm with no convolution before it."""

    def __init__(self, weight: Tensor, bias: Tensor):
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight, False), nn.Parameter(bias, False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.addcmul(self.bias[:, None, None], x, self.weight[:, None, None])


def _scale_and_shift(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """BatchNorm in eval mode as x * scale + shift, in float64."""
    if norm.weight.is_meta:  # the shapes alone: arithmetic there imports torch's compiler, see `initial`
        return norm.weight.double(), norm.bias.double()
    scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    return scale, norm.bias.double() - norm.running_mean.double() * scale


def _fold_into(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    """Give `conv` the BatchNorm that follows it."""
    scale, shift = _scale_and_shift(norm)
    dtype = conv.weight.dtype
    wide = torch.promote_types(dtype, torch.float32)
    if not conv.weight.is_meta:
        if conv.bias is not None:
            shift = shift + conv.bias.double() * scale
        conv.weight = nn.Parameter((conv.weight * scale.to(wide)[:, None, None, None]).to(dtype), False)
    conv.bias = nn.Parameter(shift.to(wide), False)


@torch.no_grad()
def fold_batchnorm(network: nn.Module) -> nn.Module:
    """Fold every BatchNorm2d of `network`, in place, and return it in eval mode without gradients.

    One after a convolution goes into its weight and bias and becomes an Identity; one before a convolution
    becomes an `Affine` (zero padding forbids more). A module says which of its children follow each other in
    `forward` by being an nn.Sequential, or with an attribute `sequence` of their names. Works on the meta device
    too, which gives the folded structure without numbers.
    """
    for module in list(network.modules()):
        names = getattr(module, "sequence", None) or (
            list(module._modules) if isinstance(module, nn.Sequential) else ()
        )
        previous: nn.Module | None = None
        for name in names:
            child = module._modules[name]
            if isinstance(child, nn.BatchNorm2d):
                if isinstance(previous, nn.Conv2d):
                    _fold_into(previous, child)
                    module._modules[name] = nn.Identity()
                else:
                    scale, shift = _scale_and_shift(child)
                    dtype = child.weight.dtype
                    module._modules[name] = Affine(scale.to(dtype), shift.to(dtype))
            previous = child
    if any(isinstance(m, nn.BatchNorm2d) for m in network.modules()):
        raise TypeError(f"{type(network).__name__} has a BatchNorm2d outside a sequence; it cannot be folded.")
    return network.eval().requires_grad_(False)
