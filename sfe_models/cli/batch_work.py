"""What `batch` does with a picture: the steps of `edit`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from ..batch.pace import Pace, usual_pace
from ..checksums import tensor_checksum
from ..choices import DLIB
from ..directions.library import DirectionLibrary
from ..directions.recipe import Recipe, resolve
from ..film.edit import edit_film
from ..film.frames import FilmOptions
from ..inputs import InputError
from ..inversion_file import is_kept, load_inversion
from ..pictures.image_io import save_image, save_photo
from ..pipeline import Pipeline
from ..values import GradualInversion, Inversion
from .before import given_mask
from .common import direction_library
from .editing import mask_of, recipe_of
from .film import film_finder
from .inverting import EditedModel, invert_pictures, load_edited, one_person
from .photos import Crops, detector_for, face_number, load_crops, paste_crops, paste_ways

# What of the options changes pictures, beside the model, the edits and the mask.
_MATTER = ("no_align", "detector", "face", "order", "paste", "region", "feather", "no_colour_match", "blend", "no_face")
_MATTER += ("only", "mask_acts_on", "refine", "refine_w", "optimise", "space", "format")


def edit_work(options: argparse.Namespace) -> EditWork:
    """Load what the options name, here or in a worker of a cluster."""
    if not options.no_align:
        face_number(options)
        if not options.landmarks:
            detector_for(options)
    model, recipe = load_edited(options), recipe_of(options)
    spec = model.pipeline.spec
    if not options.recipe:
        recipe = replace(recipe, subject=spec.subject)
    return EditWork(options, model, direction_library(options, spec), recipe)


@dataclass(frozen=True, eq=False)
class Kept:
    """One person of a kept inversion, in the place of what was read of a photo."""

    inversion: Inversion | GradualInversion

    def __len__(self) -> int:
        return 1


class EditWork:
    """`edit` for the loop: reads photos, edits their faces, pastes them back."""

    def __init__(self, options: argparse.Namespace, model: EditedModel, library: DirectionLibrary, recipe: Recipe):
        self.options, self.model, self.recipe = options, model, recipe
        self.pipeline = model.pipeline
        self.steps, self.edits, self.mask = resolve(recipe, library), _edits(recipe, library), given_mask(options)

    def settings(self) -> dict:
        """What pictures depend on, as JSON holds it."""
        digest = sha256()
        for name, tensor in sorted(self.pipeline.networks.state_dict().items()):
            digest.update(f"{name} {tensor_checksum(tensor)} ".encode())
        return {
            "model": self.pipeline.spec.name,
            "weights": digest.hexdigest()[:12],
            "edits": self.edits,
            "mask": None if self.mask is None else tensor_checksum(self.mask),
            **{name: getattr(self.options, name) for name in _MATTER},
            **({"landmarks": self.options.landmarks} if self.options.landmarks else {}),  # older ones lack the word
        }

    def pace(self) -> Pace:
        options, pipeline = self.options, self.pipeline
        gradients = options.refine or options.optimise is not None or not pipeline.spec.has_encoders
        usual = usual_pace(pipeline.spec, pipeline.networks.device, bool(gradients))
        threads = options.threads or usual.threads
        if options.detector == DLIB and not options.no_align:
            threads = 1  # dlib's detector is not made for several
        return Pace(options.faces_at_once or usual.faces, threads, usual.cores)

    def read(self, source: Path, name: str) -> Crops | Kept:
        if not is_kept(source):
            return load_crops(source, self._options_of(name), self.pipeline.spec)
        if self.options.only or self.options.refine or self.options.optimise is not None or self.options.tuned:
            raise InputError("--only, --refine, --optimise and --tuned need the photo; an inversion does not keep it.")
        return Kept(one_person(load_inversion(source), name, self.options.face))

    def edit(self, faces: Sequence[Crops | Kept]) -> Sequence[Tensor]:
        crops = [one for one in faces if isinstance(one, Crops)]
        edited = iter(self._edited(crops) if crops else ())
        return [next(edited) if isinstance(one, Crops) else self._finished(one.inversion, self.mask) for one in faces]

    def _edited(self, faces: Sequence[Crops]) -> Sequence[Tensor]:
        """Invert and edit crops; each goes back to its photo."""
        pictures = torch.cat([crops.pictures for crops in faces])
        if self.model.tuned is not None:
            inversion = self.model.tuned.inversion(self.pipeline, pictures)
        else:
            inversion = invert_pictures(pictures, self.options, self.pipeline)
        mask = self.mask
        if self.options.only:
            mask = torch.cat([mask_of(None, self.options, crops) for crops in faces])
        return self._finished(inversion, mask).split([len(crops.pictures) for crops in faces])

    def _finished(self, inversion: Inversion | GradualInversion, mask: Tensor | None) -> Tensor:
        return self.pipeline.edit(inversion, self.steps, mask, self.options.mask_acts_on).cpu()

    def write(self, faces: Crops | Kept, edited: Tensor | None, target: Path) -> None:
        if isinstance(faces, Kept) or not self.options.paste:
            save_image(edited[0], target)
        else:
            save_photo(faces.photo if edited is None else paste_crops(faces, edited, self.options), target)

    def _options_of(self, name: str) -> argparse.Namespace:
        """The options with the landmarks of this picture, where a folder with some is given."""
        if not self.options.landmarks:
            return self.options
        landmarks = (Path(self.options.landmarks) / name).with_suffix(".txt")
        return argparse.Namespace(**{**vars(self.options), "landmarks": str(landmarks)})

    def film(self, source: Path, name: str, target: Path) -> int:
        options = self._options_of(name)
        if options.no_align or not options.paste or options.refine or options.optimise is not None or options.tuned:
            raise InputError("A film's faces are found, inverted by the encoders and pasted back; edit it by itself.")
        with tqdm(desc=source.name, leave=False, unit="frame", position=1) as bar:
            film_options = FilmOptions(
                face=max(face_number(options), 0),  # one person, of all the first
                order=options.order,
                paste=paste_ways(options),
                mask=self.mask,
                only=options.only,
                mask_acts_on=options.mask_acts_on,
                **({} if isinstance(self.pipeline, Pipeline) else {"smoothing": 0.0}),  # of gradual models it cannot be
            )
            find = film_finder(options)
            made = edit_film(self.pipeline, source, target, self.steps, find, film_options, lambda *_: bar.update())
        return made.frames


def _edits(recipe: Recipe, library: DirectionLibrary) -> list[dict]:
    """The steps as a recipe writes them, with the hashes of files that they are read from."""
    rows = []
    for step in recipe.steps:
        found = [library.find(entry) for name in step.names if (entry := library.entry(name)).file is not None]
        files = [sha256(path.read_bytes()).hexdigest()[:12] for path in found]
        row = {"direction": step.direction, "strength": step.strength, "layers": step.layers, "files": files}
        rows.append({name: value for name, value in row.items() if value not in (None, [])})
    return rows
