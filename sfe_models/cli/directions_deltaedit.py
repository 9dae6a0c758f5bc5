"""The action `directions deltaedit`: from one picture and two prompts to a direction for that picture."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from ..directions.finding.clip_text import ClipEmbedder
from ..directions.finding.deltaedit import DeltaEdit
from ..pipeline import InputError
from ..precision import choose_device
from .common import load_pipeline
from .directions_options import check_name, hint, save_named
from .photos import load_crops


def run_deltaedit(options: argparse.Namespace) -> None:
    path = Path(options.output)
    embedder = ClipEmbedder.load(options.clip, choose_device(options.device))
    maker = DeltaEdit.read(options.mapper, options.relevance, embedder)
    pipeline = load_pipeline(options)
    check_name(path.stem, pipeline.spec.subject)
    crops = load_crops(Path(options.photo), options, pipeline.spec)
    if len(crops.pictures) != 1:
        raise InputError(f"{options.photo} gives {len(crops.pictures)} faces; name one of them (--face).")
    made = maker.direction(crops.pictures, options.neutral, options.target, options.threshold)
    generator = pipeline.networks.generator
    with torch.no_grad():
        styles = generator.style_space(pipeline.invert(crops.pictures).w)
        direction = made.for_styles(styles, generator.fingerprint())
    print(direction.info.effect)
    save_named(direction, path)
    hint(path)
