"""Tell what a checkpoint holds from its keys, never from its file's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor, nn

from ..encoders.e4e import E4EEncoder
from ..encoders.feature_editor import FeatureEditor
from ..encoders.inverter import Inverter
from ..generators.stylegan2.generator import StyleGAN2
from .ada_generator import ada_generator_to_rosinality
from .containers import Sniffed, sniff, wrong_container
from .errors import CheckpointError
from .reading import tensors_of
from .unpickling.network_pickle import read_network_pickle
from .unpickling.torch_file import WholeNetworkError, read_torch

# The networks of a model; each class says which key only it has, without prefix.
MODEL_NETWORKS: dict[str, type[nn.Module]] = {
    "generator": StyleGAN2,
    "e4e_encoder": E4EEncoder,
    "inverter": Inverter,
    "feature_editor": FeatureEditor,
}
# Prefixes of the published files; `encoder.` is another network in each kind of file.
_PREFIXES = ("encoder.", "inverter.", "e4e_encoder.", "decoder.", "mapper.", "")


@dataclass(frozen=True)
class Contents:
    """The components found in one file, each a state dict without its prefix.

    latent_avg: the generator's mean w, if the file has it; conv_clamp: StyleGAN2-ADA's limit, else None.
    """

    path: Path
    components: dict[str, dict[str, Tensor]]
    latent_avg: Tensor | None = None
    conv_clamp: float | None = None
    notes: tuple[str, ...] = field(default=())

    def describe(self) -> str:
        """Say what the file holds in a few words."""
        return ", ".join(self.components) or "nothing known"


def read_contents(path: Path | str | Sniffed, networks: Mapping[str, type[nn.Module]] = MODEL_NETWORKS) -> Contents:
    """Read a torch or StyleGAN2-ADA file and name its components.

    networks: what to look for, by the names that the components get; each class has a `signature`.
    A file of another kind gives Contents without components; one that is damaged or malicious raises
    CheckpointError.
    """
    file = sniff(path)
    path = file.path
    if file.kind == "pickle":
        return _network_pickle(file)
    if file.kind not in ("torch-zip", "torch-legacy"):
        raise wrong_container(file, "a checkpoint (.pt, .pkl) or a bundle (.safetensors)")
    try:
        content = read_torch(file)
    except WholeNetworkError:
        return _network_pickle(file)
    if not isinstance(content, Mapping):
        return Contents(path, {})
    latent_avg = content.get("latent_avg")
    latent_avg = latent_avg if isinstance(latent_avg, Tensor) else None
    if isinstance(content.get("g_ema"), Mapping):
        return Contents(path, {"generator": tensors_of(content["g_ema"], path)}, latent_avg)
    state = content.get("state_dict", content)
    if not isinstance(state, Mapping) or not any(isinstance(v, Tensor) for v in state.values()):
        return Contents(path, {})
    if _is_psp(content):
        return Contents(path, {}, notes=("a pSp encoder, which is not e4e",))
    components = _components(tensors_of(state, path), networks)
    # The latent_avg of an e4e file is not the generator's (the published loader does not read it either).
    return Contents(path, components, latent_avg if "generator" in components else None)


def _network_pickle(file: Sniffed) -> Contents:
    pickled = read_network_pickle(file)
    ada = ada_generator_to_rosinality(pickled.generator, pickled.generator_kwargs, file.path)
    return Contents(file.path, {"generator": ada.state}, ada.latent_avg, ada.conv_clamp)


def _is_psp(content: Mapping) -> bool:
    """Tell pSp's encoder from e4e's: the same keys and shapes, another meaning."""
    options = content.get("opts")
    options = options if isinstance(options, Mapping) else getattr(options, "__dict__", {})
    return str(options.get("encoder_type", "Encoder4Editing")) not in ("Encoder4Editing", "None")


def _components(state: dict[str, Tensor], networks: Mapping[str, type[nn.Module]]) -> dict[str, dict[str, Tensor]]:
    found = {}
    for prefix in _PREFIXES:
        part = {k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)}
        for name, network in networks.items():
            if network.signature in part and name not in found:
                found[name] = part
    return found


def generator_of(contents: Contents) -> dict[str, Tensor]:
    """Return the generator's tensors; raises CheckpointError if the file has none."""
    if "generator" not in contents.components:
        raise CheckpointError(
            f"{contents.path} holds {contents.describe()}; expected a StyleGAN2 generator (a rosinality .pt with "
            "g_ema, or a StyleGAN2-ADA .pkl)."
        )
    return contents.components["generator"]
