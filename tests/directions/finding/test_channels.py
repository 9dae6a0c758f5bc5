"""StyleSpace channel finding recovers planted channels, from examples and from a gradient."""

import pytest
import torch

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.directions.base import DirectionError
from sfe_models.directions.finding.channels import (
    ChannelEffect,
    StylePopulation,
    channel_direction,
    channels_direction,
    channels_from_examples,
    channels_from_gradient,
    style_population,
)
from sfe_models.directions.finding.sampling import sample_w
from sfe_models.domain import tiny_domain
from sfe_models.generators.base import StyleSpace

PLANTED = (2, 5)


@pytest.fixture(scope="module")
def generator():
    return random_networks(tiny_domain(32)).generator


@pytest.fixture(scope="module")
def population(generator):
    return style_population(generator, 1500, seed=1)


@pytest.fixture(scope="module")
def styles(generator):
    return generator.style_space(generator.broadcast(next(sample_w(generator, 20, 9, 20))))


def raised(styles, by, deviation):
    """Set the planted channel of every example to about its mean plus `by` deviations."""
    convs = [s.clone() for s in styles.convs]
    conv, channel = PLANTED
    spread = torch.linspace(-0.2, 0.2, len(convs[conv]))
    convs[conv][:, channel] = 1 + (by + spread) * deviation
    return StyleSpace(tuple(convs), styles.rgbs)


def test_population_is_that_of_the_samples(generator, population):
    w = torch.cat(list(sample_w(generator, 1500, 1, 500)))
    for style, mean, std in zip(
        generator.style_space(generator.broadcast(w)).convs, population.mean, population.std, strict=True
    ):
        torch.testing.assert_close(mean, style.double().mean(dim=0), rtol=0, atol=1e-5)
        torch.testing.assert_close(std, style.double().std(dim=0), rtol=0, atol=1e-5)


def test_population_does_not_depend_on_the_batch(generator, population):
    other = style_population(generator, 1500, seed=1, batch_size=77)
    for a, b in zip((*other.mean, *other.std), (*population.mean, *population.std), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5)


@pytest.mark.parametrize("by", [3.0, -3.0])
def test_examples_show_the_planted_channel(styles, population, by):
    deviation = population.std[PLANTED[0]][PLANTED[1]].item()
    examples = raised(styles, by, deviation)
    first, second, *_ = channels_from_examples(examples, population, 5)
    assert (first.conv, first.channel) == PLANTED
    theta = (examples.convs[2][:, 5].double() - population.mean[2][5]) / deviation
    assert first.effect == pytest.approx(theta.mean().item())
    assert first.relevance == pytest.approx((theta.mean().abs() / theta.std()).item())
    assert first.deviation == pytest.approx(deviation) and first.relevance > 5 * second.relevance


def test_gradient_finds_the_channel_that_the_score_reads(generator, population):
    """Scale one input channel's weight up: its style then decides the picture most."""
    tilted = random_networks(tiny_domain(32)).generator
    conv, channel = PLANTED
    tilted.conv(conv).conv.weight[:, :, channel] *= 50
    tilted.conv(conv).conv.demodulate = False
    rows = channels_from_gradient(
        tilted, lambda pictures: pictures.square().mean(dim=(1, 2, 3)), population, 3, samples=8
    )
    assert (rows[0].conv, rows[0].channel) == PLANTED
    assert rows[0].relevance == abs(rows[0].effect) and rows[0].relevance > 2 * rows[1].relevance


def test_gradient_is_that_of_small_moves(generator, population):
    def score(pictures):
        return pictures[:, 0].mean(dim=(1, 2))

    row = channels_from_gradient(generator, score, population, 1, samples=4, seed=6)[0]
    w = next(sample_w(generator, 4, 6, 4))
    before = generator.style_space(generator.broadcast(w)).map(torch.Tensor.double)
    exact = random_networks(tiny_domain(32)).generator.double()
    convs = list(before.convs)
    convs[row.conv] = convs[row.conv].clone()
    convs[row.conv][:, row.channel] += 1e-4 * row.deviation
    after = StyleSpace(tuple(convs), before.rgbs)
    change = (score(exact.synthesize(after)) - score(exact.synthesize(before))).mean().item() / 1e-4
    assert row.effect == pytest.approx(change, rel=1e-2)


