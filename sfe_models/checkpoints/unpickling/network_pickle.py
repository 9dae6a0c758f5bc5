"""Read network pickles of StyleGAN2-ADA without running the Python source that they embed.

The format is that of `torch_utils/persistence.py` in NVlabs stylegan2-ada-pytorch and stylegan3:
each module is a call `_reconstruct_persistent_obj(meta)`, where meta carries the module's source
text and its `__dict__`. Here that call gives an inert record and the source text is dropped.
"""

import io
import math
import pickle
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..containers import damaged, sniff, wrong_container
from ..errors import CheckpointError
from .stand_ins import DroppedArray, Function, InertUnpickler, NumpyDtype, RefusedGlobal, numpy_scalar, would_run
from .torch_file import refused_global

# Positional parameters of the published classes, for networks that were not built from keywords.
_PARAMETERS = {
    "Generator": ("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels"),
    "Discriminator": ("c_dim", "img_resolution", "img_channels"),
}


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


def _rebuild_tensor(
    storage: Tensor, offset: int, size: Sequence[int], stride: Sequence[int], *_grad_and_hooks: object
) -> Tensor:
    if math.prod(size) > storage.numel():
        raise ValueError(f"tensor of shape {tuple(size)} in a storage of {storage.numel()} values")
    return storage.as_strided(size, stride, offset)


def _rebuild_parameter(data: Tensor, *_grad_and_hooks: object) -> Tensor:
    return data


# Everything that a network pickle may name. No entry is the original, except for plain containers.
_TABLE = {
    ("collections", "OrderedDict"): Function(OrderedDict),
    ("builtins", "set"): Function(set),
    ("builtins", "frozenset"): Function(frozenset),
    ("dnnlib.util", "EasyDict"): _EasyDict,
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): Function(_reconstruct_module),
    ("torch._utils", "_rebuild_tensor_v2"): Function(_rebuild_tensor),
    ("torch._utils", "_rebuild_parameter"): Function(_rebuild_parameter),
    ("torch.storage", "_load_from_bytes"): Function(_load_storage),
    ("torch", "Size"): Function(tuple),
    ("torch", "device"): Function(str),
    ("torch", "float16"): torch.float16,
    ("torch", "float32"): torch.float32,
    ("numpy", "dtype"): Function(NumpyDtype),
    ("numpy", "ndarray"): None,
    ("numpy.core.multiarray", "scalar"): Function(numpy_scalar),
    ("numpy._core.multiarray", "scalar"): Function(numpy_scalar),
    ("numpy.core.multiarray", "_reconstruct"): Function(DroppedArray),
    ("numpy._core.multiarray", "_reconstruct"): Function(DroppedArray),
}


def read_network_pickle(path: str | Path) -> NetworkPickle:
    """Read the generator and, if there, the discriminator of a StyleGAN2-ADA network pickle.

    Raises CheckpointError; nothing in the file is ever run.
    """
    file = sniff(path)
    expected = "a StyleGAN2-ADA network pickle with G_ema or G"
    if file.kind != "pickle":
        raise wrong_container(file, expected)
    try:
        with open(path, "rb") as file:
            content = InertUnpickler(file, _TABLE).load()
        networks = content if isinstance(content, dict) else {}
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
        raise would_run(path, str(error)) from error
    except CheckpointError:
        raise
    except Exception as error:  # a crafted pickle can raise anything
        raise damaged(path, expected, error) from error


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
    args, kwargs = network.attributes["_init_args"], network.attributes["_init_kwargs"]
    names = _PARAMETERS[network.class_name] if args else ()
    return dict(zip(names, args, strict=False)) | dict(kwargs)
