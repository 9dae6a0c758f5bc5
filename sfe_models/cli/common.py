"""Steps that several commands share."""

from __future__ import annotations

import argparse
import sys

import torch

from ..checkpoints.places import PHOTO, PHOTO_GRADUAL
from ..directions.library import DirectionLibrary, ModelSpec, model_library
from ..gradual.files import load_any
from ..gradual.pipeline import GradualPipeline
from ..photo.install import ready
from ..pipeline import Pipeline
from ..precision import choose_device, choose_dtype


def dtype_and_device(options: argparse.Namespace) -> tuple[torch.dtype, torch.device]:
    """Resolve --dtype and --device."""
    device = choose_device(options.device)
    return choose_dtype(options.dtype, device), device


def say(line: str) -> None:
    """Tell what takes its time, beside what a command prints."""
    print(line, file=sys.stderr)


def fetch_model(source: str) -> None:
    """Fetch the photographic model if it is asked for and not there, or bring it up to date."""
    if source in (PHOTO, PHOTO_GRADUAL):
        ready(say=say)


def load_pipeline(options: argparse.Namespace) -> Pipeline | GradualPipeline:
    """Load --model in --dtype on --device."""
    fetch_model(options.model)
    dtype, device = dtype_and_device(options)
    return load_any(options.model, dtype, device)


def direction_library(options: argparse.Namespace, spec: ModelSpec) -> DirectionLibrary:
    """Look for directions in --directions first, then in the model's folder; a bundle brings its own."""
    return model_library(options.model, spec, [options.directions] if options.directions else [])
