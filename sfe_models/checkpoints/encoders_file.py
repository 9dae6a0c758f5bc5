"""A file with the encoders of a model and not its generator, for a generator that may not be passed on with them.

BatchNorm is not folded in it, so that training can begin with what it holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..atomic import save_tensors
from ..checksums import KEY
from ..domain import DomainSpec, SpecError
from ..generators.base import Generator
from ..networks import COMPONENTS, SFENetworks
from .assign import assign
from .containers import Sniffed, sniff
from .errors import CheckpointError
from .reading import TensorFile, not_finite, read_safetensors

FORMAT, VERSION = "sfe-encoders", "1"
_ENCODERS = COMPONENTS[1:]


@dataclass(frozen=True)
class EncodersFile:
    """What the header of such a file says; weights are read when they are asked for.

    generator: the fingerprint of the one that it belongs to; trained: optimizer steps of each network.
    """

    file: TensorFile
    spec: DomainSpec
    generator: str
    trained: Mapping[str, int]

    @property
    def path(self) -> Path:
        return self.file.path

    @property
    def source(self) -> str:
        """Where the weights come from, and their terms."""
        return self.file.metadata.get("source", "")

    @property
    def identity(self) -> str:
        """Name these weights by 16 digits."""
        return hashlib.sha256(self.file.metadata[KEY].encode()).hexdigest()[:16]

    def weights(self, name: str) -> dict[str, Tensor]:
        """Read one network's weights, float32. Raises CheckpointError if it is not in the file or damaged."""
        names = [key for key in self.file.header if key.startswith(f"{name}.")]
        if not names:
            raise CheckpointError(f"{self.path} holds {', '.join(self.trained)}; it has no {name}.")
        read = self.file.tensors(names)
        return {key.removeprefix(f"{name}."): t.float() if t.is_floating_point() else t for key, t in read.items()}


def save_encoders(
    networks: SFENetworks, path: Path | str, dtype: torch.dtype, trained: Mapping[str, int], source: str = ""
) -> Path:
    """Write all networks of a model but its generator in a dtype, biases and statistics float32.

    networks: not folded; trained: optimizer steps by network; source: one line on where the weights come from and
    under which terms. Raises CheckpointError for weights that are not finite, OSError.
    """
    state = {
        name: tensor.to(dtype) if tensor.ndim >= 2 else tensor
        for name, tensor in networks.state_dict().items()
        if name.partition(".")[0] in _ENCODERS
    }
    if bad := not_finite(state):
        raise CheckpointError(f"{path} is not written: {bad} is not finite in {dtype}; train again, or take float32.")
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "domain": networks.spec.to_json(),
        "generator": networks.generator.fingerprint(),
        "trained": json.dumps(dict(trained)),
        "source": source,
    }
    return save_tensors(state, path, metadata)


def is_encoders_file(path: Path | str | Sniffed) -> bool:
    """Whether a file is one with encoders alone, by its content; False where there is none."""
    if not Path(path).is_file():
        return False
    file = sniff(path)
    return file.kind == "safetensors" and read_safetensors(file).metadata.get("format") == FORMAT


def read_encoders(path: Path | str | Sniffed) -> EncodersFile:
    """Read the header of a file with encoders. Raises CheckpointError for another or a damaged file."""
    file = read_safetensors(path)
    found = (file.metadata.get("format"), file.metadata.get("version"))
    if found != (FORMAT, VERSION) or not file.verified:
        raise CheckpointError(f"{file.path} is no file of encoders of version {VERSION}; make it with `assemble`.")
    try:
        trained = {str(name): int(steps) for name, steps in json.loads(file.metadata["trained"]).items()}
        spec = DomainSpec.from_json(file.metadata["domain"])
        return EncodersFile(file, spec, file.metadata["generator"], trained)
    except (KeyError, ValueError, AttributeError, SpecError) as error:
        raise CheckpointError(f"{file.path} has a damaged description ({error}); make or fetch it again.") from error


def join(encoders: EncodersFile, generator: Generator) -> SFENetworks:
    """Make the whole model, folded and float32. Raises CheckpointError for a generator that they do not belong to."""
    found = generator.fingerprint()
    if found != encoders.generator:
        raise CheckpointError(
            f"{encoders.path} belongs to the generator {encoders.generator}; this one is {found}. Take the generator "
            "that it was trained for."
        )
    networks = SFENetworks.empty(encoders.spec)
    networks.generator = generator
    for name in _ENCODERS:
        what = f"{name} of {encoders.spec.name}"
        assign(getattr(networks, name), encoders.weights(name), encoders.path, what)
    return networks.eval().requires_grad_(False).fold()
