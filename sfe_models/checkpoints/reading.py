"""Read plain containers: state dicts, numpy arrays and safetensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors
import torch
from torch import Tensor

from ..checksums import KEY, wrong_metadata, wrong_tensor
from .containers import Sniffed, damaged, sniff, wrong_container
from .errors import CheckpointError

_SAFETENSORS = "a safetensors file"


def tensors_of(mapping: object, path: str | Path) -> dict[str, Tensor]:
    """Return the tensors of a state dict, detached; other entries are left out.

    path: only for the error. Raises CheckpointError if it is no mapping with string keys, or
    if it holds no tensor.
    """
    expected = "expected a state dict (names and tensors). Check that this is the right file."
    if not isinstance(mapping, Mapping):
        raise CheckpointError(f"{path} holds a {type(mapping).__name__}; {expected}")
    for key in mapping:
        if not isinstance(key, str):
            raise CheckpointError(f"{path} holds an entry named {key!r}; {expected}")
    tensors = {key: value.detach() for key, value in mapping.items() if isinstance(value, Tensor)}
    if not tensors:
        raise CheckpointError(f"{path} holds no tensor, only {sorted(mapping)[:5]}; {expected}")
    return tensors


def not_finite(tensors: Mapping[str, Tensor]) -> str | None:
    """Name the first tensor that holds a number that is not finite; None if there is none."""
    # The extremes tell: NaN spreads to both of them.
    floats = ((name, t) for name, t in tensors.items() if t.is_floating_point() and t.numel())
    return next((name for name, t in floats if not all(x.isfinite() for x in t.aminmax())), None)


def read_numpy(path: str | Path) -> np.ndarray:
    """Read a .npy file of plain values. Raises CheckpointError, also for pickled objects."""
    file = sniff(path)
    expected = "a .npy file of numbers"
    if file.kind != "npy":
        raise wrong_container(file, expected)
    try:
        return np.load(path, allow_pickle=False)
    except Exception as error:  # a crafted header can raise anything
        raise _pickled(path, error) or damaged(path, expected, error) from error


def read_numpy_archive(path: str | Path) -> dict[str, np.ndarray]:
    """Read the arrays of a .npz file, by name. Raises CheckpointError, also for pickled objects."""
    file = sniff(path)
    expected = "a .npz file of numbers"
    if file.kind != "npz":
        raise wrong_container(file, expected)
    try:
        with np.load(path, allow_pickle=False) as archive:
            return dict(archive)
    except Exception as error:  # a crafted archive can raise anything
        raise _pickled(path, error) or damaged(path, expected, error) from error


def _pickled(path: str | Path, error: Exception) -> CheckpointError | None:
    """Describe a numpy file that holds pickled objects, None for another failure."""
    if not isinstance(error, ValueError) or "allow_pickle" not in str(error):
        return None
    return CheckpointError(
        f"{path} holds pickled Python objects, such as a dictionary, which are never unpickled; take the array of "
        "numbers out where you trust the file (`numpy.load(..., allow_pickle=True)`) and save that with `numpy.save`."
    )


@dataclass(frozen=True)
class TensorFile:
    """An opened safetensors file: what stands in its header; tensors are read when they are asked for.

    header: name -> (type, shape), with the format's own names of types, such as "F32".
    """

    path: Path
    metadata: dict[str, str]
    header: dict[str, tuple[str, list[int]]]

    @property
    def verified(self) -> bool:
        """Whether tensors that are read are compared with checksums."""
        return KEY in self.metadata

    def tensors(self, names: Iterable[str] | None = None, device: torch.device | str = "cpu") -> dict[str, Tensor]:
        """Read tensors by name (None: all); on a CPU they are the mapped file itself. Raises CheckpointError.

        Those of a file that was written with checksums are compared with them.
        """
        try:
            with safetensors.safe_open(self.path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in (self.header if names is None else names)}
        except (safetensors.SafetensorError, OSError, ValueError) as error:
            raise damaged(self.path, _SAFETENSORS, error) from error
        if wrong := wrong_tensor(self.metadata, tensors):
            raise _changed(self.path, wrong)
        return {name: tensor.to(device) for name, tensor in tensors.items()}

    def copies(self, device: torch.device | str = "cpu") -> dict[str, Tensor]:
        """Read all tensors into memory of their own, as Windows replaces no mapped file. Raises CheckpointError."""
        tensors = self.tensors(device=device)
        return {name: tensor.clone() if tensor.device.type == "cpu" else tensor for name, tensor in tensors.items()}


def _changed(path: Path, what: str) -> CheckpointError:
    return CheckpointError(
        f"{path} is damaged: {what} is not what was written. Make or fetch the file again (if you changed it on "
        f"purpose, leave the entry '{KEY}' out of its metadata)."
    )


def read_safetensors(path: str | Path | Sniffed) -> TensorFile:
    """Read the header of a safetensors file, and its tensors later. Raises CheckpointError."""
    looked = sniff(path)
    if looked.kind != "safetensors":
        raise wrong_container(looked, _SAFETENSORS)
    try:
        with safetensors.safe_open(looked, framework="pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}
            header = {name: (part.get_dtype(), part.get_shape()) for name, part in slices.items()}
            metadata = file.metadata() or {}
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise damaged(looked, _SAFETENSORS, error) from error
    if wrong_metadata(metadata, list(header)):
        raise _changed(looked.path, "its description")
    return TensorFile(looked.path, metadata, header)
