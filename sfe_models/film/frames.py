"""The frames of one film, edited one after the other; memory follows the filter's window, not the film."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import torch
from torch import Tensor

from ..choices import ORDERS, PICTURE
from ..directions.base import Direction, strength_tensor
from ..faces.crop.warp import Box, crop_face
from ..faces.mask.regions import region_masks
from ..faces.paste.face import DEFAULT_PASTE, PasteOptions, paste_into
from ..gradual.pipeline import GradualPipeline
from ..inputs import InputError
from ..memory import pictures_at_once
from ..pipeline import Pipeline
from ..values import GradualInversion, Inversion
from .codes import reach, smoothed
from .following import Place, Plan
from .key_frames import KeyFrames

# Frames that go through the networks together: on a CPU, and elsewhere at most.
_CPU_BATCH, _BATCH = 2, 8

FilmEdits = Sequence[tuple[Direction, KeyFrames | float]]


@dataclass(frozen=True)
class FilmOptions:
    """How a film is edited. Raises InputError.

    face, order: who, as `choose_faces` counts, but one person alone; smoothing: deviation in frames of the filter of
    the codes, 0 for every frame by itself; crop_smoothing: of that of the landmarks; paste: how crops go back; mask:
    [1,H,W] in [0,1] on the crop, or only: one of REGIONS, which follows the face; mask_acts_on: of MASK_ACTS_ON;
    codec, quality: see `film_format`.
    """

    face: int = 0
    order: str = ORDERS[0]
    smoothing: float = 2.0
    crop_smoothing: float = 6.0
    paste: PasteOptions = DEFAULT_PASTE
    mask: Tensor | None = field(default=None, repr=False)
    only: str | None = None
    mask_acts_on: str = PICTURE
    codec: str | None = None
    quality: int | None = None

    def __post_init__(self):
        if self.face < 0:
            raise InputError("A film follows one person; name one face by its number, from 0 on.")
        for name in ("smoothing", "crop_smoothing"):
            if not 0 <= getattr(self, name) <= 60:
                raise InputError(f"{name} is {getattr(self, name):g}; expected 0 (off) to 60 frames.")
        if self.mask is not None and self.only:
            raise InputError("Both a mask and a region are given; choose one.")


DEFAULT_FILM = FilmOptions()


@dataclass(eq=False)
class _Frame:
    """A frame on its way: its picture [3,H,W] of 0 to 255, and its own inversion."""

    number: int
    picture: Tensor
    place: Place | None
    inversion: Inversion | GradualInversion | None = None


def check_edits(pipeline: Pipeline | GradualPipeline, edits: FilmEdits, options: FilmOptions) -> None:
    """Refuse what cannot be done with this model. Raises InputError or DirectionError."""
    if options.smoothing and not isinstance(pipeline, Pipeline):
        raise InputError("The codes of a gradual model cannot be smoothed over time; give the smoothing 0.")
    for _, keys in edits:
        for _, strength in _keys(keys).points:
            strength_tensor(strength, 1, "cpu")


def edited_frames(
    pipeline: Pipeline | GradualPipeline,
    pictures: Iterable[Tensor],
    plan: Plan,
    edits: FilmEdits,
    options: FilmOptions = DEFAULT_FILM,
) -> Iterator[tuple[Tensor, Box | None]]:
    """Edit frames in their order.

    pictures: [3,H,W] of 0 to 255, uint8 or float32, as many as the plan has. Gives each frame, and the box (top, left,
    height, width) that has changed, None for a frame that comes back as it was.
    """
    check_edits(pipeline, edits, options)
    device = pipeline.networks.device
    batch = _CPU_BATCH if device.type == "cpu" else min(_BATCH, pictures_at_once(pipeline.spec, device))
    far = reach(options.smoothing)
    film: deque[_Frame] = deque()
    done = 0  # number of the next frame to give
    numbered = iter(enumerate(zip(pictures, plan.places, strict=True)))
    ended = False
    while not ended:
        read = [_Frame(number, *both) for number, both in islice(numbered, batch)]
        ended = len(read) < batch
        _invert(pipeline, read, edits)
        film.extend(read)
        newest = film[-1].number if film else -1
        while done <= newest and (ended or done + batch - 1 + far <= newest):
            part = [frame for frame in film if done <= frame.number < done + batch]
            yield from _edited(pipeline, part, film, plan, edits, options)
            done += len(part)
            while film and film[0].number < done - far:
                film.popleft()


def _crop(frame: _Frame) -> Tensor:
    return (crop_face(frame.picture, frame.place.alignment) / 127.5 - 1).clamp(-1, 1)


def _invert(pipeline: Pipeline | GradualPipeline, frames: Sequence[_Frame], edits: FilmEdits) -> None:
    """Give frames with a face their inversions."""
    with_face = [frame for frame in frames if frame.place is not None]
    if not with_face:
        return
    crops = torch.stack([_crop(frame) for frame in with_face])
    if isinstance(pipeline, Pipeline):
        inversion = pipeline.invert(crops, all_styles=any(direction.reads_all_layers for direction, _ in edits))
    else:
        inversion = pipeline.invert(crops)
    for number, frame in enumerate(with_face):
        frame.inversion = inversion[number]


def _edited(
    pipeline: Pipeline | GradualPipeline,
    part: Sequence[_Frame],
    film: Iterable[_Frame],
    plan: Plan,
    edits: FilmEdits,
    options: FilmOptions,
) -> Iterator[tuple[Tensor, Box | None]]:
    """Edit the frames of a part by their neighbours in the film."""
    with_face = [frame for frame in part if frame.place is not None]
    if with_face:
        faces = [frame.place.alignment for frame in with_face]
        inversion = _inversion(pipeline, with_face, film, plan, options)
        steps = [(direction, _strengths(keys, with_face, plan)) for direction, keys in edits]
        mask = region_masks(faces, options.only) if options.only else options.mask
        made = iter(pipeline.edit(inversion, steps, mask, options.mask_acts_on))
    for frame in part:
        yield (frame.picture, None) if frame.place is None else _pasted(frame, next(made), options.paste)


def _inversion(
    pipeline: Pipeline, chosen: Sequence[_Frame], film: Iterable[_Frame], plan: Plan, options: FilmOptions
) -> Inversion | GradualInversion:
    """The inversions of the chosen frames as one batch, smoothed by those of their own run."""
    if not options.smoothing:
        return type(chosen[0].inversion).cat([frame.inversion for frame in chosen])
    unit = _frame_seconds(plan)
    found = []
    for run in dict.fromkeys(frame.place.run for frame in chosen):
        window = [frame for frame in film if frame.place is not None and frame.place.run == run]
        wanted = [window.index(frame) for frame in chosen if frame.place.run == run]
        times = [plan.times[frame.number] / unit for frame in window]
        inversions = [frame.inversion for frame in window]
        found.append(smoothed(pipeline, inversions, times, wanted, options.smoothing))
    return Inversion.cat(found)


def _frame_seconds(plan: Plan) -> float:
    """The usual time from one frame to the next."""
    steps = torch.tensor(plan.times, dtype=torch.float64).diff()
    return float(steps.median()) if len(steps) and float(steps.median()) > 0 else 1.0


def _keys(keys: KeyFrames | float) -> KeyFrames:
    return keys if isinstance(keys, KeyFrames) else KeyFrames.constant(keys)


def _strengths(keys: KeyFrames | float, frames: Sequence[_Frame], plan: Plan) -> Tensor:
    """The strength in each frame [n]: of the key frames, as far as the edit is seen there."""
    return torch.tensor([_keys(keys).at(plan.times[frame.number]) * frame.place.weight for frame in frames])


def _pasted(frame: _Frame, crop: Tensor, options: PasteOptions) -> tuple[Tensor, Box | None]:
    """Put an edited crop [3,h,w] in [-1,1] into a copy of its frame, as much as it is seen."""
    picture, place = frame.picture.clone(), frame.place
    crop = ((crop.float().cpu() + 1) * 127.5).clamp(0, 255)
    changed = paste_into(picture, crop, place.alignment, options=options, share=place.weight)
    return picture, None if changed is None else changed[0]
