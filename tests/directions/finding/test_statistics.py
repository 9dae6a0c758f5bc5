"""The statistic of style channels is numpy's, whatever the batch."""

import numpy as np
import pytest
import torch

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.directions.base import DirectionError
from sfe_models.directions.finding.sampling import sample_w
from sfe_models.directions.finding.statistics import ChannelStatistics, channel_statistics
from sfe_models.domain import tiny_domain
from sfe_models.generators.base import StyleSpace


@pytest.fixture(scope="module")
def generator():
    return random_networks(tiny_domain(32)).generator


def test_equals_numpy(generator):
    got = channel_statistics(generator, count=300, seed=3, truncation=0.5, batch_size=300)
    (w,) = sample_w(generator, 300, seed=3, batch_size=300, truncation=0.5)
    styles = generator.style_space(generator.broadcast(w))
    for kind, expected in (("mean", np.mean), ("std", np.std)):
        found = getattr(got, kind)
        for a, b in zip((*found.convs, *found.rgbs), (*styles.convs, *styles.rgbs), strict=True):
            assert np.allclose(a[0].numpy(), expected(b.double().numpy(), axis=0), rtol=1e-5, atol=1e-6)


def test_batches_equal_all_at_once(generator):
    one, other = (channel_statistics(generator, count=100, batch_size=size) for size in (100, 7))
    for kind in ("mean", "std"):
        a, b = (torch.cat(getattr(found, kind).convs, 1) for found in (one, other))
        assert torch.allclose(a, b, rtol=1e-5, atol=1e-6)


def test_what_cannot_be_is_refused(generator):
    with pytest.raises(DirectionError, match="1 samples"):
        channel_statistics(generator, count=1)
    fine, bad = StyleSpace((torch.ones(1, 2),), ()), StyleSpace((torch.tensor([[1.0, -1.0]]),), ())
    with pytest.raises(DirectionError, match="negative standard deviations"):
        ChannelStatistics(fine, bad)
    with pytest.raises(DirectionError, match="mean of style vector 0"):
        ChannelStatistics(bad.map(lambda s: s / 0), fine)
