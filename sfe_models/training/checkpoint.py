"""Checkpoints of training runs: everything that a run needs to go on, and networks for the next stage."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import torch
from torch import Tensor

from ..atomic import save_torch
from ..checkpoints.containers import sniff
from ..checkpoints.encoders_file import is_encoders_file, read_encoders
from ..checkpoints.errors import CheckpointError
from ..checkpoints.load import load_generator, load_networks
from ..checkpoints.unpickling.network_pickle import read_network_pickle
from ..domain import DomainSpec

LAST = "last.pt"
FORMAT = "sfe-training"


def save_checkpoint(state: dict, path: Path | str) -> Path:
    """Write a run's state (tensors, numbers, strings) through a temporary file."""
    return save_torch({"format": FORMAT, **state}, path)


def load_checkpoint(path: Path | str) -> dict:
    """Read a run's state: from the file, or the last one in a run's folder. Executes nothing from the file.

    Raises CheckpointError naming the file.
    """
    path = Path(path)
    path = path / LAST if path.is_dir() else path
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint {path}; expected a run's folder with {LAST}, or such a file.")
    try:
        with zipfile.ZipFile(path) as archive:  # torch writes checksums, and does not compare them
            if wrong := archive.testzip():
                raise ValueError(f"{wrong} is not what was written")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a different type for every kind of damage
        raise CheckpointError(f"{path} cannot be read as a checkpoint of a training run ({error}).") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise CheckpointError(f"{path} is no checkpoint of a training run.")
    return state


def is_trained(path: Path | str) -> bool:
    """Whether `load_trained` reads a path: a run's folder or checkpoint, or encoders without a generator."""
    path = Path(path)
    if path.is_dir():
        return (path / LAST).is_file()
    return path.suffix == ".pt" and _has_format(path) or is_encoders_file(path)


def _has_format(path: Path) -> bool:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception:  # torch raises a different type for every kind of damage
        return False
    return isinstance(state, dict) and state.get("format") == FORMAT


def run_spec(path: Path | str) -> DomainSpec:
    """Read the domain of what `is_trained` accepts."""
    if is_encoders_file(path):
        return read_encoders(path).spec
    return DomainSpec.from_json(load_checkpoint(path)["domain"])


def trained_steps(path: Path | str, name: str) -> int:
    """Read how many optimizer steps a network took, in what `is_trained` accepts."""
    return read_encoders(path).trained[name] if is_encoders_file(path) else load_checkpoint(path)["step"]


def run_settings(path: Path | str) -> dict:
    """Read how a run was run (see `RunConfig`)."""
    return json.loads(load_checkpoint(path)["config"])["run"]


def load_trained(path: Path | str, name: str) -> tuple[DomainSpec, dict[str, Tensor]]:
    """Read one network's weights, averaged if the run averaged them, and its domain, from what `is_trained` accepts.

    name: "generator", "discriminator", "e4e_encoder", "inverter" or "feature_editor".
    """
    if is_encoders_file(path):
        encoders = read_encoders(path)
        return encoders.spec, encoders.weights(name)
    state = load_checkpoint(path)
    weights = state["averages"].get(name) or state["networks"].get(name)
    if weights is None:
        held = ", ".join(state["networks"])
        raise CheckpointError(f"The run {path} trained {held}; it has no {name}.")
    return DomainSpec.from_json(state["domain"]), weights


def has_discriminator(path: Path | str) -> bool:
    """Whether a path is a run that trained a picture discriminator beside its network."""
    return is_trained(path) and not is_encoders_file(path) and "discriminator" in load_checkpoint(path)["networks"]


def discriminator_weights(path: Path | str) -> dict[str, Tensor]:
    """Read a picture discriminator's weights from a training run or a StyleGAN2-ADA pickle."""
    if is_trained(path):
        return load_trained(path, "discriminator")[1]
    if Path(path).is_dir() or sniff(Path(path)).kind != "pickle":
        raise CheckpointError(f"{path} holds no discriminator; expected a training run or a StyleGAN2-ADA .pkl file.")
    weights = read_network_pickle(Path(path)).discriminator
    if weights is None:
        raise CheckpointError(f"{path} holds a generator without its discriminator; take the file with both.")
    return {name: tensor for name, tensor in weights.items() if not name.endswith("resample_filter")}


def fill_from_run(path: Path | str, name: str, *networks: torch.nn.Module) -> None:
    """Load a training run's network into others of its kind. Raises CheckpointError if they differ."""
    _, weights = load_trained(path, name)
    try:
        for network in networks:
            network.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(f"The {name} of {path} does not fit this configuration's domain: {error}") from error


def same_parameters(network: torch.nn.Module, weights: dict[str, Tensor]) -> bool:
    """Whether weights hold a network's parameters; statistics of BatchNorm may differ."""
    return all(name in weights and torch.equal(p.cpu(), weights[name]) for name, p in network.named_parameters())


def load_network(path: Path | str, name: str, network: torch.nn.Module) -> torch.nn.Module:
    """Fill a network from a training run, or return that of a bundle or of published files; frozen, in eval mode."""
    if is_trained(path):
        fill_from_run(path, name, network)
    elif name == "generator":
        network = load_generator(path)
    else:
        network = getattr(load_networks(path, torch.float32), name)
        if network is None:
            raise CheckpointError(f"{path} has no {name}.")
    return network.eval().requires_grad_(False)
