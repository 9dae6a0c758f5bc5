"""Offsets in style space: additive, of whole or cut style vectors; and the naming of layers."""

import pytest
import torch

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.directions.base import DirectionError, DirectionInfo
from sfe_models.directions.families.stylespace import StyleOffsetDirection
from sfe_models.directions.layers import chosen_layers, named_layers, on_layers
from sfe_models.domain import tiny_domain
from sfe_models.generators.base import StyleSpace
from sfe_models.pipeline import Pipeline

INFO = DirectionInfo("offset", "stylespace", "test")


def styles(convs=3, rgbs=2, batch=2):
    random = torch.Generator().manual_seed(0)
    return StyleSpace(
        tuple(torch.randn(batch, 4 + i, generator=random) for i in range(convs)),
        tuple(torch.randn(batch, 4 + i, generator=random) for i in range(rgbs)),
    )


def direction(scale=1.0, rgbs=2):
    return StyleOffsetDirection(
        INFO,
        tuple(torch.arange(4.0 + i) for i in range(3)),
        tuple(torch.ones(4 + i) for i in range(rgbs)),
        scale,
    )


def test_adds_scaled_offsets_per_picture():
    before, strength = styles(), torch.tensor([1.0, -2.0])
    after = direction(0.5).move(before, strength)
    torch.testing.assert_close(after.convs[1], before.convs[1] + 0.5 * strength[:, None] * torch.arange(5.0))
    torch.testing.assert_close(after.rgbs[1], before.rgbs[1] + 0.5 * strength[:, None])


def test_strength_0_is_the_identity_and_steps_cancel():
    before = styles()
    still = direction().move(before, torch.zeros(2))
    there = direction().move(before, torch.ones(2))
    back = direction().move(there, -torch.ones(2))
    for a, b, c in zip(before.convs, still.convs, back.convs, strict=True):
        assert torch.equal(a, b)
        torch.testing.assert_close(a, c)


def test_cut_styles_move_as_the_whole_ones_do():
    whole = direction().move(styles(), torch.ones(2))
    cut = direction().move(StyleSpace(styles().convs[:2], styles().rgbs[:1]), torch.ones(2))
    assert len(cut.convs) == 2 and len(cut.rgbs) == 1
    assert torch.equal(cut.convs[1], whole.convs[1]) and torch.equal(cut.rgbs[0], whole.rgbs[0])


def test_without_rgb_offsets_rgb_layers_stay():
    before = styles()
    assert direction(rgbs=0).move(before, torch.ones(2)).rgbs is before.rgbs


def test_works_in_the_pipeline_whose_delta_reads_the_first_layers_only():
    pipeline = Pipeline(random_networks(tiny_domain(64)))
    inversion = pipeline.invert(torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1)
    info = DirectionInfo("offset", "stylespace", pipeline.spec.subject)
    offsets = StyleOffsetDirection(info, (torch.ones(16),) * 9, (torch.ones(16),) * 5)
    assert pipeline.compute_delta(pipeline.apply_direction(inversion, offsets, 1.0)).delta.any()
    plain, still = pipeline.edit(inversion), pipeline.edit(inversion, [(offsets, 0.0)])
    torch.testing.assert_close(still, plain, rtol=0, atol=1e-5)
    assert not torch.equal(pipeline.edit(inversion, [(offsets, 1.0)]), plain)


def test_other_generators_are_refused():
    with pytest.raises(DirectionError, match="3 convolution offsets"):
        direction().move(styles(convs=4), torch.ones(2))
    with pytest.raises(DirectionError, match="1 RGB layer offsets"):
        direction(rgbs=1).move(styles(), torch.ones(2))
    wide = StyleSpace((torch.zeros(2, 9),), ())
    with pytest.raises(DirectionError, match="convolution 0.*9 channels"):
        direction().move(wide, torch.ones(2))


def test_layers():
    assert chosen_layers(None, 3) == (0, 1, 2)
    assert chosen_layers([2, 0, 2], 3) == (0, 2)
    assert named_layers((0, 1, 2, 5, 7, 8)) == "layers 0-2, 5, 7-8"
    assert on_layers(torch.ones(1, 2), (1,), 3).tolist() == [[0, 0], [1, 1], [0, 0]]
    assert on_layers(torch.arange(6.0).reshape(3, 2), (0, 2), 3).tolist() == [[0, 1], [0, 0], [4, 5]]


@pytest.mark.parametrize("layers", [[], [3], [-1], [True], [1.5], ["1"]])
def test_bad_layers(layers):
    with pytest.raises(DirectionError, match="0 to 2"):
        chosen_layers(layers, 3)
