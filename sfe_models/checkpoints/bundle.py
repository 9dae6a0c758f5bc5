"""Our own file: one safetensors file with the domain's description in its metadata, memory-mapped.

BatchNorm is folded before saving, so that the file's tensors are the ones that are computed with and nothing
needs to be copied.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import torch

from ..atomic import save_tensors
from ..directions.base import Direction, DirectionError, DirectionInfo
from ..directions.families.linear import LinearDirection
from ..directions.families.style_offset import StyleOffsetDirection
from ..domain import DomainSpec, SpecError
from ..networks import SFENetworks
from ..precision import DTYPES
from .assign import assign
from .containers import Sniffed
from .errors import CheckpointError
from .reading import TensorFile, not_finite, read_safetensors

FORMAT = "sfe-bundle"
VERSION = "1"
# Tensors read through one mapping before it is closed when they must be converted (memory stays small).
_PER_MAPPING = 64
_DIRECTIONS = "directions."


def save_bundle(
    networks: SFENetworks, path: Path | str, source: str = "", directions: Sequence[Direction] = ()
) -> Path:
    """Write folded networks to `path`, in their present dtype; through a temporary file.

    source: one line on where the weights come from and under which terms. directions: W+ vectors and style space
    offsets that belong to the model. Raises OSError if the folder cannot be written to; then nothing is left behind.
    """
    if not networks.folded:
        raise ValueError("A bundle holds folded networks; call networks.fold() first.")
    if bad := not_finite(networks.state_dict()):
        raise CheckpointError(f"{path} is not written: the weights of {bad} are not finite; train or load them again.")
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "domain": networks.spec.to_json(),
        "dtype": str(networks.dtype).removeprefix("torch."),
        "e4e_styles": str(networks.e4e_styles),
        "feature_editor": str(networks.feature_editor is not None).lower(),
        "source": source,
        "directions": json.dumps([_describe(direction) for direction in directions]),
    }
    vectors = {
        f"{_DIRECTIONS}{i}.{name}": tensor.float().clone()
        for i, direction in enumerate(directions)
        for name, tensor in _vectors(direction).items()
    }
    return save_tensors({**networks.state_dict(), **vectors}, path, metadata)


def _describe(direction: Direction) -> dict:
    return {**dataclasses.asdict(direction.info), "scale": direction.scale}


def _vectors(direction: Direction) -> dict[str, torch.Tensor]:
    if isinstance(direction, LinearDirection):
        return {"vector": direction.vector}
    if isinstance(direction, StyleOffsetDirection):
        convs = {f"convs.{i}": t for i, t in enumerate(direction.convs)}
        return convs | {f"rgbs.{i}": t for i, t in enumerate(direction.rgbs)}
    raise DirectionError(f"{direction!r} is no vector; a bundle holds W+ vectors and style space offsets.")


def bundle_directions(path: Path | str) -> list[Direction]:
    """Read the directions that a bundle brings. Raises CheckpointError for a damaged description."""
    path = Path(path)
    file = _read_bundle(path)
    directions: list[Direction] = []
    try:
        tensors = file.tensors(name for name in file.header if name.startswith(_DIRECTIONS))
        for i, about in enumerate(json.loads(file.metadata.get("directions", "[]"))):
            scale, span = about.pop("scale"), about.pop("strength_range")
            info = DirectionInfo(strength_range=tuple(span) if span else None, **about)
            prefix = f"{_DIRECTIONS}{i}."
            count = {kind: sum(n.startswith(f"{prefix}{kind}.") for n in tensors) for kind in ("convs", "rgbs")}
            if not count["convs"]:
                directions.append(LinearDirection(info, tensors[f"{prefix}vector"], scale))
                continue
            parts = (tuple(tensors[f"{prefix}{kind}.{n}"] for n in range(count[kind])) for kind in count)
            directions.append(StyleOffsetDirection(info, *parts, scale))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path} has a damaged description of its directions ({error}).") from error
    return directions


def _read_bundle(path: Path | str | Sniffed) -> TensorFile:
    """Open a bundle; raises CheckpointError for another file."""
    file = read_safetensors(path)
    if file.metadata.get("format") != FORMAT:
        raise CheckpointError(f"{path} is a safetensors file, but no SFE bundle; make one with `convert`.")
    if file.metadata.get("version") != VERSION:
        raise CheckpointError(
            f"{path} is a bundle of version {file.metadata.get('version')}; this library reads version {VERSION}. "
            "Convert the checkpoint again."
        )
    return file


def _spec_of(metadata: dict[str, str], path: Path) -> DomainSpec:
    try:
        return DomainSpec.from_json(metadata["domain"])
    except (KeyError, SpecError) as error:
        raise CheckpointError(f"{path} has a damaged description of its domain ({error}).") from error


def bundle_spec(path: Path | str | Sniffed) -> DomainSpec:
    """Read the domain of a bundle from its metadata alone."""
    file = _read_bundle(path)
    return _spec_of(file.metadata, file.path)


def load_bundle(
    path: Path | str | Sniffed, dtype: torch.dtype | None = None, device: torch.device | str = "cpu"
) -> SFENetworks:
    """Load a bundle; None keeps the dtype of the file.

    Without a change of format the tensors are the mapped file itself (on a CPU) or go straight to the device;
    otherwise they are converted one by one.
    """
    file = _read_bundle(path)
    path, metadata, header = file.path, file.metadata, file.header
    spec = _spec_of(metadata, path)
    try:
        networks = SFENetworks.empty(spec, metadata["feature_editor"] == "true", True, int(metadata["e4e_styles"]))
        networks.cast(dtype or DTYPES[metadata.get("dtype", "float32")])
    except (KeyError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} has damaged metadata ({error}).") from error
    wanted = {name: tensor.dtype for name, tensor in networks.state_dict().items()}
    stored = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
    convert = any(stored.get(header[name][0]) != wanted[name] for name in wanted.keys() & header.keys())
    names = [name for name in header if not name.startswith(_DIRECTIONS)]
    step = _PER_MAPPING if convert else len(names)
    state = {}
    for first in range(0, len(names), step):
        read = file.tensors(names[first : first + step], device)
        if not file.verified and (bad := not_finite(read)):
            raise CheckpointError(f"{path} holds numbers in {bad} that are not finite; convert the checkpoint again.")
        state |= {name: tensor.to(wanted.get(name)) for name, tensor in read.items()}
    assign(networks, state, path, f"tensors of a {spec.name} bundle")
    return networks.requires_grad_(False)
