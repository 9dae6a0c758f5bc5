"""What one picture at a time can do beside the encoders: optimisation, refinement, PTI, GANI as reconstructed here.

| method | inversion and edit |
|---|---|
| e4e, sfe | by the encoders, see `methods` |
| w_plus | a code found by optimisation; F(w) - delta, which is the generator's own picture |
| optimise | the code, then F_k; F_k - delta |
| sfe_refine | SFE after some steps on F_k |
| sfe_layers | SFE, and then the layers after k tuned with H(F_k, 0) held |
| pti, gani | a tuned generator at e4e's code |
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .. import equations
from ..directions.base import Direction
from ..pipeline import Pipeline
from ..tuning.config import TuningConfig
from ..tuning.optimise import Steps, optimise
from ..tuning.refine import refine
from ..tuning.steps import copied, tunable
from ..tuning.tune import tune_generator
from ..values import Inversion
from .methods import People

# Codes whose pictures say how far a generator has drifted, and how near to the mean half of them lie.
_DRIFT_CODES, _NEAR = 16, 0.5


@dataclass(frozen=True, eq=False)
class FoundMethod:
    """A way to one picture: the model and inversion that edit it. seconds: of one thread, that finding it took."""

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


def find(name: str, pipeline: Pipeline, image: Tensor, steps: int, **settings) -> FoundMethod:
    """Find one of the ways but e4e and sfe. image: [1,3,H,W]; settings: of a TuningConfig, for pti and gani."""
    started = time.process_time()
    if name in ("w_plus", "optimise"):
        alone = pipeline.with_generator(pipeline.networks.generator, "")
        model, inversion = alone, optimise(alone, image, Steps.shared(steps, "w+" if name == "w_plus" else "f"))
    elif name == "sfe_refine":
        model, inversion = pipeline, refine(pipeline, pipeline.invert(image), image, steps)
    elif name == "sfe_layers":
        inversion = pipeline.invert(image)
        model = layers_after_k(pipeline, inversion, image, steps)
    else:
        method = "gani" if name.startswith("gani") else "pti"
        config = TuningConfig.usual(method, pipeline.spec.generator, steps, **settings)
        tuned = tune_generator(pipeline, image, config)
        model = tuned.pipeline(pipeline)
        inversion = tuned.inversion(model)
    return FoundMethod(name, model, inversion, time.process_time() - started, steps)


def layers_after_k(pipeline: Pipeline, inversion: Inversion, image: Tensor, steps: int, rate: float = 1e-3) -> Pipeline:
    """Tune what makes the picture of H(F_k, 0) and leave all before it, so that delta stays exactly as it was."""
    spec, networks = pipeline.spec, pipeline.networks
    features = pipeline.feature_edit(inversion)
    with torch.inference_mode(False), torch.enable_grad():
        generator = copied(networks.generator)
        after = {id(w) for layer in generator.layers()[spec.feature_layer :] for w in layer.parameters()}
        weights = [w.requires_grad_() for w in tunable(generator).values() if id(w) in after]
        optimizer = torch.optim.Adam(weights, rate)
        styles = generator.style_space(inversion.w.clone())
        F_k, carried = features.F_k.clone(), tuple(part.clone() for part in features.carried)
        target = torch.nn.functional.adaptive_avg_pool2d(image.clone(), spec.picture_size)
        for _ in range(steps):
            made = equations.synthesize(generator, spec, styles, F_k, carried)
            optimizer.zero_grad(set_to_none=True)
            (made - target).square().mean().backward()
            optimizer.step()
    return Pipeline(_sharing(networks, generator), pipeline.variant)


def _sharing(networks, generator):
    """All networks of a model around another generator."""
    other = type(networks).empty(networks.spec, networks.feature_editor is not None, networks.folded)
    other.generator = generator
    for name in ("e4e_encoder", "inverter", "feature_editor"):
        setattr(other, name, getattr(networks, name))
    return other


@torch.no_grad()
def drift(pipeline: Pipeline, tuned: Pipeline) -> tuple[float, float]:
    """Mean L2 between both generators' pictures of random codes: near the mean of W, and anywhere."""
    base, other = pipeline.networks.generator, tuned.networks.generator
    random = torch.Generator().manual_seed(1)
    z = torch.randn(_DRIFT_CODES, base.spec.style_dim, generator=random).to(pipeline.networks.device)

    def apart(truncation: float) -> float:
        errors = []
        for w in base.mapping(z, truncation).split(1):
            code = base.broadcast(w)
            errors.append((base(code).clamp(-1, 1) - other(code).clamp(-1, 1)).square().mean().item())
        return sum(errors) / len(errors)

    return apart(_NEAR), apart(1.0)
