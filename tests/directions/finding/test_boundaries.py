"""InterFaceGAN boundaries: a planted attribute is found, conditions hold, and a seed decides everything."""

import sys

import pytest
import torch

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.choices import BOUNDARY_METHODS
from sfe_models.directions.base import DirectionError, DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.finding.boundaries import (
    BoundaryTraining,
    conditional,
    conditional_direction,
    train_boundary,
)
from sfe_models.directions.finding.sampling import sample_w
from sfe_models.directions.finding.scored_samples import ScoredSamples
from sfe_models.domain import tiny_domain


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def unit(vector):
    return vector / vector.norm()


def planted(codes, *vectors, names=None):
    scores = torch.stack([codes.flatten(1).double() @ v.flatten() for v in vectors], dim=1)
    return ScoredSamples(codes, scores, tuple(names or (f"a{i}" for i in range(len(vectors)))))


def skip_without(method):
    if method == "svm":
        pytest.importorskip("sklearn")


@pytest.mark.parametrize("method", BOUNDARY_METHODS)
def test_finds_the_normal_of_separable_codes_within_two_degrees(method):
    skip_without(method)
    truth = unit(normal(16, seed=1))
    samples = planted(normal(4000, 16), truth)
    found = train_boundary(samples, "a0", "test", BoundaryTraining(fraction=0.5, method=method, l2=1e-4))
    angle = torch.rad2deg(torch.acos((found.direction.vector[0].double() @ truth).clamp(-1, 1)))
    assert angle < 2
    assert found.train_accuracy > 0.99 and found.validation_accuracy > 0.98
    assert found.direction.vector.norm().item() == pytest.approx(1, abs=1e-6)


def test_finds_a_planted_attribute_of_w():
    generator = random_networks(tiny_domain(32)).generator
    w = torch.cat(list(sample_w(generator, 6000, 0, 512)))
    truth = unit(normal(16, seed=2))
    found = train_boundary(planted(w, truth), "a0", "test", BoundaryTraining(fraction=0.1))
    assert found.direction.vector[0].double() @ truth > 0.95
    assert found.validation_accuracy > 0.98


def test_finds_a_planted_attribute_of_w_plus():
    truth = unit(normal(3, 8, seed=3))
    truth[1] = 0
    found = train_boundary(planted(normal(6000, 3, 8), truth), "a0", "test", BoundaryTraining(fraction=0.3))
    vector = found.direction.vector.double()
    assert vector.shape == (3, 8) and (vector * truth).sum() / truth.norm() > 0.95


def test_extreme_scores_do_not_bend_the_normal():
    """Where only the ends are taken, |normal|^2 as the penalty would lean to where codes vary most."""
    codes = normal(20000, 16) * torch.linspace(0.2, 2, 16)
    truth = torch.full((16,), 0.25, dtype=torch.float64)
    found = train_boundary(planted(codes, truth), "a0", "test", BoundaryTraining(fraction=0.02))
    assert found.direction.vector[0].double() @ truth > 0.95


def test_points_to_higher_scores_and_the_intercept_belongs_to_it():
    codes = normal(2000, 6) + 3
    found = train_boundary(planted(codes, normal(6, seed=4)), "a0", "test", BoundaryTraining(fraction=0.25))
    value = codes @ found.direction.vector[0].double() + found.intercept
    score = codes @ normal(6, seed=4)
    top, bottom = score.topk(100).indices, (-score).topk(100).indices
    assert (value[top] > 0).all() and (value[bottom] < 0).all()


def test_units_of_the_codes_do_not_matter():
    codes, vector = normal(1000, 6), normal(6, seed=5)
    small = train_boundary(planted(codes, vector), "a0", "test", BoundaryTraining(fraction=0.2))
    large = train_boundary(planted(codes * 100 - 7, vector), "a0", "test", BoundaryTraining(fraction=0.2))
    torch.testing.assert_close(small.direction.vector, large.direction.vector, rtol=0, atol=1e-5)


def test_seed_decides_the_split():
    samples = planted(normal(500, 6), normal(6, seed=6))
    runs = [train_boundary(samples, "a0", "test", BoundaryTraining(fraction=0.3, seed=seed)) for seed in (1, 1, 2)]
    vectors = [run.direction.vector for run in runs]
    assert torch.equal(vectors[0], vectors[1]) and runs[0].intercept == runs[1].intercept
    assert not torch.equal(vectors[0], vectors[2])


def test_direction_is_described():
    found = train_boundary(
        planted(normal(500, 6), normal(6), names=["age"]), "age", "cats", BoundaryTraining(fraction=0.2)
    )
    info = found.direction.info
    assert (info.name, info.family, info.subject) == ("age", "interfacegan", "cats")
    assert "100 highest" in info.source and found.chosen == 100
    w_plus = torch.randn(2, 8, 6)
    assert torch.equal(found.direction.move(w_plus, torch.zeros(2)), w_plus)


