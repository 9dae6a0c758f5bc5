"""Bundles of gradual models, and the pipeline of whatever a source holds."""

from __future__ import annotations

from pathlib import Path

import torch

from ..checkpoints.assign import assign
from ..checkpoints.bundle import (
    GRADUAL,
    METHOD_VERSION,
    NO_DIRECTIONS,
    Attached,
    bundle_method,
    check_generator_of,
    load_bundle_generator,
    read_bundle,
    read_model,
    spec_of,
    write_bundle,
)
from ..checkpoints.containers import sniff
from ..checkpoints.encoders_file import read_encoders
from ..checkpoints.errors import CheckpointError
from ..checkpoints.load import DEMO, DEMO_BUNDLE, load_networks, model_path
from ..checkpoints.places import PHOTO, photo_bundle
from ..domain import DomainSpec
from ..encoders.families import make_e4e
from ..generators.base import SpecError
from ..nn.folding import fold_batchnorm
from ..photo import install
from ..pipeline import Pipeline
from ..precision import DTYPES
from .networks import GradualNetworks
from .pipeline import GradualPipeline
from .spec import GradualSpec

# Models whose generator and e4e encoder a bundle may leave out.
BASES = (DEMO, PHOTO)
_SHARED = ("generator", "e4e_encoder")


def save_gradual(
    networks: GradualNetworks,
    path: Path | str,
    source: str = "",
    directions: Attached = NO_DIRECTIONS,
    base: str = "",
) -> Path:
    """Write folded networks; arguments and errors as `save_bundle`'s.

    base: one of `BASES`, whose generator and e4e encoder it has; they are left out, and a reader takes them from there.
    """
    if not networks.folded:
        raise ValueError("A bundle holds folded networks; call networks.fold() first.")
    metadata = {
        "version": METHOD_VERSION,
        "method": GRADUAL,
        "domain": networks.spec.to_json(),
        "gradual": networks.gradual.to_json(),
        "dtype": str(networks.dtype).removeprefix("torch."),
        "e4e_styles": str(networks.spec.n_styles),
        "base": base,
        "source": source,
        "generator": networks.generator.fingerprint(),
    }
    state = networks.state_dict()
    if base:
        state = {name: tensor for name, tensor in state.items() if name.partition(".")[0] not in _SHARED}
    return write_bundle(state, path, metadata, directions)


def load_gradual(
    source: Path | str,
    dtype: torch.dtype | None = None,
    device: torch.device | str = "cpu",
    photo: Path | None = None,
) -> GradualNetworks:
    """Load a gradual model, folded; None keeps the dtype of the file. Raises CheckpointError that names the file.

    photo: the photographic model's bundle, for a gradual model around it (None: where `download photo` put it).
    """
    path = model_path(source)
    file = read_bundle(path)
    if bundle_method(file) != GRADUAL:
        raise CheckpointError(f"{path} holds no gradual model; make one with `assemble --gradual`.")
    try:
        networks = GradualNetworks(spec_of(file), GradualSpec.from_json(file.metadata["gradual"])).fold()
        networks.cast(dtype or DTYPES[file.metadata["dtype"]])
    except (KeyError, SpecError) as error:
        raise CheckpointError(f"{path} has damaged metadata ({error}).") from error
    wanted = {name: tensor.dtype for name, tensor in networks.state_dict().items()}
    state = read_model(file, wanted, device)
    if base := file.metadata.get("base"):
        others = _of_photo(networks.spec, photo or photo_bundle()) if base == PHOTO else _of_demo()
        state |= {name: t.to(device, wanted[name]) for name, t in others.items() if name in wanted}
    assign(networks, state, path, f"tensors of a gradual {networks.spec.name} model")
    check_generator_of(file, networks.generator)
    return networks.to(device).eval().requires_grad_(False)


def _of_demo() -> dict[str, torch.Tensor]:
    """Generator and e4e encoder of the demo bundle, by the names of a gradual model."""
    state = load_networks(DEMO_BUNDLE).state_dict()
    return {name: tensor for name, tensor in state.items() if name.partition(".")[0] in _SHARED}


def _of_photo(spec: DomainSpec, bundle: Path) -> dict[str, torch.Tensor]:
    """The generator of the photographic model's bundle, and the packaged e4e encoder, which no old bundle has."""
    encoder = make_e4e(spec)
    encoder.load_state_dict(read_encoders(install.ENCODERS).weights("e4e_encoder"))
    parts = {"generator": load_bundle_generator(bundle), "e4e_encoder": fold_batchnorm(encoder.eval())}
    return {f"{part}.{name}": tensor for part in _SHARED for name, tensor in parts[part].state_dict().items()}


def is_gradual(source: Path | str) -> bool:
    """Whether a source is a gradual model's bundle; nothing but its description is read."""
    path = model_path(source)
    if str(source).startswith("random:") or not path.is_file():
        return False
    file = sniff(path)
    return file.kind == "safetensors" and bundle_method(read_bundle(file)) == GRADUAL


def load_any(
    source: Path | str,
    dtype: torch.dtype | None = None,
    device: torch.device | str = "cpu",
    photo: Path | None = None,
) -> Pipeline | GradualPipeline:
    """Load what a source holds, a StyleFeatureEditor (see `load_networks`) or a gradual model, and its pipeline.

    photo: as `load_gradual`'s.
    """
    if is_gradual(source):
        return GradualPipeline(load_gradual(source, dtype, device, photo))
    return Pipeline(load_networks(source, dtype, device))
