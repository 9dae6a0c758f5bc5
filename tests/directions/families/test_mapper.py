"""A StyleCLIP mapper is known by its content, in the published place and among a user's own files."""

import torch

from sfe_models.checkpoints.recognise import read_contents
from sfe_models.directions.base import DirectionInfo
from sfe_models.directions.families.mapper import StyleCLIPMapper
from sfe_models.directions.families.reader import Stored
from sfe_models.directions.families.readers import read_direction
from sfe_models.directions.files import read_tensors
from sfe_models.directions.library import DirectionLibrary
from sfe_models.domain import tiny_domain

SPEC = tiny_domain(64, width=16)


def write(path):
    torch.manual_seed(0)
    mapper = StyleCLIPMapper(16, ("course_mapping", "medium_mapping"))
    path.parent.mkdir(exist_ok=True)
    torch.save({"state_dict": {f"mapper.{k}": v for k, v in mapper.state_dict().items()}, "opts": {}}, path)
    return mapper


def check(direction, mapper):
    w = torch.randn(2, SPEC.n_styles, 16)
    moved = direction.move(w, torch.tensor([0.0, 0.5]))
    assert torch.equal(moved[0], w[0]) and torch.equal(moved[:, 8:], w[:, 8:])
    torch.testing.assert_close(moved[1], w[1] + 0.5 * mapper(w)[1])
    assert direction.reads_all_layers


def test_a_published_file(tmp_path):
    mapper = write(tmp_path / "m.pt")
    info = DirectionInfo("m", "styleclip_mapper", "human faces")
    check(read_direction(Stored("m.pt", info, read_tensors(tmp_path / "m.pt")), SPEC.generator), mapper)
    found = read_contents(tmp_path / "m.pt", {"styleclip_mapper": StyleCLIPMapper})
    assert set(found.components) == {"styleclip_mapper"}


def test_a_published_name(tmp_path):
    mapper = write(tmp_path / "styleclip_mappers/mohawk.pt")
    check(DirectionLibrary(SPEC, [tmp_path]).get("mohawk"), mapper)


def test_an_own_file(tmp_path):
    mapper = write(tmp_path / "directions/fringe.pt")
    check(DirectionLibrary(SPEC, [tmp_path]).get("fringe"), mapper)
