"""IMAGE and MASK as other packs send them."""

import logging

import pytest
import torch


@pytest.fixture
def pictures(pack):
    return pack("nodes.pictures")


IMAGE = torch.rand(2, 8, 8, 3, generator=torch.Generator().manual_seed(0))


def test_an_image_in_its_range_is_the_same(pictures):
    assert torch.equal(pictures.channels_first(IMAGE), IMAGE.movedim(-1, 1))


@pytest.mark.parametrize("far", [(IMAGE * 255).to(torch.uint8), IMAGE * 255, IMAGE * 4 - 1])
def test_another_range_is_refused(pictures, far):
    with pytest.raises(ValueError, match=r"'photo' has values from .*; expected \[0,1\]"):
        pictures.channels_first(far, "photo")
    with pytest.raises(ValueError, match=r"'mask' has values from .*; expected \[0,1\]"):
        pictures.masks_of(far[..., 0])


def test_a_little_outside_is_clamped_with_a_warning(pictures, caplog):
    with caplog.at_level(logging.WARNING):
        assert pictures.channels_first(IMAGE * 1.4 - 0.2).aminmax() == (0, 1)
    assert "'image' has values from -0.19" in caplog.text
