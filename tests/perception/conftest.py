"""Pictures and files that the tests of perception share."""

import pytest
import torch
from perception.measuring_files import real_weights, write_measuring_files  # noqa: F401


@pytest.fixture(scope="session")
def measuring_files(tmp_path_factory):
    """A folder with random stand-ins for the files that measure photographs."""
    return write_measuring_files(tmp_path_factory.mktemp("measuring"))


@pytest.fixture(scope="session")
def faces():
    """Three seeded smooth pictures, [3,3,96,96] in [-1,1]."""
    random = torch.Generator().manual_seed(4)
    coarse = torch.rand(3, 3, 6, 6, generator=random) * 2 - 1
    return torch.nn.functional.interpolate(coarse, size=(96, 96), mode="bilinear", align_corners=False)
