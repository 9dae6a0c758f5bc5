"""Generators run as at inference, in strips where they would; a test that takes gradients says so."""

import pytest
import torch


@pytest.fixture(autouse=True)
def inference():
    with torch.no_grad():
        yield
