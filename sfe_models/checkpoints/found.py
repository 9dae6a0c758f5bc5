"""Which models lie in folders: bundles and folders of published files, known by content and never by name alone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from .containers import Sniffed, damaged, sniff, wrong_container
from .errors import CheckpointError
from .weights import MODEL, WEIGHTS

# Folders that hold something other than models.
_NO_MODELS = {"directions", "editings", "styleclip_mappers", "interfacegan_directions", "ganspace_pca", "clip"}
# Files that detectors, losses and directions read, by name; they may lie beside models.
_OTHERS = {name for file in WEIGHTS if file not in MODEL for name in (file.name, *file.others)}
# Our files by what their metadata say, see the modules that write them: models, and others.
_MODELS = ("sfe-bundle", "sfe-generator")
_OURS = {
    "sfe-tuned-generator": "how a generator tuned to one photo differs from its model's, which Load Tuned Generator "
    "and `edit --tuned` read",
    "sfe-encoders": "the encoders of a model without its generator; `download photo` makes a model of them",
    "sfe-inversion": "a kept inversion, which Load Inversion reads from the output or input folder",
    "sfe-gradual-inversion": "a kept inversion of a gradual model",
    "sfe-channel-relevance": "the channel relevance of a generator, which text directions need",
}
_OTHER = "a safetensors file, but no SFE bundle; make one with `convert`"
_TORCH_SUFFIXES = (".pt", ".pth", ".pkl")
_TORCH_KINDS = ("torch-zip", "torch-legacy", "pickle")
_LONGEST_HEADER = 100_000_000  # limit of the safetensors format
_METADATA_FIRST = b'{"__metadata__":'  # where the format's own writer puts them
# What `_kind` calls a file of a published model.
_PUBLISHED = "published"


@dataclass(frozen=True)
class FoundModels:
    """What lies in folders, by name below the folder.

    models: a folder's name ends in "/"; others: of files that are no choice, what they are; damaged: why what is there
    cannot be used.
    """

    models: dict[str, Path] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)

    def why_not(self, name: str) -> str | None:
        """Say why the name of a file, or of a folder with "/", is no choice; None if nothing of that name is there."""
        if reason := self.damaged.get(name) or self.others.get(name):
            return reason
        inside = [
            f"{file} {reason}" for file, reason in self.damaged.items() if name[-1:] == "/" and file.startswith(name)
        ]
        return f"holds nothing that can be used: {'; '.join(inside)}" if inside else None


def find_models(folders: Sequence[Path | str]) -> FoundModels:
    """List the models in and below folders, the first folder first where a name is taken; nothing is loaded.

    Hidden files are passed over, each folder is looked into once: a link that leads back to a folder around it is not
    followed.
    """
    found = FoundModels()
    for folder in map(Path, folders):
        for name, path in _files(folder, found):
            _take(name, path, folder, found)
    bundles = sorted(name for name in found.models if not name.endswith("/"))
    published = sorted(name for name in found.models if name.endswith("/"))
    return replace(found, models={name: found.models[name] for name in (*bundles, *published)})


def _take(name: str, path: Path, folder: Path, found: FoundModels) -> None:
    if path.is_symlink() and not path.exists():
        found.damaged.setdefault(name, f"is a link to {os.readlink(path)}, which is not there")
        return
    try:
        stamp = path.stat()
        kind = _kind(path, stamp.st_mtime_ns, stamp.st_size)
    except OSError as error:
        found.damaged.setdefault(name, f"cannot be read ({error.strerror})")
    except CheckpointError as error:
        found.damaged.setdefault(name, f"cannot be used: {error}")
    else:
        if kind in _MODELS:
            found.models.setdefault(name, path)
        elif kind == _PUBLISHED and path.name not in _OTHERS:
            place = name.rpartition("/")[0]
            found.models.setdefault(f"{place or '.'}/", folder / place)
            found.others.setdefault(name, f"is one file of several: choose its folder, '{place or '.'}/'")
        elif kind not in ("", _PUBLISHED):
            found.others.setdefault(name, f"is {kind}")


@lru_cache(maxsize=4096)
def _kind(path: Path, modified: int, size: int) -> str:
    """Tell what a file is: a bundle, a file of a published model, what else in words, "" for nothing of interest.

    modified, size: what changes with the file. Raises CheckpointError for a damaged bundle.
    """
    file, suffix = sniff(path), path.suffix.lower()
    if file.kind == "safetensors":
        format = file_metadata(file).get("format", "")
        return format if format in _MODELS else _OURS.get(format, _OTHER)
    if file.kind in _TORCH_KINDS or suffix in _TORCH_SUFFIXES:
        return _PUBLISHED
    if suffix == ".safetensors":
        raise wrong_container(file, "a bundle")
    return ""


def file_metadata(path: Path | Sniffed) -> dict[str, str]:
    """Read what a safetensors file says of itself, ten times as fast as its library. Raises CheckpointError.

    Neither checksums nor the file's length are compared; whoever loads it does that.
    """
    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = file.read(min(length, _LONGEST_HEADER))
        if len(header) < length:
            raise ValueError("it ends within its header")
        if header.startswith(_METADATA_FIRST):
            metadata = json.JSONDecoder().raw_decode(header.decode(), len(_METADATA_FIRST))[0]
        else:
            metadata = json.loads(header).get("__metadata__", {})
        if not isinstance(metadata, dict):
            raise ValueError("its metadata are no object")
        return metadata
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise damaged(path, "a safetensors file", error) from error


def _files(folder: Path, found: FoundModels) -> Iterator[tuple[str, Path]]:
    """Give (name below the folder, path) of all files that may be models; folders that cannot be read are named."""
    waiting = [("", folder, (folder.resolve(),))]
    while waiting:
        below, place, around = waiting.pop()
        try:
            with os.scandir(place) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        except OSError as error:
            found.damaged.setdefault(below or str(folder), f"cannot be read ({error.strerror})")
            continue
        for entry in listed:
            name = f"{below}{entry.name}"
            if entry.name.startswith("."):
                continue
            if not _is_folder(entry):
                yield name, place / entry.name
            elif entry.name not in _NO_MODELS:
                here = Path(os.path.realpath(entry.path)) if entry.is_symlink() else around[-1] / entry.name
                if not (entry.is_symlink() and any(one.is_relative_to(here) for one in around)):
                    waiting.append((f"{name}/", place / entry.name, (*around, here)))


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
