"""Steps that several commands share."""

from __future__ import annotations

import argparse

import torch

from ..checkpoints.load import load_networks
from ..directions.library import DirectionLibrary, ModelSpec, model_library
from ..pipeline import Pipeline
from ..precision import choose_device, choose_dtype


def dtype_and_device(options: argparse.Namespace) -> tuple[torch.dtype, torch.device]:
    """Resolve --dtype and --device."""
    device = choose_device(options.device)
    return choose_dtype(options.dtype, device), device


def load_pipeline(options: argparse.Namespace) -> Pipeline:
    """Load --model in --dtype on --device."""
    dtype, device = dtype_and_device(options)
    return Pipeline(load_networks(options.model, dtype, device))


def direction_library(options: argparse.Namespace, spec: ModelSpec) -> DirectionLibrary:
    """Look for directions in --directions first, then in the model's folder; a bundle brings its own."""
    return model_library(options.model, spec, [options.directions] if options.directions else [])
