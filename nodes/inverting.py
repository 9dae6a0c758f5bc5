"""Inversions and tuned models, from wire to wire: on the device, some pictures at a time, with progress."""

from __future__ import annotations

from dataclasses import replace

import comfy.model_management as management
import torch
from torch import Tensor

from ..sfe_models import equations
from ..sfe_models.faces.crop.appearance import warn_if_not_aligned
from ..sfe_models.film.codes import smoothed_batch
from ..sfe_models.inputs import InputError
from ..sfe_models.pipeline import Pipeline
from ..sfe_models.tuning.config import TuningConfig
from ..sfe_models.tuning.optimise import Steps, optimise
from ..sfe_models.tuning.refine import refine
from ..sfe_models.tuning.tune import code_steps, tune_generator
from ..sfe_models.tuning.tuned import TunedGenerator
from ..sfe_models.values import Inversion
from .models import LoadedModel, manage, ready
from .progress import Progress, parts
from .stages import reconstruct
from .wires import Wire


def invert(model: LoadedModel, pictures: Tensor, refine_steps: int = 0) -> Wire:
    """pictures: [B,3,H,W] in [-1,1]; faces that do not look aligned get a warning.

    A tuned model gives the code of its own picture, and refuses others.
    """
    if model.tuned is not None:
        with ready(model) as pipeline:
            return Wire.of(model, model.tuned.inversion(pipeline, pictures))
    warn_if_not_aligned(pictures, model.pipeline.spec.subject)
    slices, found = list(parts(len(pictures))), []
    progress = Progress(len(pictures) + refine_steps * len(slices))
    with ready(model, gradients=refine_steps > 0) as pipeline:
        for part in slices:
            value = pipeline.invert(pictures[part])
            progress.step(part.stop - part.start)
            if refine_steps:
                _check_kind(model)
                value = refine(pipeline, value, pictures[part], refine_steps, progress=progress.refined)
            found.append(Wire.of(model, value).value)
    return Wire(model, found[0] if len(found) == 1 else type(found[0]).cat(found))


def invert_once(model: LoadedModel, pictures: Tensor) -> Wire:
    """As `invert`; the very inversion of before for pictures that were among the last ones."""
    seen = equations.resized(pictures, model.pipeline.spec.encoder_size)
    return Wire(model, model.recent.of(seen, lambda: invert(model, pictures).value))


def smoothed(wire: Wire, deviation: float) -> Wire:
    """Take the flicker out of an inversion of frames that follow each other; deviation: in frames, 0: as it is."""
    if deviation <= 0:
        return wire
    if not isinstance(wire.value, Inversion):
        raise InputError("The codes of a gradual model cannot be smoothed over time; set 'smoothing' to 0.")
    progress = Progress(len(wire))
    with ready(wire.model) as pipeline:
        return Wire.of(wire.model, smoothed_batch(pipeline, wire.value, deviation, progress.step))


def invert_by_optimisation(model: LoadedModel, pictures: Tensor, steps: Steps) -> Wire:
    """pictures: [B,3,H,W] in [-1,1]. Starts at the Inverter's code where there is one."""
    if model.tuned is not None:
        raise InputError(f"{model!r} has the inversion of its picture; choose the method 'encoder'.")
    _check_kind(model)
    warn_if_not_aligned(pictures, model.pipeline.spec.subject)
    found, progress = [], Progress(steps.total * len(list(parts(len(pictures)))))
    with ready(model, gradients=True) as pipeline:
        for part in parts(len(pictures)):
            start = pipeline.invert(pictures[part]).w if pipeline.spec.has_encoders else None
            value = optimise(pipeline, pictures[part], steps, start, progress.refined)
            found.append(Wire.of(model, value).value)
    return Wire(model, found[0] if len(found) == 1 else type(found[0]).cat(found))


def tune(model: LoadedModel, pictures: Tensor, config: TuningConfig) -> tuple[LoadedModel, Tensor]:
    """Tune to one picture [1,3,H,W] in [-1,1]; returns the model and an IMAGE of what it makes of the picture."""
    _check_kind(model)
    warn_if_not_aligned(pictures, model.pipeline.spec.subject)
    progress = Progress(code_steps(model.pipeline, config) + config.steps)
    with ready(model, gradients=True) as pipeline:
        tuned = tune_generator(pipeline, pictures, config, progress=progress.tuned)
        made = tuned_model(model, tuned)
    return made, reconstruct(invert(made, pictures))


def _check_kind(model: LoadedModel) -> None:
    if not isinstance(model.pipeline, Pipeline):
        raise InputError(f"{model!r} is neither a StyleFeatureEditor nor a generator alone; choose another model.")


def tuned_model(model: LoadedModel, tuned: TunedGenerator) -> LoadedModel:
    """Make the model of a tuned generator, which holds no other network. Raises InputError for another base."""
    # Weights made inside inference mode could not be moved outside of it.
    with torch.inference_mode(False), torch.no_grad():
        pipeline = tuned.pipeline(model.pipeline)
        pipeline.networks.to(management.unet_offload_device())
    made = manage(f"{model.name}, tuned", pipeline, model.folders, model.bundled)
    return replace(made, tuned=tuned)
