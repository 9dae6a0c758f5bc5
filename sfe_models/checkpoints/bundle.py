"""Our own files: one safetensors file with a whole model or a generator alone, described in its metadata.

They are memory-mapped. BatchNorm is folded before saving, so that the file's tensors are the ones that are computed
with and nothing needs to be copied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ..atomic import save_tensors
from ..domain import BareGenerator, DomainSpec, SpecError
from ..generators.base import Generator
from ..generators.families import make_generator
from ..networks import SFENetworks
from ..precision import DTYPES
from .assign import assign
from .containers import Sniffed
from .errors import CheckpointError
from .reading import TensorFile, not_finite, read_safetensors

FORMAT, GENERATOR_FORMAT = "sfe-bundle", "sfe-generator"
# What this library reads. A file of version 2 says in `method` what kind of model it holds; readers that know of one
# kind only refuse it.
VERSION, METHOD_VERSION = "1", "2"
SFE, GRADUAL = "sfe", "gradual"
# Tensors read through one mapping before it is closed when they must be converted (memory stays small).
_PER_MAPPING = 64
_DIRECTIONS, _GENERATOR = "directions.", "generator."


@dataclass(frozen=True, eq=False)
class Attached:
    """The directions that belong to a bundle's model, as `directions.files` packs and reads them.

    about: JSON; tensors: by name, float32.
    """

    about: str = "[]"
    tensors: Mapping[str, Tensor] = field(default_factory=dict)


NO_DIRECTIONS = Attached()


def save_bundle(
    networks: SFENetworks,
    path: Path | str,
    source: str = "",
    directions: Attached = NO_DIRECTIONS,
    parts: str = "",
) -> Path:
    """Write folded networks to `path`, in their present dtype; through a temporary file.

    source: one line on where the weights come from and under which terms; parts: what names the files that it is made
    of, for `bundle_parts`. Raises OSError if the folder cannot be written to; then nothing is left behind.
    """
    if not networks.folded:
        raise ValueError("A bundle holds folded networks; call networks.fold() first.")
    metadata = {
        "version": VERSION,
        "domain": networks.spec.to_json(),
        "dtype": str(networks.dtype).removeprefix("torch."),
        "e4e_styles": str(networks.e4e_styles),
        "feature_editor": str(networks.feature_editor is not None).lower(),
        "source": source,
        "generator": networks.generator.fingerprint(),
        **({"parts": parts} if parts else {}),
    }
    return write_bundle(networks.state_dict(), path, metadata, directions)


def write_bundle(state: Mapping[str, Tensor], path: Path | str, metadata: dict[str, str], directions: Attached) -> Path:
    """Write a model's tensors with its directions; metadata: all that describes the model."""
    _refuse_not_finite(state, path)
    vectors = {f"{_DIRECTIONS}{name}": tensor for name, tensor in directions.tensors.items()}
    metadata = {"format": FORMAT, **metadata, "directions": directions.about}
    return save_tensors({**state, **vectors}, path, metadata)


def save_generator(generator: Generator, about: BareGenerator, path: Path | str, source: str = "") -> Path:
    """Write a generator alone. about: its description; source and errors as `save_bundle`'s."""
    state = {f"{_GENERATOR}{name}": tensor for name, tensor in generator.state_dict().items()}
    _refuse_not_finite(state, path)
    metadata = {"format": GENERATOR_FORMAT, "version": VERSION, "domain": about.to_json(), "source": source}
    return save_tensors(state, path, metadata)


def _refuse_not_finite(state: Mapping[str, Tensor], path: Path | str) -> None:
    if bad := not_finite(state):
        raise CheckpointError(f"{path} is not written: the weights of {bad} are not finite; train or load them again.")


def bundle_attached(path: Path | str) -> Attached:
    """Read what a bundle holds of directions, unread. Raises CheckpointError for another file."""
    file = read_bundle(Path(path))
    found = file.tensors(name for name in file.header if name.startswith(_DIRECTIONS))
    about = file.metadata.get("directions", "[]")
    return Attached(about, {name.removeprefix(_DIRECTIONS): tensor for name, tensor in found.items()})


def bundle_parts(path: Path | str) -> str:
    """Read what names the files that a bundle is made of; empty if it does not say. Raises CheckpointError."""
    return read_bundle(Path(path)).metadata.get("parts", "")


def read_bundle(path: Path | str | Sniffed) -> TensorFile:
    """Open a bundle; raises CheckpointError for another file."""
    file = read_safetensors(path)
    if file.metadata.get("format") not in (FORMAT, GENERATOR_FORMAT):
        raise CheckpointError(f"{path} is a safetensors file, but no SFE bundle; make one with `convert`.")
    version = file.metadata.get("version")
    if version not in (VERSION, METHOD_VERSION) or (version == VERSION) != (bundle_method(file) == SFE):
        raise CheckpointError(
            f"{path} is a bundle of version {version}, method {bundle_method(file)}; this library reads version "
            f"{VERSION} and, of gradual models, {METHOD_VERSION}. Convert the checkpoint again."
        )
    return file


