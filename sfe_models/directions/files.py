"""Where vectors come from: a user's own files, dropped into a folder named `directions`, and the model's bundle.

A file is known by its content: tensors in the form of `vectors.py`, as torch.save, numpy or safetensors write them; a
StyleCLIP mapper; principal components. A JSON file of the same stem beside it may describe it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..atomic import replaced, write_tensors
from ..checkpoints.bundle import Attached, bundle_attached, bundle_spec
from ..checkpoints.containers import sniff
from ..checkpoints.errors import CheckpointError
from ..checkpoints.found import file_metadata
from ..checkpoints.reading import read_numpy, read_numpy_archive, read_safetensors, tensors_of
from ..checkpoints.unpickling.array_pickle import read_arrays
from ..checkpoints.unpickling.torch_file import read_torch
from ..checksums import tensor_checksum
from ..generators.base import GeneratorSpec
from ..text_files import read_text
from .base import Direction, DirectionError, DirectionInfo
from .vectors import Description, make_direction, read_description, taken_apart

logger = logging.getLogger(__name__)

# What a file in the folder is taken for a direction by; one that is named by its path may have any suffix.
SUFFIXES = (".safetensors", ".pt", ".pth", ".npy", ".npz", ".pkl")
FOLDER = "directions"
# What vectors are written in; the second has room for one tensor only.
VECTOR_SUFFIXES = (".safetensors", ".npy")


@dataclass(frozen=True)
class OwnFile:
    """What is known of an own file before its vector is read."""

    path: Path
    about: Description

    @property
    def info(self) -> DirectionInfo:
        return self.about.info


def names_a_file(text: str) -> bool:
    """Tell whether a direction's name is the path of a file: by its suffix, or because the file is there."""
    return Path(text).suffix.lower() in SUFFIXES or (len(Path(text).parts) > 1 and Path(text).is_file())


def describe_own_file(path: Path | str, subject: str | None) -> OwnFile:
    """Read the description beside a vector file. subject: what it is for if the description does not say.

    Raises DirectionError for a file that is not there, and for a description that is not as in `vectors.py`.
    """
    path = Path(path)
    if not path.is_file():
        raise DirectionError(f"{path} does not exist; give a direction's file, or a name that `directions` lists.")
    default = DirectionInfo(path.stem, "own", subject, source=str(path))
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return OwnFile(path, Description(default))
    try:
        values = json.loads(read_text(beside))
    except (OSError, ValueError, RecursionError) as error:
        raise DirectionError(f"{beside} cannot be read as JSON: {error}. Correct or remove it.") from error
    return OwnFile(path, read_description(values, str(beside), default))


def own_paths(folders: Sequence[Path]) -> list[Path]:
    """List the files in the folders named `directions`, among these or directly below them, each once."""
    places = [place for folder in folders for place in (folder, folder / FOLDER) if place.name == FOLDER]
    paths = {
        path.resolve(): path
        for place in places
        for path in _listed(place)
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    }
    return list(paths.values())


def _listed(place: Path) -> list[Path]:
    """What lies in a folder; nothing, with a warning, if that cannot be read."""
    try:
        return sorted(place.iterdir()) if place.is_dir() else []
    except OSError as error:
        logger.warning("Left out: the folder %s cannot be read (%s).", place, error.strerror)
        return []


