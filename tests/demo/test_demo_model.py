"""The model that the package brings: what its card promises, on portraits that training never saw."""

import hashlib
import re

import pytest
import torch

from sfe_models.checkpoints.bundle import bundle_spec
from sfe_models.checkpoints.load import BUILT_IN, DEMO_BUNDLE, load_networks, read_spec
from sfe_models.cli import main
from sfe_models.cli.showcase import EDITS, strength_at
from sfe_models.demo.attributes import NAMES, sample_portraits
from sfe_models.demo.renderer import render
from sfe_models.directions.files import bundle_directions
from sfe_models.directions.library import DirectionLibrary
from sfe_models.domain import DEMO
from sfe_models.pipeline import Pipeline

HELD_OUT = list(range(16))


@pytest.fixture(scope="module")
def demo() -> Pipeline:
    return Pipeline(load_networks("demo", torch.float32))


@pytest.fixture(scope="module")
def inversion(demo):
    return demo.invert(render(sample_portraits(HELD_OUT)).image, all_styles=True)


def test_the_bundle_is_small_and_of_the_demo_domain():
    assert DEMO_BUNDLE.stat().st_size <= 30e6
    assert bundle_spec(DEMO_BUNDLE) == read_spec("demo") == DEMO


def test_the_card_names_the_hashes():
    card = (DEMO_BUNDLE.parent / "MODEL_CARD.md").read_text(encoding="utf-8")
    hashes = [
        hashlib.sha256(path.read_bytes()).hexdigest() for path in BUILT_IN.values() if path.parent == DEMO_BUNDLE.parent
    ]
    assert re.findall(r"[0-9a-f]{64}", card) == hashes


def test_at_least_ten_attributes_can_be_edited():
    directions = bundle_directions(DEMO_BUNDLE)
    named = [d.info for d in directions if d.info.name in NAMES]
    assert len(named) >= 10
    assert all(info.strength_range and info.effect and info.source for info in named)
    assert {name for name, _ in EDITS} <= {info.name for info in named}


def test_sfe_keeps_what_e4e_loses(demo, inversion):
    picture = inversion.picture
    sfe = (demo.edit(inversion) - picture).square().mean()
    e4e = (demo.generate_from(inversion.w_e) - picture).square().mean()
    assert sfe <= e4e / 4


def test_an_edit_comes_closer_to_the_true_one(demo, inversion):
    """Glasses, which everybody can see: the edit is nearer to the true picture than the portrait is."""
    portraits = sample_portraits(HELD_OUT)
    chosen = (portraits.get("glasses") < 0.05).nonzero()[:, 0]
    true = render(portraits[chosen].changed("glasses", 1.0)).image
    library = DirectionLibrary(demo.spec, bundled=bundle_directions(DEMO_BUNDLE))
    glasses = library.get("glasses")
    edited = demo.edit(inversion[chosen], [(glasses, strength_at(glasses, 1.0))])
    before = inversion.picture[chosen]
    where = ((true - before).abs().amax(dim=1, keepdim=True) > 0.25).float()
    errors = [((x - true).square() * where).sum(dim=(1, 2, 3)) / where.sum(dim=(1, 2, 3)) for x in (edited, before)]
    assert (errors[0] < errors[1]).float().mean() >= 0.8


def test_the_demo_command_writes_its_sheet(tmp_path, capsys):
    assert main(["demo", "--model", "demo", "--output", str(tmp_path)]) == 0
    sheet = tmp_path / "sheet.png"
    assert capsys.readouterr().out.strip() == str(sheet)
    assert sheet.is_file()
    assert len(list(tmp_path.glob("*.png"))) == 3 + len(EDITS) + 2 + 7 + 1
