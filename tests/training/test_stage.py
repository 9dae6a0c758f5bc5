"""What all stages share: averages, learning rates, optimizers."""

import pytest
import torch
from torch import nn
from training.tiny import ALONE, CPU, short

from sfe_models.training.config import OptimizerConfig
from sfe_models.training.errors import ConfigError
from sfe_models.training.stage import Stage, decay_factor, make_optimizer


class Fixed(Stage):
    """One weight and one buffer."""

    def __init__(self, halflife, batch=4):
        super().__init__(short(10, batch, ema_halflife=halflife), CPU, ALONE)
        self.network = nn.Linear(1, 1, bias=False)
        self.network.register_buffer("seen", torch.zeros(1))
        nn.init.zeros_(self.network.weight)
        self.networks = {"network": self.network}
        self.average("network")

    def step(self, number, batch):
        raise NotImplementedError

    samples = step


@pytest.mark.parametrize("batch", [1, 4])
def test_half_of_the_old_weight_is_left_after_the_halflife(batch):
    stage = Fixed(40, batch)
    nn.init.ones_(stage.network.weight)  # the average is still 0
    late = 10**5
    for step in range(late, late + 40 // batch):
        stage.update_averages(step)
    assert float(stage.averages["network"].weight.detach()) == pytest.approx(0.5, abs=1e-5)


def test_the_start_is_forgotten_faster():
    """Early on the half-life is a twentieth of the pictures so far."""
    stage = Fixed(10**6, batch=100)
    nn.init.ones_(stage.network.weight)
    for step in range(200):
        stage.update_averages(step)
    assert float(stage.averages["network"].weight.detach()) > 0.99


def test_buffers_are_copied_and_the_network_is_not_the_average():
    stage = Fixed(1000)
    stage.network.seen.fill_(3.0)
    nn.init.ones_(stage.network.weight)
    stage.update_averages(10**5)
    average = stage.averages["network"]
    assert float(average.seen) == 3 and 0 < float(average.weight.detach()) < 0.01
    assert stage.averaged("network") is average and not average.weight.requires_grad
    assert float(stage.network.weight.detach()) == 1


def test_without_a_halflife_the_network_is_its_own_average():
    stage = Fixed(0)
    stage.update_averages(5)
    assert not stage.averages and stage.averaged("network") is stage.network


def test_decay_factor():
    assert [decay_factor(step, 100, 0.0) for step in (0, 99, 100)] == [1, 1, 1]
    assert [decay_factor(step, 100, 0.4) for step in (0, 60)] == [1, 1]
    assert decay_factor(80, 100, 0.4) == pytest.approx(0.5)
    assert decay_factor(100, 100, 0.4) == pytest.approx(0.0)
    assert decay_factor(50, 100, 1.0) == pytest.approx(0.5)
    falling = [decay_factor(step, 100, 0.4) for step in range(60, 101)]
    assert falling == sorted(falling, reverse=True)


def test_schedule_sets_the_rate_of_every_group():
    stage = Fixed(0)
    config = OptimizerConfig("adam", 0.1, decay=0.5)
    stage.optimizers = {"network": make_optimizer(config, stage.network.parameters())}
    rates = []
    for step in (0, 5, 9):
        stage.schedule("network", config, step)
        rates.append(stage.optimizers["network"].param_groups[0]["lr"])
    assert rates[:2] == [0.1, 0.1] and 0 < rates[2] < 0.02


def ranger_by_hand(weight, gradients, lr, beta1, beta2, eps=1e-5):
    """RAdam (Liu et al. 2020, algorithm 2), lookahead (Zhang et al. 2019) of 6 steps and 1/2, centred gradients."""
    weight, path = weight.double(), []
    slow, m, v = weight.clone(), torch.zeros_like(weight), torch.zeros_like(weight)
    longest = 2 / (1 - beta2) - 1
    for t, gradient in enumerate(gradients, 1):
        gradient = gradient.double() - gradient.double().mean(dim=1, keepdim=True)
        m, v = beta1 * m + (1 - beta1) * gradient, beta2 * v + (1 - beta2) * gradient**2
        length = longest - 2 * t * beta2**t / (1 - beta2**t)
        step = m / (1 - beta1**t)
        if length >= 5:
            rectification = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            step = step * (rectification * (1 - beta2**t)) ** 0.5 / (v.sqrt() + eps)
        weight = weight - lr * step
        if t % 6 == 0:
            weight = slow = slow + (weight - slow) / 2
        path.append(weight)
    return path


def test_ranger_is_radam_with_lookahead_and_centred_gradients():
    random = torch.Generator().manual_seed(0)
    weight = nn.Parameter(torch.randn(3, 4, generator=random))
    gradients = [torch.randn(3, 4, generator=random) for _ in range(20)]
    want = ranger_by_hand(weight.detach(), gradients, 0.01, 0.95, 0.999)
    optimizer = make_optimizer(OptimizerConfig("ranger", 0.01), [weight])
    for gradient, step in zip(gradients, want, strict=True):
        weight.grad = gradient.clone()
        optimizer.step()
        torch.testing.assert_close(weight.detach().double(), step, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["ranger", "adam"])
def test_optimizers_go_downhill_from_the_first_step(name):
    weight = nn.Parameter(torch.full((3,), 5.0))
    optimizer = make_optimizer(OptimizerConfig(name, 0.01), [weight])
    height = float(weight.detach().square().sum())
    for _ in range(5):
        weight.grad = 2 * weight.detach()
        optimizer.step()
        height, before = float(weight.detach().square().sum()), height
        assert height < before


def test_unknown_optimizer():
    with pytest.raises(ConfigError, match="'sgd'.*'ranger' or 'adam'"):
        make_optimizer(OptimizerConfig("sgd"), [nn.Parameter(torch.zeros(1))])
