"""A user's own vectors: files dropped into a folder named `directions`.

`.pt`, `.npy` or `.safetensors` with one tensor: [D], [1,D], [N,D], [1,N,D], N*D or [1,N*D], where D is the
dimension of W and N the number of styles of the model. A JSON file of the same stem beside it may say more:

    {"name": "curly", "range": [-3, 3], "effect": "curls", "subject": "human faces", "scale": 1, "layers":
    "4-7", "source": "my boundary"}

An offset in style space is a `.safetensors` with one tensor [C] for each convolution, `convs.0`, `convs.1`, ...,
and one for each RGB layer, `rgbs.0`, ..., or none of the latter.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..atomic import replaced, save_tensors
from ..checkpoints.reading import read_numpy, read_safetensors, tensors_of
from ..checkpoints.unpickling.torch_file import read_torch
from .base import Direction, DirectionError, DirectionInfo
from .families.linear import LinearDirection
from .families.style_offset import StyleOffsetDirection
from .layers import on_layers_only

SUFFIXES = (".pt", ".npy", ".safetensors")
FOLDER = "directions"
_KEYS = ("name", "range", "effect", "subject", "scale", "layers", "source")


@dataclass(frozen=True)
class OwnFile:
    """What is known of an own file before its vector is read. layers: as `parse_layers` takes them."""

    path: Path
    info: DirectionInfo
    scale: float = 1.0
    layers: str | tuple[int, ...] | None = None


def _number(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)


def describe_own_file(path: Path | str, subject: str) -> OwnFile:
    """Read the description beside a vector file. subject: what it counts for if the description does not say.

    Raises DirectionError for a description that is not as above.
    """
    path = Path(path)
    beside = path.with_suffix(".json")
    values = {}
    if beside.is_file():
        try:
            values = json.loads(beside.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise DirectionError(f"{beside} cannot be read as JSON: {error}. Correct or remove it.") from error
    if not isinstance(values, dict) or set(values) - set(_KEYS):
        found = sorted(set(values) - set(_KEYS)) if isinstance(values, dict) else type(values).__name__
        raise DirectionError(f"{beside} holds {found}; expected an object of {', '.join(_KEYS)}.")
    name, effect = values.get("name", path.stem), values.get("effect", "")
    span, scale, layers = values.get("range"), values.get("scale", 1.0), values.get("layers")
    subject, source = values.get("subject", subject), values.get("source", str(path))
    wrong = None
    if not isinstance(name, str) or not name.strip():
        wrong = "name", name, "a word or a few"
    elif not isinstance(effect, str):
        wrong = "effect", effect, "text"
    elif not isinstance(subject, str):
        wrong = "subject", subject, "text such as 'human faces'"
    elif not isinstance(source, str):
        wrong = "source", source, "text"
    elif span is not None and (
        not isinstance(span, list) or len(span) != 2 or not all(map(_number, span)) or not span[0] < span[1]
    ):
        wrong = "range", span, "two numbers, the smaller first"
    elif not _number(scale) or not scale:
        wrong = "scale", scale, "a number other than 0"
    elif not isinstance(layers, str | None) and not (
        isinstance(layers, list) and all(isinstance(i, int) and not isinstance(i, bool) for i in layers)
    ):
        wrong = "layers", layers, "text such as 'coarse' or '0-3,7', or a list of numbers"
    if wrong:
        raise DirectionError(f"{beside}: '{wrong[0]}' is {wrong[1]!r}; expected {wrong[2]}.")
    info = DirectionInfo(name.strip(), "own", subject, tuple(span) if span else None, effect, source)
    return OwnFile(path, info, float(scale), tuple(layers) if isinstance(layers, list) else layers)


def find_own_files(folders: Sequence[Path], subject: str) -> list[OwnFile]:
    """List the vectors in the folders named `directions`, among these or directly below them, by name.

    Two of one name and subject raise DirectionError.
    """
    places = [place for folder in folders for place in (folder, folder / FOLDER) if place.name == FOLDER]
    paths = {
        path.resolve(): path
        for place in places
        if place.is_dir()
        for path in sorted(place.iterdir())
        if path.suffix in SUFFIXES and not path.name.startswith(".") and path.is_file()
    }
    found: dict[tuple[str, str], OwnFile] = {}
    for path in paths.values():
        own = describe_own_file(path, subject)
        other = found.setdefault((own.info.subject, own.info.name), own)
        if other is not own:
            raise DirectionError(
                f"{other.path} and {path} are both named '{own.info.name}'; rename one of them, or give it "
                "another name in a JSON file beside it."
            )
    return sorted(found.values(), key=lambda own: own.info.name)


def _read_tensors(path: Path) -> dict[str, Tensor]:
    """Read what a vector file holds; a tensor without a name has the empty one."""
    if path.suffix == ".npy":
        values = read_numpy(path)
        if values.dtype.kind != "f":
            raise DirectionError(f"{path} holds {values.dtype}; expected floating point numbers.")
        return {"": torch.from_numpy(values.astype("float32"))}
    if path.suffix == ".safetensors":
        content: object = read_safetensors(path).tensors()
    else:
        content = read_torch(path)
    tensors = {"": content.detach()} if isinstance(content, Tensor) else tensors_of(content, path)
    for tensor in tensors.values():
        if not tensor.is_floating_point():
            raise DirectionError(f"{path} holds {tensor.dtype}; expected floating point numbers.")
    return tensors


def read_own_file(own: OwnFile, style_dim: int, n_styles: int) -> Direction:
    """Make the direction: w + scale * strength * vector, or the same of style vectors, on the described layers.

    Raises CheckpointError for a file that cannot be read safely, DirectionError for one that does not fit.
    """
    path, tensors = own.path, _read_tensors(own.path)
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise DirectionError(f"{path} holds numbers that are not finite; expected a direction.")
    if "convs.0" in tensors:
        direction = _style_offset(own, tensors, n_styles)
    elif len(tensors) != 1:
        raise DirectionError(
            f"{path} holds {len(tensors)} tensors ({', '.join(sorted(tensors)[:5])}); expected one, or convs.0, "
            "convs.1, ... for style space."
        )
    else:
        direction = _linear(own, next(iter(tensors.values())), style_dim, n_styles)
    return on_layers_only(direction, own.layers, n_styles)


def _linear(own: OwnFile, tensor: Tensor, d: int, n: int) -> LinearDirection:
    if tuple(tensor.shape) not in ((d,), (1, d), (n, d), (1, n, d), (n * d,), (1, n * d)):
        raise DirectionError(
            f"{own.path} holds a tensor of shape {list(tensor.shape)}; the model's W+ codes are [{n},{d}]. "
            f"Expected [{d}], [1,{d}], [{n},{d}], [1,{n},{d}] or [{n * d}]: a direction made for this generator."
        )
    return LinearDirection(own.info, tensor.reshape(-1, d).float(), own.scale)


def _style_offset(own: OwnFile, tensors: dict[str, Tensor], n_styles: int) -> StyleOffsetDirection:
    convs = [f"convs.{i}" for i in range(n_styles - 1)]
    rgbs = [f"rgbs.{i}" for i in range(n_styles // 2)]
    if set(tensors) not in ({*convs}, {*convs, *rgbs}) or any(t.ndim != 1 for t in tensors.values()):
        n_convs, n_rgbs = (sum(name.startswith(kind) for name in tensors) for kind in ("convs.", "rgbs."))
        raise DirectionError(
            f"{own.path} holds offsets of {n_convs} convolutions and {n_rgbs} RGB layers; the model has "
            f"{len(convs)} and {len(rgbs)}. Expected one [C] for each convolution, and one for each RGB layer or none."
        )
    rgbs = rgbs if rgbs[0] in tensors else []
    parts = (tuple(tensors[name].float() for name in names) for names in (convs, rgbs))
    return StyleOffsetDirection(own.info, *parts, own.scale)


def save_own_file(direction: Direction, path: Path | str) -> Path:
    """Write a vector and its description beside it, so that `read_own_file` makes the same direction of it.

    direction: LinearDirection or StyleOffsetDirection; others are no vectors and raise DirectionError. path: ends in
    `.safetensors`, or in `.npy` for W+. Raises OSError if it cannot be written.
    """
    path, info = Path(path), direction.info
    if isinstance(direction, LinearDirection):
        tensors = {"direction": direction.vector}
    elif isinstance(direction, StyleOffsetDirection):
        tensors = {f"convs.{i}": t for i, t in enumerate(direction.convs)}
        tensors |= {f"rgbs.{i}": t for i, t in enumerate(direction.rgbs)}
    else:
        raise DirectionError(f"{direction!r} is no vector; only W+ vectors and style space offsets are kept in files.")
    suffixes = (".safetensors", ".npy") if len(tensors) == 1 else (".safetensors",)
    if path.suffix not in suffixes:
        raise DirectionError(f"{path} does not end in {' or '.join(suffixes)}; give such a name.")
    about = {"name": info.name, "effect": info.effect, "subject": info.subject, "scale": direction.scale}
    about |= {"source": info.source} | ({"range": list(info.strength_range)} if info.strength_range else {})
    tensors = {name: t.detach().cpu().float().contiguous().clone() for name, t in tensors.items()}
    if path.suffix == ".npy":
        with replaced(path) as temporary, open(temporary, "wb") as file:
            np.save(file, tensors["direction"].numpy())
    else:
        save_tensors(tensors, path)
    with replaced(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
