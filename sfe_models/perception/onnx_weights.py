"""The weights of ONNX files, read as data: protobuf's wire format, and of the graph only what uses which tensor.

Nothing is run: a network that reads such a file is written out in this package, and takes its tensors from here. Field
numbers are those of onnx.proto3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..checkpoints.errors import CheckpointError

_GRAPH = 7  # of a model
_NODE, _INITIALISER = 1, 5  # of a graph
_NODE_INPUT, _NODE_KIND = 1, 4  # of a node
_DIMENSIONS, _TYPE, _FLOATS, _NAME, _RAW, _EXTERNAL = 1, 2, 4, 8, 9, 13  # of a tensor
_TYPES = {1: torch.float32, 7: torch.int64}
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


class _Damaged(ValueError):
    """The bytes are no message of the kind that is expected."""


@dataclass(frozen=True, eq=False)
class OnnxWeights:
    """The tensors of an ONNX file.

    nodes: (operation, the tensors that it uses, in order), in the graph's order, those without a tensor left out.
    """

    nodes: tuple[tuple[str, tuple[Tensor, ...]], ...]

    def of(self, *operations: str) -> list[tuple[Tensor, ...]]:
        """Return the tensors of each node of these operations, in order."""
        return [tensors for operation, tensors in self.nodes if operation in operations]


def read_onnx(path: Path | str) -> OnnxWeights:
    """Read an ONNX file's tensors. Raises CheckpointError, also for tensors kept in a second file."""
    path = Path(path)
    try:
        content = memoryview(path.read_bytes())
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error}).") from error
    try:
        return _model(content)
    except (_Damaged, IndexError, ValueError, RuntimeError, OverflowError) as error:
        raise CheckpointError(f"{path} is damaged or no ONNX file ({error}); get it again.") from error


def _model(content: memoryview) -> OnnxWeights:
    graph = [value for field, value in _fields(content) if field == _GRAPH]
    if len(graph) != 1 or isinstance(graph[0], int):
        raise _Damaged("it holds no graph")
    tensors, nodes = {}, []
    for field, value in _fields(graph[0]):
        if field == _INITIALISER:
            name, tensor = _tensor(value)
            tensors[name] = tensor
        elif field == _NODE:
            parts = list(_fields(value))
            kind = "".join(_text(part) for number, part in parts if number == _NODE_KIND)
            nodes.append((kind, [_text(part) for number, part in parts if number == _NODE_INPUT]))
    used = ((kind, tuple(tensors[name] for name in names if name in tensors)) for kind, names in nodes)
    return OnnxWeights(tuple((kind, found) for kind, found in used if found))


def _tensor(content: memoryview) -> tuple[str, Tensor]:
    shape, numbers, raw, name, kind = [], [], None, "", 0
    for field, value in _fields(content):
        if field == _DIMENSIONS:
            shape += [value] if isinstance(value, int) else list(_varints(value))
        elif field == _TYPE:
            kind = value
        elif field == _FLOATS:
            numbers.append(bytes(value))
        elif field == _NAME:
            name = _text(value)
        elif field == _RAW:
            raw = value
        elif field == _EXTERNAL:
            raise _Damaged(f"{name or 'a tensor'} is kept in a second file")
    if kind not in _TYPES:
        raise _Damaged(f"{name or 'a tensor'} is of the type {kind}, expected float32 or int64")
    data = bytes(raw) if raw is not None else b"".join(numbers)
    flat = torch.frombuffer(bytearray(data), dtype=_TYPES[kind]) if data else torch.empty(0, dtype=_TYPES[kind])
    return name, flat.reshape(shape)


def _fields(content: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield the fields of a message: (number, value); a value is an integer, or bytes for all other wire types."""
    position = 0
    while position < len(content):
        key, position = _varint(content, position)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, position = _varint(content, position)
        else:
            length = {_FIXED64: 8, _FIXED32: 4}.get(wire)
            if wire == _BYTES:
                length, position = _varint(content, position)
            if length is None or position + length > len(content):
                raise _Damaged("a field ends beyond its message")
            value, position = content[position : position + length], position + length
        yield number, value


def _varints(content: memoryview) -> Iterator[int]:
    position = 0
    while position < len(content):
        value, position = _varint(content, position)
        yield value


def _varint(content: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for i in range(_LONGEST_VARINT):
        byte = content[position + i]
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value, position + i + 1
    raise _Damaged("a number has no end")


def _text(value: int | memoryview) -> str:
    if isinstance(value, int):
        raise _Damaged("a number where a name is expected")
    return bytes(value).decode("utf-8")
