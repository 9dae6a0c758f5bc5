"""Read MobileStyleGAN out of the `random_face` wheel: two networks in OpenVINO's IR version 10, nothing is run.

A network is an .xml that lists layers and edges, and a .bin with the numbers of its constants. Sizes and offsets are
checked against the .bin before anything is read, and only what the generator expects is taken.
"""

from __future__ import annotations

import math
import re
import zipfile
import zlib
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import torch
from torch import Tensor

from ..generators.base import SpecError
from ..generators.mobilestylegan.generator import MobileStyleGAN
from ..generators.mobilestylegan.spec import MobileStyleGANSpec
from .assign import assign
from .errors import CheckpointError

FOLDER = "random_face/data/"
# More than twice what the two networks of the published wheel hold; a larger file is another one.
_MAX_BYTES = 80 << 20


class _Network:
    """The constants of one IR network, and which layer feeds which."""

    def __init__(self, text: bytes, numbers: bytes, where: str):
        self.where, self._numbers = where, numbers
        if b"<!" in text:
            raise CheckpointError(
                f"{where} has declarations; expected plain layers and edges, as OpenVINO writes them."
            )
        try:
            root = ElementTree.fromstring(text.decode())  # in no other encoding could a declaration hide
            layers = {layer.attrib["id"]: layer.attrib | _data(layer) for layer in root.find("layers")}
            edges = [(e.attrib["from-layer"], e.attrib["to-layer"]) for e in root.find("edges")]
        except (ElementTree.ParseError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise CheckpointError(f"{where} is no OpenVINO network ({error}); download the wheel again.") from error
        if root.get("version") != "10":
            raise CheckpointError(f"{where} is IR version {root.get('version')}; expected 10.")
        self.layers, self.edges = layers, edges

    def constants(self, pattern: str = "", rank: int | None = None) -> list[Tensor]:
        """The float constants whose name matches, in the file's order; with a number of dimensions, only those."""
        found = (
            layer for layer in self.layers.values() if layer["type"] == "Const" and layer.get("element_type") == "f32"
        )
        tensors = [self._read(layer) for layer in found if re.fullmatch(pattern or ".*", layer["name"])]
        return [tensor for tensor in tensors if rank is None or tensor.ndim == rank]

    def constant(self, name: str) -> Tensor:
        """The one constant of a name."""
        found = self.constants(re.escape(name))
        if len(found) != 1:
            raise CheckpointError(f"{self.where} has {len(found)} constants {name}; expected one.")
        return found[0]

    def after(self, name: str, type_: str, steps: int) -> list[Tensor]:
        """The float constants that feed the layer of a type found at most `steps` behind the layer `name`."""
        place = next((id_ for id_, layer in self.layers.items() if layer["name"] == name), None)
        for _ in range(steps):
            place = next((target for source, target in self.edges if source == place), None)
            if place is not None and self.layers.get(place, {}).get("type") == type_:
                feeding = [
                    self.layers[source] for source, target in self.edges if target == place and source in self.layers
                ]
                return [self._read(layer) for layer in feeding if layer["type"] == "Const"]
        return []

    def _read(self, layer: dict[str, str]) -> Tensor:
        try:
            shape = tuple(int(n) for n in layer["shape"].split(",") if n.strip())
            offset, size = int(layer["offset"]), int(layer["size"])
        except (KeyError, ValueError) as error:
            raise CheckpointError(
                f"{self.where}: the constant {layer['name']} is described badly ({error})."
            ) from error
        if min(shape, default=1) < 1 or size != 4 * math.prod(shape) or not 0 <= offset <= len(self._numbers) - size:
            raise CheckpointError(
                f"{self.where}: the constant {layer['name']} of shape {shape} should stand in {size} bytes from byte "
                f"{offset} of a file of {len(self._numbers)}; download the wheel again."
            )
        return torch.from_numpy(np.frombuffer(self._numbers, "<f4", size // 4, offset).reshape(shape).copy())


def _data(layer: ElementTree.Element) -> dict[str, str]:
    data = layer.find("data")
    return {} if data is None else dict(data.attrib)


def _members(wheel: Path, name: str) -> _Network:
    parts = []
    try:
        with zipfile.ZipFile(wheel) as archive:
            for suffix in ("xml", "bin"):
                entry = archive.getinfo(f"{FOLDER}{name}.{suffix}")
                if entry.file_size > _MAX_BYTES:
                    raise CheckpointError(f"{wheel}: {entry.filename} has {entry.file_size} bytes; too many by far.")
                parts.append(archive.read(entry))
    except (zipfile.BadZipFile, zlib.error, RuntimeError, KeyError, OSError, EOFError) as error:
        raise CheckpointError(
            f"{wheel} is no wheel of random_face with its networks ({error}); expected "
            f"{FOLDER}{name}.xml and .bin in it. Download it again."
        ) from error
    return _Network(*parts, f"{wheel.name}: {name}")


def read_mobile_generator(wheel: Path | str, mean_samples: int = 65536) -> MobileStyleGAN:
    """Read the generator out of the wheel: float32, in eval mode, `latent_avg` measured over seeded samples.

    Raises CheckpointError that names what is missing, too large or of another shape.
    """
    wheel = Path(wheel)
    mapping, synthesis = _members(wheel, "MappingNetwork"), _members(wheel, "SynthesisNetwork")
    state = _mapping_state(mapping) | _synthesis_state(synthesis)
    try:
        spec = MobileStyleGANSpec(_channels(state), state["conv1.modulation.weight"].shape[1], _count(state, "style."))
    except SpecError as error:
        raise CheckpointError(f"{wheel} holds no MobileStyleGAN ({error}).") from error
    generator = MobileStyleGAN(spec)
    state["latent_avg"] = torch.zeros(spec.style_dim)
    assign(generator, state, wheel, "MobileStyleGAN generator")
    generator.latent_avg = generator.mean_latent(mean_samples)
    return generator.eval().requires_grad_(False)


def _count(state: dict[str, Tensor], prefix: str) -> int:
    return sum(name.startswith(prefix) and name.endswith(".weight") for name in state)


def _channels(state: dict[str, Tensor]) -> tuple[int, ...]:
    blocks = _count({name: t for name, t in state.items() if ".up." in name}, "blocks.")
    widths = [state["input"].shape[1], *(len(state[f"blocks.{i}.conv2.bias"]) for i in range(blocks))]
    return tuple(widths)


def _mapping_state(network: _Network) -> dict[str, Tensor]:
    weights = [t for t in network.constants(rank=2) if t.numel() > 1]
    biases = [t for t in network.constants(rank=1) if t.numel() > 1]
    if not weights or len(weights) != len(biases):
        raise CheckpointError(f"{network.where} has {len(weights)} matrices and {len(biases)} biases; expected pairs.")
    pairs = enumerate(zip(weights, biases, strict=True))
    return {
        f"style.layers.{i}.{kind}": t for i, pair in pairs for kind, t in zip(("weight", "bias"), pair, strict=True)
    }


def _synthesis_state(network: _Network) -> dict[str, Tensor]:
    # The folded convolution weights and the noise have no names of their own; they stand in the order of the layers.
    folded = network.constants(r"Mul_\d+_copy")
    noise = [t for t in network.constants(rank=4) if t.shape[:2] == (1, 1) and t.shape[2] >= 4]
    blocks = (len(folded) - 1) // 2
    if not blocks or len(noise) != len(folded) or len(folded) % 2 == 0:
        raise CheckpointError(
            f"{network.where} has {len(folded)} folded weights and {len(noise)} noise pictures; expected one of each "
            "for the first layer and two for each block."
        )
    state = {"input": network.constant("m.input.input")}
    layers = {"conv1": "m.conv1"}
    for i in range(blocks):
        layers |= {f"blocks.{i}.conv{j}": f"m.layers.{i}.conv{j}" for j in (1, 2)}
        state |= {
            f"blocks.{i}.up.modulation.{kind}": network.constant(f"m.layers.{i}.up.modulation.{kind}").squeeze()
            for kind in ("weight", "bias")
        }
    for (ours, theirs), weight, picture in zip(layers.items(), folded, noise, strict=True):
        state |= _modulation(network, ours, theirs)
        state |= {f"{ours}.bias": network.constant(f"{theirs}.bias").flatten(), f"{ours}.noise": picture}
        if ours == "conv1":
            state[f"{ours}.weight"] = weight
        else:
            depthwise = network.constant(f"{theirs}.conv.weight_dw")
            state |= {f"{ours}.pointwise": weight, f"{ours}.depthwise": depthwise.flatten(1, 2)}
    picture = f"m.layers.{blocks - 1}.to_img"
    return (
        state
        | _modulation(network, "to_picture", picture)
        | {
            "to_picture.weight": network.constant(f"{picture}.conv.weight"),
            "to_picture.bias": network.constant(f"{picture}.bias").flatten(),
        }
    )


def _modulation(network: _Network, ours: str, theirs: str) -> dict[str, Tensor]:
    """The map from latent to style, with the factor 1 / sqrt(fan in) behind it folded in."""
    weight = f"{theirs}.conv.modulation.weight"
    # MatMul, Add, Reshape, Multiply
    scales = [scale for scale in network.after(weight, "Multiply", 4) if scale.numel() == 1]
    if len(scales) != 1:
        raise CheckpointError(f"{network.where} has no factor behind {weight}; expected one number.")
    scale = scales[0].item()
    return {
        f"{ours}.modulation.weight": network.constant(weight) * scale,
        f"{ours}.modulation.bias": network.constant(f"{theirs}.conv.modulation.bias").flatten() * scale,
    }
