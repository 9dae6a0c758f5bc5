"""Every stage learns, and a run that was stopped goes on as if it had not been."""

import signal
from dataclasses import replace

import pytest
import torch
from training.tiny import (
    ALONE,
    CPU,
    SPEC,
    Dots,
    e4e_config,
    editor_config,
    gan_config,
    inverter_config,
    log,
    make,
    short,
)

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.demo.attributes import NAMES, sample_portraits
from sfe_models.domain import tiny_domain
from sfe_models.training.attributes import AttributesStage, explained_variance, normalised
from sfe_models.training.checkpoint import load_checkpoint
from sfe_models.training.config import AdversarialConfig, AttributesConfig, OptimizerConfig
from sfe_models.training.data import RenderedPortraits
from sfe_models.training.loop import train

DOTS = Dots(24)


def made_pictures():
    """Pictures of the generator that `make` gives the stages: those that it can make again."""
    pictures = Dots(24)
    generator = random_networks(SPEC, folded=False).generator
    with torch.no_grad():
        pictures.image = generator(generator.broadcast(generator.mapping(pictures.z)))
    return pictures


CALM = {"feature_ramp": 0, "adversarial": AdversarialConfig(weight=0.0)}
LEARNING = {
    "gan": (gan_config(40, batch=8, paired=1.0, adversarial=0.0, path_length=0.0, mapping_rate=30.0), "paired"),
    "e4e": (e4e_config(40, batch=8, progressive_start=10), "reconstruction"),
    "inverter": (inverter_config(40, batch=8, **CALM), "reconstruction"),
    "editor": (editor_config(40, batch=8, **CALM), "reconstruction"),
}
RESUMING = {
    "gan": gan_config(13),
    "e4e": e4e_config(13),
    "inverter": inverter_config(13),
    "editor": editor_config(13),
    "drifting editor": editor_config(13, inverter_statistics="drifting", optimizer=OptimizerConfig("adam", 1e-3)),
}


def first_and_last(numbers, count=8):
    return sum(numbers[:count]) / count, sum(numbers[-count:]) / count


@pytest.mark.parametrize("name", LEARNING)
def test_loss_falls(name, tmp_path):
    config, loss = LEARNING[name]
    train(make(config), config, DOTS if name == "gan" else made_pictures(), tmp_path)
    first, last = first_and_last(log(tmp_path)[loss])
    assert last < 0.8 * first


def test_an_adversarial_generator_comes_closer_to_the_pictures(tmp_path):
    """Its own losses need not fall; the distance of its pictures' mean and spread to the true ones does."""
    config = gan_config(60, batch=8, ada_target=None, lr=5e-3)
    stage, moments = make(config), []

    def distance():
        with torch.no_grad():
            z = torch.randn(64, 16, generator=torch.Generator().manual_seed(0))
            made = stage.generator(stage.generator.broadcast(stage.generator.mapping(z)))
        return (made.mean(0) - DOTS.image.mean(0)).abs().mean() + (made.std(0) - DOTS.image.std(0)).abs().mean()

    moments.append(distance())
    train(stage, config, DOTS, tmp_path)
    moments.append(distance())
    assert moments[1] < 0.6 * moments[0]


def test_attribute_network_learns_rendered_portraits(tmp_path):
    domain = tiny_domain(32, 40)
    config = AttributesConfig(domain, short(30, 8), OptimizerConfig("adam", 3e-3, (0.9, 0.99)), (4, 4, 8, 8))
    portraits = RenderedPortraits(16, 32, details=True, latent_dim=40)
    train(AttributesStage(config, CPU, ALONE), config, portraits, tmp_path)
    first, last = first_and_last(log(tmp_path)["error"])
    assert last < 0.8 * first


def assert_same(got, want, where=""):
    assert type(got) is type(want), where
    if isinstance(want, torch.Tensor):
        assert got.dtype == want.dtype and torch.equal(got, want), where
    elif isinstance(want, dict):
        assert got.keys() == want.keys(), where
        for key in want:
            assert_same(got[key], want[key], f"{where}.{key}")
    elif isinstance(want, list | tuple):
        assert len(got) == len(want), where
        for i, (a, b) in enumerate(zip(got, want, strict=True)):
            assert_same(a, b, f"{where}.{i}")
    else:
        assert got == want, where