def bundle_method(file: TensorFile) -> str:
    """Say what kind of model a bundle holds: "sfe" or "gradual"."""
    return file.metadata.get("method", SFE)


def spec_of(file: TensorFile) -> DomainSpec | BareGenerator:
    """Read what an open bundle says that it holds."""
    kind = BareGenerator if file.metadata["format"] == GENERATOR_FORMAT else DomainSpec
    try:
        return kind.from_json(file.metadata["domain"])
    except (KeyError, SpecError) as error:
        raise CheckpointError(f"{file.path} has a damaged description of its domain ({error}).") from error


def bundle_spec(path: Path | str | Sniffed) -> DomainSpec | BareGenerator:
    """Read what a bundle's metadata say that it holds: a whole model, or a generator alone."""
    return spec_of(read_bundle(path))


def load_bundle_generator(path: Path | str | Sniffed) -> Generator:
    """Load the generator, in the file's dtype, out of a whole model or of a file that holds nothing else."""
    file = read_bundle(path)
    if base := file.metadata.get("base"):
        raise CheckpointError(f"{file.path} holds no generator; it uses that of the model '{base}': name this one.")
    return _generator_of(file)


def _generator_of(file: TensorFile) -> Generator:
    spec = spec_of(file)
    with torch.device("meta"):
        generator = make_generator(spec.generator)
    state = _read_state(file, [name for name in file.header if name.startswith(_GENERATOR)])
    state = {name.removeprefix(_GENERATOR): tensor for name, tensor in state.items()}
    assign(generator, state, file.path, f"generator of {spec.name}")
    return generator.eval().requires_grad_(False)


def _read_state(file: TensorFile, names: Sequence[str], device: torch.device | str = "cpu") -> dict[str, Tensor]:
    read = file.tensors(names, device)
    if not file.verified and (bad := not_finite(read)):
        raise CheckpointError(f"{file.path} holds numbers in {bad} that are not finite; convert the checkpoint again.")
    return read


def alone(generator: Generator, about: BareGenerator, path: Path | str) -> SFENetworks:
    """Make the model of a generator alone. Raises CheckpointError for one that is too small."""
    try:
        return SFENetworks.alone(generator, about.domain())
    except SpecError as error:
        raise CheckpointError(f"{path} cannot be edited with: {error}") from error


def load_bundle(
    path: Path | str | Sniffed, dtype: torch.dtype | None = None, device: torch.device | str = "cpu"
) -> SFENetworks:
    """Load a bundle, or a generator alone as a model without encoders; None keeps the dtype of the file.

    Without a change of format the tensors are the mapped file itself (on a CPU) or go straight to the device;
    otherwise they are converted one by one.
    """
    file = read_bundle(path)
    path, metadata = file.path, file.metadata
    spec = spec_of(file)
    if isinstance(spec, BareGenerator):
        return alone(_generator_of(file), spec, path).cast(dtype or torch.float32).to(device)
    if bundle_method(file) != SFE:
        raise CheckpointError(
            f"{path} holds a {bundle_method(file)} model; expected a StyleFeatureEditor. `edit`, `sweep`, `invert` and "
            "Load SFE take it; training, refinement and this command do not."
        )
    try:
        networks = SFENetworks.empty(spec, metadata["feature_editor"] == "true", True, int(metadata["e4e_styles"]))
        networks.cast(dtype or DTYPES[metadata.get("dtype", "float32")])
    except (KeyError, ValueError, RuntimeError, TypeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise CheckpointError(f"{path} has damaged metadata ({reason}).") from error
    wanted = {name: tensor.dtype for name, tensor in networks.state_dict().items()}
    assign(networks, read_model(file, wanted, device), path, f"tensors of a {spec.name} bundle")
    check_generator_of(file, networks.generator)
    return networks.requires_grad_(False)


def read_model(file: TensorFile, wanted: Mapping[str, torch.dtype], device: torch.device | str) -> dict[str, Tensor]:
    """Read all of a bundle but its directions, each tensor in the dtype that is wanted of it."""
    stored = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
    convert = any(stored.get(file.header[name][0]) != wanted[name] for name in wanted.keys() & file.header.keys())
    names = [name for name in file.header if not name.startswith(_DIRECTIONS)]
    step = _PER_MAPPING if convert else max(1, len(names))
    state = {}
    for first in range(0, len(names), step):
        read = _read_state(file, names[first : first + step], device)
        state |= {name: tensor.to(wanted.get(name)) for name, tensor in read.items()}
    return state


def check_generator_of(file: TensorFile, generator: Generator) -> None:
    """Refuse a generator that is not the one that a bundle names."""
    found = generator.fingerprint()
    if file.metadata.get("generator", found) != found:
        raise CheckpointError(
            f"{file.path} says that its generator is {file.metadata['generator']}, but holds {found}; make it again."
        )
