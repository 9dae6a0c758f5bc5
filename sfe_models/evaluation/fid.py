"""The Frechet inception distance (Heusel et al. 2017): statistics of features, and the distance of two Gaussians."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from .errors import EvaluationError


class FeatureStatistics:
    """Mean and covariance of feature vectors, accumulated in float64 a batch at a time.

    Sums are taken around the first vector of all, so that large means cost no precision.
    """

    def __init__(self, dimensions: int):
        self.count = 0
        self._origin = np.zeros(dimensions)
        self._sum = np.zeros(dimensions)
        self._outer = np.zeros((dimensions, dimensions))

    def add(self, features: np.ndarray) -> FeatureStatistics:
        """Add feature vectors [B,D]; returns itself."""
        features = np.asarray(features, dtype=np.float64)
        if not self.count and len(features):
            self._origin = features[0].copy()
        centred = features - self._origin
        self.count += len(features)
        self._sum += centred.sum(axis=0)
        self._outer += centred.T @ centred
        return self

    @property
    def mean(self) -> np.ndarray:
        """Mean [D]."""
        return self._origin + self._sum / self.count

    @property
    def covariance(self) -> np.ndarray:
        """Unbiased covariance [D,D]; EvaluationError for fewer than two vectors."""
        if self.count < 2:
            raise EvaluationError(f"FID needs at least 2 pictures on each side; there are {self.count}.")
        return (self._outer - np.outer(self._sum, self._sum) / self.count) / (self.count - 1)


def frechet_distance(a: FeatureStatistics, b: FeatureStatistics) -> float:
    """Return |mean_a - mean_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)).

    The trace of the root is the sum of the roots of the eigenvalues of C_a^(1/2) C_b C_a^(1/2), a symmetric matrix with
    the same ones as C_a C_b, so that nothing becomes complex where covariances are singular.
    """
    values, vectors = linalg.eigh(a.covariance)
    root = vectors * np.sqrt(values.clip(0))
    eigenvalues = linalg.eigvalsh(root.T @ b.covariance @ root)
    trace = np.trace(a.covariance) + np.trace(b.covariance) - 2 * np.sqrt(eigenvalues.clip(0)).sum()
    return float(np.square(a.mean - b.mean).sum() + trace)
