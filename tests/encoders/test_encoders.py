"""Laws of the encoders."""

from dataclasses import replace

import pytest
import torch

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.domain import CARS_512, FFHQ_1024, tiny_domain
from sfe_models.generators.base import SpecError
from sfe_models.networks import SFENetworks


@pytest.fixture(scope="module")
def picture():
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("count", range(1, 11))
def test_first_styles_are_those_of_all(networks, picture, count):
    whole = networks.e4e_encoder(picture)
    assert torch.equal(networks.e4e_encoder(picture, count), whole[:, :count])


@pytest.mark.parametrize("stage", [0, 3, 9])
def test_progressive_stage_leaves_later_offsets_at_zero(networks, picture, stage):
    code, whole = networks.e4e_encoder(picture, stage=stage), networks.e4e_encoder(picture)
    assert torch.equal(code[:, : stage + 1], whole[:, : stage + 1])
    assert torch.equal(code[:, stage + 1 :], code[:, :1].expand_as(code[:, stage + 1 :]))


def test_style_count_beyond_the_heads_is_refused(networks, picture):
    with pytest.raises(ValueError, match="10 style heads"):
        networks.e4e_encoder(picture, 11)


def test_backbone_shapes(networks, picture):
    w, feature = networks.inverter(picture)
    assert w.shape == (2, 10, 16) and feature.shape == (2, 16, 16, 16)


def features_at(k, content_stride, **more):
    """FFHQ's model with another k, for the same pictures of 256 px."""
    inverter = replace(FFHQ_1024.inverter, content_stride=content_stride)
    return replace(FFHQ_1024, name=f"F_{k}", feature_layer=k, delta_layer=k, inverter=inverter, **more)


OTHERS = (features_at(7, (1, 2)), features_at(5, (2, 2)), features_at(9, (1, 1), stack_start="block"))


@pytest.mark.parametrize("spec", [FFHQ_1024, CARS_512, *OTHERS], ids=lambda s: s.name + s.stack_start)
def test_full_size_shapes(spec):
    networks = SFENetworks.empty(spec)
    image = torch.empty(1, 3, *spec.encoder_size, device="meta")
    k, side = spec.feature_layer, spec.feature_resolution
    w, feature = networks.inverter(image)
    assert w.shape == (1, spec.n_styles, 512) and feature.shape[3] == side
    assert networks.e4e_encoder(image).shape == (1, spec.n_styles, 512)
    assert networks.inverter.fuse(feature, torch.empty(1, 512, side, side, device="meta")).shape[2:] == (side, side)
    delta_side = spec.generator.layer_resolution(spec.delta_layer)
    channels = spec.generator.layer_channels(spec.delta_layer)
    delta = torch.empty(1, channels, delta_side, delta_side, device="meta")
    fused = torch.empty(1, spec.generator.layer_channels(k), side, side, device="meta")
    assert networks.feature_editor(fused, delta).shape == fused.shape


def test_the_content_strides_must_meet_the_feature_layer():
    with pytest.raises(SpecError, match="expected encoder_size"):
        features_at(5, (1, 2))
    with pytest.raises(SpecError, match="stack_start is 'pool'"):
        features_at(9, (1, 1), stack_start="pool")


def test_six_layers_of_blocks_fold_as_one_and_five():
    spec = replace(tiny_domain(64), stack_start="block")
    whole, folded = (random_networks(spec, folded=f).feature_editor.eval() for f in (False, True))
    features, delta = torch.randn(2, 2, 16, 16, 16, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        torch.testing.assert_close(folded(features, delta), whole(features, delta), rtol=1e-4, atol=1e-4)


def test_random_networks_are_seeded():
    first, second, other = (random_networks(tiny_domain(64), seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["generator.conv1.conv.weight"], other["generator.conv1.conv.weight"])
