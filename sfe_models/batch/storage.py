"""Where pictures come from and go to: folders of this machine, or object storage by an fsspec address (s3://, gs://)."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from filelock import FileLock, Timeout

from ..atomic import new_folders, replaced
from ..inputs import InputError

HIDDEN = ".sfe-batch"
# Object storage cannot add to a file, so that lines go there together: after so many, or so many seconds.
_LINES, _SECONDS = 200, 10.0
_FEW = 20


def is_address(place: str) -> bool:
    """Whether a place is an fsspec address, not a path; file:// is a path (see `as_path`)."""
    return "://" in place


def as_path(place: str) -> str:
    """A file:// address as the path that it means; anything else as it is."""
    return place.removeprefix("file://") if place.startswith("file:///") else place


def file_system(address: str) -> tuple:
    """The fsspec file system of an address, and the path in it. Raises InputError that says what to install."""
    import fsspec

    try:
        return fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise InputError(f"{address} cannot be reached: {error}. Storage is read through fsspec.") from error


@contextmanager
def at_hand(source: str, scratch: Path) -> Iterator[Path]:
    """Give a picture as a file of this machine; one from an address is fetched to `scratch` and removed again."""
    if not is_address(source):
        yield Path(source)
        return
    system, path = file_system(source)
    try:
        system.get_file(path, str(scratch))
        yield scratch
    finally:
        scratch.unlink(missing_ok=True)


class Folder:
    """An output folder of this machine, or one that several share."""

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def __str__(self) -> str:
        return str(self.path)

    def __truediv__(self, name: str) -> str:
        return str(self.path / name)

    def read(self, name: str) -> bytes | None:
        """What a file holds, None if it is not there."""
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, parts: Iterable[str]) -> None:
        """Write a text whole or not at all. Raises OSError."""
        with replaced(self.path / name) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(parts)

    def remove(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)

    def files(self) -> list[str]:
        """The names of what lies directly in the folder."""
        return sorted(os.listdir(self.path)) if self.path.is_dir() else []

    def tidy(self, pattern: str) -> None:
        """Remove what workers that come under a new name each time left among the hidden files."""
        for left in (self.path / HIDDEN).glob(pattern):
            shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)

    def there(self, names: Iterable[str]) -> set[str]:
        """Which of these are there."""
        return {name for name in names if (self.path / name).exists()}

    def put(self, made: Path, name: str) -> None:
        """Bring a file of the scratch folder to its place. Raises OSError."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(made, target)

    @contextmanager
    def scratch(self, part: str) -> Iterator[Path]:
        """An empty folder for what is not whole yet, on the same file system."""
        place = self.path / HIDDEN / part
        place.mkdir(parents=True, exist_ok=True)
        for left in place.iterdir():
            left.unlink()
        yield place

    @contextmanager
    def held(self, part: str) -> Iterator[None]:
        """Hold a part, which a process that dies lets go. Raises InputError if another process holds it."""
        with new_folders(self.path / HIDDEN):
            lock = FileLock(self.path / HIDDEN / f"{part}.lock")
            try:
                lock.acquire(timeout=0)
            except Timeout as error:
                raise InputError(
                    f"Another batch is writing into {self} (as {part}). Wait until it ends, or end it; or give another "
                    "--output."
                ) from error
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def adding(self, name: str) -> Iterator[Callable[[str], None]]:
        """Add lines to a file, each whole; a line that was written half before is cut off."""
        with open(self.path / name, "a+b", buffering=0) as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
            yield lambda line: file.write(f"{line}\n".encode()) and None


class Bucket:
    """An output folder in object storage. Nobody can be kept out of it: start one batch at a time."""

    def __init__(self, address: str):
        self.address = address.rstrip("/")
        self._system, self._root = file_system(self.address)

    def __str__(self) -> str:
        return self.address

    def __truediv__(self, name: str) -> str:
        return f"{self.address}/{name}"

    def read(self, name: str) -> bytes | None:
        try:
            return self._system.cat_file(f"{self._root}/{name}")
        except FileNotFoundError:
            return None

    def write(self, name: str, parts: Iterable[str]) -> None:
        self._system.pipe_file(f"{self._root}/{name}", "".join(parts).encode())

    def remove(self, name: str) -> None:
        if self._system.exists(f"{self._root}/{name}"):
            self._system.rm_file(f"{self._root}/{name}")

    def files(self) -> list[str]:
        self._system.invalidate_cache()
        try:
            return sorted(path.rpartition("/")[2] for path in self._system.ls(self._root, detail=False))
        except FileNotFoundError:
            return []

    def tidy(self, pattern: str) -> None:
        """Nothing: scratch folders lie elsewhere, and there are no locks."""

    def there(self, names: Iterable[str]) -> set[str]:
        """Which of these are there; many are found by listing all, a request for a thousand, not for each."""
        self._system.invalidate_cache()
        names = list(names)
        if len(names) < _FEW:
            return {name for name in names if self._system.exists(f"{self._root}/{name}")}
        root = len(self._root.rstrip("/")) + 1
        return {path[root:] for path in self._system.find(self._root)}.intersection(names)

    def put(self, made: Path, name: str) -> None:
        target = f"{self._root}/{name}"
        try:
            self._system.put_file(str(made), target)
        except FileNotFoundError:  # one with folders; buckets have none to be asked for
            self._system.makedirs(target.rpartition("/")[0], exist_ok=True)
            self._system.put_file(str(made), target)
        made.unlink()

    @contextmanager
    def scratch(self, part: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix=f"sfe-{part}-") as place:
            yield Path(place)

    def held(self, part: str) -> nullcontext:
        return nullcontext()

    @contextmanager
    def adding(self, name: str) -> Iterator[Callable[[str], None]]:
        """Add lines, some together as an object of their own: `manifest.0-of-1.TIME.jsonl`."""
        stem, _, suffix = name.rpartition(".")
        lines: list[str] = []
        last = time.monotonic()

        def flush() -> None:
            nonlocal last
            if lines:
                self.write(f"{stem}.{time.time_ns()}.{suffix}", (f"{line}\n" for line in lines))
                lines.clear()
            last = time.monotonic()

        def add(line: str) -> None:
            lines.append(line)
            if len(lines) >= _LINES or time.monotonic() - last > _SECONDS:
                flush()

        try:
            yield add
        finally:
            flush()


Store = Folder | Bucket


def store_of(place: str | Path) -> Store:
    """The store of an output folder, by its path or address. Raises InputError."""
    place = as_path(str(place))
    return Bucket(place) if is_address(place) else Folder(place)
