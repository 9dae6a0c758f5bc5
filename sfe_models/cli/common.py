"""Options and steps that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from ..checkpoints.bundle import bundle_directions
from ..checkpoints.containers import sniff
from ..checkpoints.load import load_networks, model_path
from ..directions.library import DirectionLibrary
from ..domain import DomainSpec
from ..pipeline import Pipeline
from ..precision import DEVICES, DTYPES, choose_device, choose_dtype


def add_model(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """Add --model, --dtype and --device."""
    parser.add_argument("--model", required=default is None, default=default, help="what to load, see below")
    parser.add_argument(
        "--dtype",
        choices=("auto", *DTYPES),
        default="auto",
        help="auto takes the fastest that the device computes natively",
    )
    parser.add_argument("--device", choices=DEVICES, default="auto")


def add_directions(parser: argparse.ArgumentParser) -> None:
    """Add --directions."""
    parser.add_argument(
        "--directions",
        metavar="FOLDER",
        help="folder with direction files (such as the published `editings`)",
    )


def dtype_and_device(options: argparse.Namespace) -> tuple[torch.dtype, torch.device]:
    """Resolve --dtype and --device."""
    device = choose_device(options.device)
    return choose_dtype(options.dtype, device), device


def load_pipeline(options: argparse.Namespace) -> Pipeline:
    """Load --model in --dtype on --device."""
    dtype, device = dtype_and_device(options)
    return Pipeline(load_networks(options.model, dtype, device))


def direction_library(options: argparse.Namespace, spec: DomainSpec) -> DirectionLibrary:
    """Look for directions in --directions first, then in the model's folder; a bundle brings its own."""
    folders = [Path(options.directions)] if options.directions else []
    model, bundled = model_path(options.model), []
    if model.exists():
        folders.append(model if model.is_dir() else model.parent)
        if model.is_file() and sniff(model).kind == "safetensors":
            bundled = bundle_directions(model)
    return DirectionLibrary(spec, folders, bundled)
