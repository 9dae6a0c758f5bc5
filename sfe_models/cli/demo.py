"""The main job on the model that the package brings."""

from __future__ import annotations

import argparse

from .common import direction_library, load_pipeline
from .showcase import showcase, write_showcase


def run_demo(options: argparse.Namespace) -> None:
    pipeline = load_pipeline(options)
    library = direction_library(options, pipeline.spec)
    print(write_showcase(showcase(pipeline, library, options.seed), options.output))
