"""Commands that measure: benchmark."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import torch

from ..atomic import replaced
from ..evaluation.speed import MEASURES, time_stages
from .common import dtype_and_device, fetch_model


def run_benchmark(options: argparse.Namespace) -> None:
    if options.repeats < 1:
        raise ValueError(f"--repeats is {options.repeats}; expected at least 1.")
    dtype, device = dtype_and_device(options)
    fetch_model(options.model)
    result = time_stages(options.model, dtype, device, options.repeats)
    threads = f", {torch.get_num_threads()} threads" if device.type == "cpu" else ""
    print(f"{options.model}, {str(dtype).removeprefix('torch.')}, {device}{threads}, torch {torch.__version__}\n")
    print("| | seconds |\n|---|---|")
    for name, seconds in result.seconds.items():
        print(f"| {MEASURES[name]} | {seconds:.3f} |")
    peak = result.peak_memory_bytes
    print(f"\npeak memory {'unknown' if peak is None else f'{peak / 2**30:.2f} GiB'}")
    if options.json:
        with replaced(Path(options.json)) as temporary:
            temporary.write_text(json.dumps(asdict(result), indent=1) + "\n", encoding="utf-8")
