"""The manifest: one JSON line a picture, added when it is done; the parts of several processes become one file.

A process adds to a part of its own, `manifest.RANK-of-WORLD.jsonl`, and when all have ended the last one puts the
parts into `manifest.jsonl`. Whoever starts reads all of them. A line that a killed process wrote half is cut off.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from ..inputs import InputError
from ..sharing import Share
from .storage import HIDDEN, Store

MANIFEST = "manifest.jsonl"
# Of a folder, and with a time in its name of object storage.
_PART = re.compile(r"manifest\.(\d+-of-(\d+))(\.\d+)?\.jsonl")


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
        kept = {name: value for name, value in asdict(self).items() if value is not None}
        if not self.warnings:
            del kept["warnings"]
        return json.dumps(kept)


class Part:
    """The part that one process adds lines to; nobody else may hold it at the same time."""

    def __init__(self, store: Store, share: Share):
        self.store, self.share = store, share
        self.name = f"manifest.{share.part}.jsonl"

    def __enter__(self) -> Part:
        """Take the part for this process. Raises InputError if another one works here, OSError."""
        with ExitStack() as stack:
            stack.enter_context(self.store.held(self.share.part))
            # Workers of a cluster (of 0) are beside the process that started them, which has looked.
            for name in self.store.files() if self.share.world else ():
                part = _PART.fullmatch(name)
                if part and int(part[2]) != self.share.world:
                    with self.store.held(part[1]):
                        pass
            self.scratch: Path = stack.enter_context(self.store.scratch(self.share.part))
            self.store.remove(_ended(self.share.part))
            self._add = stack.enter_context(self.store.adding(self.name))
            self._held = stack.pop_all()
        return self

    def __exit__(self, *_) -> None:
        self._held.close()

    def put(self, made: Path, name: str) -> None:
        """Bring what was written in the scratch folder to its place."""
        self.store.put(made, name)

    def add(self, line: Line) -> None:
        """Write one line."""
        self._add(str(line))


def end(store: Store, share: Share, order: Mapping[str, int]) -> bool:
    """Say that a share is done, its part being closed; whether it was the last one.

    The last one makes one manifest of all parts, in the order of the names.
    """
    store.write(_ended(share.part), [])
    markers = {_ended(Share(rank, share.world).part) for rank in range(share.world)}
    if store.there(markers) != markers:
        return False
    merge(store, order)
    return True


def merge(store: Store, order: Mapping[str, int]) -> None:
    """Put all parts into the manifest; names that are not in the order come last.

    Parts are read before the manifest and removed after it is written, so that two processes that do this at the same
    time lose nothing.
    """
    parts = _parts(store)
    newer = [line for name in parts for line in _lines(store, name)]
    lines = {json.loads(text)["name"]: text for text in [*_lines(store, MANIFEST), *newer]}
    names = sorted(lines, key=lambda name: order.get(name, len(order)))
    store.write(MANIFEST, (lines[name] + "\n" for name in names))
    for name in parts:
        store.remove(name)
    store.tidy("*-of-0*")


def finished(store: Store) -> dict[str, str]:
    """The pictures that lines call done and whose files are there: {name: output below the folder}.

    Raises InputError for a manifest that holds something else.
    """
    done: dict[str, str] = {}
    for name in (MANIFEST, *_parts(store)):
        for text in _lines(store, name):
            try:
                line = json.loads(text)
                if line.get("output"):
                    done[line["name"]] = line["output"]
            except (ValueError, KeyError, AttributeError) as error:
                raise InputError(
                    f"{store / name} holds a line that is none of a batch ({text[:60]}); give another --output, or "
                    "remove it."
                ) from error
    there = store.there(done.values()) if done else set()
    return {name: output for name, output in done.items() if output in there}


def _parts(store: Store) -> list[str]:
    return sorted(name for name in store.files() if _PART.fullmatch(name))


def _lines(store: Store, name: str) -> list[str]:
    """The whole lines of a manifest; none if it is not there."""
    content = store.read(name) or b""
    whole = content[: content.rfind(b"\n") + 1]
    return [line for line in whole.decode("utf-8", "replace").split("\n") if line]


def _ended(part: str) -> str:
    return f"{HIDDEN}/{part}.ended"
