"""Measure what a further edit costs in a real server, beside the library's own, in turn on the same machine.

    COMFYUI_PATH=... PYTHONPATH=.:tests python tests/integration/measure_warm_edit.py BUNDLE [REPEATS]

The graph's time is the server's own, from its history, without a picture file: from the start to the end of the prompt.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import time
from pathlib import Path

import torch
from integration.parts import Trial
from integration.server import Server, temporary_base
from tqdm import tqdm

from sfe_models.checkpoints.load import load_networks
from sfe_models.demo.attributes import sample_portraits
from sfe_models.demo.renderer import render
from sfe_models.directions.files import bundle_directions
from sfe_models.pipeline import Pipeline


def main(bundle: str, repeats: str = "7") -> None:
    base = temporary_base()
    (base / "models/sfe").mkdir(parents=True)
    (base / "models/sfe" / Path(bundle).name).symlink_to(Path(bundle).resolve())
    direction = bundle_directions(bundle)[0]
    pipeline = Pipeline(load_networks(bundle, torch.float32))
    inversion = pipeline.invert(render(sample_portraits([7]), 128).image)
    server = Server(os.environ["COMFYUI_PATH"], base)
    library, graph = [], []
    try:
        for i in range(int(repeats) + 1):
            strength = 1 + i / 16
            start = time.perf_counter()
            pipeline.edit(inversion, [(direction, strength)])
            library.append(time.perf_counter() - start)
            graph.append(_prompt_seconds(server, Path(bundle).name, direction.info.name, strength))
    finally:
        server.stop()
        shutil.rmtree(base, ignore_errors=True)
    alone, served = statistics.median(library[1:]), statistics.median(graph[1:])
    tqdm.write(f"library {alone:.3f} s, graph {served:.3f} s: {100 * (served / alone - 1):+.1f} %")


def _prompt_seconds(server: Server, model: str, name: str, strength: float) -> float:
    graph = Trial(model=model)
    image = graph.finish(graph.delta(graph.apply(name, strength)))
    graph.add("PreviewAny", 0, source=image)
    prompt = server.queue(graph.api())
    result = server.wait_for(prompt)
    if result.status != "success":
        raise RuntimeError(result.error)
    messages = dict(server.get(f"/history/{prompt}")[prompt]["status"]["messages"])
    return (messages["execution_success"]["timestamp"] - messages["execution_start"]["timestamp"]) / 1000


if __name__ == "__main__":
    main(*sys.argv[1:])
