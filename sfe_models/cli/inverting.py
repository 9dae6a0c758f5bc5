"""The inversion that a command edits: kept, by encoders, refined, by optimisation, or of a tuned generator."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor
from tqdm import tqdm

from ..inputs import InputError
from ..inversion_file import load_inversion
from ..pipeline import Pipeline
from ..tuning.optimise import USUAL_STEPS, Steps, optimise
from ..tuning.refine import Refining, refine
from ..tuning.tuned import TunedGenerator, load_tuned
from ..values import Inversion
from .before import is_inversion
from .common import load_pipeline
from .photos import Crops, load_crops


@dataclass(frozen=True, eq=False)
class EditedModel:
    """What pictures are edited with; tuned: what --tuned names."""

    pipeline: Pipeline
    tuned: TunedGenerator | None = None


def load_edited(options: argparse.Namespace) -> EditedModel:
    """Load --model, and put --tuned in the place of its generator."""
    tuned = load_tuned(options.tuned) if options.tuned else None
    pipeline = load_pipeline(options)
    for name in ("refine", "optimise", "tuned"):
        if getattr(options, name) and not isinstance(pipeline, Pipeline):
            raise InputError(f"--{name} is for a StyleFeatureEditor or a generator alone; {options.model} is neither.")
    return EditedModel(pipeline) if tuned is None else EditedModel(tuned.pipeline(pipeline), tuned)


def inversion_of(path: Path, options: argparse.Namespace, pipeline: Pipeline) -> tuple[Inversion, Crops | None]:
    """Read a kept inversion, or invert the faces of a photo; the crops are None for the former."""
    if is_inversion(path):
        return load_inversion(path), None
    crops = load_crops(path, options, pipeline.spec)
    return pipeline.invert(crops.pictures), crops


def inverted(options: argparse.Namespace, model: EditedModel) -> tuple[Inversion, Crops | None]:
    """Find the inversion of PHOTO as the options say, and its crops."""
    path, pipeline = Path(options.photo), model.pipeline
    if is_inversion(path):
        return one_person(load_inversion(path), str(path), options.face), None
    crops = load_crops(path, options, pipeline.spec)
    if model.tuned is not None:
        return model.tuned.inversion(pipeline, crops.pictures), crops
    return invert_pictures(crops.pictures, options, pipeline), crops


def invert_pictures(pictures: Tensor, options: argparse.Namespace, pipeline: Pipeline) -> Inversion:
    """Invert crops [F,3,H,W] by encoders or by --optimise, and --refine them."""
    steps = options.optimise
    if steps is None and not pipeline.spec.has_encoders:
        steps = USUAL_STEPS
    if steps is not None:
        inversion = _optimised(pipeline, pictures, Steps.shared(steps, options.space))
    else:
        inversion = pipeline.invert(pictures)
    return _refined(inversion, pictures, options, pipeline) if options.refine else inversion


def _optimised(pipeline: Pipeline, image: Tensor, steps: Steps) -> Inversion:
    """Optimise from the Inverter's code, or from the mean of W without encoders; Ctrl-C keeps the best so far."""
    start = pipeline.invert(image).w if pipeline.spec.has_encoders else None
    with tqdm(total=steps.total, desc="optimising", leave=False) as bar:
        return optimise(pipeline, image, steps, start, _reporter(bar))


def _refined(inversion: Inversion, image: Tensor, options: argparse.Namespace, pipeline: Pipeline) -> Inversion:
    """Refine by --refine; Ctrl-C keeps the best so far."""
    with tqdm(total=options.refine, desc="refining", leave=False) as bar:
        return refine(pipeline, inversion, image, options.refine, options.refine_w, _reporter(bar))


def _reporter(bar: tqdm) -> Callable[[Refining], None]:
    def report(now: Refining) -> None:
        bar.set_postfix(loss=f"{now.loss.mean().item():.4f}", refresh=False)
        bar.update()

    return report


def one_person(inversion: Inversion, name: str, face: str | None) -> Inversion:
    """Take the person that --face names out of a kept inversion; one of a single person needs no number."""
    count = len(inversion)
    face = "0" if count == 1 and face in (None, "all") else face or ""
    if not face.isdigit() or int(face) >= count:
        people, names = ("1 person", "0") if count == 1 else (f"{count} people", f"a number from 0 to {count - 1}")
        raise InputError(f"{name} keeps {people}; name one of them: give {names} as --face.")
    return inversion[int(face)]
