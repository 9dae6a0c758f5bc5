"""The squares that face networks look at: laws of resampling."""

import pytest
import torch

from sfe_models.perception.views import View, checked_pictures


def test_the_whole_picture_at_its_size_is_itself(faces):
    assert torch.allclose(View(0.5, 0.5, 1.0, 96)(faces), faces, atol=1e-6)


def test_halving_the_whole_picture_weighs_neighbours_as_a_triangle():
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    assert torch.allclose(View(0.5, 0.5, 1.0, 4)(ramp)[0, 0, 0, 1:3], torch.tensor([2.5, 4.5]))


def test_a_square_shows_what_lies_there(faces):
    view = View(0.25, 0.75, 0.5, 48)
    assert torch.allclose(view(faces), faces[:, :, 48:, :48], atol=1e-6)


@pytest.mark.parametrize("side", [0.3, 0.9, 1.4])
def test_constants_stay_constant_beyond_the_edge_too(side):
    assert torch.allclose(View(0.4, 0.8, side, 32)(torch.full((1, 3, 50, 50), 0.3)), torch.tensor(0.3))


def test_the_size_of_the_crop_does_not_matter(faces):
    larger = torch.nn.functional.interpolate(faces, scale_factor=4, mode="bilinear", align_corners=False)
    view = View(0.5, 0.6, 0.6, 32)
    assert (view(faces) - view(larger)).abs().max() < 0.02


def test_gradients_reach_the_pixels_that_are_seen_alone(faces):
    picture = faces.clone().requires_grad_()
    View(0.25, 0.25, 0.4, 16)(picture).sum().backward()
    assert (picture.grad[:, :, 8:40, 8:40] > 0).all() and not picture.grad[:, :, 48:].any()


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 4, 32, 32), (1, 3, 8, 32)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected \[B,3,H,W\]"):
        checked_pictures(torch.zeros(shape))
