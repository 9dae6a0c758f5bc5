"""A small generator of each family, seeded."""

import torch

from sfe_models.domain import DomainSpec, tiny_domain
from sfe_models.generators.base import Generator, GeneratorSpec
from sfe_models.generators.families import make_generator
from sfe_models.generators.mobilestylegan.spec import MobileStyleGANSpec
from sfe_models.generators.stylegan2.spec import StyleGAN2Spec

# Both make pictures of 64 px.
SPECS = {
    "stylegan2": StyleGAN2Spec(64, (16,) * 5, style_dim=16, mapping_layers=2),
    "mobilestylegan": MobileStyleGANSpec((16, 16, 12, 8), style_dim=16, mapping_layers=2),
}


def make(spec: GeneratorSpec) -> Generator:
    generator = make_generator(spec)
    generator.draw_weights(torch.Generator().manual_seed(0))
    return generator.eval().requires_grad_(False)


def codes(spec: GeneratorSpec, batch: int = 2) -> torch.Tensor:
    """Seeded W+ codes [batch,N,D], every latent another."""
    return torch.randn(batch, spec.n_styles, spec.style_dim, generator=torch.Generator().manual_seed(5))


def domain(family: str) -> DomainSpec:
    """A small model of a family, with its own numbers of layers and styles."""
    if family == "stylegan2":
        return tiny_domain(64)
    small = tiny_domain(64)
    # F_k: the output of the block of 16 px.
    return DomainSpec("tiny-mobile", SPECS[family], e4e=small.e4e, inverter=small.inverter, feature_layer=7,
                      delta_layer=7, encoder_size=(64, 64), editor_blocks=1)  # fmt: skip
