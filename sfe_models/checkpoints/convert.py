"""Convert what others published into a bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from .bundle import NO_DIRECTIONS, bundle_attached, save_bundle
from .containers import sniff
from .load import load_networks, model_path
from .weights import NVIDIA_TERMS


def convert(
    source: Path | str,
    output: Path | str,
    dtype: torch.dtype,
    first_styles: bool = False,
    subject: str | None = None,
) -> Path:
    """Load any source of `load_networks` and write a bundle in `dtype`; directions of a bundle go along.

    first_styles: leave out the e4e style heads that delta does not need (half of that encoder); directions
    that read all layers, such as the StyleCLIP mappers, then cannot be used. subject: what the model shows, for one
    that does not say.
    """
    networks = load_networks(source)
    if first_styles:
        networks.keep_e4e_styles(networks.spec.delta_styles)
    networks.cast(dtype)
    networks.spec = replace(networks.spec, subject=subject or networks.spec.subject)
    terms = NVIDIA_TERMS if networks.spec.name == "ffhq-1024" else ""
    path = model_path(source)
    directions = bundle_attached(path) if path.is_file() and sniff(path).kind == "safetensors" else NO_DIRECTIONS
    return save_bundle(networks, output, f"Converted from {Path(str(source)).name}. {terms}".strip(), directions)
