"""The values that travel between the stages: frozen, batch-first, with a short repr for error reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from .directions.base import Step
from .directions.layers import named_layers
from .generators.base import StyleSpace
from .inputs import InputError


def _moved(value: Any, move) -> Any:
    """Apply `move` to every tensor inside a value of this file."""
    if isinstance(value, Tensor):
        return move(value)
    if isinstance(value, StyleSpace):
        return value.map(move)
    if isinstance(value, _Value):
        return value.map(move)
    if isinstance(value, Step):
        return replace(value, strength=move(value.strength))
    if isinstance(value, tuple):
        return tuple(_moved(v, move) for v in value)
    return value


def _joined(parts: Sequence[Any]) -> Any:
    """Join values of this file, or what they hold, along the batch."""
    first = parts[0]
    if len(parts) == 1:
        return first
    if isinstance(first, Tensor):
        return torch.cat(list(parts))
    if isinstance(first, StyleSpace | _Value):
        return type(first).cat(parts)
    if isinstance(first, Step):
        return replace(first, strength=_joined([part.strength for part in parts]))
    if isinstance(first, tuple):
        return tuple(_joined(column) for column in zip(*parts, strict=True))
    return first


class _Value:
    """Batch-first dataclass of tensors."""

    @classmethod
    def cat(cls, parts: Sequence[_Value], **whole):
        """Join batches of one model; `whole`: fields that are there already, for all of them together."""
        names = [f.name for f in fields(cls) if f.name not in whole]
        return cls(**{name: _joined([getattr(part, name) for part in parts]) for name in names}, **whole)

    def map(self, move):
        """Apply `move` (to a device, a slice, ...) to every tensor."""
        return replace(self, **{f.name: _moved(getattr(self, f.name), move) for f in fields(self)})

    def map_own(self, move):
        """Apply `move` to the value's own tensors; the values that it goes back to stay the very same objects."""
        own = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{name: _moved(part, move) for name, part in own.items() if not isinstance(part, _Value)})

    def to(self, *args, **kwargs):
        """Move every tensor as `Tensor.to` does; with a type, only the feature tensors should be meant."""
        return self.map(lambda t: t.to(*args, **kwargs))

    def __getitem__(self, index):
        """Take a part of the batch: a slice, or a tensor or list of picture numbers."""
        index = [index] if isinstance(index, int) else index
        return self.map(lambda t: t[index])

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def __repr__(self) -> str:
        parts = []
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, Tensor):
                parts.append(f"{f.name}={tuple(value.shape)}")
            elif f.name == "carried":
                continue
            elif isinstance(value, str | _Value) or (isinstance(value, tuple) and value):
                parts.append(f"{f.name}={value!r}")
        return f"{type(self).__name__}({', '.join(parts)})"


@dataclass(frozen=True, eq=False, repr=False)
class Inversion(_Value):
    """What Invert finds for a batch of pictures.

    w: [B,N,D]; w_e: the e4e code, [B,n,D], only as many styles as were asked for; F_k: the Fuser's output
    [B,C,r,r]; F_w_e: outs[delta layer] of the e4e code; carried: what else the generator carries at layer k of w;
    picture: what the encoders saw, [B,3,h,w] in [-1,1]; domain: name of the domain; generator: fingerprint of its
    weights, empty where it is not known.
    """

    w: Tensor
    w_e: Tensor
    F_k: Tensor
    F_w_e: Tensor
    carried: tuple[Tensor, ...]
    picture: Tensor
    domain: str
    generator: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Mix(_Value):
    """A step of an edit that takes some layers of both codes from other pictures, one for each of the edit's.

    layers: numbers of W+ styles; alpha: 0 leaves the codes, 1 takes the others'.
    """

    other: Inversion
    layers: tuple[int, ...]
    alpha: float

    def __repr__(self) -> str:
        return f"{named_layers(self.layers)} of other pictures at {self.alpha:g}"


@dataclass(frozen=True, eq=False, repr=False)
class Edit(_Value):
    """Edited codes and the steps that led there.

    w, w_e: edited W+ codes; styles, styles_e: edited style vectors if a step acts in style space (then they
    count, not the codes), else None.
    """

    inversion: Inversion
    steps: tuple[Step | Mix, ...]
    w: Tensor
    w_e: Tensor
    styles: StyleSpace | None = None
    styles_e: StyleSpace | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Region(_Value):
    """A part of the pictures, and the codes that are seen there.

    mask: [B,H,W] in [0,1] at the picture's size, how much of each pixel is made with them; styles: their style
    vectors; carried: what the generator carries at layer k of them.
    """

    mask: Tensor
    styles: StyleSpace
    carried: tuple[Tensor, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Delta(_Value):
    """delta = F(w_E) - F(w_E') [B,C,r,r] of an edit, and what the generator carries at layer k of the edited w.

    regions: where which codes are seen, their masks adding up to at most 1; what they leave shows the unedited
    inversion. Without any, the whole picture shows the edit.
    """

    edit: Edit
    delta: Tensor
    carried: tuple[Tensor, ...]
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class Features(_Value):
    """F_k' [B,C,r,r], with the edit, what the generator carries there, and the regions of its Delta."""

    edit: Edit
    F_k: Tensor
    carried: tuple[Tensor, ...]
    regions: tuple[Region, ...] = ()


def of_one_model(a: Inversion, b: Inversion) -> bool:
    """Whether two inversions are of one domain and, as far as it is known, of one generator."""
    return a.domain == b.domain and (a.generator == b.generator or "" in (a.generator, b.generator))


def check_made_by(inversion: Inversion | GradualInversion, domain: str, generator: str, what: str) -> None:
    """Raise InputError for an inversion of another domain or, as far as it is known, of another generator."""
    if inversion.domain != domain:
        raise InputError(f"{what} is of {inversion.domain}; this model is {domain}. Choose that one, or invert again.")
    if inversion.generator not in ("", generator):
        raise InputError(
            f"{what} is of another generator than this model's: its weights have the fingerprint "
            f"{inversion.generator}, these {generator}. Invert again."
        )


def same_pictures(a: Inversion, b: Inversion) -> bool:
    """Whether `b` is of the same pictures as `a`, or of the one picture of `a` repeated."""
    if not of_one_model(a, b) or len(a) not in (1, len(b)) or a.F_k.shape[1:] != b.F_k.shape[1:]:
        return False
    return a is b or torch.equal(a.F_k.expand_as(b.F_k), b.F_k)


def repeat_each(value: _Value, times: int) -> _Value:
    """Repeat every picture of a batch `times` times, next to each other."""
    return value[torch.arange(len(value)).repeat_interleave(times)]


@dataclass(frozen=True, eq=False, repr=False)
class GradualInversion(_Value):
    """What a gradual model finds for a batch of pictures.

    w: the e4e code [B,N,D]; residuals, features: F_m [B,C_m,r,r] and the generator's own f_m [B,C,r,r] of every stage,
    the coarsest first; picture, domain, generator: as an Inversion's.
    """

    w: Tensor
    residuals: tuple[Tensor, ...]
    features: tuple[Tensor, ...]
    picture: Tensor
    domain: str
    generator: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class GradualEdit(_Value):
    """An edited code, the steps that led there, and style vectors in its place if a step acts in style space."""

    inversion: GradualInversion
    steps: tuple[Step, ...]
    w: Tensor
    styles: StyleSpace | None = None
