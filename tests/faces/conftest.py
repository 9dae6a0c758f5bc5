"""What the tests of faces share."""

import pytest
import torch

from sfe_models.faces.alignment import align_face

FIVE = torch.tensor([[60.0, 62.0], [92.0, 58.0], [78.0, 80.0], [66.0, 98.0], [92.0, 94.0]])


@pytest.fixture
def five():
    """Five landmarks of a slightly turned face in a photo of 160 x 140 px."""
    return FIVE.clone()


@pytest.fixture
def photo():
    """A seeded photo [3,140,160] with large and small structure, in [0,1]."""
    random = torch.Generator().manual_seed(5)
    coarse = torch.rand(1, 3, 9, 10, generator=random)
    smooth = torch.nn.functional.interpolate(coarse, size=(140, 160), mode="bicubic", align_corners=False)[0]
    return (smooth + 0.01 * torch.randn(3, 140, 160, generator=random)).clamp(0, 1)


@pytest.fixture
def alignment(five, photo):
    return align_face(five, tuple(photo.shape[1:]), (64, 64))
