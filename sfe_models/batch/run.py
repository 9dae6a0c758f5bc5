"""The loop over pictures: threads read ahead and write behind, the networks compute in between."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from ..atomic import WriteError
from ..inputs import InputError
from .find import Picture
from .manifest import Line
from .overheard import Overheard, overheard
from .pace import Pace
from .storage import at_hand
from .work import Faces, Work


class Files(Protocol):
    """Where results go; a Part is one. scratch: a folder for what is not whole yet."""

    scratch: Path

    def put(self, made: Path, name: str) -> None: ...

    def add(self, line: Line) -> None: ...


# Errors of placing one file among others: something of that name is there.
_IN_THE_WAY = (IsADirectoryError, NotADirectoryError, FileExistsError)
# So many failures of the networks in a row are not the pictures' fault.
_FAILURES = 20


@dataclass(frozen=True)
class Made:
    """What lines of this run have in common."""

    fingerprint: str
    edits: Sequence[Mapping]


@dataclass(frozen=True, eq=False)
class _Item:
    """A picture on its way. scratch: where it is written before it is put in its place."""

    picture: Picture
    scratch: Path
    seconds: float = 0.0
    faces: Faces | None = None
    edited: Tensor | None = None
    frames: int | None = None
    error: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many faces are to be edited."""
        return 0 if self.faces is None else len(self.faces)

    def after(self, tried: _Tried, **found) -> _Item:
        """This picture after a step that was tried, with what it found."""
        if tried.error is not None:
            found = {"error": tried.error, "faces": None, "edited": None}
        seconds, warnings = self.seconds + tried.seconds, (*self.warnings, *tried.warnings)
        return replace(self, seconds=seconds, warnings=warnings, **found)


@dataclass(frozen=True, eq=False)
class _Tried:
    """What a step gave, how long it took, what was warned of; or why it failed."""

    value: object
    seconds: float
    warnings: tuple[str, ...]
    error: str | None = None

    def share(self, part: float) -> _Tried:
        """The part of one picture in a step for several."""
        return replace(self, seconds=self.seconds * part)


def run(
    pictures: Sequence[Picture],
    work: Work,
    files: Files,
    made: Made,
    pace: Pace = Pace(),  # noqa: B008
    done: Callable[[Line], None] = lambda line: None,
) -> None:
    """Edit pictures, in order; done: called with the line of each when it is written.

    What cannot be read or edited gets a line with an error. Raises OSError where nothing can be written any more, and
    the error of the networks when they fail picture after picture.
    """
    with overheard() as heard:
        _Run(work, files, made, pace, done, heard).all(pictures)


