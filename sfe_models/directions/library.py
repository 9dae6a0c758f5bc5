"""The directions that a model can be edited along: published ones, its own, a user's; and one way to ask for them."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from ..checkpoints.containers import sniff
from ..checkpoints.load import model_path
from ..generators.base import GeneratorSpec
from .base import Direction, DirectionError, DirectionInfo, may_move
from .families.reader import Stored
from .families.readers import read_direction
from .files import (
    OwnFile,
    bundle_directions,
    describe_own_file,
    describe_own_files,
    names_a_file,
    read_own_file,
    read_tensors,
)
from .layers import has_stylegan2_layers
from .published import PublishedDirection, names_of_persons, published_directions
from .vectors import same_vector

logger = logging.getLogger(__name__)

# Where a published file may lie below a folder that the user names.
_SUBFOLDERS = (".", "directions", "editings")


class ModelSpec(Protocol):
    """What the library asks of a model; a DomainSpec is one."""

    name: str
    generator: GeneratorSpec
    subject: str | None


@dataclass(frozen=True)
class DirectionEntry:
    """One direction that can be asked for: what it is, and where it comes from, which is one of three."""

    info: DirectionInfo
    published: PublishedDirection | None = None
    bundled: Direction | None = None
    own: OwnFile | None = None

    @property
    def file(self) -> str | None:
        """The file that it needs, None if it is there already."""
        if self.own is not None:
            return str(self.own.path)
        return self.published.file if self.published is not None else None

    def called(self, name: str) -> DirectionEntry:
        """Go by another name."""
        return replace(self, info=replace(self.info, name=name))

    def __str__(self) -> str:
        if self.own is not None:
            return str(self.own.path)
        whose = "model's own" if self.bundled is not None else "published"
        family = "" if self.info.family == "own" else f"{self.info.family} "
        return f"the {whose} {family}direction '{self.info.name}'"


@dataclass(frozen=True)
class _Names:
    """What can be asked for, by name; of names that cannot be had, why not; what other subjects' names are for.

    files: own files by the name of the file, which they always go by as well. unfit: names of published directions that
    belong to another family of generators, unless something else goes by them.
    """

    found: dict[str, DirectionEntry] = field(default_factory=dict)
    files: dict[str, DirectionEntry] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)
    unfit: set[str] = field(default_factory=set)


class DirectionLibrary:
    """Find directions by name, or by the path of a file, for one model.

    folders: where published vector files are looked for, in this order. A user's own files lie in folders named
    `directions`, among these or directly below them. bundled: directions that came with the model. paths: whether a
    direction may be asked for by a file's path; a server that takes names from anybody says no.

    A model that does not say what it shows is offered nothing that was made for something. An own file whose name is
    taken goes by the name of the file, `smile.npy`, and the other by its family, `smile (interfacegan)`; the name that
    both have is refused.
    """

    def __init__(
        self,
        spec: ModelSpec,
        folders: Sequence[Path | str] = (),
        bundled: Sequence[Direction] = (),
        *,
        paths: bool = True,
    ):
        self.spec, self.bundled, self.paths = spec, tuple(bundled), paths
        self.folders = [Path(folder) for folder in folders]
        for folder in self.folders:
            check_directions_folder(folder)

    @cached_property
    def _names(self) -> _Names:
        names, shown = _Names(), self.spec.subject
        stylegan2 = has_stylegan2_layers(self.spec.generator)
        for row in published_directions():
            if row.own_layers and not stylegan2:
                names.unfit.add(row.info.name)
            elif row.info.subject == shown:
                names.found[row.info.name] = DirectionEntry(row.info, published=row)
            else:
                names.elsewhere[row.info.name] = row.info.subject
        for direction in self.bundled:
            if may_move(direction.info.subject, shown):
                names.found[direction.info.name] = DirectionEntry(direction.info, bundled=direction)
            else:
                names.elsewhere[direction.info.name] = direction.info.subject
        files, left_out = describe_own_files(self.folders, shown)
        for path, reason in left_out.items():
            names.refused[path.stem] = names.refused[path.name] = reason
        for own in files:
            if own.info.subject not in (None, shown):
                names.elsewhere[own.info.name] = names.elsewhere[own.path.name] = own.info.subject
            else:
                entry = DirectionEntry(own.info, own=own)
                names.files.setdefault(own.path.name, entry)
                self._add(entry, names)
        return names

    def _add(self, entry: DirectionEntry, names: _Names) -> None:
        """Add an own file under its name or, if that is taken, under the name of the file."""
        name, path = entry.info.name, entry.own.path
        other = names.found.get(name)
        if other is None and name not in names.refused:
            names.found[name] = entry
            return
        try:
            direction = self._read(entry)
            if other is not None and other.published is None and same_vector(direction, self._read(other)):
                return  # the file that the model was assembled from, or a copy
            fits = True
        except ValueError:
            fits = False
        how = "by its path" if path.name in names.found else f"as '{path.name}'"
        names.found.setdefault(path.name, entry.called(path.name))
        if other is None:
            return
        said = f"'{name}' is the name of {other} and of {path}. Ask for the file {how}"
        if fits:
            del names.found[name]
            apart = other.own.path.name if other.own is not None else f"{name} ({other.info.family})"
            names.found[apart] = other.called(apart)
            names.refused[name] = f"{said}, for the other as '{apart}', or rename the file."
        logger.warning("%s.", names.refused.get(name, said).rstrip("."))

    @property
    def entries(self) -> list[DirectionEntry]:
        """What to offer for this model: published directions, the model's own, then own files by name.

        Nothing named after a person is ever offered, but for a user's own files; it is found when asked for.
        """
        persons, found = names_of_persons(), self._names.found.values()
        own = sorted((entry for entry in found if entry.own is not None), key=lambda entry: entry.info.name)
        return [entry for entry in found if entry.own is None and entry.info.name not in persons] + own

    def entry(self, name: str) -> DirectionEntry:
        """Find what is asked for by a name or, where paths may be given, by the path of a file.

        Raises DirectionError for an unknown name, another subject's, and one that two directions have.
        """
        names = self._names
        if name in names.refused:
            raise DirectionError(names.refused[name])
        if name in names.found or name in names.files:
            return names.found.get(name) or names.files[name]
        if self.paths and names_a_file(name) and name not in names.elsewhere:
            own = describe_own_file(name, self.spec.subject)
            if not may_move(own.info.subject, self.spec.subject):
                raise DirectionError(f"{name} is for {own.info.subject}; {self.spec.name} shows {self.spec.subject}.")
            return DirectionEntry(own.info, own=own)
        raise DirectionError(self._unknown(name))

    def _unknown(self, name: str) -> str:
        """Say why there is no such direction, and what to do."""
        subject, shown, lists = self._names.elsewhere.get(name), self.spec.subject, "`directions --model MODEL` lists"
        if subject is not None and shown is None:
            return (
                f"Direction '{name}' is for {subject}; {self.spec.name} does not say what it shows. If it shows "
                f"{subject}, have a bundle say so (`convert --subject '{subject}'`), or ask for a direction's file."
            )
        if subject is not None:
            return f"Direction '{name}' is for {subject}; {self.spec.name} shows {shown}. {lists} those that fit."
        if name in self._names.unfit:
            own = f"Direction '{name}' moves a StyleGAN2's own layers; {self.spec.name} has others."
            return f"{own} {lists} those that fit."
        near = difflib.get_close_matches(name, [entry.info.name for entry in self.entries], 3, 0.5)
        hint = f" Did you mean {', '.join(map(repr, near))}?" if near else ""
        return f"There is no direction '{name}' for {shown or self.spec.name}.{hint} {lists} all."

    def find(self, entry: DirectionEntry) -> Path | None:
        """Return where the entry's file lies, None if it is nowhere."""
        if entry.own is not None:
            return entry.own.path if entry.own.path.is_file() else None
        for folder in self.folders:
            for sub in _SUBFOLDERS:
                if (path := folder / sub / entry.file).is_file():
                    return path
        return None

    def available(self, entry: DirectionEntry) -> bool:
        """Whether the direction can be used: its file is there, or it needs none."""
        return entry.file is None or self.find(entry) is not None

    def get(self, name: str) -> Direction:
        """Read a direction by its name or its file's path.

        Raises DirectionError as `entry` does, and for a file that is missing or does not fit, CheckpointError for one
        that cannot be read safely.
        """
        return self._read(self.entry(name))

    def own(self) -> list[Direction]:
        """Read a user's own directions, as `entries` names them; one that cannot be read is left out with a warning."""
        read = []
        for entry in self.entries:
            if entry.own is not None:
                try:
                    read.append(self._read(entry))
                except ValueError as error:
                    logger.warning("Left out: %s", error)
        return read

    def _read(self, entry: DirectionEntry) -> Direction:
        if entry.bundled is not None:
            return entry.bundled
        if entry.own is not None:
            return read_own_file(entry.own, self.spec.generator)
        row, tensors, where = entry.published, {}, f"direction '{entry.info.name}'"
        if row.file is not None:
            path = self.find(entry)
            if path is None:
                folders = ", ".join(str(folder) for folder in self.folders) or "no folder was given"
                raise DirectionError(
                    f"Direction '{entry.info.name}' needs the file {row.file}, looked for in: {folders}. Give the "
                    "folder that holds it with --directions (the published code's `editings` folder), or put it there."
                )
            tensors, where = read_tensors(path), str(path)
        return read_direction(Stored(where, row.info, tensors, row.scale, row.parameters), self.spec.generator)


def check_directions_folder(folder: Path | str) -> None:
    """Raise DirectionError for a folder that is not there, or is a file."""
    if Path(folder).is_file():
        raise DirectionError(
            f"{folder} is a file; expected a folder with direction files. One alone is named in the place of a "
            f"direction: `--edit {folder}=1`."
        )
    if not Path(folder).is_dir():
        raise DirectionError(f"The directions folder {folder} does not exist; give one that does.")


def model_library(source: Path | str, spec: ModelSpec, folders: Sequence[Path | str] = ()) -> DirectionLibrary:
    """Make the library of a source of `load_networks`: a bundle's own directions, and files in its folder.

    folders: looked into first.
    """
    path, bundled, places = model_path(source), [], [Path(folder) for folder in folders]
    if path.exists():
        places.append(path if path.is_dir() else path.parent)
        if path.is_file() and sniff(path).kind == "safetensors":
            bundled = bundle_directions(path)
    return DirectionLibrary(spec, places, bundled)
