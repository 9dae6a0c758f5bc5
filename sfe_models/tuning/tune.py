"""Tune a generator to one picture: by PTI, or by our reconstruction of GANI."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ..domain import DomainSpec
from ..equations import resized
from ..inputs import InputError, picture_batch
from ..pipeline import Pipeline
from ..training.losses import reconstruction_loss
from .config import TuningConfig
from .optimise import Steps, found_code
from .refine import Refining
from .steps import STEPS, Early, Task, check_finite, copied
from .tuned import TunedGenerator, packed

# Steps that find a code where there is no encoder.
_CODE_STEPS = 120
# A GPU is waited for once in so many steps, if nobody asks how far the run is.
_LOOKED_AT = 10
# After how many steps that move weights a person is told how long the rest will take.
ESTIMATE_AFTER = 3


@dataclass(frozen=True)
class Tuning:
    """How far a run is: steps done of `steps`, the picture's loss, and the picture now [1,3,h,w].

    Steps that find a code come first; `tuned` counts those after them. seconds_left: None while the code is found.
    """

    done: int
    steps: int
    loss: float
    image: Tensor
    tuned: int = 0
    seconds_left: float | None = None


def tune_generator(
    pipeline: Pipeline,
    image: Tensor,
    config: TuningConfig,
    code: Tensor | None = None,
    weights: Path | str = "weights",
    progress: Callable[[Tuning], None] | None = None,
) -> TunedGenerator:
    """Tune the model's generator to an aligned picture [1,3,H,W] in [-1,1]; the model itself stays as it is.

    code: [1,N,D], which stays; None: config.pivot's. weights: folder of the losses' networks. progress: called after
    every step; what it raises ends the run, and nothing is kept. Raises InputError for a batch, for a size that the
    generator does not make and for losses that are not finite, MissingWeightsError that names a loss's file.
    """
    if len(image) != 1:
        raise InputError(f"{len(image)} pictures to tune one generator to; expected one: one generator a picture.")
    image = picture_batch(image, pipeline.spec).to(pipeline.networks.device, torch.float32)
    layer, seen = _at_size(pipeline.spec, image, config.size)
    losses = reconstruction_loss(config.losses, weights).to(pipeline.networks.device)
    before = 0
    if code is None:
        before = code_steps(pipeline, config)
        code = _pivot(pipeline, image, config, progress)
    code = code.to(image.device)
    started = time.monotonic()
    with torch.inference_mode(False), torch.enable_grad():
        base = Early(copied(pipeline.networks.generator), layer)
        task = Task(pipeline.spec, base, code.detach().clone().float(), seen.clone(), losses, config)
        curve, every = [], 1 if image.device.type == "cpu" else _LOOKED_AT
        for number, step in enumerate(STEPS[config.method](task)):
            curve.append(step.loss)
            taken = time.monotonic() - started
            ends = number == config.steps or (config.seconds is not None and taken > config.seconds)
            if progress is not None or ends or number % every == 0:
                check_finite(step, number)
            if progress is not None and number:
                left = taken / (number + 1) * (config.steps - number)
                progress(Tuning(before + number, before + config.steps, step.loss.item(), step.made, number, left))
            if ends:
                deltas = step.deltas()
                break
    if not all(math.isfinite(delta.abs().max()) for delta in deltas.values()):
        raise InputError("The weights are not finite after tuning; nothing is kept. Give a lower --rate.")
    losses_by_step = [round(loss, 6) for loss in torch.stack(curve).tolist()]
    record = {**dataclasses.asdict(config), "curve": losses_by_step, "taken": round(taken, 2), "steps_done": number}
    return packed(deltas, task.code, resized(image, pipeline.spec.encoder_size), pipeline, record)


def code_steps(pipeline: Pipeline, config: TuningConfig) -> int:
    """How many steps find the code that a generator is tuned at, before its weights move."""
    return 0 if config.pivot == "e4e" and pipeline.spec.has_encoders else _CODE_STEPS


def _at_size(spec: DomainSpec, image: Tensor, size: int | None) -> tuple[int | None, Tensor]:
    """Find the layer after which pictures have a side in px, and bring [1,3,H,W] down to them. Raises InputError."""
    if size is None:
        return None, image
    layers, (height, width) = spec.generator.picture_layers, spec.picture_size
    if size not in layers:
        sides = ", ".join(str(side) for side in sorted(layers))
        raise InputError(f"The size is {size} px; this generator makes pictures of {sides} px.")
    small = size * height // width, size
    return layers[size], adaptive_avg_pool2d(image, small) if image.shape[3] > size else image


def _pivot(
    pipeline: Pipeline, image: Tensor, config: TuningConfig, progress: Callable[[Tuning], None] | None
) -> Tensor:
    """Find the code [1,N,D] that a generator is tuned at: e4e's, or one by optimisation."""
    steps = code_steps(pipeline, config)
    if not steps:
        return pipeline.invert(image, all_styles=True).w_e

    def report(now: Refining) -> None:
        progress(Tuning(now.done, steps + config.steps, now.loss.item(), now.image))

    space = Steps.shared(steps, "w+" if config.pivot == "e4e" else config.pivot)
    code, interrupted = found_code(pipeline, image, space, progress=None if progress is None else report)
    if interrupted:
        raise KeyboardInterrupt  # which leaves optimisation with its best, and tuning with nothing
    return code
