"""Find the pictures that folders, patterns, lists and files name, and what each will be called."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..inputs import InputError
from ..pictures.errors import ImageError
from ..pictures.files import is_picture, seems_picture
from ..pictures.image_io import picture_format
from ..text_files import read_text

KEEP = "keep"
# Containers of films; what is inside is told when one is opened.
FILM_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture or a film. source: its path; name: what it is called below the input; output: below the output."""

    source: str
    name: str
    output: str

    @property
    def is_film(self) -> bool:
        return is_film(self.source)


@dataclass(frozen=True)
class Found:
    """pictures: in order; passed_over: how many files were no pictures; unreadable: folders; links: to folders."""

    pictures: list[Picture] = field(default_factory=list)
    passed_over: int = 0
    unreadable: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


def is_film(path: str | Path) -> bool:
    """Whether a file is a film, by its suffix; it is read with PyAV, which tells the rest."""
    return os.path.splitext(path)[1].lower() in FILM_SUFFIXES


def find_pictures(
    inputs: Sequence[str], output: Path | str, root: Path | str | None = None, suffix: str = KEEP
) -> Found:
    """Find what the inputs name: folders (with all below them), patterns such as `a/**/*.jpg`, lists, pictures, films.

    A list is a text file with one input a line. Names: below the folder that was given, below the part of a pattern
    without wildcards, as a list's line says it, else the file's own; with a `root` below that, all of them. suffix:
    of what is written, KEEP for the picture's own. Names that begin with a dot, the output folder and links to folders
    are passed over. Raises InputError for inputs that are not there and for two pictures of one name.
    """
    search = _Search(Path(output), None if root is None else os.path.abspath(root), suffix)
    for given in inputs:
        search.add(given)
    return Found(list(search.pictures.values()), search.passed_over, search.unreadable, search.links)


class _Search:
    def __init__(self, output: Path, root: str | None, suffix: str):
        self.output, self.root, self.suffix = output, root, suffix
        self.pictures: dict[str, Picture] = {}
        self.passed_over, self.unreadable, self.links = 0, [], []

    def add(self, given: str) -> None:
        """Take one input of the command line."""
        if not os.path.lexists(given) and glob.has_magic(given):
            self._add_pattern(given)
        elif os.path.isdir(given):
            self._add_folder(given, "")
        elif not os.path.exists(given):
            raise InputError(f"There is no {given}; give a folder, a picture, a pattern or a text file with paths.")
        elif not is_film(given) and not is_picture(given) and (lines := _lines(given)):
            self._add_list(given, lines)
        else:
            self._add_file(given, os.path.basename(given))

    def _add_pattern(self, pattern: str) -> None:
        fixed = Path(*_before_magic(Path(pattern).parts))
        matches = sorted(glob.glob(pattern, recursive=True))
        if not matches:
            raise InputError(f"Nothing matches {pattern}; give a pattern that finds pictures, or their folder.")
        folders = [match for match in matches if os.path.isdir(match)]
        for match in matches:
            name = Path(match).relative_to(fixed).as_posix()
            if match not in folders:
                self._add_if_picture(match, name)
            elif not any(match != other and Path(match).is_relative_to(other) for other in folders):
                self._add_folder(match, "" if name == "." else name)

    def _add_list(self, path: str, lines: list[str]) -> None:
        if not any(os.path.exists(line) for line in lines):
            raise InputError(
                f"{path} is no picture, and as a list it names {len(lines)} paths of which none is there, such as "
                f"{lines[0][:80]}. Paths in a list are taken from the folder that the command runs in."
            )
        for line in lines:
            if os.path.isdir(line):
                self._add_folder(line, "")
                continue
            plain = os.path.normpath(line)
            below = not os.path.isabs(plain) and not plain.startswith("..")
            self._add_file(line, Path(plain).as_posix() if below else os.path.basename(plain))

    def _add_folder(self, folder: str, prefix: str) -> None:
        for path in self._walk(folder):
            name = Path(path).relative_to(folder).as_posix()
            self._add_if_picture(path, f"{prefix}/{name}" if prefix else name)

    def _walk(self, folder: str) -> Iterator[str]:
        """The shown files of a folder and of those below it, in the order of their names."""
        for place, folders, files in os.walk(folder, onerror=lambda error: self.unreadable.append(error.filename)):
            shown = sorted(name for name in folders if not name.startswith("."))
            paths = [os.path.join(place, name) for name in shown]
            self.links += [path for path in paths if os.path.islink(path)]
            folders[:] = [
                name for name, path in zip(shown, paths, strict=True) if not os.path.islink(path) and self._other(path)
            ]
            yield from (os.path.join(place, name) for name in sorted(files) if not name.startswith("."))

    def _other(self, folder: str) -> bool:
        """Whether a folder is another one than the output."""
        return not (self.output.exists() and os.path.samefile(folder, self.output))

    def _add_if_picture(self, path: str, name: str) -> None:
        if is_film(path) or (os.path.isfile(path) and seems_picture(Path(path))):
            self._add_file(path, name)
        else:
            self.passed_over += 1

    def _add_file(self, path: str, name: str) -> None:
        if self.root is not None:
            whole = os.path.abspath(path)
            if not Path(whole).is_relative_to(self.root):
                raise InputError(f"{path} does not lie below {self.root}, which --root names; give a folder above it.")
            name = Path(whole).relative_to(self.root).as_posix()
        picture = Picture(path, name, output_name(name, self.suffix))
        other = self.pictures.setdefault(picture.output, picture)
        if os.path.abspath(other.source) != os.path.abspath(path):
            raise InputError(
                f"{other.source} and {path} would both be written as {self.output / picture.output}. Give --root, a "
                "folder above both, to keep the folders between; or --format keep; or run them one after the other "
                "with an --output for each."
            )
        if os.path.abspath(path) == os.path.abspath(self.output / picture.output):
            raise InputError(f"{path} would be overwritten by its own edit; give another folder as --output.")


def output_name(name: str, suffix: str = KEEP) -> str:
    """What the edit of a picture is called: as the picture; with the suffix; or with .png behind, if it must be."""
    if is_film(name):
        return name
    if suffix != KEEP:
        return os.path.splitext(name)[0] + suffix
    try:
        picture_format(name)
    except ImageError:
        return name + ".png"
    return name


def _before_magic(parts: Sequence[str]) -> list[str]:
    """The folders of a pattern before the first one with a wildcard."""
    first = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    return list(parts[:first])


def _lines(path: str) -> list[str]:
    """The lines of a text file that are not empty; none for a file that is no text. Raises OSError."""
    try:
        text = read_text(path)
    except UnicodeDecodeError:
        return []
    return [] if "\0" in text else [line.strip() for line in text.splitlines() if line.strip()]
