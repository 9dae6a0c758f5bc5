"""Every loss against its formula, computed another way."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from training.tiny import CPU, EARLY, ONLY_L2, Dots, e4e_config, make

from sfe_models.checkpoints.present import MissingWeightsError
from sfe_models.domain import tiny_domain
from sfe_models.generators.stylegan2.discriminator import Discriminator
from sfe_models.perception.attribute_network import AttributeNetwork, save_attribute_network
from sfe_models.training.config import LossConfig
from sfe_models.training.errors import ConfigError
from sfe_models.training.inverter import feature_loss, ramp
from sfe_models.training.losses import (
    ATTRIBUTES_FILE,
    PictureAdversary,
    ReconstructionLoss,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    perceptual_network,
    r1_loss,
    reconstruction_loss,
)

LOGITS = torch.tensor([[-3.0], [0.0], [2.5]])


def close(got, want, tolerance=1e-5):
    torch.testing.assert_close(torch.as_tensor(got), torch.as_tensor(want), rtol=tolerance, atol=tolerance)


def normal(*size, seed=0):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


def log_sigmoid(x):
    return -math.log(1 + math.exp(-x))


def test_adversarial_losses_by_hand():
    values = LOGITS.flatten().tolist()
    close(generator_loss(LOGITS), sum(-log_sigmoid(x) for x in values) / 3)
    want = sum(-log_sigmoid(x) for x in values) / 3 + sum(-log_sigmoid(-x) for x in (1.0, -2.0)) / 2
    close(discriminator_loss(LOGITS, torch.tensor([1.0, -2.0])), want)


def test_r1_of_a_linear_discriminator():
    weight, real = normal(3 * 8 * 8), normal(5, 3, 8, 8, seed=1)
    loss = r1_loss(lambda x: x.flatten(1) @ weight, real, gamma=6.0, every=4)
    close(loss, 6.0 / 2 * 4 * weight.square().sum())


def test_r1_of_a_quadratic_discriminator_with_the_gradient_for_its_weights():
    """D(x) = x^T A x / 2 with symmetric A: |A x|^2, whose gradient for A is 2 A x x^T."""
    half, x = normal(6, 6), normal(4, 6, seed=1)
    a = (half + half.T).requires_grad_(True)
    inputs = x.clone().requires_grad_(True)
    penalty = gradient_penalty(((inputs @ a) * inputs).sum(dim=1) / 2, inputs)
    close(penalty, (x @ a).square().sum(dim=1).mean())
    penalty.backward()
    want = torch.stack([torch.outer(a.detach() @ v, v) + torch.outer(v, a.detach() @ v) for v in x]).mean(0)
    close(a.grad, want)


def test_r1_of_the_discriminator_is_that_of_finite_differences():
    torch.manual_seed(0)
    network, real, direction = Discriminator(tiny_domain(16, 4).generator).double(), normal(1, 3, 16, 16), []
    real = real.double()
    (gradient,) = torch.autograd.grad(network(real.requires_grad_(True)).sum(), real)
    for i in (0, 100, 767):
        step = torch.zeros(768, dtype=torch.float64)
        step[i] = 1e-5
        ends = [network(real.detach() + s * step.view_as(real)) for s in (1, -1)]
        direction.append((ends[0] - ends[1]).item() / 2e-5)
    close(gradient.flatten()[[0, 100, 767]], torch.tensor(direction, dtype=torch.float64), 1e-6)
    close(r1_loss(network, real, 10.0, 16), gradient.square().sum() * 80, 1e-9)


def test_feature_losses_by_hand():
    F_k, F_w = normal(2, 3, 4, 4), normal(2, 3, 4, 4, seed=1)
    close(feature_loss("norm", F_k, F_w), float((F_k**2).sum()) / F_k.numel())
    close(feature_loss("sum", F_k, F_w), float((F_k**2).sum()) / len(F_k))
    close(feature_loss("distance", F_k, F_w), float(((F_k - F_w) ** 2).sum()) / F_k.numel())


def test_ramp():
    assert [ramp(step, 4) for step in (0, 1, 2, 4, 9)] == [0, 0.25, 0.5, 1, 1]
    assert ramp(0, 0) == 1


def test_delta_norm_by_hand():
    stage, offsets = make(e4e_config(1, delta_norm=0.5)), normal(3, 6, 16)
    want = sum(math.dist(offsets[b, i], offsets[b, 0]) for b in range(3) for i in (1, 2)) / 3
    numbers = {}
    close(stage.delta_norm(offsets, 2, numbers), 0.5 * want)
    close(numbers["delta_norm"], want)
    assert stage.delta_norm(offsets, 0, {}) == 0


class Perceptual(nn.Module):
    def forward(self, a, b):
        return (a - b).abs().amax(dim=(1, 2, 3))


class Half(Perceptual):
    def forward(self, a, b):
        return super().forward(a, b) / 2


class Identity(nn.Module):
    def embed(self, image):
        return F.normalize(image.mean(dim=(2, 3)), dim=1)


def test_reconstruction_is_the_weighted_sum():
    made, target = Dots(4)[list(range(4))].image, Dots(4, first=9)[list(range(4))].image
    config = LossConfig(l2=2.0, lpips=0.5, identity=0.25, size=None, parsing=3.0)
    losses = ReconstructionLoss(config, Perceptual(), Identity(), Half())(made, target)
    close(losses["l2"], (made - target).square().mean())
    close(losses["lpips"], (made - target).abs().flatten(1).max(dim=1).values.mean())
    a, b = made.mean(dim=(2, 3)), target.mean(dim=(2, 3))
    close(losses["identity"], sum(1 - x @ y / x.norm() / y.norm() for x, y in zip(a, b, strict=True)) / 4)
    close(losses["parsing"], losses["lpips"] / 2)
    want = 2 * losses["l2"] + 0.5 * losses["lpips"] + 0.25 * losses["identity"] + 3 * losses["parsing"]
    close(losses["reconstruction"], want)
    same = ReconstructionLoss(config, Perceptual(), Identity(), Half())(made, made)
    close(same["reconstruction"], 0.0)


def test_smooth_l1_is_l2_near_zero_and_l1_far_from_it():
    made, target = torch.tensor([0.02, -0.7]).view(1, 1, 1, 2), torch.zeros(1, 1, 1, 2)
    losses = ReconstructionLoss(replace(ONLY_L2, l2=0.0, smooth_l1=2.0), None, None)(made, target)
    close(losses["smooth_l1"], (5 * 0.02**2 + 0.7 - 0.05) / 2)
    close(losses["reconstruction"], 2 * losses["smooth_l1"])


def test_pictures_are_brought_to_the_losses_size():
    made, target = (Dots(2, first=first)[[0, 1]].image for first in (0, 9))
    small = replace(ONLY_L2, size=8)
    want = (F.avg_pool2d(made, 2) - F.avg_pool2d(target, 2)).square().mean()
    close(ReconstructionLoss(small, None, None)(made, target)["l2"], want)
    wide = [x[:, :, 2:14] for x in (made, target)]  # 12 x 16 px to 6 x 8
    want = (F.avg_pool2d(wide[0], 2) - F.avg_pool2d(wide[1], 2)).square().mean()
    close(ReconstructionLoss(small, None, None)(*wide)["l2"], want)


def test_the_target_of_identity_gets_no_gradient():
    made, target = (normal(2, 3, 4, 4, seed=s).requires_grad_(True) for s in (0, 1))
    config = LossConfig(l2=0.0, lpips=0.0, identity=1.0, size=None)
    ReconstructionLoss(config, None, Identity())(made, target)["reconstruction"].backward()
    assert made.grad.any() and (target.grad is None or not target.grad.any())


def test_adversary():
    torch.manual_seed(0)
    network = Discriminator(tiny_domain(16, 4).generator)
    adversary = PictureAdversary(network, EARLY, CPU)
    assert [adversary.active(step) for step in range(4)] == [False, False, True, True]
    assert not PictureAdversary(network, replace(EARLY, weight=0.0), CPU).active(10**9)
    made, real = (Dots(4, first=first)[list(range(4))].image for first in (0, 9))
    made.requires_grad_(True)
    loss = adversary.encoder_loss(made)
    loss.backward()
    close(loss, F.softplus(-network(made)).mean())
    assert made.grad.any() and all(p.grad is None for p in network.parameters())

    numbers = adversary.backward(step=3, made=made, real=real)
    want = (F.softplus(-network(real)).mean() + F.softplus(network(made.detach())).mean()) / 2
    close(numbers["discriminator"], want)
    close(numbers["r1"], r1_loss(network, real, EARLY.r1, EARLY.r1_every))
    total = want + r1_loss(network, real, EARLY.r1, EARLY.r1_every)
    wanted = torch.autograd.grad(total, list(network.parameters()), allow_unused=True)
    for parameter, gradient in zip(network.parameters(), wanted, strict=True):
        close(parameter.grad, gradient)
    assert "r1" not in adversary.backward(step=4, made=made, real=real)


def test_attribute_network_serves_both_distances(tmp_path):
    torch.manual_seed(0)
    network = AttributeNetwork(("age", "smile"), (4, 4, 8, 8), 16)
    save_attribute_network(network, tmp_path / ATTRIBUTES_FILE)
    config = LossConfig(1.0, 1.0, 1.0, "attributes", "attributes", None)
    loss = reconstruction_loss(config, tmp_path)
    made, target = (Dots(2, first=first)[[0, 1]].image for first in (0, 9))
    made.requires_grad_(True)
    losses = loss(made, target)
    close(losses["lpips"], network.perceptual_distance(made, target).mean())
    close(losses["identity"], 1 - (network.embed(made) * network.embed(target)).sum(dim=1).mean())
    losses["reconstruction"].backward()
    assert made.grad.isfinite().all() and made.grad.any()
    assert not any(p.requires_grad for p in loss.parameters())


@pytest.mark.parametrize(
    "config, file",
    [
        (LossConfig(), "alexnet"),
        (LossConfig(perceptual_network="vgg"), "vgg16"),
        (LossConfig(lpips=0.0), "put "),
        (LossConfig(lpips=0.0, identity_network="moco"), "put "),
        (LossConfig(lpips=0.0, identity_network="mobilefacenet"), "MobileFaceNet.onnx"),
        (LossConfig(lpips=0.0, identity_network="attributes"), ATTRIBUTES_FILE),
        (replace(ONLY_L2, parsing=1.0), "parsing.pth"),
        (replace(ONLY_L2, parsing=1.0, parsing_network="small"), "model_best.pth"),
    ],
)
def test_missing_weights_are_named(tmp_path, config, file):
    with pytest.raises(MissingWeightsError, match=file) as error:
        reconstruction_loss(config, tmp_path)
    assert str(tmp_path) in str(error.value)


def test_networks_without_weight_are_not_needed(tmp_path):
    loss = reconstruction_loss(ONLY_L2, tmp_path)
    assert loss.perceptual is None and loss.identity is None


def test_unknown_networks(tmp_path):
    with pytest.raises(ConfigError, match="'squeeze'.*alex, vgg, stlpips, mobilenet or attributes"):
        perceptual_network("squeeze", tmp_path)
    with pytest.raises(ConfigError, match="identity_network is 'dlib'"):
        reconstruction_loss(LossConfig(lpips=0.0, identity_network="dlib"), tmp_path)
    with pytest.raises(ConfigError, match="parsing_network is 'farl'; expected unet or small"):
        reconstruction_loss(replace(ONLY_L2, parsing=1.0, parsing_network="farl"), tmp_path)
