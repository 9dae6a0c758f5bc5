"""Which latent drives what: the same laws for every family."""

import pytest
import torch

from sfe_models.domain import tiny_domain
from sfe_models.generators.families import make_generator
from sfe_models.generators.mobilestylegan.spec import FFHQ_MOBILE, MobileStyleGANSpec

SPECS = [tiny_domain(32).generator, MobileStyleGANSpec((8, 8, 8, 8), 8, 2)]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.family)
def test_a_latent_drives_its_layer_and_the_picture_before_it(spec):
    torch.manual_seed(0)
    generator = make_generator(spec).requires_grad_(False)
    w = torch.randn(1, spec.n_styles, spec.style_dim)
    before = generator.style_space(w)
    for latent in range(spec.n_styles):
        moved = w.clone()
        moved[:, latent] += 1
        after = generator.style_space(moved)
        convs, rgbs = (
            [i for i, (a, b) in enumerate(zip(*both, strict=True)) if (a != b).any()]
            for both in ((before.convs, after.convs), (before.rgbs, after.rgbs))
        )
        assert convs == ([latent] if latent < spec.n_layers else [])
        assert rgbs == [i for i, layer in enumerate(spec.picture_layers.values()) if layer == latent]


@pytest.mark.parametrize("spec", [*SPECS, FFHQ_MOBILE], ids=lambda spec: f"{spec.family}-{spec.resolution}")
def test_a_stylegan2_code_reaches_the_latents_that_stand_for_its_own(spec):
    rows = torch.arange(2.0 * (spec.resolution.bit_length() - 2))[:, None]
    assert tuple(spec.fit_latents(rows)[:, 0].tolist()) == spec.stylegan2_latents
