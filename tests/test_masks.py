"""Masks of the picture: what is protected shows the unedited inversion, pixel by pixel."""

from dataclasses import replace

import pytest
import torch
from generators.families import SPECS, codes, domain

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.choices import DELTA, PICTURE
from sfe_models.directions.base import DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.families.stylespace import StyleChannelsDirection
from sfe_models.inputs import InputError
from sfe_models.pipeline import Pipeline
from sfe_models.regions import SOFT_EDGE, seen_together, soft_mask

CHANNEL = StyleChannelsDirection(DirectionInfo("channel", "stylespace", "human faces"), ((2, 3), (3, 1), (8, 2)))
BLACK, WHITE = torch.zeros(64, 64), torch.ones(64, 64)
LEFT = torch.zeros(64, 64)
LEFT[:, :32] = 1
# Columns of a picture of 64 px that the soft edge of LEFT does not reach.
INSIDE, OUTSIDE = slice(0, 30), slice(32, None)


def close(got, want):
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module", params=SPECS)
def model(request, networks, directions):
    """A pipeline of each family of generators, and a direction that moves its first and last layers."""
    if request.param == "stylegan2":
        return Pipeline(networks), directions[0]
    spec = domain(request.param)
    direction = LinearDirection(DirectionInfo("some", "own", spec.subject), codes(spec.generator, 1)[0])
    return Pipeline(random_networks(spec)), direction


@pytest.fixture
def inversion(pipeline, image):
    return pipeline.invert(image)


@pytest.fixture
def delta(pipeline, inversion):
    def make(direction, strength, mask=None):
        return pipeline.masked(pipeline.compute_delta(pipeline.apply_direction(inversion, direction, strength)), mask)

    return make


def picture(pipeline, delta):
    return pipeline.synthesize(pipeline.feature_edit(delta))


def test_the_picture_outside_is_the_unedited_one(model, image):
    pipeline, direction = model
    inversion = pipeline.invert(image)
    unedited, edited = pipeline.edit(inversion), pipeline.edit(inversion, [(direction, 3.0)])
    assert torch.equal(pipeline.edit(inversion, [(direction, 3.0)], BLACK), unedited)
    assert torch.equal(pipeline.edit(inversion, [(direction, 3.0)], WHITE), edited)
    half = pipeline.edit(inversion, [(direction, 3.0)], LEFT)
    assert torch.equal(half[..., OUTSIDE], unedited[..., OUTSIDE])
    assert not torch.allclose(half[..., INSIDE], unedited[..., INSIDE], atol=1e-2)
    codes = pipeline.edit(inversion, [(direction, 3.0)], LEFT, DELTA)
    close(half[..., INSIDE], codes[..., INSIDE])
    assert not torch.allclose(codes[..., OUTSIDE], unedited[..., OUTSIDE], atol=1e-2)


def test_a_grey_mask_is_between(pipeline, inversion, delta, directions):
    masked = delta(directions[1], 3.0, 0.25 * WHITE)  # fine layers: delta is 0, only the pixels are masked
    want = 0.25 * picture(pipeline, delta(directions[1], 3.0)) + 0.75 * pipeline.edit(inversion)
    close(picture(pipeline, masked), want)


def test_smaller_pictures_and_each_picture_its_own_mask(pipeline, inversion, delta, directions):
    for direction in (directions[0], CHANNEL):
        features = pipeline.feature_edit(delta(direction, 3.0, torch.stack([BLACK, WHITE])))
        unedited = pipeline.feature_edit(inversion)
        edited = pipeline.feature_edit(delta(direction, 3.0))
        for side in pipeline.preview_resolutions:
            got = pipeline.synthesize(features, side)
            close(got[0], pipeline.synthesize(unedited, side)[0])
            close(got[1], pipeline.synthesize(edited, side)[1])


def test_batch_equals_loop(pipeline, inversion, delta, directions):
    both = delta(directions[0], 3.0, torch.stack([LEFT, 1 - LEFT]))
    together = picture(pipeline, both)
    for i in range(2):
        close(picture(pipeline, both[i : i + 1]), together[i : i + 1])


def test_masks_that_follow_each_other_are_multiplied(pipeline, inversion, delta, directions):
    upper = LEFT.T
    both = pipeline.keep_within(delta(directions[0], 3.0, LEFT), upper)
    got, unedited = picture(pipeline, both), pipeline.edit(inversion)
    outside = LEFT * upper == 0
    assert torch.equal(got[..., outside], unedited[..., outside])
    assert not torch.allclose(got[..., :30, :30], unedited[..., :30, :30], atol=1e-2)


