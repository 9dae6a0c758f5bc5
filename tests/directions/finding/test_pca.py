"""GANSpace: the streamed PCA is numpy's, and its directions move what they say."""

import numpy as np
import pytest
import torch

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.directions.base import DirectionError
from sfe_models.directions.families.ganspace import Components
from sfe_models.directions.finding.pca import component_direction, w_components
from sfe_models.directions.finding.sampling import sample_w, sample_z
from sfe_models.domain import tiny_domain

N_STYLES = 8
SAMPLES = 2500


@pytest.fixture(scope="module")
def generator():
    return random_networks(tiny_domain(32)).generator


@pytest.fixture(scope="module")
def components(generator):
    return w_components(generator, 16, SAMPLES, seed=3)


def test_equals_numpy(generator, components):
    w = torch.cat(list(sample_w(generator, SAMPLES, 3, 512))).double().numpy()
    values, vectors = np.linalg.eigh(np.cov(w.T))
    np.testing.assert_allclose(components.mean, w.mean(0), atol=1e-6)
    np.testing.assert_allclose(components.std, np.sqrt(values[::-1]), atol=1e-5)
    np.testing.assert_allclose(np.abs(np.diag(components.comp.numpy() @ vectors[:, ::-1])), 1, atol=1e-6)


def test_equals_scikit_learn(generator, components):
    decomposition = pytest.importorskip("sklearn.decomposition")
    fitted = decomposition.PCA().fit(torch.cat(list(sample_w(generator, SAMPLES, 3, 512))).double().numpy())
    np.testing.assert_allclose(components.std, np.sqrt(fitted.explained_variance_), atol=1e-5)


def test_components_are_orthonormal(components):
    identity = torch.eye(16, dtype=torch.float64)
    torch.testing.assert_close(components.comp @ components.comp.T, identity, rtol=0, atol=1e-12)


@pytest.mark.parametrize("batch_size", [7, 300, 5000])
def test_batch_size_does_not_matter(generator, components, batch_size):
    other = w_components(generator, 16, SAMPLES, seed=3, batch_size=batch_size)
    for name in ("comp", "mean", "std"):
        torch.testing.assert_close(getattr(other, name), getattr(components, name), rtol=0, atol=1e-5)


def test_samples_depend_on_the_seed_alone():
    whole = torch.cat(list(sample_z(5, 3000, 1, 4096)))
    assert torch.equal(torch.cat(list(sample_z(5, 3000, 1, 13))), whole)
    assert torch.equal(torch.cat(list(sample_z(5, 40, 1, 16))), whole[:40])
    assert not torch.equal(torch.cat(list(sample_z(5, 40, 2, 16))), whole[:40])


def test_same_seed_same_result(generator, components):
    again = w_components(generator, 16, SAMPLES, seed=3)
    assert torch.equal(again.comp, components.comp) and torch.equal(again.std, components.std)


def test_progress(generator):
    seen = []
    w_components(generator, 2, 100, batch_size=40, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(40, 100), (80, 100), (100, 100)]


def test_only_the_layers_move(components):
    w_plus = torch.randn(2, N_STYLES, 16)
    direction = component_direction(components, 0, N_STYLES, "test", 2, 5)
    changed = (direction.move(w_plus, torch.full((2,), 3.0)) != w_plus).any(dim=2).any(dim=0)
    assert changed.nonzero()[:, 0].tolist() == [2, 3, 4]
    assert (direction.info.family, direction.info.subject) == ("ganspace", "test")


def test_added_component_counts_in_standard_deviations(components):
    w_plus = torch.randn(2, N_STYLES, 16)
    direction = component_direction(components, 1, N_STYLES, "test")
    assert torch.equal(direction.move(w_plus, torch.zeros(2)), w_plus)
    moved = direction.move(w_plus, torch.full((2,), 1.5))
    along = (moved - w_plus)[:, 0].double() @ components.comp[1] / components.std[1]
    torch.testing.assert_close(along, torch.full((2,), 1.5).double(), rtol=0, atol=1e-4)


@pytest.mark.parametrize("count, samples", [(0, 100), (17, 100), (4, 4)])
def test_bad_counts(generator, count, samples):
    with pytest.raises(DirectionError, match="components"):
        w_components(generator, count, samples)


def test_bad_batch(generator):
    with pytest.raises(DirectionError, match="batches of 0"):
        w_components(generator, 2, 100, batch_size=0)


@pytest.mark.parametrize(
    "component, first, end, message",
    [(16, 0, 8, "0 to 15"), (-1, 0, 8, "0 to 15"), (0, 5, 5, "No layer"), (0, 0, 9, "8")],
)
def test_bad_directions(components, component, first, end, message):
    with pytest.raises(DirectionError, match=message):
        component_direction(components, component, N_STYLES, "test", first, end)


def test_component_without_variance():
    flat = Components(torch.eye(4), torch.zeros(4), torch.tensor([1.0, 0, 0, 0]))
    with pytest.raises(DirectionError, match="no variance"):
        component_direction(flat, 1, N_STYLES, "test")


def test_mapping_that_is_not_finite():
    broken = random_networks(tiny_domain(32)).generator
    broken.style[1].bias[0] = float("inf")
    with pytest.raises(DirectionError, match="not finite"):
        w_components(broken, 2, 50)
