"""The mobile generator against OpenVINO's own run of the same files (`tests/fixtures/make_mobile_golden.py`)."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

GOLDEN = Path(__file__).parents[1] / "fixtures" / "mobile_golden.safetensors"
GRID = slice(5, None, 73)


@pytest.fixture(scope="module")
def golden():
    return load_file(GOLDEN)


def test_w_is_openvinos(mobile_generator, golden):
    torch.testing.assert_close(mobile_generator.mapping(golden["z"]), golden["w"], rtol=0, atol=2e-5)


@torch.no_grad()
def test_pictures_are_openvinos(mobile_generator, golden):
    pictures = mobile_generator(mobile_generator.broadcast(golden["w"]))
    torch.testing.assert_close(pictures[:, :, GRID, GRID], golden["pictures"], rtol=0, atol=1e-4)
    flat = pictures.flatten(1)
    found = torch.stack([flat.mean(1), flat.std(1), flat.abs().amax(1)], dim=1)
    torch.testing.assert_close(found, golden["mean_std_max"], rtol=0, atol=1e-4)
