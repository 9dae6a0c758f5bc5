"""StyleSpace channel finding recovers a planted channel from examples."""

import pytest
import torch

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.directions.base import DirectionError
from sfe_models.directions.finding.channels import ChannelEffect, channels_direction, channels_from_examples
from sfe_models.directions.finding.sampling import sample_w
from sfe_models.directions.finding.statistics import ChannelStatistics, channel_statistics
from sfe_models.domain import tiny_domain
from sfe_models.generators.base import StyleSpace

PLANTED = (2, 5)


@pytest.fixture(scope="module")
def generator():
    return random_networks(tiny_domain(32)).generator


@pytest.fixture(scope="module")
def population(generator):
    return channel_statistics(generator, 1500, seed=1, truncation=1.0)


@pytest.fixture(scope="module")
def styles(generator):
    return generator.style_space(generator.broadcast(next(sample_w(generator, 20, 9, 20))))


def raised(styles, by, std):
    """Set the planted channel of every example to about its mean plus `by` standard deviations."""
    convs = [s.clone() for s in styles.convs]
    conv, channel = PLANTED
    spread = torch.linspace(-0.2, 0.2, len(convs[conv]))
    convs[conv][:, channel] = 1 + (by + spread) * std
    return StyleSpace(tuple(convs), styles.rgbs)


@pytest.mark.parametrize("by", [3.0, -3.0])
def test_examples_show_the_planted_channel(styles, population, by):
    std = population.std.convs[2][0, 5].item()
    examples = raised(styles, by, std)
    first, second, *_ = channels_from_examples(examples, population, 5)
    assert (first.conv, first.channel) == PLANTED
    theta = (examples.convs[2][:, 5].double() - population.mean.convs[2][0, 5].double()) / std
    assert first.effect == pytest.approx(theta.mean().item())
    assert first.relevance == pytest.approx((theta.mean().abs() / theta.std()).item())
    assert first.std == pytest.approx(std) and first.relevance > 5 * second.relevance


def test_constant_channels_are_left_out(population):
    std = population.std.map(torch.clone)
    std.convs[2][0, 5] = 0
    flat = ChannelStatistics(population.mean, std)
    examples = flat.mean.map(lambda m: m + torch.tensor([[1.0], [2.0]]))
    rows = channels_from_examples(examples, flat, 10_000)
    assert len(rows) == sum(s.shape[1] for s in std.convs) - 1
    assert PLANTED not in {(r.conv, r.channel) for r in rows}


def test_several_channels_move_by_their_standard_deviations(styles, population):
    rows = [ChannelEffect(2, 5, 1.0, 1.0, 0.25), ChannelEffect(4, 0, -1.0, 1.0, 0.5)]
    direction = channels_direction(rows, population, "test", "c")
    moved = direction.move(styles, torch.full((20,), 2.0))
    for conv, (a, b) in enumerate(zip(moved.convs, styles.convs, strict=True)):
        wanted = b.clone()
        for row in rows:
            if row.conv == conv:
                wanted[:, row.channel] += 2 * row.std * row.effect
        torch.testing.assert_close(a, wanted)
    assert moved.rgbs is styles.rgbs and "2/5" in direction.info.source
    assert (direction.info.family, direction.info.subject) == ("stylespace", "test")


def test_a_population_of_another_generator(styles, population):
    short = ChannelStatistics(*(StyleSpace(s.convs[:3], s.rgbs) for s in (population.mean, population.std)))
    with pytest.raises(DirectionError, match="shapes"):
        channels_from_examples(styles, short)


def test_bad_examples(styles, population):
    with pytest.raises(DirectionError, match="1 example"):
        channels_from_examples(styles[:1], population)
    with pytest.raises(DirectionError, match="not finite"):
        channels_from_examples(styles.map(lambda s: s / 0), population)
    with pytest.raises(DirectionError, match="0 channels"):
        channels_from_examples(styles, population, 0)


def test_bad_rows(population):
    with pytest.raises(DirectionError, match="at least one"):
        channels_direction([], population, "test", "c")
    with pytest.raises(DirectionError, match="channel 99"):
        channels_direction([ChannelEffect(0, 99, 1, 1, 1)], population, "test", "c")