class _Run:
    def __init__(self, work: Work, files: Files, made: Made, pace: Pace, done: Callable, heard: Overheard):
        self.work, self.files, self.made, self.pace, self.done, self.heard = work, files, made, pace, done, heard
        self.failures = 0

    def all(self, pictures: Sequence[Picture]) -> None:
        ahead = self.pace.faces + self.pace.threads
        readers, writers = (
            ThreadPoolExecutor(self.pace.threads, name, _computing_with, (self.pace.cores,))
            for name in ("read", "write")
        )
        writing: deque[Future[_Item]] = deque()
        try:
            for group in self._groups(_ahead(readers, self._read, enumerate(pictures), ahead)):
                writing += [writers.submit(self._written, item) for item in self._edited(group)]
                while len(writing) > ahead or (writing and writing[0].done()):
                    self._add(writing.popleft().result())
            while writing:
                self._add(writing.popleft().result())
        finally:
            for pool in (readers, writers):
                pool.shutdown(cancel_futures=True)

    def _read(self, numbered: tuple[int, Picture]) -> _Item:
        number, picture = numbered
        item = _Item(picture, self.files.scratch / f"{number}{os.path.splitext(picture.output)[1]}")
        if picture.is_film:
            return item
        tried = self._tried(lambda: self._at_hand(item, lambda path: self.work.read(path, picture.name)))
        return item.after(tried, faces=tried.value)

    def _at_hand(self, item: _Item, step: Callable[[Path], object]) -> object:
        with at_hand(item.picture.source, item.scratch.with_name(f"in-{item.scratch.name}")) as path:
            return step(path)

    def _groups(self, items: Iterator[_Item]) -> Iterator[list[_Item]]:
        """Gather pictures while their faces are no more than go at once; one picture's faces stay together."""
        group: list[_Item] = []
        for item in items:
            full = sum(one.count for one in group) + item.count > self.pace.faces or len(group) == self.pace.faces
            if group and (full or item.picture.is_film or group[-1].picture.is_film):
                yield group
                group = []
            group.append(item)
        if group:
            yield group

    def _edited(self, group: list[_Item]) -> list[_Item]:
        """Edit the pictures of a group at once; if that fails, one by one."""
        if group[0].picture.is_film:
            return [self._film(item) for item in group]
        with_faces = [item for item in group if item.count]
        edited = self._networks(with_faces) if len(with_faces) > 1 else []
        if edited and edited[0].error is None:
            self.failures = 0
        else:
            edited = [self._alone(item) for item in with_faces]
        found = iter(edited)
        return [next(found) if item.count else item for item in group]

    def _alone(self, item: _Item) -> _Item:
        """Edit one picture. Raises InputError if the networks fail picture after picture."""
        [edited] = self._networks([item])
        self.failures = self.failures + 1 if edited.error else 0
        if self.failures == _FAILURES:
            raise InputError(f"{_FAILURES} pictures in a row could not be edited, the last one because: {edited.error}")
        return edited

    def _networks(self, items: list[_Item]) -> list[_Item]:
        """Edit pictures at once; the time is shared by their faces."""
        tried = self._tried(lambda: self.work.edit([item.faces for item in items]))
        pictures = tried.value or [None] * len(items)
        count = sum(item.count for item in items)
        edited = zip(items, pictures, strict=True)
        return [item.after(tried.share(item.count / count), edited=picture) for item, picture in edited]

    def _film(self, item: _Item) -> _Item:
        name = item.picture.name
        film = partial(self._at_hand, item, lambda path: self.work.film(path, name, item.scratch))
        try:
            tried = self._tried(film, passing=WriteError)
        except WriteError as error:
            raise _nothing_more(item, error) from error
        return item.after(tried, frames=tried.value)

    def _written(self, item: _Item) -> _Item:
        """Write a picture beside its place, then put it there whole. Raises OSError where nothing can be written."""
        if item.error is not None:
            return item

        def write() -> None:
            if not item.picture.is_film:
                self.work.write(item.faces, item.edited, item.scratch)
            try:
                self.files.put(item.scratch, item.picture.output)
            except _IN_THE_WAY as error:
                output = item.picture.output
                raise ValueError(f"{output} cannot be written: something of that name is in the output.") from error

        try:
            tried = self._tried(write, passing=OSError)
        except OSError as error:
            raise _nothing_more(item, error) from error
        return replace(item.after(tried), edited=None)

    def _tried(self, step: Callable[[], object], passing: tuple[type[Exception], ...] | type[Exception] = ()) -> _Tried:
        """Do a step for pictures; errors are kept, but for those that are passing."""
        start, value, problem = time.perf_counter(), None, None
        with self.heard.listening() as said:
            try:
                value = step()
            except passing:
                raise
            except (ValueError, OSError) as error:
                problem = str(error)
            except Exception as error:  # Whatever a library raises is about this picture; the others go on.
                problem = f"{type(error).__name__}: {error}"
        return _Tried(value, time.perf_counter() - start, tuple(said), problem)

    def _add(self, item: _Item) -> None:
        picture, failed = item.picture, item.error is not None
        line = Line(
            name=picture.name,
            input=picture.source,
            output=None if failed else picture.output,
            fingerprint=self.made.fingerprint,
            edits=self.made.edits,
            seconds=round(item.seconds, 3),
            faces=None if item.faces is None else item.count,
            frames=item.frames,
            error=" ".join(item.error.split()) if failed else None,
            warnings=item.warnings,
        )
        self.files.add(line)
        self.done(line)


def _nothing_more(item: _Item, error: OSError) -> OSError:
    """Say that a picture could not be written, by the name that it was to have."""
    said = str(error).replace(str(item.scratch), item.picture.output)
    return OSError(f"{said} The pictures until then are done; the same command goes on.")


def _computing_with(cores: int) -> None:
    """Give the thread that calls it so many cores; without, each of them would start as many as there are."""
    if cores:
        torch.set_num_threads(cores)


def _ahead(pool: ThreadPoolExecutor, function: Callable, values: Iterable, count: int) -> Iterator:
    """Map a function over values in threads, in order, never more than `count` ahead of who asks."""
    waiting: deque[Future] = deque()
    for value in values:
        waiting.append(pool.submit(function, value))
        if len(waiting) > count:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
