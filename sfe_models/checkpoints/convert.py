"""Convert what others published into a bundle."""

from __future__ import annotations

from pathlib import Path

import torch

from .bundle import save_bundle
from .load import load_networks
from .weights import NVIDIA_TERMS


def convert(source: Path | str, output: Path | str, dtype: torch.dtype, first_styles: bool = False) -> Path:
    """Load any source of `load_networks` and write a bundle in `dtype`.

    first_styles: leave out the e4e style heads that delta does not need (half of that encoder); directions
    that read all layers, such as the StyleCLIP mappers, then cannot be used.
    """
    networks = load_networks(source)
    if first_styles:
        networks.keep_e4e_styles(networks.spec.delta_styles)
    networks.cast(dtype)
    terms = NVIDIA_TERMS if networks.spec.name == "ffhq-1024" else ""
    return save_bundle(networks, output, f"Converted from {Path(str(source)).name}. {terms}".strip())
