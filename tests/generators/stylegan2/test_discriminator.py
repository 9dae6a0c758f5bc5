"""Laws of the discriminator."""

import pytest
import torch

from sfe_models.domain import StyleGAN2Spec
from sfe_models.generators.stylegan2.discriminator import Discriminator


@pytest.fixture(scope="module")
def discriminator():
    torch.manual_seed(0)
    return Discriminator(StyleGAN2Spec(32, (8, 8, 8, 8)))


def test_one_logit_per_picture(discriminator):
    assert discriminator(torch.randn(4, 3, 32, 32)).shape == (4, 1)


def test_minibatch_statistic_reads_the_group(discriminator):
    same = torch.randn(1, 3, 32, 32).expand(4, -1, -1, -1)
    torch.testing.assert_close(discriminator(same)[:1], discriminator(same[:1]), rtol=1e-3, atol=1e-4)
    mixed = torch.cat([same[:1], torch.randn(3, 3, 32, 32)])
    assert not torch.allclose(discriminator(mixed)[0], discriminator(same)[0], rtol=1e-3, atol=1e-4)


def test_odd_batch_is_refused(discriminator):
    with pytest.raises(ValueError, match="batch of 6"):
        discriminator(torch.randn(6, 3, 32, 32))


@torch.enable_grad()
def test_r1_gradient_exists(discriminator):
    image = torch.randn(2, 3, 32, 32, requires_grad=True)
    (gradient,) = torch.autograd.grad(discriminator(image).sum(), image, create_graph=True)
    gradient.square().sum().backward()
    assert discriminator.b32.conv0.weight.grad.abs().sum() > 0
