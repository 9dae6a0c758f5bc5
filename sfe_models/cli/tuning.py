"""The command that tunes a generator to one picture."""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from ..inputs import InputError
from ..pictures.image_io import save_image
from ..pipeline import Pipeline
from ..training.config import LossConfig
from ..tuning.config import TuningConfig
from ..tuning.tune import ESTIMATE_AFTER, Tuning, code_steps, tune_generator
from ..tuning.tuned import save_tuned
from .before import check_before, is_inversion
from .common import load_pipeline
from .photos import load_crops

# Of eq. 1 of GANI, as far as networks are asked for.
_PERCEPTUAL, _IDENTITY, _PARSING = 0.8, 0.1, 1.0


def run_tune(options: argparse.Namespace) -> None:
    if is_inversion(Path(options.photo)):
        raise InputError("`tune` needs the photo; an inversion does not keep it. Give PHOTO itself.")
    check_before(options)
    pipeline = load_pipeline(options)
    if not isinstance(pipeline, Pipeline):
        raise InputError(f"`tune` is for a StyleFeatureEditor or a generator alone; {options.model} is neither.")
    config = _config(options, pipeline)
    crops = load_crops(Path(options.photo), options, pipeline.spec)
    with tqdm(total=code_steps(pipeline, config) + config.steps, desc="tuning", leave=False) as bar:

        def report(now: Tuning) -> None:
            if now.tuned == ESTIMATE_AFTER:
                bar.write(f"about {now.seconds_left / 60:.1f} minutes for {config.steps} steps; Ctrl-C keeps nothing")
            bar.set_postfix(loss=f"{now.loss:.4f}", refresh=False)
            bar.update()

        tuned = tune_generator(pipeline, crops.pictures, config, weights=options.weights, progress=report)
    if options.picture:
        model = tuned.pipeline(pipeline)
        print(save_image(model.edit(tuned.inversion(model))[0], options.picture))
    print(save_tuned(tuned, options.output))


def _config(options: argparse.Namespace, pipeline: Pipeline) -> TuningConfig:
    """The settings that the options name, the method's usual ones elsewhere."""
    losses = LossConfig(
        lpips=0.0 if options.perceptual == "none" else _PERCEPTUAL,
        identity=0.0 if options.identity == "none" else _IDENTITY,
        parsing=0.0 if options.parsing == "none" else _PARSING,
        perceptual_network=options.perceptual,
        identity_network=options.identity,
        parsing_network=options.parsing,
    )
    given = {"rate": options.rate, "local": options.locality, "pivot": options.pivot, "size": options.size}
    given = {name: value for name, value in given.items() if value is not None}
    return TuningConfig.usual(
        options.method, pipeline.spec.generator, options.steps, losses=losses, seed=options.seed, **given
    )
