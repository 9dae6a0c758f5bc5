"""The choice of device and dtype."""

import pytest
import torch

from sfe_models import precision
from sfe_models.precision import PrecisionError, choose_device, choose_dtype, native_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize("name, dtype", precision.DTYPES.items())
def test_named_formats_are_taken(name, dtype):
    assert choose_dtype(name, CPU) == dtype


@pytest.mark.parametrize(
    "capabilities, dtype",
    [
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": False, "avx2": True}, torch.float32),
        ({}, torch.float32),
    ],
)
def test_auto_on_a_cpu_follows_its_instructions(monkeypatch, capabilities, dtype):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert choose_dtype("auto", CPU) == dtype


@pytest.mark.parametrize("capabilities, name", [({"avx512_bf16": True}, "bf16"), ({"avx2": True}, "fp32")])
def test_training_on_a_cpu_takes_what_it_computes_itself(monkeypatch, capabilities, name):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert native_precision("auto", CPU) == name
    assert native_precision("bf16", CPU) == "bf16" and native_precision("fp32", CPU) == "fp32"


@pytest.mark.parametrize(
    "major, dtype", [(9, torch.bfloat16), (8, torch.bfloat16), (7, torch.float16), (6, torch.float32)]
)
def test_auto_on_cuda_follows_the_generation(monkeypatch, major, dtype):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (major, 0))
    assert choose_dtype("auto", torch.device("cuda")) == dtype


def test_what_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("cpu") == CPU
    with pytest.raises(PrecisionError, match="'cuda' is not available"):
        choose_device("cuda")
    with pytest.raises(PrecisionError, match="'float8' is unknown"):
        choose_dtype("float8", CPU)
