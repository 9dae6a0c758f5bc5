"""What is evaluated: held-out portraits of the rendered domain, or a folder of pictures."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import Tensor

from ..choices import PLAIN
from ..demo.attributes import Portraits, sample_portraits
from ..demo.renderer import render
from ..domain import DomainSpec
from ..faces.crop.batch import crop_faces
from ..faces.find.detectors import LandmarkDetector, find_faces
from ..faces.find.people import align_photos
from ..pictures.files import picture_files
from ..pictures.image_io import load_crop, load_photo
from ..text_files import read_text
from .comparison import as_saved
from .errors import EvaluationError

# So many rendered people, where nobody says how many.
_PEOPLE = 1000


class Source(Protocol):
    """Pictures by their keys, in a fixed order."""

    keys: tuple[str, ...]

    def read(self, key: str) -> Tensor:
        """Return a picture [3,H,W] in [-1,1] at the domain's size; ImageError if that cannot be done."""
        ...

    def portraits(self, keys: list[str]) -> Portraits | None:
        """Return who the pictures show, None where nobody knows."""
        ...


@dataclass(frozen=True)
class RenderedPeople:
    """Portraits with details of the seeds `first` ... `first + count - 1`, which training never draws; keys: seeds.

    look: of LOOKS; all but the first are outside of the domain.
    """

    first: int
    count: int
    spec: DomainSpec
    look: str = PLAIN

    def __post_init__(self):
        from ..training.data import FIRST_TRAINING_SEED

        if self.first < 0 or self.count < 1 or self.first + self.count > FIRST_TRAINING_SEED:
            raise EvaluationError(
                f"Portraits of the seeds {self.first} to {self.first + self.count - 1}; expected some between 0 and "
                f"{FIRST_TRAINING_SEED - 1}, because training draws from {FIRST_TRAINING_SEED} on."
            )
        height, width = self.spec.picture_size
        if height != width:
            raise EvaluationError(f"Rendered portraits are square; pictures of {self.spec.name} are {width}x{height}.")

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(str(seed) for seed in range(self.first, self.first + self.count))

    def portraits(self, keys: list[str]) -> Portraits:
        """Return who the pictures show."""
        return sample_portraits([int(key) for key in keys])

    def read(self, key: str) -> Tensor:
        """Render one portrait [3,S,S], 8 bits deep."""
        return as_saved(render(self.portraits([key]), self.spec.picture_size[1], self.look).image)[0]


@dataclass(frozen=True)
class PictureFiles:
    """The pictures below a folder; keys: their paths in it. count: so many of them, chosen by the seed (None: all)."""

    folder: Path
    keys: tuple[str, ...]
    spec: DomainSpec

    @staticmethod
    def find(
        folder: Path | str, spec: DomainSpec, count: int | None, seed: int, leave_out: Path | str | None = None
    ) -> PictureFiles:
        """List a folder, without the pictures that the file `leave_out` names, one a line.

        Raises EvaluationError if that leaves no picture.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise EvaluationError(f"There is no folder {folder}; give a folder of pictures, or demo.")
        keys = [path.relative_to(folder).as_posix() for path in picture_files(folder)]
        if not keys:
            raise EvaluationError(f"{folder} holds no pictures; expected PNG, JPEG or the like.")
        if leave_out is not None:
            keys = _without(keys, Path(leave_out))
        if count is not None and count < len(keys):
            keys = sorted(random.Random(seed).sample(keys, count))
        return PictureFiles(folder, tuple(keys), spec)

    def portraits(self, keys: list[str]) -> None:
        """Nobody knows the true attributes of a photograph."""

    def read(self, key: str) -> Tensor:
        """Read one picture [3,H,W] at the domain's size; ImageError if it is unreadable or no aligned crop."""
        return load_crop(self.folder / key, self.spec)[0]


@dataclass(frozen=True)
class Photographs:
    """Photographs below a folder, aligned by us: the largest face of each, cut out at the domain's size."""

    files: PictureFiles
    detector: LandmarkDetector

    @property
    def keys(self) -> tuple[str, ...]:
        return self.files.keys

    def portraits(self, keys: list[str]) -> None:
        """Nobody knows the true attributes of a photograph."""

    def read(self, key: str) -> Tensor:
        """Align one photograph: [3,H,W] in [-1,1]. Raises ImageError or FaceError."""
        photo = load_photo(self.files.folder / key)
        aligned = align_photos([find_faces(photo.pixels, self.detector)], photo.size, self.files.spec.picture_size)
        crops, _ = crop_faces(photo.pixels[None], aligned)
        return as_saved(crops / 127.5 - 1)[0]


def open_source(
    data: str,
    spec: DomainSpec,
    count: int | None,
    seed: int,
    detector: LandmarkDetector | None = None,
    leave_out: Path | str | None = None,
    look: str = PLAIN,
) -> Source:
    """Open --data: "demo" for portraits of the seeds from `seed` on (without a count 1,000), or a folder.

    detector: the folder holds photographs that it aligns; without one they are aligned crops. leave_out: a file that
    names pictures of the folder that do not count, such as those that training saw. look: of rendered portraits.
    """
    if count is not None and count < 1:
        raise EvaluationError(f"--count is {count}; expected 1 or more.")
    if data == "demo":
        return RenderedPeople(seed, count or _PEOPLE, spec, look)
    files = PictureFiles.find(data, spec, count, seed, leave_out)
    return files if detector is None else Photographs(files, detector)


def _without(keys: list[str], names: Path) -> list[str]:
    """Leave out the pictures that a text file names: by path in the folder, file name, or that without its suffix."""
    try:
        named = {line.strip() for line in read_text(names).splitlines()} - {""}
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"{names} cannot be read ({error}); expected a file name on each line.") from error
    left = [key for key in keys if named.isdisjoint((key, Path(key).name, Path(key).stem))]
    if len(left) == len(keys):
        raise EvaluationError(f"{names} names no picture of the folder; expected a file name on each line.")
    if not left:
        raise EvaluationError(f"{names} names every picture of the folder; nothing is left to measure.")
    return left
