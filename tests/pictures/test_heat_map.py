"""The picture that Compute Δ shows."""

import torch

from sfe_models.domain import CARS_512, tiny_domain
from sfe_models.pictures.heat_map import heat_map


def test_nothing_is_black_and_the_most_is_white():
    spec = tiny_domain(64)
    side = spec.feature_resolution
    delta = torch.zeros(2, spec.feature_channels, side, side)
    delta[1, :, 3, 4] = -2.0
    pictures = heat_map(delta, spec)
    assert pictures.shape == (2, 3, 64, 64)
    assert (pictures[0] == -1).all()
    assert pictures[1].min() == -1 and pictures[1].max() == 1
    row, column = divmod(int(pictures[1].sum(dim=0).argmax()), 64)
    scale = 64 // side
    assert (row // scale, column // scale) == (3, 4)


def test_wide_pictures_show_their_band_of_the_square():
    delta = torch.zeros(1, 1, 64, 64)
    delta[:, :, :8] = 1  # above the band of 48 rows
    pictures = heat_map(delta, CARS_512)
    assert pictures.shape == (1, 3, 384, 512)
    assert (pictures == -1).all()
