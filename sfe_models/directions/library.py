"""The directions that a model can be edited along: published ones, a user's own, and where their files lie."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path

from ..domain import DomainSpec
from .base import Direction, DirectionError, DirectionInfo
from .families.ganspace import read_ganspace
from .families.linear import read_boundary, read_interfacegan
from .families.mapper import read_styleclip_mapper
from .families.stylespace import StyleChannelsDirection
from .files import OwnFile, find_own_files, read_own_file

# Where a published file may lie below a folder that the user names.
_SUBFOLDERS = (".", "directions", "editings")


@dataclass(frozen=True)
class DirectionEntry:
    """One row of the table: what the direction is, and the parameters that its family's reader takes.

    own: set for a user's own file, then `file` is where it lies; made: set for a direction that is there already.
    """

    info: DirectionInfo
    file: str | None
    parameters: dict
    own: OwnFile | None = None
    made: Direction | None = None

    def read(self, path: Path | None, spec: DomainSpec) -> Direction:
        """Read the direction from its file (None for families without one)."""
        family, info, style_dim = self.info.family, self.info, spec.generator.style_dim
        if self.made is not None:
            return self.made
        if self.own is not None:
            return read_own_file(self.own, style_dim, spec.n_styles)
        if family == "interfacegan":
            return read_interfacegan(path, info, style_dim)
        if family == "boundary":
            return read_boundary(path, info, style_dim)
        if family == "ganspace":
            return read_ganspace(path, info, **self.parameters)
        if family == "styleclip_mapper":
            return read_styleclip_mapper(path, info)
        channels = tuple((conv, channel) for conv, channel in self.parameters["channels"])
        return StyleChannelsDirection(info, channels)


def published_directions() -> list[DirectionEntry]:
    """Read the table of the directions published with StyleFeatureEditor."""
    table = json.loads(resources.files(__package__).joinpath("published.json").read_text(encoding="utf-8"))
    entries = []
    for row in table["directions"]:
        name, family, subject = row.pop("name"), row.pop("family"), row.pop("subject")
        strengths = row.pop("strength_range", None)
        info = DirectionInfo(
            name,
            family,
            subject,
            tuple(strengths) if strengths else None,
            row.pop("effect", ""),
            table["sources"][family],
        )
        entries.append(DirectionEntry(info, row.pop("file", None), row))
    return entries


class DirectionLibrary:
    """Find directions by name for one domain.

    folders: where published vector files are looked for, in this order. A user's own files lie in folders
    named `directions`, among these or directly below them. bundled: directions that came with the model.
    """

    def __init__(self, spec: DomainSpec, folders: Sequence[Path | str] = (), bundled: Sequence[Direction] = ()):
        self.spec, self.bundled = spec, tuple(bundled)
        self.folders = [Path(folder) for folder in folders]
        for folder in self.folders:
            if not folder.is_dir():
                raise DirectionError(f"The directions folder {folder} does not exist; give one that does.")

    @cached_property
    def _all(self) -> dict[tuple[str, str], DirectionEntry]:
        entries = {(e.info.subject, e.info.name): e for e in published_directions()}
        for direction in self.bundled:
            info = direction.info
            entries[info.subject, info.name] = DirectionEntry(info, None, {}, made=direction)
        for own in find_own_files(self.folders, self.spec.subject):
            key = own.info.subject, own.info.name
            if key in entries:
                whose = "published" if entries[key].made is None else "model's"
                raise DirectionError(
                    f"{own.path} is named '{own.info.name}', as is the {whose} {entries[key].info.family} "
                    f"direction '{entries[key].info.name}' for {own.info.subject}. Rename the file, or "
                    "give it another name in a JSON file beside it."
                )
            entries[key] = DirectionEntry(own.info, str(own.path), {}, own)
        return entries

    @property
    def entries(self) -> list[DirectionEntry]:
        """The directions made for this domain's subject: published ones, the model's own, then own files by name."""
        return [e for e in self._all.values() if e.info.subject == self.spec.subject]

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
        """Read a direction; raises DirectionError for an unknown name, another subject's, or a missing file."""
        entry = self._all.get((self.spec.subject, name))
        if entry is None:
            others = [e for (_, n), e in self._all.items() if n == name]
            if others:
                raise DirectionError(
                    f"Direction '{name}' is for {others[0].info.subject}; {self.spec.name} shows "
                    f"{self.spec.subject}. `python -m sfe_models directions` lists those that fit."
                )
            known = [e.info.name for e in self.entries]
            near = difflib.get_close_matches(name, known, 3, 0.5)
            hint = f" Did you mean {', '.join(map(repr, near))}?" if near else ""
            raise DirectionError(
                f"There is no direction '{name}' for {self.spec.subject}.{hint} "
                "`python -m sfe_models directions` lists all."
            )
        path = None
        if entry.file is not None:
            path = self.find(entry)
            if path is None:
                where = ", ".join(str(folder) for folder in self.folders) or "no folder was given"
                raise DirectionError(
                    f"Direction '{name}' needs the file {entry.file}, looked for in: {where}. Give the folder "
                    "that holds it with --directions (the published code's `editings` folder), or put it there."
                )
        return entry.read(path, self.spec)
