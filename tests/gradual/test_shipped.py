"""The gradual model that the package brings."""

import pytest
import torch
from PIL import Image

from sfe_models.checkpoints.load import BUILT_IN, DEMO, DEMO_GRADUAL
from sfe_models.cli import main
from sfe_models.evaluation.comparison import l2
from sfe_models.evaluation.sources import RenderedPeople
from sfe_models.gradual.files import load_any

MOST_BYTES = 8_000_000


def test_it_keeps_more_of_people_it_never_saw_than_the_code_alone():
    assert BUILT_IN[DEMO_GRADUAL].stat().st_size < MOST_BYTES
    pipeline = load_any(DEMO_GRADUAL, torch.float32)
    source = RenderedPeople(0, 3, pipeline.spec)
    pictures = torch.stack([source.read(key) for key in source.keys])
    inversion = pipeline.invert(pictures)
    off = l2(pipeline.reconstruct(inversion), pictures)
    assert (off < 0.25 * l2(pipeline.generate_from(inversion.w), pictures)).all() and off.mean() < 0.016


def test_it_stands_on_the_demo_model():
    gradual, demo = (load_any(name, torch.float32) for name in (DEMO_GRADUAL, DEMO))
    assert gradual.networks.generator.fingerprint() == demo.networks.generator.fingerprint()


@pytest.mark.parametrize(
    "command", [["demo", "--output", "d"], ["mix", "a.png", "a.png", "--no-align", "--output", "m.png"]]
)
def test_what_it_cannot_do_is_one_sentence(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (128, 128)).save("a.png")
    assert main([*command, "--model", DEMO_GRADUAL]) == 1
    assert "demo-gradual is a gradual model" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
