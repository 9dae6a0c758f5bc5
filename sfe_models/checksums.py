"""Checksums of tensors and of what stands beside them in a file, so that a damaged file is noticed.

They guard against accidents, not against forgers. A gigabyte takes about 0.3 s on one core.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

# The entry of a file's metadata.
KEY = "checksums"
# Words of 8 bytes in a row; rows are added up before they are hashed.
_ROW = 4096
_DIGITS = 12
# Stands for the metadata among the names of tensors.
_METADATA = ""


def tensor_checksum(tensor: Tensor) -> str:
    """Add up rows of 32 KiB as 64-bit numbers, and hash the sum, the rest, the type and the shape.

    Every change of one place changes the sum; two that cancel each other are no accident.
    """
    data = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
    whole = len(data) // (8 * _ROW)
    rows = data[: whole * 8 * _ROW].view(np.uint64).reshape(whole, _ROW)
    digest = hashlib.sha256(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
    digest.update(rows.sum(axis=0, dtype=np.uint64).tobytes())
    digest.update(data[whole * 8 * _ROW :].tobytes())
    return digest.hexdigest()[:_DIGITS]


def _metadata_checksum(metadata: Mapping[str, str], names: list[str]) -> str:
    kept = {key: value for key, value in metadata.items() if key != KEY}
    return hashlib.sha256(json.dumps([kept, sorted(names)], sort_keys=True).encode()).hexdigest()[:_DIGITS]


def with_checksums(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the metadata with the checksums of all tensors, and of itself with their names, in one entry."""
    sums = {name: tensor_checksum(tensor) for name, tensor in tensors.items()}
    return {**metadata, KEY: json.dumps({_METADATA: _metadata_checksum(metadata, list(tensors)), **sums})}


def wrong_metadata(metadata: Mapping[str, str], names: list[str]) -> bool:
    """Whether the metadata or the names of tensors are not those that were written; False if nothing is known."""
    if KEY not in metadata:
        return False
    try:
        return json.loads(metadata[KEY])[_METADATA] != _metadata_checksum(metadata, names)
    except (ValueError, TypeError, KeyError):
        return True


def wrong_tensor(metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str | None:
    """Name the first tensor that is not the one that was written; None if all are, or nothing is known."""
    if KEY not in metadata:
        return None
    sums = json.loads(metadata[KEY])
    return next((name for name, tensor in tensors.items() if tensor_checksum(tensor) != sums.get(name)), None)
