"""Read network pickles of StyleGAN2-ADA without running the Python source that they embed.

The format is that of `torch_utils/persistence.py` in NVlabs stylegan2-ada-pytorch and stylegan3:
each module is a call `_reconstruct_persistent_obj(meta)`, where meta carries the module's source
text and its `__dict__`. Here that call gives an inert record and the source text is dropped.
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..containers import Sniffed, damaged, sniff, wrong_container
from ..errors import CheckpointError
from .stand_ins import DroppedArray, Function, InertUnpickler, NumpyDtype, RefusedGlobal, encoded, numpy_scalar, refused
from .tensors import STORAGES, ArchiveUnpickler, rebuild_tensor
from .torch_file import refused_global

# Positional parameters of the published classes, for networks that were not built from keywords.
_PARAMETERS = {
    "Generator": ("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels"),
    "Discriminator": ("c_dim", "img_resolution", "img_channels"),
}
# A generator's own arguments; the stylegan3 repository takes those of the synthesis beside them.
_GENERATOR = {*_PARAMETERS["Generator"], "mapping_kwargs", "synthesis_kwargs"}
_STYLEGAN3_DEFAULTS = {"conv_clamp": 256}
# Settings that layers carry themselves, as files of the training programs do.
_SAID = ("conv_clamp", "activation", "architecture")


@dataclass(frozen=True)
class NetworkPickle:
    """Hold the networks of a network pickle as flat state dicts with NVlabs' names.

    generator: the moving average `G_ema`, else `G`. The kwargs are the constructors' arguments.
    """

    generator: dict[str, Tensor]
    generator_kwargs: dict[str, object]
    discriminator: dict[str, Tensor] | None
    discriminator_kwargs: dict[str, object] | None


class _EasyDict(dict):
    """Stand for `dnnlib.EasyDict`, whose pickles carry an empty state."""

    __slots__ = ()

    def __setstate__(self, state: object):
        if state:
            raise pickle.UnpicklingError("state given to an EasyDict")


@dataclass(frozen=True)
class _Module:
    """Stand for a persistent module: its class's name and its `__dict__`."""

    class_name: str
    attributes: dict[str, object]


def _reconstruct_module(meta: dict) -> _Module:
    return _Module(meta["class_name"], meta["state"])


def _load_storage(data: bytes) -> Tensor:
    # Gives the storage's values as a flat tensor. In torch this function is an unrestricted torch.load.
    try:
        storage = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        name = refused_global(error)
        if name:
            raise RefusedGlobal(name) from error
        raise
    return torch.empty(0, dtype=storage.dtype).set_(storage)


def _rebuild_parameter(data: Tensor, *_grad_and_hooks: object) -> Tensor:
    return data


# Everything that a network pickle may name. No entry is the original, except for plain containers.
_TABLE = {
    ("collections", "OrderedDict"): Function(OrderedDict),
    ("builtins", "set"): Function(set),
    ("builtins", "frozenset"): Function(frozenset),
    ("__builtin__", "set"): Function(set),
    ("__builtin__", "frozenset"): Function(frozenset),
    ("dnnlib.util", "EasyDict"): _EasyDict,
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): Function(_reconstruct_module),
    ("torch._utils", "_rebuild_tensor_v2"): Function(rebuild_tensor),
    ("torch._utils", "_rebuild_parameter"): Function(_rebuild_parameter),
    ("torch.storage", "_load_from_bytes"): Function(_load_storage),
    ("torch", "Size"): Function(tuple),
    ("torch", "device"): Function(str),
    ("torch", "float16"): torch.float16,
    ("torch", "float32"): torch.float32,
    **{("torch", name): name for name in STORAGES},
    ("_codecs", "encode"): Function(encoded),
    ("numpy", "dtype"): Function(NumpyDtype),
    ("numpy", "ndarray"): None,
    ("numpy.core.multiarray", "scalar"): Function(numpy_scalar),
    ("numpy._core.multiarray", "scalar"): Function(numpy_scalar),
    ("numpy.core.multiarray", "_reconstruct"): Function(DroppedArray),
    ("numpy._core.multiarray", "_reconstruct"): Function(DroppedArray),
}