def test_same_seed_same_channels_whatever_the_batch(generator, population):
    def score(pictures):
        return pictures.square().mean(dim=(1, 2, 3))

    a, b = (channels_from_gradient(generator, score, population, 4, samples=6, batch_size=n) for n in (2, 6))
    assert [(row.conv, row.channel) for row in a] == [(row.conv, row.channel) for row in b]
    assert a == channels_from_gradient(generator, score, population, 4, samples=6, batch_size=2)


def test_network_keeps_no_gradient(generator, population):
    channels_from_gradient(generator, lambda p: p.mean(dim=(1, 2, 3)), population, 1, samples=2)
    assert all(p.grad is None and not p.requires_grad for p in generator.parameters())


def test_constant_channels_are_left_out(population):
    std = [s.clone() for s in population.std]
    std[2][5] = 0
    flat = StylePopulation(population.mean, tuple(std))
    examples = StyleSpace(tuple(m.expand(2, -1) + torch.tensor([[1.0], [2.0]]) for m in flat.mean), ())
    rows = channels_from_examples(examples, flat, 10_000)
    assert len(rows) == sum(map(len, std)) - 1 and PLANTED not in {(r.conv, r.channel) for r in rows}


@pytest.mark.parametrize("effect", [2.0, -2.0])
def test_one_channel_moves_by_its_deviation(styles, effect):
    direction = channel_direction(ChannelEffect(2, 5, effect, 1.0, 0.25), "test", "c", effect="more")
    moved = direction.move(styles, torch.full((20,), 4.0))
    torch.testing.assert_close(moved.convs[2][:, 5], styles.convs[2][:, 5] + (1.0 if effect > 0 else -1.0))
    assert torch.equal(moved.convs[2][:, :5], styles.convs[2][:, :5]) and moved.convs[0] is styles.convs[0]
    assert torch.equal(direction.move(styles, torch.zeros(20)).convs[2], styles.convs[2])
    assert (direction.info.family, direction.info.subject) == ("stylespace", "test")
    assert "2/5" in direction.info.source


def test_several_channels_move_as_each_alone(styles, population):
    rows = [ChannelEffect(2, 5, 1.0, 1.0, 0.25), ChannelEffect(4, 0, -1.0, 1.0, 0.5)]
    strength = torch.full((20,), 2.0)
    together = channels_direction(rows, population, "test", "c").move(styles, strength)
    apart = styles
    for row in rows:
        apart = channel_direction(row, "test", "c").move(apart, strength)
    for a, b in zip(together.convs, apart.convs, strict=True):
        torch.testing.assert_close(a, b)
    assert together.rgbs is styles.rgbs


def test_bad_populations(generator, styles, population):
    with pytest.raises(DirectionError, match="1 samples"):
        style_population(generator, 1)
    short = StylePopulation(population.mean[:3], population.std[:3])
    narrow = StylePopulation(tuple(m[:8] for m in population.mean), tuple(s[:8] for s in population.std))
    with pytest.raises(DirectionError, match="another generator"):
        channels_from_gradient(generator, lambda p: p.sum(), narrow)
    with pytest.raises(DirectionError, match="shapes"):
        channels_from_examples(styles, short)
    with pytest.raises(DirectionError, match="another generator"):
        channels_from_gradient(generator, lambda p: p.sum(), short)


def test_bad_examples(styles, population):
    with pytest.raises(DirectionError, match="1 example"):
        channels_from_examples(styles[:1], population)
    with pytest.raises(DirectionError, match="not finite"):
        channels_from_examples(styles.map(lambda s: s / 0), population)
    with pytest.raises(DirectionError, match="0 channels"):
        channels_from_examples(styles, population, 0)


@pytest.mark.parametrize(
    "scorer, message",
    [
        (lambda pictures: pictures.mean(), r"\(\)"),
        (lambda pictures: 1.0, "float"),
        (lambda pictures: pictures.detach().mean(dim=(1, 2, 3)), "no gradient"),
        (lambda pictures: pictures.mean(dim=(1, 2, 3)) * float("nan"), "not finite"),
    ],
)
def test_bad_scorers(generator, population, scorer, message):
    with pytest.raises(DirectionError, match=message):
        channels_from_gradient(generator, scorer, population, samples=2)


def test_bad_rows(population):
    with pytest.raises(DirectionError, match="at least one"):
        channels_direction([], population, "test", "c")
    with pytest.raises(DirectionError, match="channel 99"):
        channels_direction([ChannelEffect(0, 99, 1, 1, 1)], population, "test", "c")
