"""What one picture at a time can do beside the encoders: optimisation, refinement, PTI, GANI as reconstructed here.

| method | inversion and edit |
|---|---|
| e4e, sfe | by the encoders, see `methods` |
| w_plus | a code found by optimisation; F(w) - delta, which is the generator's own picture |
| s | style vectors found by optimisation, see `style_vectors` |
| optimise | the code, then F_k; F_k - delta |
| sfe_refine | SFE after some steps on F_k |
| sfe_layers | SFE, and then the layers after k tuned with H(F_k, 0) held |
| pti, gani | a tuned generator at e4e's code |
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .. import equations
from ..choices import ONE_PICTURE_METHODS
from ..directions.base import Direction
from ..generators.base import GeneratorSpec
from ..pipeline import Pipeline
from ..tuning.config import TuningConfig
from ..tuning.optimise import USUAL_STEPS, Steps, optimise
from ..tuning.refine import refine
from ..tuning.steps import copied, tunable
from ..tuning.tune import tune_generator
from ..values import Inversion
from .methods import People, unavailable
from .style_vectors import FoundStyles, find_styles

# Random codes whose pictures say how far a generator has drifted, and how near to the mean half of them lie.
_DRIFT_CODES, _NEAR = 16, 0.5
# Steps of refinement, and of any method that are tried to say how long all of them will take.
_REFINING, _TRIED = 30, 4
# Of `layers_after_k`.
_LAYERS_RATE = 1e-3
# What the two ways of optimisation move.
_SPACES = {"w_plus": "w+", "optimise": "f"}


@dataclass(frozen=True, eq=False)
class FoundMethod:
    """A way to one picture: the model and inversion that edit it. seconds: that finding it took, see `seconds_on`."""

    name: str
    pipeline: Pipeline
    inversion: Inversion
    seconds: float = 0.0
    steps: int = 0

    def inverted(self, people: People) -> Tensor:
        """Return the picture [1,3,H,W] as it comes back without an edit."""
        return self.pipeline.edit(self.inversion)

    def edited(self, people: People, index: Sequence[int], direction: Direction, strength: Sequence[float]) -> Tensor:
        """Edit the picture once for each strength."""
        return self.pipeline.sweep(self.inversion, direction, list(strength))[0]


class OnePictureMethod:
    """A row of `evaluate`: each picture's way is found once, at its first use; `taken` keeps the seconds.

    steps: 0 for the usual number. The last people's ways are kept.
    """

    def __init__(self, name: str, pipeline: Pipeline, steps: int = 0):
        self.name, self.pipeline = name, pipeline
        self.steps = steps or usual_steps(name, pipeline.spec.generator)
        self.taken: list[float] = []
        self._last: tuple[People, list[FoundMethod | FoundStyles]] | None = None

    def inverted(self, people: People) -> Tensor:
        """Return the pictures [B,3,H,W] as they come back without an edit."""
        return torch.cat([found.inverted(people) for found in self._found(people)])

    def edited(self, people: People, index: Sequence[int], direction: Direction, strength: Sequence[float]) -> Tensor:
        """Edit some of the people, each by a strength of its own: [len(index),3,H,W]."""
        found = self._found(people)
        pairs = zip(index, strength, strict=True)
        return torch.cat([found[i].edited(people, [i], direction, [value]) for i, value in pairs])

    def _found(self, people: People) -> list[FoundMethod | FoundStyles]:
        if self._last is None or self._last[0] is not people:
            self._last, ways = None, []
            for image in people.image.split(1):
                started = time.perf_counter()
                ways.append(find(self.name, self.pipeline, image, self.steps))
                self.taken.append(time.perf_counter() - started)
            self._last = people, ways
        return self._last[1]

    def expected_seconds(self, image: Tensor) -> float:
        """Try the first steps on a picture [1,3,H,W], and say what all of them will take."""
        stamps = [time.perf_counter()]
        few = min(self.steps, _TRIED)
        find(self.name, self.pipeline, image, few, lambda _: stamps.append(time.perf_counter()))
        each = (stamps[-1] - stamps[1]) / max(1, few - 1)
        return stamps[-1] - stamps[0] + each * (self.steps - few)


def usual_steps(name: str, spec: GeneratorSpec) -> int:
    """How many steps a method of ONE_PICTURE_METHODS takes if nobody says."""
    if name in ("sfe_refine", "sfe_layers"):
        return _REFINING
    return USUAL_STEPS if name in (*_SPACES, "s") else TuningConfig.usual(name, spec).steps


def one_picture_methods(pipeline: Pipeline, names: Sequence[str], steps: int = 0) -> list[OnePictureMethod]:
    """Make the rows of these names, those of SFE only where the model has all of it."""
    able = "sfe" not in unavailable(pipeline)
    wanted = [name for name in names if name in ONE_PICTURE_METHODS and (able or not name.startswith("sfe"))]
    return [OnePictureMethod(name, pipeline, steps) for name in wanted]


def find(
    name: str,
    pipeline: Pipeline,
    image: Tensor,
    steps: int,
    progress: Callable[[object], None] | None = None,
    **settings,
) -> FoundMethod | FoundStyles:
    """Find one of the ways but e4e and sfe.

    image: [1,3,H,W]; progress: called after every step; settings: of a TuningConfig, for pti and gani.
    """
    device = pipeline.networks.device
    started = seconds_on(device)
    if name == "s":
        found = find_styles(pipeline, image, steps, progress)
        return replace(found, seconds=seconds_on(device) - started)
    if name in _SPACES:
        alone = pipeline.with_generator(pipeline.networks.generator, "")
        model, inversion = alone, optimise(alone, image, Steps.shared(steps, _SPACES[name]), progress=progress)
    elif name == "sfe_refine":
        model, inversion = pipeline, refine(pipeline, pipeline.invert(image), image, steps, progress=progress)
    elif name == "sfe_layers":
        inversion = pipeline.invert(image)
        model = layers_after_k(pipeline, inversion, image, steps, progress)
    else:
        method = "gani" if name.startswith("gani") else "pti"
        config = TuningConfig.usual(method, pipeline.spec.generator, steps, **settings)
        tuned = tune_generator(pipeline, image, config, progress=progress)
        model = tuned.pipeline(pipeline)
        inversion = tuned.inversion(model)
    return FoundMethod(name, model, inversion, seconds_on(device) - started, steps)


def seconds_on(device: torch.device) -> float:
    """Read a clock: of the processor on a CPU, so that other programs do not count; on a GPU when its work is done."""
    if device.type == "cpu":
        return time.process_time()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def layers_after_k(
    pipeline: Pipeline,
    inversion: Inversion,
    image: Tensor,
    steps: int,
    progress: Callable[[object], None] | None = None,
) -> Pipeline:
    """Tune what makes the picture of H(F_k, 0) and leave all before it, so that delta stays exactly as it was."""
    spec, networks = pipeline.spec, pipeline.networks
    features = pipeline.feature_edit(inversion)
    with torch.inference_mode(False), torch.enable_grad():
        generator = copied(networks.generator)
        after = {id(w) for layer in generator.layers()[spec.feature_layer :] for w in layer.parameters()}
        weights = [w.requires_grad_() for w in tunable(generator).values() if id(w) in after]
        optimizer = torch.optim.Adam(weights, _LAYERS_RATE)
        styles = generator.style_space(inversion.w.clone())
        F_k, carried = features.F_k.clone(), tuple(part.clone() for part in features.carried)
        target = torch.nn.functional.adaptive_avg_pool2d(image.to(networks.device).clone(), spec.picture_size)
        for _ in range(steps):
            made = equations.synthesize(generator, spec, styles, F_k, carried)
            optimizer.zero_grad(set_to_none=True)
            (made - target).square().mean().backward()
            optimizer.step()
            if progress is not None:
                progress(made)
    return Pipeline(_sharing(networks, generator), pipeline.variant)


def _sharing(networks, generator):
    """All networks of a model around another generator."""
    other = type(networks).empty(networks.spec, networks.feature_editor is not None, networks.folded)
    other.generator = generator
    for name in ("e4e_encoder", "inverter", "feature_editor"):
        setattr(other, name, getattr(networks, name))
    return other


def _l2(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).square().mean(dim=(1, 2, 3))


@torch.no_grad()
def drift(
    pipeline: Pipeline,
    tuned: Pipeline,
    codes: int = _DRIFT_CODES,
    distance: Callable[[Tensor, Tensor], Tensor] = _l2,
) -> tuple[float, float]:
    """Mean distance of both generators' pictures of random codes: near the mean of W, and anywhere.

    distance: pictures [B,3,R,R] in [-1,1] to [B].
    """
    base, other = pipeline.networks.generator, tuned.networks.generator
    random = torch.Generator().manual_seed(1)
    z = torch.randn(codes, base.spec.style_dim, generator=random).to(pipeline.networks.device)

    def apart(truncation: float) -> float:
        errors = []
        for w in base.mapping(z, truncation).split(1):
            code = base.broadcast(w)
            errors.append(distance(base(code).clamp(-1, 1), other(code).clamp(-1, 1)))
        return torch.cat(errors).mean().item()

    return apart(_NEAR), apart(1.0)
