"""What is done with a picture, as the loop sees it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from torch import Tensor

from .pace import Pace


class Faces(Protocol):
    """What was read of a picture; its length is the number of faces to edit, 0 for one that passes as it is."""

    def __len__(self) -> int: ...


class Work(Protocol):
    """Read and write run in threads, edit in the one that computes. A ValueError is about the picture."""

    def pace(self) -> Pace:
        """Say how fast to go on the machine that this runs on."""
        ...

    def read(self, source: Path, name: str) -> Faces:
        """Read a picture and cut its faces out; name: below the input, by which more may be known of it."""
        ...

    def edit(self, faces: Sequence[Faces]) -> Sequence[Tensor]:
        """Edit the faces of several pictures at once; for each its own [F,3,H,W]."""
        ...

    def write(self, faces: Faces, edited: Tensor | None, target: Path) -> None:
        """Write a picture with its edited faces (None: as it is). A file that cannot be written is an OSError."""
        ...

    def film(self, source: Path, name: str, target: Path) -> int:
        """Edit a film whole; how many frames it has."""
        ...
