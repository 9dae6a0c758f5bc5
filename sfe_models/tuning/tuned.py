"""A generator tuned to one picture: how its weights differ from those of a base, small enough to keep."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ..atomic import save_tensors
from ..checkpoints.errors import CheckpointError
from ..checkpoints.reading import not_finite, read_safetensors
from ..generators.base import Generator
from ..generators.families import make_generator
from ..inputs import InputError, picture_batch
from ..pipeline import Pipeline
from ..values import Inversion
from .gradient_modules import output_channels
from .latent_space import inversion_of_code

FORMAT, VERSION = "sfe-tuned-generator", "1"
# What stored deltas may change the picture by, in L2, against the exact ones.
_TOLERANCE = 1e-5
_DELTA, _SCALE = "delta.", "scale."
# Side in px, and largest L2, by which a picture is known as the one that a generator was tuned to.
_KNOWN_SIDE, _KNOWN = 32, 0.002


@dataclass(frozen=True, eq=False)
class TunedGenerator:
    """deltas: changes of weights by name, int8 with one scale for each output channel in `scales`, or floats without.

    code: [1,N,D]; picture: [1,3,h,w] in [-1,1], small; domain: name; base: what the inversions of the untuned model
    name as their generator; record: how it was made, JSON values.
    """

    deltas: Mapping[str, Tensor]
    scales: Mapping[str, Tensor]
    code: Tensor
    picture: Tensor
    domain: str
    base: str
    record: dict = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"TunedGenerator(of {self.domain}, {len(self.deltas)} weights, {self.record.get('method', '?')})"

    @property
    def variant(self) -> str:
        """Tell it from its base and from others, by 8 hexadecimal digits."""
        digest = hashlib.sha256()
        for name, delta in sorted(self.deltas.items()):
            digest.update(name.encode() + delta.cpu().contiguous().view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()[:8]

    def generator(self, base: Generator) -> Generator:
        """Make theta + deltas as a generator of its own, in the base's types; the base stays as it is."""
        with torch.inference_mode(False), torch.no_grad():
            with torch.device("meta"):
                tuned = make_generator(base.spec)
            state = {name: tensor.detach().clone() for name, tensor in base.state_dict().items()}
            for name, delta in self.deltas.items():
                weight = state[name]
                state[name] = (weight.float() + self._exact(name, delta).to(weight.device)).to(weight.dtype)
            tuned.load_state_dict(state, assign=True)
            return tuned.eval().requires_grad_(False)

    def _exact(self, name: str, delta: Tensor) -> Tensor:
        if name not in self.scales:
            return delta.float()
        return delta.float() * _per_channel(self.scales[name], delta)

    def pipeline(self, base: Pipeline) -> Pipeline:
        """Make the model that this picture is edited with. Raises InputError for another base."""
        if self.domain != base.spec.name or self.base != base.made_by[1]:
            raise InputError(
                f"The generator was tuned from {self.domain} with the fingerprint {self.base}; this model is "
                f"{base.spec.name}, {base.made_by[1]}. Load the model that it was tuned from."
            )
        return base.with_generator(self.generator(base.networks.generator), self.variant)

    def inversion(self, pipeline: Pipeline, image: Tensor | None = None) -> Inversion:
        """The picture's inversion: its code. pipeline: what `pipeline` made.

        image: [1,3,H,W] in [-1,1]; raises InputError if it is another than the one that was tuned to.
        """
        if image is not None:
            self._check_known(picture_batch(image, pipeline.spec))
        picture = self.picture if image is None else image
        return inversion_of_code(pipeline, self.code, picture)

    def _check_known(self, image: Tensor) -> None:
        small, own = (
            torch.nn.functional.adaptive_avg_pool2d(x.cpu().float(), _KNOWN_SIDE) for x in (image, self.picture)
        )
        if len(image) != 1 or (small - own).square().mean() > _KNOWN:
            raise InputError(
                "This model is tuned to one picture, and was given another or several; give the one that it was "
                "tuned to, or tune a generator to this one."
            )


def _per_channel(scale: Tensor, delta: Tensor) -> Tensor:
    """Lay scales [O] along the output channels of a weight."""
    shape = [1] * delta.ndim
    shape[1 if delta.ndim == 5 else 0] = len(scale)
    return scale.view(shape)


def in_int8(deltas: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Round deltas to int8, and give a scale [O] for each output channel."""
    rounded, scales = {}, {}
    for name, delta in deltas.items():
        axis = 1 if delta.ndim == 5 else 0
        rows = delta.transpose(0, axis).reshape(output_channels(delta), -1)
        scales[name] = (rows.abs().amax(dim=1) / 127).clamp_min(1e-20)
        rounded[name] = (delta / _per_channel(scales[name], delta)).round().to(torch.int8)
    return rounded, scales


def packed(deltas: Mapping[str, Tensor], code: Tensor, picture: Tensor, base: Pipeline, record: dict) -> TunedGenerator:
    """Pack deltas as small as they can be read again: int8, float16, or as they are.

    Each is tried on the picture that the code makes: it may change by an L2 of 1e-5.
    """
    generator = base.networks.generator
    w = code.to(base.networks.device)

    def made(stored: Mapping[str, Tensor], scales: Mapping[str, Tensor], kind: str) -> tuple[TunedGenerator, Tensor]:
        stored, scales = ({name: t.cpu() for name, t in part.items()} for part in (stored, scales))
        tuned = TunedGenerator(stored, scales, code.cpu(), picture.cpu(), *base.made_by, {**record, "stored": kind})
        with torch.no_grad():
            return tuned, tuned.generator(generator)(w)

    exact, wanted = made(deltas, {}, "float32")
    for kind, parts in (("int8", in_int8(deltas)), ("float16", ({n: d.half() for n, d in deltas.items()}, {}))):
        tuned, picture_now = made(*parts, kind)
        if (picture_now - wanted).square().mean() < _TOLERANCE:
            return tuned
    return exact


def save_tuned(tuned: TunedGenerator, path: Path | str) -> Path:
    """Write a tuned generator as one safetensors file, whole or not at all. Raises OSError."""
    tensors = {f"{_DELTA}{name}": delta for name, delta in tuned.deltas.items()}
    tensors |= {f"{_SCALE}{name}": scale for name, scale in tuned.scales.items()}
    about = {
        "format": FORMAT, "version": VERSION, "domain": tuned.domain, "base": tuned.base,
        "record": json.dumps(tuned.record),
    }  # fmt: skip
    return save_tensors(tensors | {"code": tuned.code, "picture": tuned.picture}, path, about)


def load_tuned(path: Path | str) -> TunedGenerator:
    """Read what `save_tuned` wrote; raises CheckpointError for anything else."""
    file = read_safetensors(path)
    about = file.metadata
    if about.get("format") != FORMAT or about.get("version") != VERSION:
        raise CheckpointError(f"{path} is no tuned generator of this version; make one with `tune`.")
    tensors = file.copies()
    try:
        code, picture, record = tensors.pop("code"), tensors.pop("picture"), json.loads(about["record"])
        deltas, scales = (
            {name.removeprefix(kind): tensor for name, tensor in tensors.items() if name.startswith(kind)}
            for kind in (_DELTA, _SCALE)
        )
        tuned = TunedGenerator(deltas, scales, code, picture, about["domain"], about["base"], record)
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{path} is a damaged tuned generator ({error}). Tune it again.") from error
    floats = {name: tensor for name, tensor in {**tensors, "code": code}.items() if tensor.is_floating_point()}
    if bad := not_finite(floats):
        raise CheckpointError(f"{path} holds numbers in {bad} that are not finite. Tune it again.")
    return tuned
