"""Soft edges."""

import torch

from sfe_models.faces.mask.soft import feathered


def test_no_feather_changes_nothing():
    mask = torch.rand(2, 20, 30, generator=torch.Generator().manual_seed(0))
    assert torch.equal(feathered(mask, 0.0), mask)


def test_flat_masks_stay_flat():
    assert torch.allclose(feathered(torch.ones(1, 64, 64), 0.1), torch.ones(1, 64, 64))
    assert not feathered(torch.zeros(1, 64, 64), 0.1).any()


def test_an_edge_becomes_a_ramp_about_its_place():
    mask = torch.zeros(1, 64, 64)
    mask[:, :, 32:] = 1
    row = feathered(mask, 0.1)[0, 10]
    assert (row.diff() >= -1e-6).all()
    assert row[0] == 0 and torch.isclose(row[-1], torch.tensor(1.0))
    assert torch.allclose(row[31] + row[32], torch.tensor(1.0), atol=1e-5)


def test_batch_equals_loop():
    masks = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(feathered(masks, 0.2), torch.cat([feathered(m[None], 0.2) for m in masks]), atol=1e-6)
