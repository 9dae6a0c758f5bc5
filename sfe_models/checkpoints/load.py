"""Load a model from whatever a person points at: a bundle, a folder of published files, random weights."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import torch

from ..domain import DOMAINS, FFHQ_1024, BareGenerator, DomainSpec, SpecError, StyleGAN2Spec
from ..generators.base import Generator
from ..generators.stylegan2.generator import StyleGAN2
from ..networks import COMPONENTS, SFENetworks
from .assign import assign, complete_generator, generator_spec
from .bundle import alone, bundle_spec, load_bundle, load_bundle_generator
from .containers import sniff
from .errors import CheckpointError
from .places import PHOTO, PHOTO_GRADUAL, photo_bundle
from .random_weights import random_networks
from .recognise import Contents, generator_of, read_contents

logger = logging.getLogger(__name__)

# The models that the package brings, by name; the second needs the first, the third "photo".
DEMO, DEMO_GRADUAL = "demo", "demo-gradual"
_PACKAGE = Path(__file__).parents[1]
BUILT_IN = {
    DEMO: _PACKAGE / "demo/demo.safetensors",
    DEMO_GRADUAL: _PACKAGE / "demo/gradual.safetensors",
    PHOTO_GRADUAL: _PACKAGE / "photo/gradual.safetensors",
}
DEMO_BUNDLE = BUILT_IN[DEMO]

_EXPECTED = (
    "photo, photo-gradual, demo, demo-gradual, a bundle (.safetensors), a folder with the published files, a "
    "generator's file, or random:DOMAIN such as random:ffhq-1024"
)


def load_networks(
    source: Path | str, dtype: torch.dtype | None = None, device: torch.device | str = "cpu"
) -> SFENetworks:
    """Load all networks, folded and ready for inference.

    source: "photo" or "demo"; a bundle; a folder with the published files (or one full training checkpoint with the
    generator file beside it); a file with a generator and nothing else, which makes a model without encoders; or
    `random:DOMAIN` for seeded random weights. dtype: None keeps the file's. Raises
    CheckpointError that names the file.
    """
    text = str(source)
    if text.startswith("random:"):
        return random_networks(_random_domain(text)).cast(dtype or torch.float32).to(device)
    path = model_path(source)
    if path.is_dir():
        networks = _published_or_alone(_contents_of_folder(path), path)
    elif (file := sniff(path)).kind == "safetensors":
        return load_bundle(file, dtype, device)
    else:
        networks = _published_or_alone([read_contents(file)], path)
    return networks.cast(dtype or torch.float32).to(device)


def model_path(source: Path | str) -> Path:
    """Return the file or folder of a source: a path, or a name.

    "demo", "demo-gradual" and "photo-gradual" are the package's own, "photo" is what `download photo` made;
    CheckpointError if that is not there.
    """
    if str(source) == PHOTO:
        return photo_bundle()
    return BUILT_IN.get(str(source)) or Path(source)


def load_generator(path: Path | str) -> Generator:
    """Load a generator alone.

    From a rosinality `.pt`, a StyleGAN2-ADA `.pkl`, our file of a generator, or any source of `load_networks`.
    """
    if str(path).startswith("random:") or model_path(path).is_dir():
        return load_networks(path).generator
    file = sniff(model_path(path))
    if file.kind == "safetensors":
        return load_bundle_generator(file)
    return _generator(read_contents(file))


def _generator(contents: Contents) -> StyleGAN2:
    """Build the generator of a file."""
    state = generator_of(contents)
    spec = generator_spec(state, contents.path, contents.conv_clamp)
    state = complete_generator(state, contents.latent_avg, spec, contents.path)
    with torch.device("meta"):
        generator = StyleGAN2(spec)
    assign(generator, state, contents.path, f"{spec.resolution} px StyleGAN2 generator")
    return generator.float().eval().requires_grad_(False)


def _about(contents: Contents) -> BareGenerator:
    """Describe the generator of a file: what is published under the name of a domain goes by that name."""
    spec = generator_spec(generator_of(contents), contents.path, contents.conv_clamp)
    if spec == FFHQ_1024.generator:
        return BareGenerator(FFHQ_1024.name, spec, FFHQ_1024.subject)
    return BareGenerator(f"custom-{spec.resolution}", spec)


def read_spec(source: Path | str) -> DomainSpec | BareGenerator:
    """Read which domain a source of `load_networks` is of, or which generator our file holds, without its weights."""
    text = str(source)
    if text.startswith("random:"):
        return _random_domain(text)
    path = model_path(source)
    if path.is_dir():
        found = _contents_of_folder(path)
    elif (file := sniff(path)).kind == "safetensors":
        return bundle_spec(file)
    else:
        found = [read_contents(file)]
        if set(found[0].components) == {"generator"}:
            return _about(found[0])
    contents = _single("generator", found)
    if contents is None:
        raise CheckpointError(f"{path} holds no StyleGAN2 generator; expected {_EXPECTED}.")
    return _domain(generator_spec(generator_of(contents), contents.path, contents.conv_clamp), contents.path)


def _random_domain(source: str) -> DomainSpec:
    name = source.removeprefix("random:")
    if name not in DOMAINS:
        raise CheckpointError(f"There is no domain '{name}'; expected random: and one of {', '.join(DOMAINS)}.")
    return DOMAINS[name]


def _contents_of_folder(folder: Path) -> list[Contents]:
    """Read the checkpoints directly in a folder; other files, and hidden ones, are passed over."""
    found = []
    for path in sorted(p for p in folder.iterdir() if not p.name.startswith(".")):
        if path.is_symlink() and not path.exists():
            found.append(Contents(path, {}, notes=(f"a link to {os.readlink(path)}, which is not there",)))
            logger.warning("Passed over: %s is %s.", path, *found[-1].notes)
            continue
        if not path.is_file():
            continue
        try:
            file = sniff(path)
            if file.kind not in ("torch-zip", "torch-legacy", "pickle"):
                continue
            contents = read_contents(file)
        except CheckpointError as error:
            # An unrelated file must not stop the load; if a part is missing in the end, this tells why.
            logger.warning("Passed over: %s", error)
            found.append(Contents(path, {}, notes=(str(error),)))
            continue
        logger.debug("%s holds %s", path, contents.describe())
        found.append(contents)
    return found


def _single(name: str, found: list[Contents]) -> Contents | None:
    """The one file that holds a component. An Inverter beside a Feature Editor belongs to it."""
    holders = [c for c in found if name in c.components]
    if name == "inverter" and any("feature_editor" in c.components for c in holders):
        holders = [c for c in holders if "feature_editor" in c.components]
    if name == "generator" and len(holders) > 1:
        holders = [c for c in holders if c.latent_avg is not None and c.path.suffix != ".pkl"] or holders
    if len(holders) > 1:
        names = " and ".join(str(c.path) for c in holders)
        raise CheckpointError(f"{names} both hold a {name}; keep one of them in the folder.")
    return holders[0] if holders else None


def _published_or_alone(found: list[Contents], where: Path) -> SFENetworks:
    """Build networks of published files, or the model of a generator that there is nothing beside."""
    if len(found) == 1 and set(found[0].components) == {"generator"}:
        return alone(_generator(found[0]), _about(found[0]), where)
    return load_published(found, where)


def load_published(found: list[Contents], where: Path) -> SFENetworks:
    """Build folded networks from the components of the published files (see `read_contents`)."""
    parts = {name: _single(name, found) for name in COMPONENTS}
    missing = [name for name in COMPONENTS[:3] if parts[name] is None]
    if missing:
        listing = "; ".join(f"{c.path.name}: {', '.join(c.notes) or c.describe()}" for c in found) or "no checkpoint"
        raise CheckpointError(f"{where} lacks: {', '.join(missing)}. Expected {_EXPECTED}; found {listing}.")
    generator = parts["generator"]
    spec = _domain(generator_spec(generator_of(generator), generator.path, generator.conv_clamp), generator.path)
    networks = SFENetworks.empty(spec, parts["feature_editor"] is not None)
    for name, contents in parts.items():
        if contents is None:
            continue
        state = contents.components[name]
        if name == "generator":
            state = complete_generator(state, contents.latent_avg, spec.generator, contents.path)
        assign(getattr(networks, name), state, contents.path, f"{name} of {spec.name}")
    return networks.float().fold()


def _domain(generator: StyleGAN2Spec, path: Path) -> DomainSpec:
    """The domain of published files: FFHQ 1024, or the same networks around another generator."""
    if generator == FFHQ_1024.generator:
        return FFHQ_1024
    try:
        return DomainSpec(f"custom-{generator.resolution}", generator)
    except SpecError as error:
        raise CheckpointError(f"{path} does not fit the published encoders: {error}") from error
