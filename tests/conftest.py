"""What all tests share: small models, and where the data outside of the repository lies."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sfe_models.checkpoints.containers import sniff
from sfe_models.checkpoints.load import load_generator
from sfe_models.checkpoints.openvino import read_mobile_generator
from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.domain import tiny_domain
from sfe_models.evaluation.speed import benchmark_directions
from sfe_models.pipeline import Pipeline

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("SFE_SHARED", ROOT.parent / "shared"))


def pytest_configure(config):
    """Give each of pytest-xdist's processes, and what a test starts there, one thread: they share the cores."""
    if config.getoption("numprocesses", None):
        os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def shared() -> Path:
    """The folder with golden numbers and published directions."""
    if not SHARED.is_dir():
        pytest.skip("needs the shared data; set SFE_SHARED to their folder")
    return SHARED


@pytest.fixture(scope="session")
def mobile_generator():
    """The mobile generator itself; its mean is not measured if it comes out of the wheel."""
    place = os.environ.get("SFE_GENERATOR_MOBILE")
    if not place:
        pytest.skip(
            "needs the mobile generator; set SFE_GENERATOR_MOBILE to what `download generator-mobile` wrote, or to the "
            "wheel that `pip download --no-deps random_face==2021.7.21.1` brings"
        )
    if sniff(place).kind == "safetensors":
        return load_generator(place)
    return read_mobile_generator(place, mean_samples=1)


@pytest.fixture(scope="session")
def networks():
    """A folded random model of 64 px."""
    return random_networks(tiny_domain(64))


@pytest.fixture
def pipeline(networks) -> Pipeline:
    return Pipeline(networks)


@pytest.fixture(scope="session")
def directions(networks):
    """Two seeded directions: one of all layers, one of those that leave delta at 0."""
    return benchmark_directions(networks.spec)


@pytest.fixture(scope="session")
def image(networks):
    """Two seeded pictures of 80 px, [2,3,80,80] in [-1,1]."""
    return torch.rand(2, 3, 80, 80, generator=torch.Generator().manual_seed(3)) * 2 - 1


@pytest.fixture
def crop(tmp_path) -> str:
    """The path of a seeded picture of 64 px."""
    random = np.random.default_rng(0)
    path = tmp_path / "crop.png"
    Image.fromarray(random.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
    return str(path)
