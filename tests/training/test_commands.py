"""The commands train and assemble on tiny runs, and what they say when something is missing."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from training.tiny import (
    ONLY_L2,
    SPEC,
    Dots,
    e4e_config,
    editor_config,
    edits,
    gan_config,
    inverter_config,
    log,
    short,
)

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.load import load_networks
from sfe_models.cli import main
from sfe_models.directions.files import bundle_directions
from sfe_models.directions.library import DirectionLibrary
from sfe_models.domain import tiny_domain
from sfe_models.encoders.feature_editor import FeatureEditor
from sfe_models.networks import SFENetworks
from sfe_models.perception.attribute_network import load_attribute_network
from sfe_models.pictures.image_io import save_image
from sfe_models.pipeline import Pipeline
from sfe_models.training.assemble import assemble, assemble_bundle
from sfe_models.training.checkpoint import load_checkpoint, load_trained
from sfe_models.training.config import AdversarialConfig, AttributesConfig, OptimizerConfig
from sfe_models.training.config_files import to_json

OTHER = replace(SPEC, subject="dots")  # has no published directions
DOTS = Dots(8)


def configured(folder, config):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{type(config).__name__}.json"
    path.write_text(to_json(config))
    return str(path)


def command(stage, config, data, output, *more):
    return ["train", stage, "--config", configured(output.parent, config), "--data", str(data), "--device", "cpu"] + [
        "--output",
        str(output),
        *map(str, more),
    ]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dots")
    for i, picture in enumerate(DOTS.image):
        save_image(picture, folder / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def directions(tmp_path_factory):
    """A folder with one W+ direction of one's own."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "directions").mkdir()
    save_file({"vector": edits()[0].direction.vector}, folder / "directions/move.safetensors")
    (folder / "directions/move.json").write_text(json.dumps({"subject": "dots", "range": [-2, 2]}))
    return folder


@pytest.fixture(scope="module")
def runs(data, directions, tmp_path_factory):
    """All stages one after another, through the command line."""
    folder = tmp_path_factory.mktemp("runs")
    sources = []
    for stage, make in (
        ("gan", gan_config),
        ("e4e", e4e_config),
        ("inverter", inverter_config),
        ("editor", editor_config),
    ):
        more = [*sources, "--directions", directions] if stage == "editor" else sources
        assert main(command(stage, make(4, OTHER), data, folder / stage, *more)) == 0
        sources += [f"--{'generator' if stage == 'gan' else stage}", folder / stage]
    return folder


def test_all_stages(runs, capsys):
    for stage, held in (
        ("gan", {"generator", "discriminator"}),
        ("e4e", {"e4e_encoder", "latent_discriminator"}),
        ("inverter", {"inverter", "discriminator"}),
        ("editor", {"feature_editor", "inverter", "discriminator"}),
    ):
        state = load_checkpoint(runs / stage)
        assert state["step"] == 4 and state["networks"].keys() == held
        assert (runs / stage / "samples-0000004.png").is_file()


def test_each_stage_leaves_the_networks_before_it(runs):
    """The editor's run holds the Inverter of the Inverter's run."""
    _, before = load_trained(runs / "inverter", "inverter")
    _, after = load_trained(runs / "editor", "inverter")
    assert before.keys() == after.keys() and all(torch.equal(before[key], after[key]) for key in before)


def test_stop_and_go_on(data, tmp_path, capsys):
    arguments = command("gan", gan_config(4, OTHER), data, tmp_path / "parts")
    assert main([*arguments, "--stop-after", "3"]) == 0
    assert load_checkpoint(tmp_path / "parts")["step"] == 3
    printed = capsys.readouterr().out
    assert '"path_length": 2.0' in printed and printed.endswith("last.pt\n")
    assert main(arguments) == 0 and load_checkpoint(tmp_path / "parts")["step"] == 4
    assert main(command("gan", gan_config(4, OTHER), data, tmp_path / "whole")) == 0
    assert log(tmp_path / "parts") == log(tmp_path / "whole")
    assert main([*arguments, "--set", "r1=3"]) == 1
    assert "r1 differ" in capsys.readouterr().err


def test_a_discriminator_goes_on(runs, data, tmp_path):
    more = ["--generator", runs / "gan", "--discriminator", runs / "gan", "--set", "run.steps=1"]
    assert main(command("inverter", inverter_config(4, OTHER), data, tmp_path / "run", *more)) == 0
    _, want = load_trained(runs / "gan", "discriminator")  # step 0 has no adversarial loss yet
    _, got = load_trained(tmp_path / "run", "discriminator")
    assert all(torch.equal(got[key], want[key]) for key in want)


