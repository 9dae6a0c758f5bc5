"""Which device and dtype to compute on."""

from __future__ import annotations

import torch

from .choices import DTYPE_NAMES

DTYPES = {name: getattr(torch, name) for name in DTYPE_NAMES}


class PrecisionError(ValueError):
    """A device or dtype that does not exist or is not there."""


def choose_device(name: str = "auto") -> torch.device:
    """Return the device of that name; "auto" takes CUDA, else MPS, else the CPU."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    device = torch.device(name)
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(device.type, False):
        raise PrecisionError(f"Device '{name}' is not available here; use --device auto or cpu.")
    return device


def _cpu_has_bfloat16() -> bool:
    """Whether the CPU multiplies bfloat16 itself (AVX512-BF16 or AMX, or the Arm BF16 extension)."""
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """Return the dtype of that name; "auto" takes the fastest that the device computes natively.

    CUDA: bfloat16 from Ampere on, float16 on Volta and Turing; MPS: float16; CPU: bfloat16 if it has the
    instructions; float32 otherwise.
    """
    if name in DTYPES:
        return DTYPES[name]
    if name != "auto":
        raise PrecisionError(f"dtype '{name}' is unknown; expected auto, {', '.join(DTYPES)}.")
    if device.type == "cuda":
        major, _ = torch.cuda.get_device_capability(device)
        return torch.bfloat16 if major >= 8 else torch.float16 if major == 7 else torch.float32
    if device.type == "mps":
        return torch.float16
    return torch.bfloat16 if _cpu_has_bfloat16() else torch.float32


def native_precision(name: str, device: torch.device) -> str:
    """Return the precision of training of that name; "auto" is "bf16" where the device computes it itself, else "fp32".

    A CPU that only emulates bfloat16 takes several times as long with it.
    """
    if name != "auto":
        return name
    return "bf16" if choose_dtype("auto", device) == torch.bfloat16 else "fp32"
