"""Find the pictures that folders, patterns, lists and files name, and what each will be called."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from ..film.formats import CONTAINERS
from ..inputs import InputError
from ..inversion_file import is_kept
from ..pictures.errors import ImageError
from ..pictures.files import is_picture
from ..pictures.image_io import picture_format
from ..text_files import read_text
from .storage import as_path, file_system, is_address

KEEP, INVERSION = "keep", ".safetensors"
# Films by their suffix; those of the second kind are read, and written in another container.
_FILMS, _FILMS_READ = tuple(CONTAINERS), (".avi", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp")
_FILM = ".mp4"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture or a film. source: its path or address; name: of it below the input; output: below the output."""

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
    return _suffix(str(path)) in _FILMS + _FILMS_READ


def find_pictures(inputs: Sequence[str], output: Path | str, root: str | None = None, suffix: str = KEEP) -> Found:
    """Find what the inputs name: folders (with all below them), patterns such as `a/**/*.jpg`, lists, pictures, films,
    kept inversions.

    Each may be an fsspec address, below which pictures are known by their suffixes alone. A list is a text file with
    one path a line. Names: below the folder that was given, below the part of a pattern without wildcards, as a list's
    line says it, else the file's own; with a `root` below that, all of them. suffix: of what is written, KEEP for the
    picture's own. Names that begin with a dot, the output folder and links to folders are passed over, below a folder
    and by `**`; a link that an input names, or a `*` in it, is taken. Raises InputError for inputs that are not there
    and for two pictures of one name.
    """
    search = _Search(as_path(str(output)), root, suffix)
    for given in inputs:
        search.add(as_path(str(given)))
    once = (list(dict.fromkeys(places)) for places in (search.unreadable, search.links))
    return Found(list(search.pictures.values()), search.passed_over, *once)


