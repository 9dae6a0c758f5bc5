"""The manifest: one JSON line a picture, added when it is done; the parts of several processes become one file.

A process adds to a part of its own, `manifest.RANK-of-WORLD.jsonl`, and when all have ended the last one puts the
parts into `manifest.jsonl`. Whoever starts reads all of them. A line that a killed process wrote half is cut off.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ..atomic import replaced
from ..inputs import InputError
from .sharing import Share

MANIFEST = "manifest.jsonl"
HIDDEN = ".sfe-batch"
_PART = re.compile(r"manifest\.(\d+-of-(\d+))\.jsonl")


@dataclass(frozen=True)
class Line:
    """What became of a picture. name: below its input; output: below the output folder, None if there is an error."""

    name: str
    input: str
    output: str | None
    fingerprint: str
    edits: Sequence[Mapping]
    seconds: float
    faces: int | None = None
    frames: int | None = None
    error: str | None = None
    warnings: Sequence[str] = ()

    def __str__(self) -> str:
        kept = {name: value for name, value in vars(self).items() if value not in (None, [], ())}
        return json.dumps(kept)


class Part:
    """The part that one process adds lines to; nobody else may hold it at the same time."""

    def __init__(self, output: Path, share: Share):
        self.output, self.share = output, share
        self.path = output / f"manifest.{share.part}.jsonl"
        self._ended = _ended(output, share.part)
        self.scratch = output / HIDDEN / share.part

    def __enter__(self) -> Part:
        """Take the part for this process. Raises InputError if another one works here, OSError."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        self._lock = _taken(self.output, self.share.part)
        try:
            for path in self.output.glob("manifest.*.jsonl"):
                name = _PART.fullmatch(path.name)
                if name and int(name[2]) != self.share.world:
                    _taken(self.output, name[1]).release()
            for left in self.scratch.iterdir():
                left.unlink()
            self._ended.unlink(missing_ok=True)
            self._file = open(self.path, "ab", buffering=0)  # noqa: SIM115
            _cut_torn_line(self.path)
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, *_) -> None:
        self._file.close()
        self._lock.release()

    def add(self, line: Line) -> None:
        """Write one line, whole, at once."""
        self._file.write(f"{line}\n".encode())

    def end(self, order: Mapping[str, int]) -> bool:
        """Say that this share is done; the last process makes one manifest of all parts, in the order of the names.

        Whether this was the last one.
        """
        self._ended.touch()
        if not all(_ended(self.output, Share(n, self.share.world).part).exists() for n in range(self.share.world)):
            return False
        merge(self.output, order)
        return True


def merge(output: Path, order: Mapping[str, int]) -> None:
    """Put all parts into the manifest; names that are not in the order come last.

    Parts are read before the manifest and removed after it is written, so that two processes that do this at the same
    time lose nothing.
    """
    parts = _parts(output)
    newer = [line for path in parts for line in _read(path)]
    lines = {json.loads(text)["name"]: text for text in [*_read(output / MANIFEST), *newer]}
    with replaced(output / MANIFEST) as temporary:
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            for name in sorted(lines, key=lambda name: order.get(name, len(order))):
                file.write(lines[name] + "\n")
    for path in parts:
        path.unlink(missing_ok=True)


def finished(output: Path) -> dict[str, str]:
    """The pictures that lines call done, {name: output below the folder}; whether the file is there is not looked at.

    Raises InputError for a manifest that holds something else.
    """
    done: dict[str, str] = {}
    for path in (output / MANIFEST, *_parts(output)):
        for text in _read(path):
            try:
                line = json.loads(text)
                if line.get("output"):
                    done[line["name"]] = line["output"]
            except (ValueError, KeyError, AttributeError) as error:
                raise InputError(
                    f"{path} holds a line that is none of a batch ({text[:60]}); give another --output, or remove it."
                ) from error
    return done


def _parts(output: Path) -> list[Path]:
    return sorted(path for path in output.glob("manifest.*.jsonl") if _PART.fullmatch(path.name))


def _read(path: Path) -> list[str]:
    """The whole lines of a manifest; none if it is not there."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    whole = content[: content.rfind(b"\n") + 1]
    return [line for line in whole.decode("utf-8", "replace").splitlines() if line]


def _cut_torn_line(path: Path) -> None:
    content = path.read_bytes()
    os.truncate(path, content.rfind(b"\n") + 1)


def _ended(output: Path, part: str) -> Path:
    return output / HIDDEN / f"{part}.ended"


def _taken(output: Path, part: str) -> FileLock:
    """Hold the lock of a part, which a process that dies lets go. Raises InputError if another one holds it."""
    lock = FileLock(output / HIDDEN / f"{part}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(
            f"Another batch is writing into {output} (as {part}). Wait until it ends, or end it; or give another "
            "--output."
        ) from error
    return lock
