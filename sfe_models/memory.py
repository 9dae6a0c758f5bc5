"""How much memory a picture takes on its way through the networks, and how many go there together."""

from __future__ import annotations

import torch

from .domain import DomainSpec

# Layers of the generator's last resolution that are alive at once, in float32.
_LIVE_LAYERS = 8
# Gradients keep every layer of a picture.
GRADIENTS = 4
# The part of the free memory of a GPU that is used, and where more pictures at once gain nothing.
_USED, _MOST = 0.7, 16
# Of devices that share the machine's memory and do not say what is free.
_SHARED_MEMORY = 4


def picture_bytes(spec: DomainSpec, gradients: bool = False) -> int:
    """Estimate the bytes that one picture takes; too high for half precision."""
    generator = spec.generator
    last = generator.layer_channels(generator.n_layers) * generator.layer_resolution(generator.n_layers) ** 2
    return _LIVE_LAYERS * 4 * last * (GRADIENTS if gradients else 1)


def pictures_at_once(spec: DomainSpec, device: torch.device, gradients: bool = False) -> int:
    """Say how many pictures are worth computing together: 1 on a CPU, on a GPU as many as its free memory holds."""
    if device.type == "cpu":
        return 1
    if device.type != "cuda":
        return _SHARED_MEMORY
    free, _ = torch.cuda.mem_get_info(device)
    return max(1, min(_MOST, int(_USED * free / picture_bytes(spec, gradients))))
