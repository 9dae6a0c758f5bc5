"""The two streams: what they leave alone, and how stages follow each other."""

import pytest
import torch
from gradual import small

from sfe_models.domain import CARS_512, DEMO, FFHQ_1024, PHOTO
from sfe_models.equations import cropped, resized
from sfe_models.generators.base import SpecError
from sfe_models.gradual.spec import GradualSpec, gradual_spec
from sfe_models.gradual.streams import Details, edit, encode, reconstruct


def streams(networks, domain, **options):
    """(styles, details, picture of the Reconstruction Stream) of two pictures."""
    generator, parts = networks.generator, networks.parts
    seen = resized(small.pictures(domain), domain.encoder_size)
    styles = generator.style_space(networks.e4e_encoder(seen) + generator.latent_avg)
    maps = encode(generator, parts, domain, seen, styles)
    state, details = reconstruct(generator, parts, styles, maps, **options)
    return styles, details, cropped(generator.picture(state), domain)


@pytest.mark.parametrize("name", small.DOMAINS)
def test_untrained_streams_are_e4e_bit_for_bit(name):
    domain = small.DOMAINS[name]
    networks = small.networks(domain, drawn=False)
    styles, details, made = streams(networks, domain)
    e4e = networks.generator.synthesize(styles)
    edited, _ = edit(networks.generator, networks.parts, styles, details)
    assert torch.equal(made, cropped(e4e, domain)) and torch.equal(networks.generator.picture(edited), e4e)


@pytest.mark.parametrize("name", small.DOMAINS)
def test_details_have_the_size_of_their_stage(name):
    domain = small.DOMAINS[name]
    networks = small.networks(domain)
    _, details, _ = streams(networks, domain)
    generator = domain.generator
    for layer, width, F_m, f_m in zip(
        networks.gradual.stages, networks.gradual.widths, details.residuals, details.features, strict=True
    ):
        side = generator.layer_resolution(layer)
        assert F_m.shape == (2, width, side, side) and f_m.shape == (2, generator.layer_channels(layer), side, side)


def test_each_stage_sees_what_the_one_before_it_added():
    networks = small.networks()
    _, one, _ = streams(networks, networks.spec, stages=1)
    _, all_of_them, _ = streams(networks, networks.spec)
    plain = networks.generator.run(
        networks.generator.start(2), streams(networks, networks.spec)[0], read_layers=networks.gradual.stages
    )
    first, second = networks.gradual.stages[:2]
    assert torch.equal(one.features[0], all_of_them.features[0])
    assert torch.equal(one.features[0], plain.read[first])
    assert not torch.allclose(all_of_them.features[1], plain.read[second])


def test_a_stage_learns_beside_the_one_before_it_not_through_it():
    networks = small.networks()
    networks.parts.requires_grad_(True)
    _, details, _ = streams(networks, networks.spec)
    details.residuals[1].square().sum().backward()
    before, own = networks.parts.stages[0], networks.parts.stages[1]
    assert before.fusion.fuse.weight.grad is None and own.residual.from_details.weight.grad.abs().sum() > 0


def test_a_batch_and_its_pictures_agree():
    networks = small.networks()
    styles, details, made = streams(networks, networks.spec)
    edited = networks.generator.picture(edit(networks.generator, networks.parts, styles, details)[0])
    for i in range(2):
        alone = Details(*(tuple(x[i : i + 1] for x in part) for part in (details.residuals, details.features)))
        state, _ = edit(networks.generator, networks.parts, styles[i : i + 1], alone)
        assert torch.allclose(networks.generator.picture(state), edited[i : i + 1], atol=1e-4)
    assert made.shape == (2, 3, 64, 64)


@pytest.mark.parametrize(
    ("domain", "stages"),
    [(DEMO, (5, 7, 9)), (FFHQ_1024, (5, 7, 9)), (CARS_512, (5, 7, 9)), (PHOTO, (7, 10, 13))],
)
def test_stages_of_the_known_domains(domain, stages):
    spec = gradual_spec(domain)
    sides = [domain.generator.layer_resolution(layer) for layer in spec.stages]
    assert spec.stages == stages and sides == [16, 32, 64]
    assert GradualSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize(
    ("domain", "settings", "message"),
    [
        (DEMO, {"stages": (7, 5)}, "rising order"),
        (DEMO, {"stages": (6, 7)}, "sides"),
        (DEMO, {"stages": (5, 11)}, "Stage 11"),
        (FFHQ_1024, {"stages": (5, 13)}, "encoder 256 px only"),
        (DEMO, {"key": "picture"}, "key is 'picture'"),
        (DEMO, {"selection": "best"}, "selection is 'best'"),
        (DEMO, {"keep": -1}, "keep"),
    ],
)
def test_descriptions_that_do_not_fit(domain, settings, message):
    with pytest.raises(SpecError, match=message):
        GradualSpec(**{"stages": (5, 7), "widths": (8, 8), **settings}).check(domain)
