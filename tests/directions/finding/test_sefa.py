"""SeFa: the eigenvectors of the stacked modulation weights, on the layers they were found for."""

import pytest
import torch

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.directions.base import DirectionError
from sfe_models.directions.finding.sefa import modulation_weights, sefa, sefa_directions
from sfe_models.domain import tiny_domain

ONE = torch.ones(2)


@pytest.fixture(scope="module")
def generator():
    return random_networks(tiny_domain(64)).generator


@pytest.mark.parametrize("normalize", [True, False])
def test_vectors_are_orthonormal_and_sorted(generator, normalize):
    vectors, values = sefa_directions(generator, range(2, 6), 16, normalize)
    torch.testing.assert_close(vectors @ vectors.T, torch.eye(16, dtype=torch.float64), rtol=0, atol=1e-12)
    assert (values.diff() <= 0).all()


def test_agrees_with_a_singular_value_decomposition(generator):
    weight = modulation_weights(generator, [0, 3])
    rows = weight / weight.norm(dim=1, keepdim=True)
    _, singular, right = torch.linalg.svd(rows, full_matrices=False)
    vectors, values = sefa_directions(generator, [3, 0], 4)
    torch.testing.assert_close(values, singular[:4] ** 2)
    torch.testing.assert_close((vectors * right[:4]).sum(dim=1).abs(), torch.ones(4, dtype=torch.float64))


def test_first_direction_moves_styles_more_than_any_random_one(generator):
    """Without rows of unit length this is the law that defines SeFa."""
    (first, *_), _ = sefa_directions(generator, None, 1, normalize=False)
    w = torch.randn(1, 16, generator=torch.Generator().manual_seed(1)).double()
    units = torch.nn.functional.normalize(torch.randn(200, 16, generator=torch.Generator().manual_seed(2)), dim=1)
    before = generator.style_space(generator.broadcast(w))

    def change(move):
        after = generator.style_space(generator.broadcast(w + move.double()))
        stacked = [(a - b).square().sum() for a, b in zip(after.convs, before.convs, strict=True)]
        return sum(stacked) + (after.rgbs[-1] - before.rgbs[-1]).square().sum()

    largest = max(change(unit) for unit in units)
    assert change(first) > largest


def test_weights_are_those_that_the_network_uses(generator):
    w = torch.eye(16)
    styles = generator.style_space(generator.broadcast(torch.cat([w, torch.zeros(1, 16)])))
    used = torch.cat([(s[:-1] - s[-1]).T for s in (*styles.convs[1:3], styles.rgbs[-1])])
    last = generator.spec.n_styles - 1
    torch.testing.assert_close(modulation_weights(generator, [1, 2, last]).float(), used, rtol=0, atol=1e-6)


def test_sign_makes_the_largest_entry_positive(generator):
    vectors, _ = sefa_directions(generator, count=16)
    assert (vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True)) > 0).all()


def test_moves_only_its_layers_and_strength_0_is_the_identity(generator):
    w_plus = torch.randn(2, generator.spec.n_styles, 16)
    direction = sefa(generator, "test", range(2, 4), 3)[1]
    moved = direction.move(w_plus, ONE)
    changed = (moved != w_plus).any(dim=2).any(dim=0)
    assert changed.nonzero()[:, 0].tolist() == [2, 3]
    assert torch.equal(direction.move(w_plus, 0 * ONE), w_plus)
    torch.testing.assert_close((moved - w_plus)[:, 2].norm(dim=1), ONE, rtol=0, atol=1e-5)


def test_all_layers_move_the_whole_code(generator):
    w_plus = torch.randn(2, generator.spec.n_styles, 16)
    direction = sefa(generator, "test")[0]
    assert direction.info.family == "sefa" and direction.info.subject == "test" and direction.info.source
    assert (direction.move(w_plus, ONE) != w_plus).any(dim=2).all()


@pytest.mark.parametrize(
    "layers, count, message",
    [
        (range(0, 3), 17, "1 to 16"),
        (range(0, 3), 0, "1 to 16"),
        ([], 2, "No layer"),
        ([10], 2, "0 to 9"),
        ([-1], 2, "0 to 9"),
        (["coarse"], 2, "0 to 9"),
    ],
)
def test_bad_requests(generator, layers, count, message):
    with pytest.raises(DirectionError, match=message):
        sefa_directions(generator, layers, count)


def test_weights_that_are_not_finite():
    broken = random_networks(tiny_domain(32)).generator
    broken.conv1.conv.modulation.weight[0, 0] = float("nan")
    with pytest.raises(DirectionError, match="not finite"):
        sefa_directions(broken)
