"""Join trained networks into one model, and one model into a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from ..checkpoints.bundle import save_bundle
from ..checkpoints.errors import CheckpointError
from ..directions.base import Direction
from ..directions.files import attached
from ..domain import DomainSpec
from ..networks import SFENetworks
from .checkpoint import is_run, load_network, load_trained, same_parameters


def assemble(
    spec: DomainSpec,
    generator: Path | str,
    e4e: Path | str,
    inverter: Path | str,
    editor: Path | str | None = None,
) -> SFENetworks:
    """Build a model from training runs (or files that hold a network of the domain); folded, float32.

    Without an editor it is the model of phase 1. Raises CheckpointError for a network that does not fit, and for a
    Feature Editor trained beside another Inverter. The Inverter's statistics are its run's: phase 2 may let them drift.
    """
    networks = SFENetworks(spec, editor is not None)
    sources = {"generator": generator, "e4e_encoder": e4e, "inverter": inverter, "feature_editor": editor}
    for name, source in sources.items():
        if source is not None:
            setattr(networks, name, load_network(source, name, getattr(networks, name)))
    if editor is not None and is_run(editor):
        beside = load_trained(editor, "inverter")[1]
        if not same_parameters(networks.inverter, beside):
            raise CheckpointError(
                f"The Feature Editor of {editor} was trained beside another Inverter than that of {inverter}, and only "
                "fits that one. Give its run as --inverter, or train it on beside this one (train editor --start)."
            )
        networks.inverter.load_state_dict(beside)
    return networks.eval().requires_grad_(False).fold()


def assemble_bundle(
    networks: SFENetworks,
    output: Path | str,
    dtype: torch.dtype = torch.float32,
    directions: Sequence[Direction] = (),
    source: str = "",
) -> Path:
    """Write a model and its directions as one bundle in a dtype."""
    return save_bundle(networks.cast(dtype), output, source, attached(directions))
