"""Join trained networks into one model, and one model into a bundle, or its encoders into a file of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from ..checkpoints.bundle import save_bundle
from ..checkpoints.encoders_file import save_encoders
from ..checkpoints.errors import CheckpointError
from ..directions.base import Direction
from ..directions.files import attached
from ..domain import DomainSpec
from ..gradual.networks import GradualNetworks
from ..networks import SFENetworks
from .checkpoint import (
    fill_from_run,
    is_trained,
    load_checkpoint,
    load_network,
    load_trained,
    same_parameters,
    trained_steps,
)
from .config_files import from_json
from .gradual_config import GradualConfig


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
    return _joined(SFENetworks(spec, editor is not None), generator, e4e, inverter, editor).fold()


def assemble_encoders(
    spec: DomainSpec,
    generator: Path | str,
    e4e: Path | str,
    inverter: Path | str,
    editor: Path | str | None,
    output: Path | str,
    dtype: torch.dtype = torch.float32,
    source: str = "",
) -> Path:
    """Write what `assemble` joins but the generator, and how long each network was trained.

    Without an editor it gets an untrained one, which only the small encoders can do with: theirs begins as F_k - delta.
    Raises CheckpointError as `assemble`, and for networks that come from no run.
    """
    if editor is None and spec.editor_width is None:
        raise CheckpointError(f"The Feature Editor of {spec.name} is of no use untrained; give its run as --editor.")
    sources = {"e4e_encoder": e4e, "inverter": inverter, "feature_editor": editor}
    for path in filter(None, sources.values()):
        if not is_trained(path):
            raise CheckpointError(f"{path} is no training run, so nothing says how long it was trained; give the run.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # an untrained editor is the same every time
        networks = SFENetworks(spec)
    trained = {name: trained_steps(path, name) if path else 0 for name, path in sources.items()}
    return save_encoders(_joined(networks, generator, e4e, inverter, editor), output, dtype, trained, source)


def _joined(
    networks: SFENetworks, generator: Path | str, e4e: Path | str, inverter: Path | str, editor: Path | str | None
) -> SFENetworks:
    """Fill networks from runs or files; where there is no editor, that part stays as it is."""
    sources = {"generator": generator, "e4e_encoder": e4e, "inverter": inverter, "feature_editor": editor}
    for name, source in sources.items():
        if source is not None:
            setattr(networks, name, load_network(source, name, getattr(networks, name)))
    if editor is not None and is_trained(editor):
        beside = load_trained(editor, "inverter")[1]
        if not same_parameters(networks.inverter, beside):
            raise CheckpointError(
                f"The Feature Editor of {editor} was trained beside another Inverter than that of {inverter}, and only "
                "fits that one. Give its run as --inverter, or train it on beside this one (train editor --start)."
            )
        networks.inverter.load_state_dict(beside)
    return networks.eval().requires_grad_(False)


def assemble_gradual(run: Path | str, generator: Path | str, e4e: Path | str) -> GradualNetworks:
    """Build a gradual model from its run and what it was trained around; folded, float32.

    Raises CheckpointError for a network that does not fit.
    """
    settings = from_json(GradualConfig, load_checkpoint(run)["config"], str(run))
    networks = GradualNetworks(settings.domain, settings.gradual)
    networks.generator = load_network(generator, "generator", networks.generator)
    networks.e4e_encoder = load_network(e4e, "e4e_encoder", networks.e4e_encoder)
    fill_from_run(run, "gradual", networks.parts)
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