def read_network_pickle(path: str | Path) -> NetworkPickle:
    """Read the generator and, if there, the discriminator of a StyleGAN2-ADA network pickle.

    A pickle, or a file of torch.save, of networks by name or of a generator alone. Raises CheckpointError; nothing in
    the file is ever run.
    """
    file = sniff(path)
    expected = "a StyleGAN2-ADA network pickle with G_ema or G"
    if file.kind not in ("pickle", "torch-zip"):
        raise wrong_container(file, expected)
    try:
        content = _unpickled(file)
        networks = content if isinstance(content, dict) else {}
        if isinstance(content, _Module) and content.class_name == "Generator":
            networks = {"G": content}
        generator, discriminator = networks.get("G_ema") or networks.get("G"), networks.get("D")
        if not isinstance(generator, _Module):
            found = f"the entries {list(content)}" if networks else f"a {type(content).__name__}"
            raise CheckpointError(f"{path} holds {found}; expected {expected}. Check the path.")
        return NetworkPickle(
            generator=_flat_state(generator),
            generator_kwargs=_constructor_arguments(generator),
            discriminator=_flat_state(discriminator) if discriminator else None,
            discriminator_kwargs=_constructor_arguments(discriminator) if discriminator else None,
        )
    except RefusedGlobal as error:
        if str(error).startswith("dnnlib.tflib"):
            raise CheckpointError(
                f"{path} holds TensorFlow networks; expected {expected}. "
                "Convert it with legacy.py of NVlabs stylegan2-ada-pytorch."
            ) from error
        raise refused(path, str(error)) from error
    except CheckpointError:
        raise
    except Exception as error:  # a crafted pickle can raise anything
        raise damaged(path, expected, error) from error


def _unpickled(file: Sniffed) -> object:
    if file.kind == "torch-zip":
        with zipfile.ZipFile(file) as archive:
            return ArchiveUnpickler(archive, _TABLE).load()
    with open(file, "rb") as stream:
        return InertUnpickler(stream, _TABLE).load()


def _flat_state(network: _Module) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    seen: set[int] = set()

    def collect(module: _Module, prefix: str) -> None:
        # NVlabs' networks share no module; a crafted file can, to make this walk endless.
        if id(module) in seen:
            raise ValueError(f"module {prefix[:-1]!r} occurs twice")
        seen.add(id(module))
        for table in ("_parameters", "_buffers"):
            for name, tensor in module.attributes[table].items():
                if tensor is not None:
                    state[prefix + name] = tensor.detach().contiguous()
        for name, child in module.attributes["_modules"].items():
            collect(child, f"{prefix}{name}.")

    collect(network, "")
    return state


def _constructor_arguments(network: _Module) -> dict[str, object]:
    """The arguments in the layout of StyleGAN2-ADA; what the layers themselves say counts more."""
    args, kwargs = network.attributes["_init_args"], network.attributes["_init_kwargs"]
    names = _PARAMETERS[network.class_name] if args else ()
    values = dict(zip(names, args, strict=False)) | dict(kwargs)
    if network.class_name != "Generator":
        return values
    beside = {name: values.pop(name) for name in set(values) - _GENERATOR}
    if beside and "synthesis_kwargs" not in values:  # the stylegan3 repository's layout
        values["synthesis_kwargs"] = _STYLEGAN3_DEFAULTS | beside
    said = {name: found for name in _SAID if (found := _said(network, name)) is not None}
    if said:
        values["synthesis_kwargs"] = {**values.get("synthesis_kwargs", {}), **said}
    return values


def _said(network: _Module, name: str) -> object:
    """What the synthesis' blocks and their convolutions say of a setting; None if nothing."""
    synthesis = network.attributes["_modules"].get("synthesis")
    blocks = list(synthesis.attributes["_modules"].values()) if synthesis else []
    layers = [layer for block in blocks for key, layer in block.attributes["_modules"].items() if key != "torgb"]
    found = {module.attributes[name] for module in (*blocks, *layers) if name in module.attributes} - {None}
    if len(found) > 1:
        raise ValueError(f"layers of different {name}: {sorted(map(str, found))}")
    return next(iter(found), None)
