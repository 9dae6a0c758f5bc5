"""Details painted onto training pictures."""

import pytest
import torch

from sfe_models.training.painted import paint_over

PICTURES = torch.rand(6, 3, 64, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1


def painted(share, seed):
    torch.manual_seed(seed)
    return paint_over(PICTURES, share)


def test_nothing_is_painted_onto_no_picture():
    assert torch.equal(painted(0.0, 1), PICTURES)


@pytest.mark.parametrize("seed", range(8))
def test_what_is_painted_hides_a_part_and_stays_a_picture(seed):
    got = painted(1.0, seed)
    changed = (got != PICTURES).any(dim=1).flatten(1).float().mean(dim=1)
    assert got.shape == PICTURES.shape and got.abs().max() <= 1
    assert (changed > 0).sum() >= 5, "a word may lie outside of the picture, hardly more than one of six"
    assert (changed < 0.6).all()


def test_the_same_seed_paints_the_same_and_the_pictures_stay():
    before = PICTURES.clone()
    assert torch.equal(painted(0.5, 3), painted(0.5, 3)) and not torch.equal(painted(0.5, 3), painted(0.5, 4))
    assert torch.equal(PICTURES, before)


def test_the_share_is_kept():
    counts = [(painted(0.3, seed) != PICTURES).flatten(1).any(dim=1).sum().item() for seed in range(60)]
    assert 0.2 < sum(counts) / (60 * len(PICTURES)) < 0.4