def test_phase_2_begins_with_the_discriminator_of_the_inverters_run(runs, data, directions, tmp_path):
    late = replace(editor_config(4, OTHER), adversarial=AdversarialConfig(start=9))
    sources = [x for name in ("gan", "e4e", "inverter") for x in (f"--{name.replace('gan', 'generator')}", runs / name)]
    more = [*sources, "--directions", directions, "--set", "run.steps=1"]
    assert main(command("editor", late, data, tmp_path / "run", *more)) == 0
    _, want = load_trained(runs / "inverter", "discriminator")
    _, got = load_trained(tmp_path / "run", "discriminator")
    assert all(torch.equal(got[key], want[key]) for key in want)


def test_attribute_network_and_paired_generator(tmp_path):
    domain = replace(tiny_domain(32, 40), subject="rendered portraits")
    config = AttributesConfig(domain, short(2, 4, pictures=8), OptimizerConfig("adam"), (4, 4, 4, 4))
    assert main(command("attributes", config, "demo", tmp_path / "attributes", "--cache", tmp_path / "cache")) == 0
    assert len(list((tmp_path / "cache").iterdir())) == 2
    network = load_attribute_network(tmp_path / "attributes/attributes.safetensors")
    assert network.widths == (4, 4, 4, 4) and "smile" in network.names
    gan = replace(gan_config(1, domain), paired=1.0, paired_perceptual=0.5)
    gan = replace(gan, run=replace(gan.run, pictures=8))
    assert main(command("gan", gan, "demo", tmp_path / "gan", "--weights", tmp_path / "attributes")) == 0
    assert "paired_perceptual" in log(tmp_path / "gan")


def stand(spec, runs):
    """The networks of the runs, not folded and not written."""
    networks = SFENetworks(spec)
    for attribute, run in (
        ("generator", "gan"),
        ("e4e_encoder", "e4e"),
        ("inverter", "inverter"),
        ("feature_editor", "editor"),
    ):
        getattr(networks, attribute).load_state_dict(load_trained(runs / run, attribute)[1])
    return networks


def test_an_assembled_bundle_edits_as_the_trained_networks(runs, directions, tmp_path, capsys):
    sources = ["--generator", runs / "gan", "--e4e", runs / "e4e", "--inverter", runs / "inverter"]
    bundle = tmp_path / "model.safetensors"
    more = ["--editor", runs / "editor", "--directions", directions, "--source", "tests", "--output", bundle]
    assert main(["assemble", *map(str, [*sources, *more])]) == 0
    assert "1 directions" in capsys.readouterr().out
    direction = DirectionLibrary(OTHER, bundled=bundle_directions(bundle)).get("move")
    assert direction.info.strength_range == (-2, 2)
    assert torch.equal(direction.vector, edits()[0].direction.vector)
    got, want = Pipeline(load_networks(bundle)), Pipeline(stand(OTHER, runs))
    assert got.spec == OTHER
    for steps in ([], [(direction, 1.5)]):
        torch.testing.assert_close(got.edit(DOTS.image, steps), want.edit(DOTS.image, steps), rtol=1e-4, atol=1e-4)


def test_a_feature_editor_belongs_to_its_inverter(runs, data, directions, tmp_path, capsys):
    """Neither a run that goes on nor a bundle pairs H with another Inverter; a new run may take it there."""
    generator, other = ["--generator", runs / "gan"], tmp_path / "inverter"
    assert main(command("inverter", inverter_config(1, OTHER), data, other, *generator)) == 0
    sources = [*generator, "--e4e", runs / "e4e", "--inverter", other]
    shutil.copytree(runs / "editor", tmp_path / "editor")
    more = [*sources, "--directions", directions]
    assert main(command("editor", editor_config(4, OTHER), data, tmp_path / "editor", *more)) == 1
    assert "beside another Inverter" in capsys.readouterr().err
    with pytest.raises(CheckpointError, match="beside another Inverter"):
        assemble(OTHER, runs / "gan", runs / "e4e", other, runs / "editor")

    anew = tmp_path / "anew"
    more += ["--start", runs / "editor", "--set", "optimizer.lr=0"]
    assert main(command("editor", editor_config(1, OTHER), data, anew, *more)) == 0
    parameters = dict(FeatureEditor(OTHER).named_parameters())
    (_, before), (_, after) = (load_trained(run, "feature_editor") for run in (runs / "editor", anew))
    assert all(torch.equal(before[name], after[name]) for name in parameters)
    assert assemble(OTHER, runs / "gan", runs / "e4e", other, anew).feature_editor is not None


def test_drifted_statistics_reach_the_model(runs, data, directions, tmp_path):
    sources = ["--generator", runs / "gan", "--e4e", runs / "e4e", "--inverter", runs / "inverter"]
    config = editor_config(2, OTHER, inverter_statistics="drifting")
    assert main(command("editor", config, data, tmp_path, *sources, "--directions", directions)) == 0
    steady, drifted = (
        assemble(OTHER, runs / "gan", runs / "e4e", runs / "inverter", editor) for editor in (None, tmp_path)
    )
    a, b = (networks.inverter(DOTS.image)[0] for networks in (steady, drifted))
    assert not torch.allclose(a, b, atol=1e-4)


