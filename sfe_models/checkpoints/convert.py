"""Convert what others published into a bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from ..domain import BareGenerator
from .bundle import NO_DIRECTIONS, bundle_attached, save_bundle, save_generator
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

    A generator alone is written as one.

    first_styles: leave out the e4e style heads that delta does not need (half of that encoder); directions
    that read all layers, such as the StyleCLIP mappers, then cannot be used. subject: what the model shows, for one
    that does not say.
    """
    networks = load_networks(source)
    if not networks.spec.has_encoders:
        spec = networks.spec
        about = BareGenerator(spec.name, spec.generator, subject or spec.subject)
        return save_generator(networks.cast(dtype).generator, about, output, _converted(source, spec.name))
    if first_styles:
        networks.keep_e4e_styles(networks.spec.delta_styles)
    networks.cast(dtype)
    networks.spec = replace(networks.spec, subject=subject or networks.spec.subject)
    path = model_path(source)
    directions = bundle_attached(path) if path.is_file() and sniff(path).kind == "safetensors" else NO_DIRECTIONS
    return save_bundle(networks, output, _converted(source, networks.spec.name), directions)


def _converted(source: Path | str, domain: str) -> str:
    """Say where a bundle comes from, and under which terms."""
    terms = NVIDIA_TERMS if domain == "ffhq-1024" else ""
    return f"Converted from {Path(str(source)).name}. {terms}".strip()
