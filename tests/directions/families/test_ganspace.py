"""GANSpace: a coordinate is set, on the layers that are meant, from files as they were published."""

import pytest
import torch

from sfe_models.directions.base import DirectionError, DirectionInfo
from sfe_models.directions.families.reader import Stored
from sfe_models.directions.families.readers import read_direction
from sfe_models.domain import tiny_domain

SPEC = tiny_domain(32, width=16)
INFO = DirectionInfo("c3", "ganspace", "test")
RANDOM = torch.Generator().manual_seed(0)
PCA = {
    "comp": torch.linalg.qr(torch.randn(16, 16, generator=RANDOM))[0][:, None],
    "mean": torch.randn(1, 16, generator=RANDOM),
    "std": torch.rand(16, generator=RANDOM) + 0.5,
}


def read(tensors=PCA, **parameters):
    return read_direction(Stored("pca.pt", INFO, tensors, parameters=parameters), SPEC.generator)


def test_the_coordinate_is_set_on_the_layers():
    w_plus = torch.randn(3, SPEC.n_styles, 16, generator=RANDOM)
    direction, strength = read(component=2), torch.tensor([-1.0, 0.0, 2.5])
    torch.testing.assert_close(direction.coordinate(direction.move(w_plus, strength)), strength, rtol=0, atol=1e-4)
    torch.testing.assert_close(direction.move(w_plus, direction.coordinate(w_plus)), w_plus)
    moved = read(component=2, first_layer=2, end_layer=5).move(w_plus, strength)
    assert (moved != w_plus).any(dim=2).any(dim=0).nonzero()[:, 0].tolist() == [2, 3, 4]


def test_the_numbers_are_the_files():
    direction = read(component=3)
    assert torch.equal(direction.component, PCA["comp"][3, 0]) and torch.equal(direction.mean, PCA["mean"][0])
    assert direction.std == pytest.approx(PCA["std"][3].item())


@pytest.mark.parametrize(
    ("tensors", "parameters", "words"),
    [
        (PCA, {}, r"16 principal components; say which.*\"component\""),
        (PCA, {"component": 16}, "no component 16; expected 0 to 15"),
        (PCA, {"component": -1}, "no component -1"),
        (PCA | {"mean": torch.ones(1, 3)}, {"component": 0}, "of 3 dimensions"),
        (PCA | {"std": torch.zeros(16)}, {"component": 0}, "Component 0 of .* has no variance"),
        ({"comp": PCA["comp"], "mean": PCA["mean"]}, {"component": 0}, r"2 tensors \(comp, mean\)"),
    ],
)
def test_what_is_no_pca_file_is_refused(tensors, parameters, words):
    with pytest.raises(DirectionError, match=words):
        read(tensors, **parameters)