class _Search:
    def __init__(self, output: str, root: str | None, suffix: str):
        self._folders: dict[str, str] = {}
        self.output, self.suffix = output, suffix
        self.root = None if root is None else self._whole(as_path(root))
        self.suffixes = frozenset(Image.registered_extensions())  # what only seems a picture is named as a bad one
        self.pictures: dict[str, Picture] = {}
        self.passed_over, self.unreadable, self.links = 0, [], []

    def add(self, given: str) -> None:
        """Take one input of the command line."""
        if is_address(given):
            self._add_address(given)
        elif not os.path.lexists(given) and glob.has_magic(given):
            self._add_pattern(given)
        elif os.path.isdir(given):
            self._add_folder(given, "")
        elif not os.path.exists(given):
            raise InputError(f"There is no {given}; give a folder, a picture, a pattern or a text file with paths.")
        elif not is_film(given) and not _is_either(given) and (lines := _lines(given)):
            self._add_list(given, lines)
        else:
            self._add_file(given, os.path.basename(given))

    def _add_address(self, given: str) -> None:
        system, path = file_system(given)
        pattern = glob.has_magic(path)
        fixed = "/".join(_before_magic(path.split("/"))) if pattern else path.rstrip("/")
        if not pattern and system.isfile(path):
            self._add_file(given, path.rpartition("/")[2])
            return
        found = system.glob(path) if pattern else system.find(path)
        if not found:
            raise InputError(f"There is nothing at {given}; give an address that holds pictures.")
        base = given.rstrip("/").removesuffix(path[len(fixed) :].rstrip("/")).rstrip("/")
        for file in sorted(found):
            name = file[len(fixed) :].lstrip("/")
            source = f"{base}/{name}"
            if any(part.startswith(".") for part in name.split("/")) or _below(source, self.output) is not None:
                continue
            if is_film(name) or _suffix(name) in Image.registered_extensions():
                self._add_file(source, name)
            else:
                self.passed_over += 1

    def _add_pattern(self, pattern: str) -> None:
        fixed = Path(*_before_magic(Path(pattern).parts))
        matches = sorted(self._matches(pattern))
        if not matches:
            raise InputError(f"Nothing matches {pattern}; give a pattern that finds pictures, or their folder.")
        if not self._in_output(str(fixed)):
            matches = [match for match in matches if not self._in_output(match)]
        folders = [match for match in matches if os.path.isdir(match)]
        for match in matches:
            name = Path(match).relative_to(fixed).as_posix()
            if match not in folders:
                self._add_if_picture(match, name)
            elif not any(match != other and Path(match).is_relative_to(other) for other in folders):
                self._add_folder(match, "" if name == "." else name)

    def _matches(self, pattern: str) -> set[str]:
        """What a pattern finds. `*` also finds links to folders; `**` goes through none, or loops would never end."""
        parts = Path(pattern).parts
        if "**" not in parts:
            return set(glob.glob(pattern))
        first = parts.index("**")
        starts, rest = glob.glob(str(Path(*parts[:first]))), parts[first + 1 :]
        if not rest:
            return {start for start in starts if os.path.isdir(start)}
        return {
            match
            for start in starts
            for place, _ in self._places(start)
            for match in (str(Path(match)) for match in self._matches(os.path.join(glob.escape(place), *rest)))
            if not _through_link(match, place)
        }

    def _add_list(self, path: str, lines: list[str]) -> None:
        lines = [as_path(line) for line in lines]
        if not any(is_address(line) or os.path.exists(line) for line in lines):
            raise InputError(
                f"{path} is no picture, and as a list it names {len(lines)} paths of which none is there, such as "
                f"{lines[0][:80]}. Paths in a list are taken from the folder that the command runs in."
            )
        for line in lines:
            if os.path.isdir(line):
                self._add_folder(line, "")
                continue
            plain = os.path.normpath(line)
            below = not (os.path.isabs(plain) or plain.startswith("..") or is_address(line))
            self._add_file(line, Path(plain).as_posix() if below else os.path.basename(plain))

    def _add_folder(self, folder: str, prefix: str) -> None:
        for path in self._walk(folder):
            name = os.path.relpath(path, folder) if os.sep != "/" else path[len(folder.rstrip("/")) + 1 :]
            name = name.replace(os.sep, "/")
            self._add_if_picture(path, f"{prefix}/{name}" if prefix else name)

    def _walk(self, folder: str) -> Iterator[str]:
        """The shown files of a folder and of those below it, in the order of their names."""
        for place, files in self._places(folder):
            yield from (os.path.join(place, name) for name in sorted(files) if not name.startswith("."))

    def _places(self, folder: str) -> Iterator[tuple[str, list[str]]]:
        """A folder and the shown ones below it but the output, each with the names of its files; no links."""
        for place, folders, files in os.walk(folder, onerror=lambda error: self.unreadable.append(error.filename)):
            shown = sorted(name for name in folders if not name.startswith("."))
            paths = [os.path.join(place, name) for name in shown]
            self.links += [path for path in paths if os.path.islink(path)]
            folders[:] = [
                name for name, path in zip(shown, paths, strict=True) if not os.path.islink(path) and self._other(path)
            ]
            yield place, files

    def _other(self, folder: str) -> bool:
        """Whether a folder is another one than the output."""
        return not (os.path.isdir(self.output) and os.path.samefile(folder, self.output))

    def _in_output(self, path: str) -> bool:
        """Whether a path is the output folder, or below it."""
        whole, output = self._whole(path), self._whole(self.output)
        return whole == output or _below(whole, output) is not None

    def _add_if_picture(self, path: str, name: str) -> None:
        if is_film(path) or _suffix(path) in self.suffixes or (os.path.isfile(path) and _is_either(path)):
            self._add_file(path, name)
        else:
            self.passed_over += 1

    def _whole(self, place: str) -> str:
        """An absolute path, or an address. A folder is asked for once, not for each of a million pictures."""
        if is_address(place):
            return place.rstrip("/")
        folder, name = os.path.split(place)
        if name in ("", ".", ".."):
            return os.path.abspath(place)
        if folder not in self._folders:
            self._folders[folder] = os.path.abspath(folder)
        return os.path.join(self._folders[folder], name)

    def _add_file(self, path: str, name: str) -> None:
        if self.root is not None:
            name = _below(self._whole(path), self.root)
            if name is None:
                raise InputError(f"{path} does not lie below {self.root}, which --root names; give a folder above it.")
        picture = Picture(path, name, output_name(name, self.suffix))
        other, target = self.pictures.setdefault(picture.output, picture), f"{self.output}/{picture.output}"
        if other is not picture and self._whole(other.source) != self._whole(path):
            raise InputError(
                f"{other.source} and {path} would both be written as {target}. Give --root, a "
                "folder above both, to keep the folders between; or --format keep; or run them one after the other "
                "with an --output for each."
            )
        if self._whole(path) == self._whole(target):
            raise InputError(f"{path} would be overwritten by its own edit; give another folder as --output.")


def output_name(name: str, suffix: str = KEEP) -> str:
    """What the edit of a picture is called: as the picture; with the suffix; or with .png behind, if it must be.

    A film keeps its name, or gets .mp4 behind.
    """
    if is_film(name):
        return name if name.lower().endswith(_FILMS) else name + _FILM
    if suffix != KEEP:
        return os.path.splitext(name)[0] + suffix
    try:
        picture_format(name)
    except ImageError:
        return name + ".png"
    return name


def _is_either(path: str) -> bool:
    """Whether a file is a picture, or a kept inversion of one."""
    return is_kept(path) if _suffix(path) == INVERSION else is_picture(path)


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _before_magic(parts: Sequence[str]) -> list[str]:
    """The folders of a pattern before the first one with a wildcard."""
    first = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    return list(parts[:first])


def _through_link(path: str, folder: str) -> bool:
    """Whether a path below a folder is a link to a folder, or passes one."""
    steps = Path(path).relative_to(folder).parts
    places = (os.path.join(folder, *steps[: end + 1]) for end in range(len(steps)))
    return any(os.path.islink(place) and os.path.isdir(place) for place in places)


def _below(place: str, folder: str) -> str | None:
    """The path from a folder to a place below it, both whole, with `/`; None for a place elsewhere."""
    separator = "/" if is_address(folder) else os.sep
    start = folder.rstrip(separator) + separator
    return place[len(start) :].replace(os.sep, "/") if place.startswith(start) else None


def _lines(path: str) -> list[str]:
    """The lines of a text file that are not empty; none for a file that is no text. Raises OSError."""
    try:
        text = read_text(path)
    except UnicodeDecodeError:
        return []
    return [] if "\0" in text else [line.strip() for line in text.splitlines() if line.strip()]
