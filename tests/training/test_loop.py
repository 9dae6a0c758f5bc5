"""The loop: what a run leaves behind, what stops it, and checkpoints that are never half written."""

import json
import pickle
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from training.tiny import ALONE, CPU, SPEC, Dots, gan_config, inverter_config, log, make, short

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.domain import tiny_domain
from sfe_models.generators.stylegan2.generator import StyleGAN2
from sfe_models.training.checkpoint import (
    discriminator_weights,
    is_trained,
    load_checkpoint,
    load_network,
    load_trained,
    run_spec,
    save_checkpoint,
)
from sfe_models.training.errors import TrainingError
from sfe_models.training.loop import save_grid, train
from sfe_models.training.stage import Stage

DOTS = Dots(12)


class Line(Stage):
    """Fit one number to the pictures' mean; `at` says what happens at a step."""

    def __init__(self, config, at=lambda step, stage: None):
        super().__init__(config.run, CPU, ALONE)
        self.weight = torch.nn.Linear(1, 1)
        self.networks, self.at, self.seen = {"line": self.weight}, at, []
        self.optimizers = {"line": torch.optim.Adam(self.weight.parameters(), 0.01)}

    def step(self, number, batch):
        self.seen.append(batch.image)
        loss = (self.weight(torch.ones(1)) - batch.image.mean()).square().mean()
        factor = self.at(number, self)
        loss = loss if factor is None else loss * factor
        loss.backward()
        self.apply_gradients("line")
        return {"loss": loss, "number": torch.tensor(float(number))}

    def samples(self, batch):
        return batch.image[None, :4]


def config(steps=20, **run):
    return replace(gan_config(1), run=short(steps, **run))


def test_what_a_run_leaves_behind(tmp_path):
    settings = config(20, log_every=4, save_every=5, sample_every=10, keep_every=10)
    assert train(Line(settings), settings, DOTS, tmp_path) == tmp_path / "last.pt"
    names = {path.name for path in tmp_path.iterdir()}
    samples = {"samples-0000010.png", "samples-0000020.png"}
    kept = {"step-0000010.pt", "step-0000020.pt"}
    assert names == {"config.json", "last.pt", "log.jsonl", "log"} | samples | kept
    assert [load_checkpoint(tmp_path / name)["step"] for name in sorted(kept)] == [10, 20]
    assert any((tmp_path / "log").iterdir())
    assert Image.open(tmp_path / "samples-0000010.png").size == (64, 16)


def test_logged_numbers_are_means_since_the_last_line(tmp_path):
    settings = config(10, log_every=4, save_every=3)
    train(Line(settings), settings, DOTS, tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(line["step"], line["number"]) for line in lines] == [(4, 1.5), (8, 5.5), (10, 8.5)]


@pytest.mark.parametrize("save_every", [5, 100], ids=["from a checkpoint", "from the start"])
def test_a_run_that_goes_on_after_a_crash_logs_no_step_twice(tmp_path, save_every):
    def crash(step, stage):
        if step == 8:
            raise RuntimeError("power cut")

    settings = config(12, log_every=2, save_every=save_every)
    with pytest.raises(RuntimeError, match="power cut"):
        train(Line(settings, crash), settings, DOTS, tmp_path)
    assert log(tmp_path)["step"] == [2, 4, 6, 8]
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 1')  # half a line
    train(Line(settings), settings, DOTS, tmp_path)
    assert log(tmp_path)["step"] == [2, 4, 6, 8, 10, 12]


def test_a_finished_run_stays_as_it_is(tmp_path):
    settings = config(5)
    train(Line(settings), settings, DOTS, tmp_path)
    before = (tmp_path / "last.pt").read_bytes()
    stage = Line(settings)
    train(stage, settings, DOTS, tmp_path)
    assert not stage.seen and (tmp_path / "last.pt").read_bytes() == before


def test_mirroring_flips_half_of_the_pictures_but_none_that_knows_its_latent(tmp_path):
    class Plain(Dots):
        def __getitem__(self, indices):
            batch = super().__getitem__(indices)
            return type(batch)(batch.image)

    settings = config(60, mirror=True)
    flipped = []
    stage, plain = Line(settings), Plain(4)
    train(stage, settings, plain, tmp_path / "plain")
    for image in torch.cat(stage.seen):
        straight = any(torch.equal(image, other) for other in plain.image)
        assert straight or any(torch.equal(image.flip(2), other) for other in plain.image)
        flipped.append(not straight)
    assert 0.38 < sum(flipped) / len(flipped) < 0.62
    stage = Line(settings)
    train(stage, settings, DOTS, tmp_path / "known")
    assert all(any(torch.equal(image, other) for other in DOTS.image) for image in torch.cat(stage.seen))


def weights(path):
    return load_checkpoint(path)["networks"]["line"]


def test_a_loss_that_becomes_nan_stops_the_run(tmp_path):
    settings = config(20, log_every=5, save_every=5)
    with pytest.raises(TrainingError, match=f"loss became NaN.*before step 15.*{tmp_path / 'last.pt'}") as error:
        train(Line(settings, lambda step, _: float("nan") if step == 12 else None), settings, DOTS, tmp_path)
    assert "learning rate" in str(error.value)
    state = load_checkpoint(tmp_path)
    assert state["step"] == 10 and all(t.isfinite().all() for t in weights(tmp_path).values())
    stage = Line(settings)
    train(stage, settings, DOTS, tmp_path)  # goes on from there
    assert len(stage.seen) == 10 and load_checkpoint(tmp_path)["step"] == 20


