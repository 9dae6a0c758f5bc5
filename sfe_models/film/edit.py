"""From a film to an edited film: look at it once to see who is where, then edit it frame by frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from ..faces.find.detectors import LandmarkDetector
from ..gradual.pipeline import GradualPipeline
from ..pipeline import Pipeline
from .errors import FilmError
from .following import Looking, Plan, follow
from .formats import film_format
from .frames import DEFAULT_FILM, FilmEdits, FilmOptions, check_edits, edited_frames
from .reading import Film, FilmFrame, opened
from .writing import FilmWriter, written

LOOKING, EDITING = "looking for the face", "editing"


@dataclass(frozen=True)
class FilmResult:
    """What was done: frames in the film, frames that show the edit, shots, seconds from the first frame to the last."""

    frames: int
    edited: int
    shots: int
    seconds: float


def edit_film(
    pipeline: Pipeline | GradualPipeline,
    source: Path | str,
    target: Path | str,
    edits: FilmEdits,
    find: Callable[[Tensor], Sequence[Tensor]],
    options: FilmOptions = DEFAULT_FILM,
    progress: Callable[[str, int, int], None] = lambda stage, done, frames: None,
) -> FilmResult:
    """Edit one person of a film; sound and times stay.

    edits: directions, each with a strength or key frames; find: what finds the faces of a frame [3,H,W], uint8: their
    landmarks [n,2] in px, as `film_faces` makes it of a detector; it is called once for each frame, in order.
    progress: called after every frame with the stage (LOOKING, EDITING), the number of frames done and of all (0 where
    the file does not say it). Frames without the face are passed through. Raises FilmError for a film that cannot be
    read, or without the face, FaceError, InputError, DirectionError or OSError; then, or when `progress` raises,
    nothing is left behind.
    """
    check_edits(pipeline, edits, options)
    film_format(target, options.codec, options.quality)
    with opened(source) as film:
        plan = look(film, find, pipeline.spec.picture_size, options, progress)
        if not plan.edited:
            raise FilmError(f"{source} shows no face that can be edited; give another film, or landmarks of your own.")
    with opened(source) as film, written(target, film, options.codec, options.quality) as writer:
        number = 0
        for number, (frame, picture, box) in enumerate(_edited(pipeline, film, writer, plan, edits, options), 1):
            writer.write(frame, *((None, None) if box is None else (picture, box)))
            progress(EDITING, number, len(plan.times))
    return FilmResult(number, plan.edited, len(plan.shots), plan.times[-1])


def film_faces(detector: LandmarkDetector) -> Callable[[Tensor], Sequence[Tensor]]:
    """Find the upright faces of frames [3,H,W], uint8, that are large enough to be edited."""
    return lambda picture: detector(picture.movedim(0, -1).contiguous().numpy(), quick=True)


def look(
    film: Film,
    find: Callable[[Tensor], Sequence[Tensor]],
    crop_size: tuple[int, int],
    options: FilmOptions = DEFAULT_FILM,
    progress: Callable[[str, int, int], None] = lambda stage, done, frames: None,
) -> Plan:
    """Look at a film once: who is where, and where shots end. Raises FilmError for a film without frames."""
    looking, times = Looking(find), []
    for frame in film:
        looking.see(_eight_bit(frame.picture()))
        times.append(frame.time)
        progress(LOOKING, len(times), film.frames)
    if not times:
        raise FilmError(f"{film.path} holds no frame that can be read.")
    return follow(looking, times, crop_size, options.face, options.order, options.crop_smoothing)


def _edited(
    pipeline: Any, film: Film, writer: FilmWriter, plan: Plan, edits: FilmEdits, options: FilmOptions
) -> Iterator[tuple[FilmFrame, Tensor, Any]]:
    """Edit the frames of a film, and copy its sound on the way: the frame as it was, its picture, and what changed."""
    waiting: deque[FilmFrame] = deque()

    def pictures() -> Iterator[Tensor]:
        for item in film.packets():
            if not isinstance(item, list):
                writer.copy(item)
                continue
            for frame in item:
                waiting.append(frame)
                yield frame.picture()

    for picture, box in edited_frames(pipeline, pictures(), plan, edits, options):
        yield waiting.popleft(), picture, box


def _eight_bit(picture: Tensor) -> Tensor:
    return picture.round().clamp(0, 255).byte() if picture.is_floating_point() else picture
