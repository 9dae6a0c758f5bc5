"""The command attribute-directions, with judges that read brightness."""

from dataclasses import replace

import pytest
import torch
from training.tiny import SPEC

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.cli import main
from sfe_models.directions.base import DirectionError
from sfe_models.directions.library import DirectionLibrary
from sfe_models.training.attribute_directions import attribute_directions, attribute_samples
from sfe_models.training.checkpoint import save_checkpoint

OTHER = replace(SPEC, subject="dots")  # has no published directions


@pytest.fixture(scope="module")
def generator():
    return random_networks(OTHER, folded=False).generator


def command(generator, folder):
    """The command for a run of the generator in the folder, up to the attributes' names."""
    state = {"generator": generator.state_dict()}
    save_checkpoint({"domain": OTHER.to_json(), "networks": state, "averages": {}}, folder / "run/last.pt")
    (folder / "attributes.safetensors").touch()
    made = ["attribute-directions", "--generator", folder / "run", "--weights", folder, "--count", "400"]
    return [*map(str, made), "--output", str(folder / "out"), "--attributes"]


class Brightness(torch.nn.Module):
    """Reads how bright a picture is, as two attributes, and nothing else."""

    names = ("skin", "light")

    def forward(self, image):
        bright = torch.sigmoid(3 * image.mean(dim=(1, 2, 3)))
        return torch.stack([bright, 1 - bright], dim=1)


def test_directions_of_attributes(generator, tmp_path, monkeypatch, capsys):
    """They move their attribute, the other way too, within ranges that end where it has moved by 0.45 or stops."""
    monkeypatch.setattr("sfe_models.cli.training.load_attribute_network", lambda path: Brightness())
    assert main([*command(generator, tmp_path), "skin", "light"]) == 0
    assert "skin: " in capsys.readouterr().out
    library = DirectionLibrary(OTHER, [tmp_path / "out"])
    codes = generator.mapping(torch.randn(48, 16, generator=torch.Generator().manual_seed(9)))
    w_plus, start = generator.broadcast(codes), Brightness()(generator(generator.broadcast(codes)))
    for column, name in enumerate(Brightness.names):
        direction = library.get(name)
        low, high = direction.info.strength_range
        assert low < 0 < high and direction.info.effect
        changes = [
            (Brightness()(generator(direction.move(w_plus, torch.full((48,), s)))) - start)[:, column].mean()
            for s in (low, 0.3 * low, 0.3 * high, high)
        ]
        assert changes == sorted(changes) and changes[0] < -0.05 and changes[-1] > 0.05
        assert max(changes) < 0.6 and min(changes) > -0.6


class Dim(Brightness):
    """Sees brightness, and of light nothing but noise."""

    def forward(self, image):
        seen = super().forward(image)
        torch.manual_seed(len(image))
        return torch.stack([seen[:, 0], torch.rand(len(image)) * 0.01], dim=1)


def test_directions_that_do_not_move_their_attribute_are_rejected(generator, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sfe_models.cli.training.load_attribute_network", lambda path: Dim())
    made = command(generator, tmp_path)
    assert main([*made, "skin", "light"]) == 0
    assert "light: rejected." in capsys.readouterr().out
    library = DirectionLibrary(OTHER, [tmp_path / "out"])
    assert [entry.info.name for entry in library.entries if entry.own is not None] == ["skin"]
    assert main([*made, "light"]) == 1
    assert "None of light" in capsys.readouterr().err


def test_an_attribute_that_nothing_moves(generator):
    class Noise(Brightness):
        def forward(self, image):
            torch.manual_seed(len(image))
            return torch.rand(len(image), 2) * 0.01

    samples = attribute_samples(generator, Noise(), 200)
    with pytest.raises(DirectionError, match="'skin' does not move its attribute; train the generator longer"):
        attribute_directions(generator, Noise(), "dots", samples, ["skin"])