def test_nan_is_found_before_a_save_between_two_log_lines(tmp_path):
    settings = config(20, log_every=20, save_every=5)
    with pytest.raises(TrainingError, match="before step 15"):
        train(Line(settings, lambda step, _: float("inf") if step == 12 else None), settings, DOTS, tmp_path)
    assert all(t.isfinite().all() for t in weights(tmp_path).values())


def test_weights_that_a_finite_loss_spoils_are_not_saved(tmp_path):
    """The loss of the last step before a save is finite, its gradient is not."""

    def spoil(step, stage):
        if step == 9:
            stage.weight.weight.register_hook(lambda gradient: gradient * float("nan"))

    settings = config(20, log_every=5, save_every=5)
    with pytest.raises(TrainingError, match="line became NaN"):
        train(Line(settings, spoil), settings, DOTS, tmp_path)
    assert load_checkpoint(tmp_path)["step"] == 5
    assert all(t.isfinite().all() for t in weights(tmp_path).values())


def test_nan_before_the_first_checkpoint(tmp_path):
    settings = config(20, log_every=5)
    with pytest.raises(TrainingError, match="there is no checkpoint yet"):
        train(Line(settings, lambda step, _: float("nan")), settings, DOTS, tmp_path)
    assert not (tmp_path / "last.pt").exists()


def test_a_stage_that_diverges_stops(tmp_path):
    settings = inverter_config(30)
    settings = replace(settings, optimizer=replace(settings.optimizer, name="adam", lr=1e30))
    with pytest.raises(TrainingError, match="reconstruction"):
        train(make(settings), settings, DOTS, tmp_path)


def test_an_interrupted_write_keeps_the_old_checkpoint(tmp_path, monkeypatch):
    path = save_checkpoint({"step": 1, "tensor": torch.arange(5)}, tmp_path / "last.pt")
    before = path.read_bytes()

    def interrupted(state, file):
        file.write(before[: len(before) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint({"step": 2}, path)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["last.pt"]
    assert load_checkpoint(path)["step"] == 1


def test_a_checkpoint_executes_nothing(tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath, ("never",))

    torch.save({"format": "sfe-training", "trap": Trap()}, tmp_path / "last.pt")
    with pytest.raises(CheckpointError, match=r"last.pt cannot be read"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("content, message", [(b"", "cannot be read"), (b"PK\x03\x04 half a file", "cannot be read")])
def test_damaged_checkpoints(tmp_path, content, message):
    (tmp_path / "last.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(tmp_path)


def test_other_files_are_no_checkpoints(tmp_path):
    torch.save({"g_ema": {}}, tmp_path / "other.pt")
    assert not is_trained(tmp_path / "other.pt") and not is_trained(tmp_path)
    with pytest.raises(CheckpointError, match="no checkpoint of a training run"):
        load_checkpoint(tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match="There is no checkpoint"):
        load_checkpoint(tmp_path)


def test_networks_of_a_run_are_its_averages(tmp_path):
    settings = gan_config(3)
    stage = make(settings)
    train(stage, settings, DOTS, tmp_path)
    assert is_trained(tmp_path) and is_trained(tmp_path / "last.pt") and run_spec(tmp_path) == SPEC
    network = load_network(tmp_path, "generator", StyleGAN2(SPEC.generator))
    want = stage.averages["generator"].state_dict()
    assert all(torch.equal(tensor, want[key]) for key, tensor in network.state_dict().items())
    assert not network.training and not any(p.requires_grad for p in network.parameters())
    _, discriminator = load_trained(tmp_path, "discriminator")  # which has no average
    assert all(torch.equal(t, discriminator[k]) for k, t in stage.discriminator.state_dict().items())


def test_networks_that_a_run_does_not_hold(tmp_path):
    settings = gan_config(1)
    train(make(settings), settings, DOTS, tmp_path)
    with pytest.raises(CheckpointError, match="trained generator, discriminator; it has no inverter"):
        load_trained(tmp_path, "inverter")
    with pytest.raises(CheckpointError, match="does not fit this configuration's domain"):
        load_network(tmp_path, "generator", StyleGAN2(tiny_domain(32, 16).generator))


def test_discriminators_of_runs_and_pickles(tmp_path, monkeypatch):
    settings = gan_config(1)
    stage = make(settings)
    train(stage, settings, DOTS, tmp_path / "run")
    want = stage.discriminator.state_dict()
    (tmp_path / "network.pkl").write_bytes(pickle.dumps({}))
    filters = {"b16.conv1.resample_filter": torch.ones(4, 4)}
    held = SimpleNamespace(discriminator={**want, **filters})
    monkeypatch.setattr("sfe_models.training.checkpoint.read_network_pickle", lambda path: held)
    for path in ("run", "network.pkl"):
        weights = discriminator_weights(tmp_path / path)
        assert weights.keys() == want.keys() and all(torch.equal(weights[key], want[key]) for key in want)
    held.discriminator = None
    with pytest.raises(CheckpointError, match="network.pkl holds a generator without its discriminator"):
        discriminator_weights(tmp_path / "network.pkl")
    torch.save({}, tmp_path / "other.pt")
    for path in ("other.pt", "."):
        with pytest.raises(CheckpointError, match="holds no discriminator; expected a training run or"):
            discriminator_weights(tmp_path / path)


def test_save_grid(tmp_path):
    values = (-1.0, -0.5, 0.0, 0.5, 1.0, 0.2)
    pictures = torch.stack([torch.full((3, 4, 6), v) for v in values]).unflatten(0, (2, 3))
    image = Image.open(save_grid(pictures, tmp_path / "grid.png"))
    assert image.size == (18, 8)
    reds = [image.getpixel((6 * column + 1, 4 * row + 1))[0] for row in range(2) for column in range(3)]
    assert reds == [0, 64, 128, 191, 255, 153]