@pytest.mark.parametrize("name", RESUMING)
def test_a_resumed_run_is_bit_identical_to_one_without_a_break(name, tmp_path):
    """Ranger's lookahead comes every 6 steps: the breaks fall before, on and after one."""
    config = RESUMING[name]
    train(make(config), config, DOTS, tmp_path / "whole")
    for part, steps in enumerate((4, 2, 3, 4)):  # each from other weights: what is not loaded shows
        train(make(config, seed=part), config, DOTS, tmp_path / "parts", stop_after=steps)
    whole, parts = (load_checkpoint(tmp_path / run) for run in ("whole", "parts"))
    assert whole["averages"] and whole["step"] == 13
    assert_same(parts, whole)
    assert log(tmp_path / "whole") == log(tmp_path / "parts")


def test_ctrl_c_keeps_the_step_in_progress_and_the_run_goes_on(tmp_path):
    config, before = RESUMING["e4e"], signal.getsignal(signal.SIGINT)
    train(make(config), config, DOTS, tmp_path / "whole")
    stage = make(config)
    step = stage.step

    def interrupted(number, batch):
        if number == 5:
            signal.raise_signal(signal.SIGINT)
        return step(number, batch)

    stage.step = interrupted
    with pytest.raises(KeyboardInterrupt):
        train(stage, config, DOTS, tmp_path / "parts")
    assert load_checkpoint(tmp_path / "parts")["step"] == 6
    assert signal.getsignal(signal.SIGINT) is before
    train(make(config, seed=1), config, DOTS, tmp_path / "parts")
    assert_same(load_checkpoint(tmp_path / "parts"), load_checkpoint(tmp_path / "whole"))


def test_a_checkpoint_with_a_changed_byte_is_named(tmp_path):
    config = RESUMING["e4e"]
    path = train(make(config), config, DOTS, tmp_path, stop_after=1)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"last.pt cannot be read.*is not what was written"):
        load_checkpoint(path)


def test_what_the_resumed_runs_went_through(tmp_path):
    """That the runs above have something to remember."""
    for name in ("gan", "e4e", "inverter"):
        config = RESUMING[name]
        train(make(config), config, DOTS, tmp_path / name)
    gan, e4e, inverter = (load_checkpoint(tmp_path / name) for name in ("gan", "e4e", "inverter"))
    assert gan["extra"]["augment_p"] > 0 and gan["extra"]["path_mean"] > 0
    assert {"path_length", "r1", "augmentation"} <= log(tmp_path / "gan").keys()
    assert len(e4e["extra"]["real_pool"]) == 6 and log(tmp_path / "e4e")["stage"][-1] == 4
    assert {"adversarial", "r1"} <= log(tmp_path / "inverter").keys()
    states = inverter["optimizers"]["inverter"]["state"]
    assert any("slow_buffer" in state for state in states.values())


@pytest.mark.parametrize("name", RESUMING)
def test_samples_are_rows_of_pictures_and_change_nothing(name):
    stage = make(RESUMING[name])
    before = [{k: v.clone() for k, v in n.state_dict().items()} for n in stage.networks.values()]
    modes = [[m.training for m in n.modules()] for n in stage.networks.values()]
    shown = stage.samples(DOTS[list(range(6))])
    assert shown.ndim == 5 and shown.shape[2:] == (3, 16, 16) and shown.isfinite().all()
    assert_same([dict(n.state_dict()) for n in stage.networks.values()], before)
    if name != "gan":  # a generator has no mode
        assert [[m.training for m in n.modules()] for n in stage.networks.values()] == modes


def test_half_precision_learns_too(tmp_path):
    config = inverter_config(20, batch=8, **CALM)
    config = replace(config, run=replace(config.run, precision="bf16"))
    train(make(config), config, DOTS, tmp_path)
    first, last = first_and_last(log(tmp_path)["reconstruction"], 5)
    assert last < 0.9 * first


class Told:
    """A network that is told the answers in turn, `error` added."""

    names = ("glasses", "smile")

    def __init__(self, seeds, error=0.0):
        self.answers = normalised(sample_portraits(seeds).values)[:, [NAMES.index(name) for name in self.names]] + error

    def __call__(self, image):
        now, self.answers = self.answers[: len(image)], self.answers[len(image) :]
        return now


def test_explained_variance():
    assert explained_variance(Told(range(20)), range(20), True, 32) == {"glasses": 1.0, "smile": 1.0}
    told = Told(range(20), 0.1)
    wanted = 1 - 0.01 / told.answers.var(dim=0, unbiased=False)
    found = explained_variance(told, range(20), True, 32)
    torch.testing.assert_close(torch.tensor(list(found.values())), wanted)
