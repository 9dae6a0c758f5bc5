"""The transform between photo and crop."""

import math

import pytest
import torch

from sfe_models.faces.crop.alignment import FaceAlignment, align_face
from sfe_models.faces.errors import FaceError


def test_identity_shows_the_whole_photo():
    one = FaceAlignment.identity((30, 40))
    assert one.is_identity
    assert one.quad().tolist() == [[0, 0], [0, 30], [40, 30], [40, 0]]


def test_to_crop_undoes_to_photo(alignment):
    units = torch.rand(50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 2 - 0.5
    assert torch.allclose(alignment.to_crop(alignment.to_photo(units)), units, atol=1e-12)


def test_an_upright_face_gets_an_upright_square_about_it():
    points = torch.tensor([[40.0, 50.0], [60.0, 50.0], [50.0, 60.0], [42.0, 72.0], [58.0, 72.0]])
    one = align_face(points, (100, 100), (64, 64))
    half = max(2.0 * 20, 1.8 * 22)
    assert one.right == pytest.approx((2 * half, 0))
    assert one.down == pytest.approx((0, 2 * half))
    assert one.corner == pytest.approx((50 - half, 50 + 2.2 - half))


def test_the_alignment_turns_and_scales_with_the_face(five):
    one = align_face(five, (140, 160), (64, 64))
    turn = torch.tensor([[math.cos(0.7), -math.sin(0.7)], [math.sin(0.7), math.cos(0.7)]], dtype=torch.float64)
    other = align_face(five.double() @ turn.T * 3, (140, 160), (64, 64))
    assert torch.allclose(other.quad(), one.quad() @ turn.T * 3)


def test_another_shape_is_refused(alignment):
    assert alignment.resized((128, 128)).right == alignment.right
    with pytest.raises(FaceError, match="same shape"):
        alignment.resized((64, 48))


def test_a_crop_that_is_no_square_is_refused(five):
    with pytest.raises(FaceError, match="squares"):
        align_face(five, (140, 160), (48, 64))
