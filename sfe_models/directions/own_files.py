"""A user's own vectors: files dropped into a folder named `directions`.

`.pt`, `.npy` or `.safetensors` with one tensor: [D], [1,D], [N,D], [1,N,D], N*D or [1,N*D], where D is the
dimension of W and N the number of styles of the model. A JSON file of the same stem beside it may say more:

    {"name": "curly", "range": [-3, 3], "effect": "curls", "subject": "human faces", "scale": 1, "layers":
    "4-7"}
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ..checkpoints.reading import damaged, read_numpy, read_safetensors_header, read_torch, tensors_of
from .base import Direction, DirectionError, DirectionInfo
from .layers import on_layers_only
from .linear import LinearDirection

SUFFIXES = (".pt", ".npy", ".safetensors")
FOLDER = "directions"
_KEYS = ("name", "range", "effect", "subject", "scale", "layers")


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
            raise DirectionError(
                f"{beside} cannot be read as JSON: {error}. Correct or remove it."
            ) from error
    if not isinstance(values, dict) or set(values) - set(_KEYS):
        found = sorted(set(values) - set(_KEYS)) if isinstance(values, dict) else type(values).__name__
        raise DirectionError(f"{beside} holds {found}; expected an object of {', '.join(_KEYS)}.")
    name, effect = values.get("name", path.stem), values.get("effect", "")
    span, scale, layers = values.get("range"), values.get("scale", 1.0), values.get("layers")
    subject = values.get("subject", subject)
    wrong = None
    if not isinstance(name, str) or not name.strip():
        wrong = "name", name, "a word or a few"
    elif not isinstance(effect, str):
        wrong = "effect", effect, "text"
    elif not isinstance(subject, str):
        wrong = "subject", subject, "text such as 'human faces'"
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
    info = DirectionInfo(name.strip(), "own", subject, tuple(span) if span else None, effect, str(path))
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


def _read_tensor(path: Path) -> Tensor:
    if path.suffix == ".npy":
        values = read_numpy(path)
        if values.dtype.kind != "f":
            raise DirectionError(f"{path} holds {values.dtype}; expected floating point numbers.")
        return torch.from_numpy(values.astype("float32"))
    if path.suffix == ".safetensors":
        read_safetensors_header(path)
        try:
            content = load_file(path)
        except (SafetensorError, OSError) as error:
            raise damaged(path, "a safetensors file", error) from error
    else:
        content = read_torch(path)
    if isinstance(content, Tensor):
        return content.detach()
    tensors = tensors_of(content, path)
    if len(tensors) != 1:
        raise DirectionError(
            f"{path} holds {len(tensors)} tensors ({', '.join(sorted(tensors)[:5])}); expected one."
        )
    return next(iter(tensors.values()))


def read_own_file(own: OwnFile, style_dim: int, n_styles: int) -> Direction:
    """Make the direction: w + scale * strength * vector, on the layers that the description names.

    Raises CheckpointError for a file that cannot be read safely, DirectionError for one that does not fit.
    """
    path, (n, d) = own.path, (n_styles, style_dim)
    tensor = _read_tensor(path)
    if not tensor.is_floating_point():
        raise DirectionError(f"{path} holds {tensor.dtype}; expected floating point numbers.")
    if tuple(tensor.shape) not in ((d,), (1, d), (n, d), (1, n, d), (n * d,), (1, n * d)):
        raise DirectionError(
            f"{path} holds a tensor of shape {list(tensor.shape)}; the model's W+ codes are [{n},{d}]. "
            f"Expected [{d}], [1,{d}], [{n},{d}], [1,{n},{d}] or [{n * d}]: a direction made for this "
            "generator."
        )
    if not tensor.isfinite().all():
        raise DirectionError(f"{path} holds numbers that are not finite; expected a direction.")
    direction = LinearDirection(own.info, tensor.reshape(-1, d).float(), own.scale)
    return on_layers_only(direction, own.layers, n_styles)
