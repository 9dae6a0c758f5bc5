"""The one form in which vectors are kept, in files of their own and in bundles.

Tensors: one of [1,D] or [N,D] for W+; or `convs.0`, `convs.1`, ... and, if colours move, `rgbs.0`, ..., each [C], for
style space. Beside them a JSON object, of which everything may be left out:

    {"name": "curly", "range": [-3, 3], "effect": "curls", "subject": "human faces", "scale": 1, "layers": "4-7",
    "source": "my boundary", "family": "own", "component": 3, "generator": "0123456789abcdef",
    "checksum": "0123456789ab"}

`component` chooses one of a file of principal components; `generator` is the fingerprint of the only generator that
the direction is for; `checksum` is `checksums.tensor_checksum` of the one tensor in a file that has no room for it.
Early bundles say `strength_range` for `range`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from ..generators.base import GeneratorSpec
from .base import Direction, DirectionError, DirectionInfo
from .families.linear import LinearDirection
from .families.reader import Stored
from .families.readers import read_direction
from .families.stylespace import StyleOffsetDirection
from .layers import LayerMaskedDirection, LayerMaskedStyleDirection, on_layers_only


@dataclass(frozen=True)
class Description:
    """What is said of a vector besides its numbers. layers: as `parse_layers` takes them."""

    info: DirectionInfo
    scale: float = 1.0
    layers: str | tuple[int, ...] | None = None
    component: int | None = None
    checksum: str | None = None


def _number(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _range(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_number, value)) and value[0] < value[1]


def _text(value: object) -> bool:
    return isinstance(value, str)


# Of each entry: whether a value will do, and what is expected in words.
_ENTRIES: dict[str, tuple[Callable[[object], bool], str]] = {
    "name": (lambda v: isinstance(v, str) and bool(v.strip()), "a word or a few"),
    "range": (lambda v: v is None or _range(v), "two numbers, the smaller first"),
    "effect": (_text, "text"),
    "subject": (lambda v: v is None or _text(v), "text such as 'human faces'"),
    "scale": (lambda v: _number(v) and v != 0, "a number other than 0"),
    "layers": (
        lambda v: v is None or _text(v) or isinstance(v, list) and all(map(_whole, v)),
        "text such as 'coarse' or '0-3,7', or a list of numbers",
    ),
    "source": (_text, "text"),
    "family": (_text, "text"),
    "component": (lambda v: v is None or _whole(v), "a whole number"),
    "generator": (lambda v: v is None or _text(v) and bool(v), "a generator's fingerprint, or no such entry at all"),
    "checksum": (lambda v: v is None or _text(v), "12 digits, or no such entry at all"),
}


def read_description(values: object, where: str, default: DirectionInfo) -> Description:
    """Read a description as above; what it leaves out is as in `default`. where: what errors name.

    Raises DirectionError for anything else.
    """
    if isinstance(values, dict) and "strength_range" in values:
        values = {"range" if key == "strength_range" else key: value for key, value in values.items()}
    if not isinstance(values, dict) or set(values) - set(_ENTRIES):
        found = sorted(set(values) - set(_ENTRIES)) if isinstance(values, dict) else type(values).__name__
        raise DirectionError(f"{where} holds {found}; expected an object of {', '.join(_ENTRIES)}.")
    for key, (will_do, expected) in _ENTRIES.items():
        if key in values and not will_do(values[key]):
            raise DirectionError(f"{where}: '{key}' is {values[key]!r}; expected {expected}.")
    span, layers = values.get("range"), values.get("layers")
    info = DirectionInfo(
        values.get("name", default.name).strip(),
        values.get("family", default.family),
        values.get("subject", default.subject),
        tuple(span) if span else None,
        values.get("effect", default.effect),
        values.get("source", default.source),
        values.get("generator", default.generator),
    )
    layers = tuple(layers) if isinstance(layers, list) else layers
    return Description(info, float(values.get("scale", 1.0)), layers, values.get("component"), values.get("checksum"))


def make_direction(about: Description, tensors: Mapping[str, Tensor], where: str, spec: GeneratorSpec) -> Direction:
    """Make a direction of a description and tensors. Raises DirectionError for what does not fit the generator."""
    parameters = {} if about.component is None else {"component": about.component}
    direction = read_direction(Stored(where, about.info, tensors, about.scale, parameters), spec)
    if about.scale != 1 and not isinstance(direction, LinearDirection | StyleOffsetDirection):
        raise DirectionError(f"{where} has a 'scale', but {direction!r} is no vector; leave it out.")
    return on_layers_only(direction, about.layers, spec)


def taken_apart(direction: Direction) -> tuple[dict[str, object], dict[str, Tensor]]:
    """Give what `read_description` and `make_direction` make the same direction of: description and tensors.

    The tensors are float32 on the CPU, with memory of their own. Raises DirectionError for what is no vector.
    """
    about: dict[str, object] = {}
    if isinstance(direction, LayerMaskedDirection | LayerMaskedStyleDirection):
        about["layers"] = list(direction.layers)
        direction = direction.direction
    if isinstance(direction, LinearDirection):
        tensors = {"vector": direction.vector}
    elif isinstance(direction, StyleOffsetDirection):
        tensors = {f"convs.{i}": t for i, t in enumerate(direction.convs)}
        tensors |= {f"rgbs.{i}": t for i, t in enumerate(direction.rgbs)}
    else:
        raise DirectionError(
            f"{direction!r} is no vector; only W+ vectors and style space offsets are kept in files and bundles."
        )
    info = direction.info
    said = {"name": info.name, "family": info.family, "subject": info.subject, "effect": info.effect}
    said |= {"range": info.strength_range and list(info.strength_range), "source": info.source}
    said |= {"generator": info.generator}
    about = {**said, "scale": direction.scale, **about}
    about = {key: value for key, value in about.items() if value is not None}
    return about, {name: t.detach().cpu().float().contiguous().clone() for name, t in tensors.items()}


def same_vector(a: Direction, b: Direction) -> bool:
    """Tell whether two directions are vectors that move codes alike, whatever they are called."""
    try:
        (about_a, a_tensors), (about_b, b_tensors) = taken_apart(a), taken_apart(b)
    except DirectionError:
        return False
    alike = all(about_a.get(key) == about_b.get(key) for key in ("scale", "layers"))
    return alike and a_tensors.keys() == b_tensors.keys() and all(t.equal(b_tensors[k]) for k, t in a_tensors.items())
