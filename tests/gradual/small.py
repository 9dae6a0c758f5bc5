"""Small gradual models of either family whose details count: what starts at zero is drawn too."""

from dataclasses import replace

import torch
from generators.families import SPECS

from sfe_models.domain import DomainSpec, MobileE4ESpec, MobileInverterSpec, tiny_domain
from sfe_models.gradual.networks import GradualNetworks
from sfe_models.gradual.spec import gradual_spec

MOBILE = DomainSpec(
    "tiny-mobile",
    SPECS["mobilestylegan"],
    "human faces",
    MobileE4ESpec(hidden=8),
    MobileInverterSpec(hidden=8, channels=8, blocks=1),
    feature_layer=7,
    delta_layer=7,
    encoder_size=(64, 64),
    editor_width=8,
)
WIDE = replace(tiny_domain(64), name="tiny-wide", encoder_size=(48, 64))
DOMAINS = {spec.name: spec for spec in (tiny_domain(16), tiny_domain(64), WIDE, MOBILE)}


def networks(domain=DOMAINS["tiny-64"], drawn=True, spec=None, **settings):
    """A seeded, folded model; drawn: False leaves it as training finds it."""
    torch.manual_seed(3)
    made = GradualNetworks(domain, spec or gradual_spec(domain, dim=8, **settings))
    made.generator.draw_weights(torch.Generator().manual_seed(0))
    if drawn:
        for stage in made.parts.stages:
            stage.fusion.fuse.weight.data.normal_(0, 0.3)
            stage.aligner.out.weight.data.normal_(0, 0.1)
    return made.eval().requires_grad_(False).fold()


def pictures(domain=DOMAINS["tiny-64"], batch=2):
    return torch.rand(batch, 3, *domain.picture_size, generator=torch.Generator().manual_seed(1)) * 2 - 1
