"""Details painted onto pictures: seeded, each picture for itself, and most of it left as it was."""

import torch

from sfe_models.demo.painted import paint_details


def pictures(count):
    """Smooth pictures of 128 px, dark to light."""
    line = torch.linspace(-0.6, 0.6, 128)
    return torch.stack([(line[None] * (i + 1) / count + 0.3 * line[:, None]).expand(3, 128, 128) for i in range(count)])


def test_the_seed_decides():
    image = pictures(1)
    painted = paint_details(image, 3)
    assert torch.equal(painted, paint_details(image, 3)) and not torch.equal(painted, paint_details(image, 4))
    assert painted.shape == image.shape and painted.abs().max() <= 1


def test_a_batch_is_painted_as_each_by_itself():
    image = pictures(3)
    alone = torch.cat([paint_details(one[None], 5) for one in image])
    torch.testing.assert_close(paint_details(image, 5), alone, rtol=0, atol=1e-6)


def test_details_cover_some_of_the_picture():
    image = pictures(1)
    for seed in range(6):
        changed = ((paint_details(image, seed) - image).abs() > 0.02).any(dim=1).float().mean()
        assert 0.05 < changed < 0.35
