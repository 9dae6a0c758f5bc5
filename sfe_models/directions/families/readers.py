"""The families that can be read, in the order in which they are asked."""

from __future__ import annotations

from ...generators.base import GeneratorSpec
from ..base import Direction, DirectionError
from . import ganspace, linear, mapper, stylespace
from .reader import Stored

READERS = (stylespace.CHANNELS, stylespace.OFFSETS, ganspace.READER, mapper.READER, linear.READER)


def read_direction(stored: Stored, spec: GeneratorSpec) -> Direction:
    """Make a direction of whatever family recognises what is stored.

    Raises DirectionError if none does, for numbers that are no finite floating point ones, and for a direction of
    another generator.
    """
    for tensor in stored.tensors.values():
        if not tensor.is_floating_point():
            raise DirectionError(f"{stored.where} holds {tensor.dtype}; expected floating point numbers.")
        if not tensor.isfinite().all():
            raise DirectionError(f"{stored.where} holds numbers that are not finite; get or make the file again.")
    for reader in READERS:
        if reader.recognises(stored):
            return reader.read(stored, spec)
    names = sorted(stored.tensors)
    raise DirectionError(
        f"{stored.where} holds {len(names)} tensors ({', '.join(names[:5])}{', ...' if len(names) > 5 else ''}); "
        f"expected {', '.join(reader.holds for reader in READERS if reader.holds)}."
    )
