"""What a model's generator makes by itself: people as portraits are on the wires, and what is found in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import comfy.utils
import torch
from torch import Tensor

from ..sfe_models.choices import OVAL
from ..sfe_models.domain import PHOTO
from ..sfe_models.drawn import drawn_people
from ..sfe_models.faces.crop.batch import already_aligned
from ..sfe_models.faces.landmarks import format_landmarks
from ..sfe_models.faces.mask.regions import five_points, region_masks
from ..sfe_models.generators.base import Generator
from .models import LoadedModel, kept, ready
from .pictures import to_image
from .progress import Progress, parts


def drawn(model: LoadedModel, seeds: Sequence[int], side: int = 0) -> tuple[Tensor, Tensor, str]:
    """Draw a person for each seed: IMAGE, MASK of the face, and landmarks as `parse_landmarks` reads them.

    side: longer one in px, 0 for the model's own. Of faces they are those of the mean aligned face; of anything else
    the mask is all white and there are no landmarks.
    """
    image = _pictures(model, seeds, side)
    if model.pipeline.spec.subject != PHOTO.subject:
        return image, torch.ones(image.shape[:3]), ""
    faces = already_aligned(len(image), tuple(image.shape[1:3])).faces
    points = [[face.to_photo(five_points(face))] for face in faces]
    return image, region_masks(faces, OVAL), format_landmarks(points)


def _pictures(model: LoadedModel, seeds: Sequence[int], side: int) -> Tensor:
    progress, found = Progress(len(seeds)), []
    with ready(model) as pipeline:
        for part in parts(len(seeds)):
            people = drawn_people(pipeline.networks.generator, pipeline.spec, seeds[part])
            if side:
                scale = side / max(people.shape[2:])
                height, width = (round(scale * length) for length in people.shape[2:])
                people = comfy.utils.common_upscale(people, width, height, "area", "disabled")
            found.append(to_image(people.to(kept())))
            progress.step(len(people))
    return torch.cat(found)


def by_generator(model: LoadedModel, make: Callable[[Generator], Any]) -> Any:
    """What `make` makes of the model's generator, while it lies on the device."""
    with ready(model) as pipeline:
        return make(pipeline.networks.generator)
