"""W as the mapping network fills it: coordinates in which every direction has the same spread."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..directions.finding.pca import w_components
from ..equations import delta_features, resized, run_to_k
from ..generators.base import Generator
from ..inputs import picture_batch
from ..pipeline import Pipeline
from ..values import Inversion

# Draws that the spread of W is measured on.
_SAMPLES = 4096


@dataclass(frozen=True)
class LatentSpace:
    """mean: [D]; basis: [D,D], a principal component times its deviation in each row."""

    mean: Tensor
    basis: Tensor

    @classmethod
    def of(cls, generator: Generator) -> LatentSpace:
        """Measure it by seeded draws."""
        dim, device = generator.spec.style_dim, generator.latent_avg.device
        found = w_components(generator, dim, max(_SAMPLES, 2 * dim), batch_size=2048)
        basis = found.comp * found.std[:, None]
        return cls(found.mean.float().to(device), basis.float().to(device))

    def code(self, x: Tensor) -> Tensor:
        """Turn coordinates [...,D] into w."""
        return self.mean + x @ self.basis

    def coordinates(self, w: Tensor) -> Tensor:
        """Turn w [...,D] into coordinates; directions that W hardly has count as 0."""
        size = self.basis.norm(dim=1)
        known = size > 1e-3 * size.max()
        x = (w - self.mean) @ self.basis.T / size.square().clamp_min(1e-12)
        return torch.where(known, x, 0.0)


@torch.no_grad()
def inversion_of_code(pipeline: Pipeline, w: Tensor, image: Tensor) -> Inversion:
    """Make the inversion that a code stands for: w_E = w and F_k = F(w).

    w: [B,N,D]; image: [B,3,H,W] in [-1,1], the pictures that it was found for.
    """
    spec, generator = pipeline.spec, pipeline.networks.generator
    w = w.to(pipeline.networks.device)
    styles = generator.style_space(w)
    state = run_to_k(generator, spec, generator.first_styles(styles, spec.feature_layer))
    F_w = delta_features(generator, spec, state, styles)
    picture = resized(picture_batch(image, spec).to(w.device, torch.float32), spec.encoder_size)
    # Values of their own, as files hold no tensor twice.
    return Inversion(w, w.clone(), state.features, F_w.clone(), state.carried, picture, *pipeline.made_by)
