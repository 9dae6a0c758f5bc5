"""Pictures of nobody, drawn by generators."""

import pytest
import torch

from sfe_models.checkpoints.load import load_networks
from sfe_models.drawn import drawn_people


@pytest.fixture(scope="module")
def networks():
    return load_networks("demo", torch.float32)


def test_a_person_is_the_same_alone_and_in_a_batch(networks):
    together = drawn_people(networks.generator, networks.spec, [3, 4])
    alone = torch.cat([drawn_people(networks.generator, networks.spec, [seed]) for seed in (3, 4)])
    assert together.shape == (2, 3, 128, 128) and together.abs().max() <= 1
    assert torch.allclose(together, alone, atol=1e-4)
    assert (together[0] - together[1]).abs().mean() > 0.05
