"""Folding BatchNorm changes the structure, not the numbers."""

import copy

import pytest
import torch
from torch import nn

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.domain import tiny_domain
from sfe_models.networks import SFENetworks
from sfe_models.nn.folding import fold_batchnorm


@pytest.fixture(scope="module")
def pair():
    plain = random_networks(tiny_domain(64), folded=False).eval()
    return plain, copy.deepcopy(plain).fold()


def test_folded_networks_agree(pair, image):
    plain, folded = pair
    picture = image[:, :, :64, :64]
    torch.testing.assert_close(folded.e4e_encoder(picture), plain.e4e_encoder(picture), rtol=1e-5, atol=1e-5)
    for got, want in zip(folded.inverter(picture), plain.inverter(picture), strict=True):
        torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-5)
    features = torch.randn(2, 2, 16, 16, 16, generator=torch.Generator().manual_seed(0))
    want = plain.feature_editor(*features)
    torch.testing.assert_close(folded.feature_editor(*features), want, rtol=1e-5, atol=1e-5)


def test_nothing_of_batchnorm_is_left(pair):
    plain, folded = pair
    assert folded.folded and not plain.folded
    assert not any("running_mean" in key for key in folded.state_dict())


def test_structure_folds_without_numbers(pair):
    empty = SFENetworks.empty(tiny_domain(64), folded=True)
    want = {key: tensor.shape for key, tensor in pair[1].state_dict().items()}
    assert {key: tensor.shape for key, tensor in empty.state_dict().items()} == want


def test_unknown_structure_is_refused():
    class Other(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm2d(2)

    with pytest.raises(TypeError, match="Other"):
        fold_batchnorm(Other())
