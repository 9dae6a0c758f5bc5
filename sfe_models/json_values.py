"""Make dataclasses of what JSON holds, checking names and types."""

from __future__ import annotations

import dataclasses
import types
import typing


class JsonValueError(ValueError):
    """Say which entry of which JSON text is not what is expected there."""


def build(cls: type, values, source: str, where: str = ""):
    """Make a dataclass of nested plain values, checking names and types. Raises JsonValueError."""
    if not isinstance(values, dict):
        raise JsonValueError(f"{source}: {where or 'the whole'} is {values!r}; expected an object of settings.")
    hints = typing.get_type_hints(cls)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise JsonValueError(f"{source}: unknown setting {where}{unknown[0]!r}; expected some of {', '.join(hints)}.")
    made = {name: _convert(hints[name], value, source, f"{where}{name}") for name, value in values.items()}
    try:
        return cls(**made)
    except TypeError as error:
        raise JsonValueError(f"{source}: {where or cls.__name__} is incomplete ({error}).") from error


def _convert(hint, value, source: str, where: str):
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _convert(_chosen(arguments, value, source, where), value, source, where)
    if dataclasses.is_dataclass(hint):
        return build(hint, value, source, f"{where}.")
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise JsonValueError(f"{source}: {where} is {value!r}; expected a list.")
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else list(arguments)
        if len(kinds) != len(value):
            raise JsonValueError(f"{source}: {where} has {len(value)} entries; expected {len(kinds)}.")
        return tuple(_convert(k, v, source, f"{where}[{i}]") for i, (k, v) in enumerate(zip(kinds, value, strict=True)))
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise JsonValueError(f"{source}: {where} is {value!r}; expected {hint.__name__}.")
    return value


def _chosen(kinds: tuple[type, ...], value, source: str, where: str) -> type:
    """Of several kinds, the one whose `family` the value names; without a name the first, which older texts mean."""
    kinds = [kind for kind in kinds if kind is not type(None)]
    family = value.get("family") if isinstance(value, dict) else None
    if family is None:
        return kinds[0]
    families = {kind.family: kind for kind in kinds if hasattr(kind, "family")}
    if family not in families:
        raise JsonValueError(f"{source}: {where} is of the family {family!r}; expected {' or '.join(families)}.")
    return families[family]
