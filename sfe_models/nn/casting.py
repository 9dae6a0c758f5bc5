"""Networks whose tensors stand in several types."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def cast_floats(network: nn.Module, dtype_of: Callable[[str, Tensor], torch.dtype]) -> None:
    """Give every floating point parameter and buffer the type that `dtype_of` says for its name, in place.

    Those that stand in it already stay the same objects.
    """
    for prefix, module in network.named_modules():
        for tensors in (module._parameters, module._buffers):
            for key, tensor in tensors.items():
                if tensor is None or not tensor.is_floating_point():
                    continue
                dtype = dtype_of(f"{prefix}.{key}", tensor)
                if tensor.dtype != dtype:
                    moved = tensor.detach().to(dtype)
                    is_parameter = isinstance(tensor, nn.Parameter)
                    tensors[key] = nn.Parameter(moved, tensor.requires_grad) if is_parameter else moved