@pytest.mark.parametrize("shape", [(1, 16), (4, 16)])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_conditional_is_orthogonal_to_the_conditions(shape, count):
    vector, *others = (unit(normal(*shape, seed=i)) for i in range(count + 1))
    kept = conditional(vector, others)
    assert kept.shape == shape and kept.norm().item() == pytest.approx(1)
    for other in others:
        assert abs((kept * other).sum().item()) < 1e-12
    assert (kept * vector).sum() > 0


def test_conditional_leaves_the_conditioned_scores():
    codes = normal(2000, 16)
    samples = planted(codes, normal(16, seed=1), normal(16, seed=1) + normal(16, seed=2))
    first, second = (
        train_boundary(samples, name, "test", BoundaryTraining(fraction=0.2)).direction for name in samples.attributes
    )
    assert abs((first.vector * second.vector).sum()) > 0.3
    kept = conditional_direction(first, [second])
    w_plus = torch.randn(5, 1, 16)
    change = (kept.move(w_plus, torch.full((5,), 3.0)) - w_plus)[:, 0] @ second.vector[0]
    assert change.abs().max() < 1e-5
    assert "a1" in kept.info.name and kept.info.subject == "test"


def test_conditional_of_dependent_conditions():
    a, b = unit(normal(1, 8, seed=1)), unit(normal(1, 8, seed=2))
    once, twice = conditional(normal(1, 8), [a, b]), conditional(normal(1, 8), [a, b, a + b, -a])
    torch.testing.assert_close(once, twice, rtol=0, atol=1e-9)
    torch.testing.assert_close(conditional(a * 3, []), a)


def test_conditional_direction_keeps_the_length():
    def made(vector, subject="test"):
        return LinearDirection(DirectionInfo("d", "interfacegan", subject), vector, 0.5)

    kept = conditional_direction(made(torch.tensor([[3.0, 4.0]])), [made(torch.tensor([[1.0, 0.0]]))])
    torch.testing.assert_close(kept.vector, torch.tensor([[0.0, 5.0]]))
    assert kept.scale == 0.5
    with pytest.raises(DirectionError, match="cats"):
        conditional_direction(made(torch.ones(1, 2)), [made(torch.ones(1, 2), "cats")])


def test_conditional_with_nothing_left():
    a, b = torch.tensor([[1.0, 0, 0]]), torch.tensor([[0, 1.0, 0]])
    with pytest.raises(DirectionError, match="Nothing is left"):
        conditional(a + b, [a, b])


def test_conditional_of_bad_vectors():
    with pytest.raises(DirectionError, match="equal shapes"):
        conditional(torch.ones(1, 3), [torch.ones(2, 3)])
    with pytest.raises(DirectionError, match="length 0"):
        conditional(torch.ones(1, 3), [torch.zeros(1, 3)])
    with pytest.raises(DirectionError, match="length nan"):
        conditional(torch.full((1, 3), float("nan")), [])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"method": "forest"}, "logistic, svm"),
        ({"fraction": 0.0}, "fraction 0"),
        ({"fraction": 0.6}, "fraction 0.6"),
        ({"train_share": 1.0}, "train_share 1"),
        ({"l2": -1.0}, "l2 -1"),
        ({"fraction": 0.01}, "1 positives"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(DirectionError, match=message):
        train_boundary(
            planted(normal(100, 4), normal(4)), "a0", "test", BoundaryTraining(**{"fraction": 0.3, **options})
        )


def test_scores_that_tell_nothing():
    samples = ScoredSamples(normal(100, 4), torch.ones(100, 1), ("flat",))
    with pytest.raises(DirectionError, match="'flat'.*both hold 1"):
        train_boundary(samples, "flat", "test", BoundaryTraining(fraction=0.2))


def test_codes_that_are_all_the_same():
    samples = ScoredSamples(torch.ones(100, 4), torch.arange(100.0)[:, None], ("a",))
    with pytest.raises(DirectionError, match="same"):
        train_boundary(samples, "a", "test", BoundaryTraining(fraction=0.2))


def test_unknown_attribute():
    with pytest.raises(DirectionError, match="'smile'.*a0"):
        train_boundary(planted(normal(100, 4), normal(4)), "smile", "test")


def test_svm_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.svm", None)
    with pytest.raises(DirectionError, match="pip install scikit-learn"):
        train_boundary(planted(normal(100, 4), normal(4)), "a0", "test", BoundaryTraining(fraction=0.3, method="svm"))
