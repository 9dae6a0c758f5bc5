"""The Frechet distance against its closed forms, and statistics a batch at a time."""

import numpy as np
import pytest
from scipy import linalg

from sfe_models.evaluation.errors import EvaluationError
from sfe_models.evaluation.fid import FeatureStatistics, frechet_distance


def samples_of(mean, covariance, count=60, seed=0):
    """Vectors whose sample mean and unbiased sample covariance are exactly the given ones."""
    x = np.random.default_rng(seed).normal(size=(count, len(mean)))
    x -= x.mean(axis=0)
    x = x @ linalg.inv(linalg.cholesky(np.cov(x, rowvar=False)))
    return x @ linalg.cholesky(covariance) + mean


def statistics(x, batch=None):
    made = FeatureStatistics(x.shape[1])
    for first in range(0, len(x), batch or len(x)):
        made.add(x[first : first + (batch or len(x))])
    return made


def test_closed_form_of_two_gaussians():
    a, b = np.array([1.0, 4.0, 0.25]), np.array([9.0, 1.0, 0.25])
    means = np.array([0.0, 1.0, 2.0]), np.array([3.0, 1.0, 0.0])
    got = frechet_distance(*(statistics(samples_of(m, np.diag(c))) for m, c in zip(means, (a, b), strict=True)))
    assert got == pytest.approx(9 + 4 + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum(), rel=1e-10)


def test_covariances_that_do_not_commute():
    random = np.random.default_rng(3)
    a, b = (m @ m.T + np.eye(6) for m in random.normal(size=(2, 6, 6)))
    got = frechet_distance(statistics(samples_of(np.zeros(6), a)), statistics(samples_of(np.ones(6), b)))
    want = 6 + np.trace(a + b - 2 * linalg.sqrtm(a @ b).real)
    assert got == pytest.approx(want, rel=1e-8)


def test_laws():
    x = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32) + 1000  # a large mean costs no precision
    y = np.random.default_rng(1).normal(size=(30, 5))
    assert frechet_distance(statistics(x), statistics(x[::-1], 7)) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(statistics(x), statistics(y)) == pytest.approx(
        frechet_distance(statistics(y, 4), statistics(x, 1)), rel=1e-9
    )
    np.testing.assert_allclose(statistics(x, 3).covariance, np.cov(x.astype(np.float64), rowvar=False), rtol=1e-9)
    few = statistics(y[:3])  # fewer pictures than dimensions: singular, still a real number
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-6)


def test_one_picture_is_too_few():
    with pytest.raises(EvaluationError, match="at least 2 pictures on each side; there are 1"):
        frechet_distance(statistics(np.zeros((1, 3))), statistics(np.zeros((4, 3))))