def test_a_model_of_phase_1(runs, tmp_path):
    sources = [str(runs / run) for run in ("gan", "e4e", "inverter")]
    path = assemble_bundle(assemble(OTHER, *sources), tmp_path / "phase1.safetensors", torch.bfloat16)
    networks = load_networks(path)
    assert networks.feature_editor is None and networks.dtype == torch.bfloat16
    assert not list(bundle_directions(path))


def test_a_stage_builds_on_a_bundle_too(runs, data, directions, tmp_path):
    sources = [str(runs / run) for run in ("gan", "e4e", "inverter")]
    bundle = assemble_bundle(assemble(OTHER, *sources), tmp_path / "model.safetensors")
    more = ["--generator", bundle, "--e4e", bundle, "--inverter", bundle, "--directions", directions]
    assert main(command("editor", editor_config(2, OTHER), data, tmp_path / "editor", *more)) == 0
    assert load_checkpoint(tmp_path / "editor")["step"] == 2


@pytest.mark.parametrize(
    "stage, config, more, message",
    [
        ("e4e", e4e_config(1, OTHER), [], "This stage needs --generator"),
        ("inverter", inverter_config(1, OTHER), [], "This stage needs --generator"),
        ("editor", editor_config(1, OTHER), ["--generator", "gan"], "This stage needs --e4e"),
        ("editor", editor_config(1, OTHER), ["--generator", "gan", "--e4e", "e4e"], "This stage needs --inverter"),
        (
            "editor",
            editor_config(1, OTHER),
            ["--generator", "gan", "--e4e", "e4e", "--inverter", "inverter"],
            "no direction to train the Feature Editor with; expected --directions",
        ),
        ("inverter", inverter_config(1, OTHER), ["--generator", "e4e"], "it has no generator"),
        ("inverter", inverter_config(1, OTHER), ["--generator", "missing"], "missing"),
        (
            "inverter",
            inverter_config(1, tiny_domain(32, 16)),
            ["--generator", "gan"],
            "The generator of .* does not fit this configuration's domain",
        ),
        (
            "inverter",
            inverter_config(1, OTHER),
            ["--generator", "gan", "--discriminator", "nowhere"],
            "nowhere does not exist",
        ),
        (
            "inverter",
            inverter_config(1, tiny_domain(64)),
            ["--generator", "random:tiny-64", "--discriminator", "gan"],
            "The discriminator of .* does not fit this domain",
        ),
        ("inverter", inverter_config(1, OTHER), ["--generator", "gan", "--set", "optimizer.name=sgd"], "'sgd'"),
        ("gan", gan_config(1, OTHER), ["--set", "r1=much"], "r1 is 'much'; expected float"),
        (
            "gan",
            replace(gan_config(1, OTHER), paired=1.0),
            [],
            "The paired loss needs data that know their latents",
        ),
    ],
)
def test_what_is_missing_is_one_sentence(runs, data, tmp_path, capsys, stage, config, more, message):
    paths = {name: str(runs / name) for name in ("gan", "e4e", "inverter", "missing", "nowhere")}
    more = [paths.get(word, word) for word in more]
    assert main(command(stage, config, data, tmp_path / "run", *more)) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(said) == 1
    assert re.search(message, said[0])


@pytest.mark.parametrize(
    "losses, words",
    [
        (replace(ONLY_L2, lpips=0.8), ["LPIPS", "put alexnet-owt-7be5be79.pth", "torchvision"]),
        (replace(ONLY_L2, lpips=0.8, perceptual_network="vgg"), ["LPIPS", "put vgg16", "torchvision"]),
        (replace(ONLY_L2, identity=0.1), ["put "]),
        (
            replace(ONLY_L2, lpips=0.8, perceptual_network="attributes"),
            ["put attributes.safetensors", "train attributes"],
        ),
    ],
)
def test_missing_weights_are_one_sentence(runs, data, tmp_path, capsys, losses, words):
    config = inverter_config(1, OTHER, losses=losses)
    more = ["--generator", runs / "gan", "--weights", tmp_path / "weights"]
    assert main(command("inverter", config, data, tmp_path / "run", *more)) == 1
    (said,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert all(word in said for word in [*words, str(tmp_path / "weights")])


def test_data_that_is_not_there(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    for data, message in (("nowhere", "There is no folder"), ("empty", "holds no pictures")):
        assert main(command("gan", gan_config(1), tmp_path / data, tmp_path / "run")) == 1
        assert message in capsys.readouterr().err


def test_broken_files_are_listed(data, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    for path in data.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "broken.png").write_bytes(b"no picture")
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(folder / "grey.png")
    config = gan_config(3, OTHER)
    assert main(command("gan", config, folder, tmp_path / "run", "--set", "run.workers=1")) == 0
    assert (tmp_path / "run/skipped.txt").read_text() == f"{folder / 'broken.png'}\n"
