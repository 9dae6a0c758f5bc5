"""Our own file: one safetensors file with the domain's description in its metadata, memory-mapped.

BatchNorm is folded before saving, so that the file's tensors are the ones that are computed with and nothing
needs to be copied.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open

from ..atomic import save_tensors
from ..domain import DomainError, DomainSpec
from ..networks import SFENetworks
from .assign import assign
from .errors import CheckpointError
from .reading import read_safetensors_header

FORMAT = "sfe-bundle"
VERSION = "1"
# Tensors read through one mapping before it is closed when they must be converted (memory stays small).
_PER_MAPPING = 64


def save_bundle(networks: SFENetworks, path: Path | str, source: str = "") -> Path:
    """Write folded networks to `path`, in their present number format; through a temporary file.

    source: one line on where the weights come from and under which terms. Raises OSError if the folder cannot be
    written to; then nothing is left behind.
    """
    if not networks.folded:
        raise ValueError("A bundle holds folded networks; call networks.fold() first.")
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "domain": networks.spec.to_json(),
        "dtype": str(networks.dtype).removeprefix("torch."),
        "e4e_styles": str(networks.e4e_styles),
        "feature_editor": str(networks.feature_editor is not None).lower(),
        "source": source,
    }
    return save_tensors(networks.state_dict(), path, metadata)


def _read_metadata(path: Path) -> tuple[dict[str, str], dict[str, tuple[str, list[int]]]]:
    """Metadata and header of a bundle; raises CheckpointError for another file."""
    metadata, header = read_safetensors_header(path)
    if metadata.get("format") != FORMAT:
        raise CheckpointError(f"{path} is a safetensors file, but no SFE bundle; make one with `convert`.")
    if metadata.get("version") != VERSION:
        raise CheckpointError(
            f"{path} is a bundle of version {metadata.get('version')}; this library reads version {VERSION}. "
            "Convert the checkpoint again."
        )
    return metadata, header


def _spec_of(metadata: dict[str, str], path: Path) -> DomainSpec:
    try:
        return DomainSpec.from_json(metadata["domain"])
    except (KeyError, DomainError) as error:
        raise CheckpointError(f"{path} has a damaged description of its domain ({error}).") from error


def bundle_spec(path: Path | str) -> DomainSpec:
    """Read the domain of a bundle from its metadata alone."""
    return _spec_of(_read_metadata(Path(path))[0], Path(path))


def load_bundle(path: Path | str, dtype: torch.dtype | None = None, device: torch.device | str = "cpu") -> SFENetworks:
    """Load a bundle; None keeps the number format of the file.

    Without a change of format the tensors are the mapped file itself (on a CPU) or go straight to the device;
    otherwise they are converted one by one.
    """
    path = Path(path)
    metadata, header = _read_metadata(path)
    spec = _spec_of(metadata, path)
    try:
        networks = SFENetworks.empty(spec, metadata["feature_editor"] == "true", True, int(metadata["e4e_styles"]))
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{path} has damaged metadata ({error}).") from error
    networks.cast(dtype or getattr(torch, metadata.get("dtype", "float32")))
    wanted = {name: tensor.dtype for name, tensor in networks.state_dict().items()}
    stored = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
    convert = any(stored.get(header[name][0]) != wanted[name] for name in wanted.keys() & header.keys())
    names = list(header)
    step = _PER_MAPPING if convert else len(names)
    state = {}
    for first in range(0, len(names), step):
        with safe_open(path, "pt", device=str(device)) as file:
            for name in names[first : first + step]:
                state[name] = file.get_tensor(name).to(wanted.get(name))
    assign(networks, state, path, f"tensors of a {spec.name} bundle")
    return networks.requires_grad_(False)
