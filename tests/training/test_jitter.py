"""Small changes of training pictures."""

import torch

from sfe_models.training.data import Batch
from sfe_models.training.jitter import jitter, jittered


def smooth(count=4, side=64):
    x = torch.linspace(-1, 1, side)
    return (0.5 * torch.sin(3 * x)[:, None] * torch.cos(2 * x)).expand(count, 3, side, side).clone()


def test_pictures_change_a_little_each_in_its_own_way():
    torch.manual_seed(0)
    pictures = smooth()
    made = jitter(pictures)
    off = (made - pictures).abs().mean(dim=(1, 2, 3))
    assert ((off > 0.005) & (off < 0.2)).all() and off.unique().numel() == 4
    assert made.shape == pictures.shape and made.abs().max() <= 1
    torch.manual_seed(0)
    assert torch.equal(jitter(pictures), made)


def test_the_whole_picture_moves_together():
    """A point is found again within the reach of turn, enlargement and shift."""
    torch.manual_seed(1)
    pictures = torch.full((8, 3, 65, 65), -1.0)
    pictures[:, :, 30:35, 30:35] = 1
    bright = jitter(pictures).mean(dim=1) + 1
    rows = (bright.sum(2) * torch.arange(65.0)).sum(1) / bright.sum((1, 2))
    assert ((rows - 32).abs() < 0.03 * 32 + 1).all() and (rows - 32).abs().max() > 0.05


def test_samples_stay_what_their_codes_make():
    batch = Batch(smooth(3), code=torch.zeros(2, 4, 8))
    made = jittered(batch)
    assert torch.equal(made.image[:2], batch.image[:2]) and not torch.equal(made.image[2], batch.image[2])
    assert made.code is batch.code
