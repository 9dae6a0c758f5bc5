"""pSp's and ReStyle's encoders, from small files in the layout that their authors publish."""

import argparse

import pytest
import torch
from generators.families import make

from sfe_models.checkpoints.bundle import save_bundle
from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.checkpoints.rivals import RIVAL_FILES, read_rival
from sfe_models.cli.main import main
from sfe_models.domain import PHOTO, tiny_domain
from sfe_models.encoders.rivals import RivalEncoder, RivalForm
from sfe_models.evaluation.methods import People
from sfe_models.evaluation.rivals import rival_methods
from sfe_models.pipeline import Pipeline

SPEC = tiny_domain(64)
FORMS = {
    "psp": ("GradualStyleEncoder", RivalForm(3, True, False)),
    "restyle": ("BackboneEncoder", RivalForm(6, False, False, 3)),
    "restyle_e4e": ("ProgressiveBackboneEncoder", RivalForm(6, False, True, 3)),
}


def write(folder, name, spec=SPEC, **changes):
    """A file of random numbers as the authors' training writes it."""
    kind, form = FORMS[name]
    torch.manual_seed(2)
    encoder = RivalEncoder(spec, form).eval()
    generator = make(spec.generator)
    state = {f"encoder.{key}": value for key, value in encoder.state_dict().items()}
    state |= {f"decoder.{key}": value for key, value in generator.state_dict().items() if key != "latent_avg"}
    start = torch.randn(spec.generator.style_dim) / 4
    options = {
        "encoder_type": kind,
        "n_iters_per_batch": form.iterations,
        "device": "cuda:0",
        "input_nc": form.channels,
    }
    content = {"state_dict": state, "latent_avg": start.repeat(spec.n_styles, 1), "opts": options} | changes
    path = folder / RIVAL_FILES[name].name
    torch.save(content, path)
    return path, encoder, generator, start


@pytest.mark.parametrize("name", FORMS)
def test_a_file_is_read_as_it_was_written(tmp_path, name, image):
    path, encoder, generator, start = write(tmp_path, name)
    rival = read_rival(path, SPEC)
    assert rival.encoder.form == FORMS[name][1]
    want = encoder.state_dict()
    assert all(torch.equal(value, want[key]) for key, value in rival.encoder.state_dict().items())
    assert torch.equal(rival.start, start.repeat(SPEC.n_styles, 1)) and torch.equal(rival.generator.latent_avg, start)
    code = torch.randn(1, SPEC.n_styles, SPEC.generator.style_dim)
    assert torch.equal(rival.generator(code), generator(code))


def test_psp_adds_its_code_to_the_mean(tmp_path, image):
    path, encoder, _, start = write(tmp_path, "psp")
    seen = image[:, :, :64, :64]
    with torch.no_grad():
        levels = encoder.pyramid(seen, SPEC.n_styles)
        sides = [0] * 3 + [1] * 4 + [2] * 3
        want = torch.stack([head(levels[i]) for head, i in zip(encoder.styles, sides, strict=True)], dim=1) + start
    torch.testing.assert_close(read_rival(path, SPEC).codes(seen, (64, 64)), want)


def test_restyle_looks_again_at_what_was_made(tmp_path, image):
    """x_0 beside G(mean), then beside G of the code so far; each look adds to the code."""
    path, encoder, generator, start = write(tmp_path, "restyle")
    seen = image[:, :, :64, :64]
    with torch.no_grad():
        code = start.expand(2, SPEC.n_styles, -1)
        for _ in range(3):
            code = code + encoder(torch.cat([seen, generator(code)], dim=1))
    torch.testing.assert_close(read_rival(path, SPEC).codes(seen, (64, 64)), code, rtol=1e-4, atol=1e-4)


def test_offsets_are_to_the_first_head(tmp_path, image):
    path, encoder, _, _ = write(tmp_path, "restyle_e4e")
    x = torch.cat([image[:, :, :64, :64]] * 2, dim=1)
    with torch.no_grad():
        level = encoder.body(encoder.input_layer(x))
        want = torch.stack([head(level) for head in encoder.styles], dim=1)
        want[:, 1:] = want[:, 1:] + want[:, :1]
        torch.testing.assert_close(encoder(x), want)


@pytest.mark.parametrize("name", FORMS)
def test_batch_equals_single_and_strength_zero_is_the_inversion(tmp_path, name, image, directions):
    write(tmp_path, name)
    (method,) = rival_methods(Pipeline(random_networks(SPEC)), [name], tmp_path)
    people = People(image)
    whole = method.inverted(people)
    assert whole.shape == (2, 3, 64, 64)
    for i in range(2):
        torch.testing.assert_close(method.inverted(people[[i]]), whole[i : i + 1], rtol=1e-4, atol=1e-4)
    still = method.edited(people, [0, 1], directions[0], [0.0, 0.0])
    torch.testing.assert_close(still, whole, rtol=1e-4, atol=1e-4)
    moved = method.edited(people, [1], directions[0], [3.0])
    assert not torch.allclose(moved, whole[1:], atol=1e-2)


def test_options_may_be_a_namespace(tmp_path):
    path, *_ = write(tmp_path, "psp", opts=argparse.Namespace(encoder_type="GradualStyleEncoder"))
    assert read_rival(path, SPEC).encoder.form == FORMS["psp"][1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"opts": {"encoder_type": "ResNetBackboneEncoder"}}, "of the type ResNetBackboneEncoder; expected one of"),
        ({"opts": {}}, "of the type None"),
        ({"latent_avg": torch.zeros(3)}, "latent_avg"),
        ({"state_dict": {"encoder.x": torch.zeros(1)}}, "has no generator"),
        ({"state_dict": 1}, "is no pSp or ReStyle file"),
    ],
)
def test_other_files_are_told(tmp_path, changes, message):
    path, *_ = write(tmp_path, "psp", **changes)
    with pytest.raises(CheckpointError, match=message):
        read_rival(path, SPEC)


def test_an_encoder_without_a_part_is_told(tmp_path):
    path, *_ = write(tmp_path, "psp")
    content = torch.load(path)
    del content["state_dict"]["encoder.latlayer1.weight"]
    torch.save(content, path)
    with pytest.raises(CheckpointError, match="missing: latlayer1.weight"):
        read_rival(path, SPEC)


def test_another_generator_is_told(tmp_path):
    path, *_ = write(tmp_path, "psp")
    with pytest.raises(CheckpointError, match="the model of photo has another generator"):
        read_rival(path, PHOTO)


def test_evaluate_has_their_rows(tmp_path, crop, capsys):
    for name in ("psp", "restyle"):
        write(tmp_path, name)
    model = str(save_bundle(random_networks(SPEC), tmp_path / "model.safetensors"))
    command = ["evaluate", "--model", model, "--data", crop.rpartition("/")[0], "--weights", str(tmp_path)]
    assert main([*command, "--methods", "psp,restyle", "sfe"]) == 0
    head = next(line for line in capsys.readouterr().out.splitlines() if "restyle" in line)
    assert {"psp", "restyle", "sfe"} <= set(head.split())
    assert main([*command, "--methods", "restyle_e4e"]) == 1
    assert "restyle_e4e_ffhq_encode.pt" in capsys.readouterr().err
