"""The main job on a person who does not exist, or on a photo."""

from __future__ import annotations

import argparse
from pathlib import Path

from torch import Tensor
from tqdm import tqdm

from ..atomic import check_writable
from ..domain import DEMO
from ..inputs import InputError
from ..pictures.image_io import check_picture
from ..pipeline import Pipeline
from .common import direction_library, load_pipeline
from .parsers.demo import DRAWN_SEED, RENDERED_SEED
from .photos import load_crops
from .showcase import PHOTOGRAPHED, RENDERED, Plan, drawn_person, rendered_person, showcase, write_showcase


def run_demo(options: argparse.Namespace) -> None:
    check_writable(Path(options.output) / "sheet.png")
    if options.photo:
        check_picture(Path(options.photo))
    with tqdm(desc="loading", leave=False, bar_format="{desc}, {elapsed}") as bar:

        def done(label: str) -> None:
            bar.set_description_str(f"made {label}")

        pipeline = load_pipeline(options)
        if not isinstance(pipeline, Pipeline):
            raise InputError(f"{options.model} is a gradual model; `edit` and `sweep` show what it does.")
        library = direction_library(options, pipeline.spec)
        plan = RENDERED if pipeline.spec.subject == DEMO.subject else PHOTOGRAPHED
        made = showcase(pipeline, library, _picture(options, pipeline, plan), plan, done)
    print(write_showcase(made, options.output))


def _picture(options: argparse.Namespace, pipeline: Pipeline, plan: Plan) -> Tensor:
    """The face of --photo, or a person who does not exist: [1,3,R,R] in [-1,1]."""
    if options.photo:
        return load_crops(Path(options.photo), options, pipeline.spec).pictures
    if plan is RENDERED:
        return rendered_person(pipeline, RENDERED_SEED if options.seed is None else options.seed)
    return drawn_person(pipeline, DRAWN_SEED if options.seed is None else options.seed)
