"""Pictures of what an edit touches."""

import torch

from sfe_models.domain import tiny_domain
from sfe_models.pictures.overlays import heat_over, protected_over


def test_no_delta_leaves_the_picture_darkened():
    spec = tiny_domain(64)
    picture = torch.rand(2, 3, 32, 32) * 2 - 1
    delta = torch.zeros(2, spec.feature_channels, spec.feature_resolution, spec.feature_resolution)
    drawn = heat_over(picture, delta, spec)
    torch.testing.assert_close((drawn + 1) / 2, (picture + 1) / 2 * 0.6)


def test_the_largest_delta_covers_the_picture():
    spec = tiny_domain(64)
    side = spec.feature_resolution
    delta = torch.zeros(1, spec.feature_channels, side, side)
    delta[..., : side // 2] = 1
    drawn = heat_over(torch.full((1, 3, 64, 64), -1.0), delta, spec)
    assert (drawn[..., 0] == 1).all() and (drawn[..., -1] == -1).all()


def test_what_may_change_is_left_and_the_rest_is_dark_grey():
    picture = torch.rand(2, 3, 32, 48) * 2 - 1
    torch.testing.assert_close(protected_over(picture, torch.ones(1, 8, 8)), picture)
    grey = protected_over(picture, torch.zeros(2, 16, 24))
    assert (grey[:, 0] == grey[:, 1]).all() and grey.max() <= 0.35 * 2 - 1 + 1e-6