def describe_own_files(folders: Sequence[Path], subject: str | None) -> tuple[list[OwnFile], dict[Path, str]]:
    """Describe the files of `own_paths`, by name; those that cannot be are left out with a warning: path and reason."""
    files, left_out = [], {}
    for path in own_paths(folders):
        try:
            files.append(describe_own_file(path, subject))
        except DirectionError as error:
            left_out[path] = str(error)
            logger.warning("Left out: %s", error)
    return sorted(files, key=lambda own: own.info.name), left_out


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read what a vector file holds, whatever its suffix; a tensor without a name has the empty one.

    The tensors are in memory of their own, as Windows replaces no mapped file.
    Raises CheckpointError for a file that cannot be read safely, DirectionError for an array of no numbers.
    """
    file = sniff(path)
    if file.kind == "safetensors":
        return read_safetensors(file).copies()
    if file.kind == "npy":
        return {"": _tensor(read_numpy(file), path)}
    if file.kind == "npz":
        return {name: _tensor(values, path) for name, values in read_numpy_archive(file).items()}
    if file.kind == "pickle":
        arrays = read_arrays(file, "a direction: one array")
        return {name: _tensor(values, path) for name, values in arrays.items()}
    content = read_torch(file)
    if isinstance(content, Tensor):
        return {"": content.detach().clone()}
    # A StyleCLIP mapper lies in its training's checkpoint.
    state = content.get("state_dict") if isinstance(content, Mapping) else None
    tensors = tensors_of(content if state is None else state, path)
    return {name: tensor.clone() for name, tensor in tensors.items()}


def _tensor(values: np.ndarray, path: Path) -> Tensor:
    if values.dtype.kind != "f":  # texts and records, of which torch makes nothing, among others
        raise DirectionError(f"{path} holds {values.dtype}; expected floating point numbers.")
    return torch.from_numpy(values.astype("float32"))


def read_own_file(own: OwnFile, spec: GeneratorSpec) -> Direction:
    """Make the direction, on the described layers.

    Raises CheckpointError for a file that cannot be read safely, DirectionError for one that does not fit.
    """
    tensors = read_tensors(own.path)
    if own.about.checksum and any(tensor_checksum(tensor) != own.about.checksum for tensor in tensors.values()):
        raise CheckpointError(
            f"{own.path} is damaged: it is not what was written. Make it again (if you changed it on purpose, leave "
            "the entry 'checksum' out of the JSON file beside it)."
        )
    return make_direction(own.about, tensors, str(own.path), spec)


def save_own_file(direction: Direction, path: Path | str) -> Path:
    """Write a vector and its description beside it, so that `read_own_file` makes the same direction of it.

    path: ends in `.safetensors`, or in `.npy` for W+. Raises DirectionError for a direction that is no vector, OSError
    if it cannot be written.
    """
    path = Path(path)
    about, tensors = taken_apart(direction)
    suffixes = VECTOR_SUFFIXES if len(tensors) == 1 else VECTOR_SUFFIXES[:1]
    if path.suffix not in suffixes:
        raise DirectionError(f"{path} does not end in {' or '.join(suffixes)}; give such a name.")
    if path.suffix == ".npy":
        about["checksum"] = tensor_checksum(tensors["vector"])
    # Both are written before either takes its place.
    with replaced(path.with_suffix(".json")) as beside, replaced(path) as temporary:
        beside.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        if path.suffix == ".npy":
            with open(temporary, "wb") as file:
                np.save(file, tensors["vector"].numpy())
        else:
            write_tensors(tensors, temporary)
    return path


def attached(directions: Sequence[Direction]) -> Attached:
    """Pack directions for `save_bundle`. Raises DirectionError for one that is no vector."""
    parts = [taken_apart(direction) for direction in directions]
    tensors = {f"{i}.{name}": tensor for i, (_, part) in enumerate(parts) for name, tensor in part.items()}
    return Attached(json.dumps([about for about, _ in parts]), tensors)


def described_in_bundle(path: Path | str) -> tuple[str | None, list[DirectionInfo]]:
    """Read what a bundle shows, and what is known of its directions, without its tensors and their checksums.

    Raises CheckpointError for a damaged description.
    """
    metadata = file_metadata(Path(path))
    try:
        subject = json.loads(metadata["domain"]).get("subject")
        default = DirectionInfo("", "own", subject)
        rows = json.loads(metadata.get("directions", "[]"))
        infos = [read_description(row, f"direction {i}", default).info for i, row in enumerate(rows)]
    except (KeyError, AttributeError, ValueError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{path} has a damaged description ({error}).") from error
    return subject, infos


def bundle_directions(path: Path | str) -> list[Direction]:
    """Read the directions that a bundle brings. Raises CheckpointError for a damaged description."""
    spec, packed = bundle_spec(path), bundle_attached(path)
    try:
        rows = json.loads(packed.about)
        directions = []
        for i, row in enumerate(rows):
            if not {"name", "scale"} <= set(row):
                raise DirectionError(f"direction {i} has no name or no scale")
            about = read_description(row, f"direction {i}", DirectionInfo("", "own", spec.subject))
            prefix = f"{i}."
            tensors = {n.removeprefix(prefix): t for n, t in packed.tensors.items() if n.startswith(prefix)}
            directions.append(make_direction(about, tensors, f"direction '{about.info.name}'", spec.generator))
    except (ValueError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{path} has a damaged description of its directions ({error}).") from error
    return directions