def test_the_unedited_picture_is_made_once(pipeline, inversion, delta, directions, monkeypatch):
    calls, run = [], pipeline.networks.generator.run
    monkeypatch.setattr(pipeline.networks.generator, "run", lambda *a, **k: calls.append(a) or run(*a, **k))
    features = [pipeline.feature_edit(delta(directions[1], strength, LEFT)) for strength in (1.0, 2.0, 3.0)]
    assert not calls
    for one in features:
        pipeline.synthesize(one)
    assert len(calls) == 4  # of each edit one, and the unedited one


def test_each_edit_of_a_combination_keeps_to_its_own_mask(pipeline, inversion, delta, directions):
    """The edits act on fine layers, where only the pixels tell."""
    fine = LinearDirection(directions[1].info, directions[1].vector.flip(1))
    one, two = delta(directions[1], 3.0), delta(fine, 3.0)
    combined = pipeline.combine_deltas(
        [pipeline.keep_within(one, LEFT), pipeline.keep_within(two, 1 - LEFT)], [1.0, 0.5]
    )
    got = picture(pipeline, combined)
    close(got[..., INSIDE], picture(pipeline, one)[..., INSIDE])
    close(got[..., 34:], picture(pipeline, pipeline.combine_deltas([two], [0.5]))[..., 34:])
    everywhere = pipeline.combine_deltas([one, pipeline.keep_within(two, LEFT)])
    close(
        picture(pipeline, everywhere)[..., INSIDE], picture(pipeline, pipeline.combine_deltas([one, two]))[..., INSIDE]
    )
    close(picture(pipeline, everywhere)[..., OUTSIDE], picture(pipeline, one)[..., OUTSIDE])


def test_what_is_protected_everywhere_adds_nothing(pipeline, inversion, delta, directions):
    for direction in (directions[0], CHANNEL):
        nothing = delta(direction, 3.0, BLACK)
        assert torch.equal(picture(pipeline, pipeline.combine_deltas([nothing, nothing])), pipeline.edit(inversion))
        other = delta(directions[1], 2.0)
        for pair in ([nothing, other], [other, nothing]):
            close(picture(pipeline, pipeline.combine_deltas(pair)), picture(pipeline, other))


def test_soft_halves_of_one_edit_are_the_edit(pipeline, inversion, delta, directions):
    soft = torch.linspace(0, 1, 64).expand(64, 64)
    whole = delta(directions[1], 3.0)
    regions = pipeline.keep_within(whole, WHITE * 0.5).regions[0]
    halves = [replace(whole, regions=(replace(regions, mask=mask.expand(2, -1, -1)),)) for mask in (soft, 1 - soft)]
    combined = pipeline.combine_deltas(halves)
    assert len(combined.regions) == 2
    close(picture(pipeline, combined), picture(pipeline, whole))


def test_soft_edge_lies_inside_and_is_as_wide_as_stated():
    mask = torch.zeros(1, 512, 512)
    mask[:, 128:384, 80:400] = 1
    soft = soft_mask(mask, (512, 512))
    assert soft[mask == 0].eq(0).all()
    row = soft[0, 256, 80:240]
    width = int(row.eq(1).nonzero()[0])
    assert row[width:].eq(1).all() and (row[:width].diff() >= 0).all()
    assert SOFT_EDGE * 512 <= width <= 2 * SOFT_EDGE * 512 + 1


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_an_even_mask_stays_as_it_is(value):
    torch.testing.assert_close(soft_mask(torch.full((2, 40, 40), value), (64, 64)), torch.full((2, 64, 64), value))


def test_regions_seen_together_add_up():
    generator = torch.Generator().manual_seed(4)
    masks = torch.rand(4, 1, 8, 8, generator=generator)
    for chosen in (
        [[masks[0]], [masks[1]]],
        [[masks[0]], [masks[1]], [masks[2]]],
        [[masks[0] / 2, masks[1] / 2], [masks[3]]],
    ):
        found = seen_together(chosen)
        assert all((mask >= 0).all() for _, mask in found)
        for i, regions in enumerate(chosen):
            for j, mask in enumerate(regions):
                seen = sum(part for names, part in found if names[i] == j)
                torch.testing.assert_close(seen, mask, atol=1e-3, rtol=0)


def test_a_mask_acts_on_picture_or_delta(pipeline, delta, directions):
    with pytest.raises(InputError, match="'pixels'; expected one of picture, delta"):
        pipeline.masked(delta(directions[0], 1.0), LEFT, "pixels")
    with pytest.raises(InputError, match="square"):
        pipeline.masked(delta(directions[0], 1.0), torch.zeros(64, 90), PICTURE)
