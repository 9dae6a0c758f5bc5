"""Read the published encoders that SFE is compared with, each a file with its own generator (see `encoders.rivals`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ..choices import RIVAL_METHODS
from ..domain import DomainSpec, E4ESpec
from ..encoders.rivals import Rival, RivalEncoder, RivalForm
from ..generators.stylegan2.generator import StyleGAN2
from ..generators.stylegan2.spec import StyleGAN2Spec
from .assign import assign, complete_generator, generator_spec
from .errors import CheckpointError
from .present import find_weights
from .reading import tensors_of
from .unpickling.torch_file import read_torch
from .weights import PSP, RESTYLE, RESTYLE_E4E

# What `evaluate --methods` calls them.
RIVAL_FILES = dict(zip(RIVAL_METHODS, (PSP, RESTYLE, RESTYLE_E4E), strict=True))
# (pyramid, offsets) by the name in a file's options; those around ResNet-34, for other things than faces, are not read.
_FORMS = {
    "GradualStyleEncoder": (True, False),
    "BackboneEncoder": (False, False),
    "ProgressiveBackboneEncoder": (False, True),
}
# ReStyle's default number of iterations.
_ITERATIONS = 5


def find_rival(name: str, weights: Path | str, domain: DomainSpec) -> Rival:
    """Read one of RIVAL_FILES from a folder, for pictures of a domain.

    Raises MissingWeightsError with the file's name and origin, or CheckpointError.
    """
    return read_rival(find_weights(RIVAL_FILES[name], weights), domain)


def read_rival(path: Path | str, domain: DomainSpec) -> Rival:
    """Read a pSp or ReStyle file: `state_dict` with `encoder.` and `decoder.`, `latent_avg` and `opts`.

    domain: its pictures and generator must be the file's; of its e4e encoder the sizes count, where it has the usual
    one. Raises CheckpointError for another kind of file or of encoder.
    """
    path = Path(path)
    content = read_torch(path)
    state = content.get("state_dict") if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping):
        raise CheckpointError(f"{path} is no pSp or ReStyle file; expected state_dict, latent_avg and opts in it.")
    state = tensors_of(state, path)
    form = _form(content.get("opts"), state, path)
    decoder = _part(state, "decoder.")
    _check_generator(decoder, domain, path)
    start = _start(content.get("latent_avg"), domain, path)
    generator = _generator(decoder, None if start is None else start[0], domain.generator, path)
    e4e = domain.e4e if isinstance(domain.e4e, E4ESpec) else E4ESpec()
    with torch.device("meta"):
        encoder = RivalEncoder(replace(domain, e4e=e4e), form)
    assign(encoder, _part(state, "encoder."), path, "encoder around IR-SE50")
    start = generator.latent_avg.expand(domain.generator.n_styles, -1) if start is None else start
    return Rival(encoder.float().eval().requires_grad_(False), generator, start)


def _form(options: object, state: dict[str, Tensor], path: Path) -> RivalForm:
    options = options if isinstance(options, Mapping) else getattr(options, "__dict__", {})
    kind = str(options.get("encoder_type"))
    if kind not in _FORMS:
        raise CheckpointError(f"{path} holds an encoder of the type {kind}; expected one of {', '.join(_FORMS)}.")
    first = state.get("encoder.input_layer.0.weight")
    channels = 3 if first is None else first.shape[1]
    if channels not in (3, 6):
        raise CheckpointError(f"{path} holds an encoder of {channels} channels; expected 3 or, for ReStyle, 6.")
    looks = options.get("n_iters_per_batch", _ITERATIONS)
    looks = looks if isinstance(looks, int) and looks > 0 else _ITERATIONS
    return RivalForm(channels, *_FORMS[kind], iterations=looks if channels == 6 else 1)


def _start(latent_avg: object, domain: DomainSpec, path: Path) -> Tensor | None:
    """The code that the encoder's are added to, [N,D]; None where the file does not say."""
    if not isinstance(latent_avg, Tensor):
        return None
    shape = domain.generator.n_styles, domain.generator.style_dim
    if latent_avg.shape[-1:] != shape[1:] or latent_avg.numel() not in (shape[1], shape[0] * shape[1]):
        raise CheckpointError(f"{path} has a latent_avg of {tuple(latent_avg.shape)}; expected {list(shape)}.")
    return latent_avg.float().reshape(-1, shape[1]).expand(shape).clone()


def _part(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def _check_generator(state: dict[str, Tensor], domain: DomainSpec, path: Path) -> None:
    if StyleGAN2.signature not in state:
        raise CheckpointError(f"{path} has no generator (`decoder.`); expected the file as its authors published it.")
    spec = generator_spec(state, path)
    if spec != domain.generator:
        raise CheckpointError(
            f"{path} is for a {spec.resolution} px StyleGAN2, the model of {domain.name} has another generator; take a "
            "model of the same, such as the published one for ffhq-1024."
        )


def _generator(state: dict[str, Tensor], mean: Tensor | None, spec: StyleGAN2Spec, path: Path) -> StyleGAN2:
    with torch.device("meta"):
        generator = StyleGAN2(spec)
    assign(generator, complete_generator(state, mean, spec, path), path, f"{spec.resolution} px StyleGAN2 generator")
    return generator.float().eval().requires_grad_(False)
