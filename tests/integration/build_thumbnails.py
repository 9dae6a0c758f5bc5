"""Run every example workflow on a real server and write what it shows to `workflows/NAME.jpg`.

    COMFYUI_PATH=... PYTHONPATH=.:tests python tests/integration/build_thumbnails.py

ComfyUI's template browser shows these beside the workflows' names.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from integration.examples import EXAMPLES
from integration.server import ROOT, Server, temporary_base
from PIL import Image

_SIDE = 256
_MOST = 4


def thumbnail(pictures: list[np.ndarray]) -> Image.Image:
    """Put pictures [H,W,3] of 8 bits beside each other, all of one height; a wide one alone."""
    shown = [Image.fromarray(p) for p in pictures]
    wide = [p for p in shown if p.width > 2 * p.height]
    resized = []
    for picture in wide[:1] or shown[:_MOST]:
        height = _SIDE if not wide else picture.height
        size = (round(picture.width * height / picture.height), height)
        resized.append(picture.resize(size, Image.Resampling.LANCZOS))
    whole = Image.new("RGB", (sum(p.width for p in resized), resized[0].height))
    left = 0
    for picture in resized:
        whole.paste(picture, (left, 0))
        left += picture.width
    return whole


def _shown(server: Server, graph: dict, result) -> list[np.ndarray]:
    """Before and after of every comparison; where a graph compares nothing, what it saves or draws last."""
    kinds = {number: node["class_type"] for number, node in graph.items()}
    pasted = [n for n, kind in kinds.items() if kind == "SFE_PasteBack"]
    compared = pasted or [n for n, kind in kinds.items() if kind == "SFE_Synthesize"]
    saved = [n for n, kind in kinds.items() if kind in ("SaveImage", "SFE_Sweep", "PreviewImage")]
    if saved and not pasted:
        return [picture for n in saved for picture in server.pictures(result, n)]
    keys = [(n, key) for n in compared for key in ("a_images", "b_images")]
    found = []
    for n, key in keys:
        entries = {n: {"images": result.outputs[n][key]}}
        found += list(server.pictures(replace(result, outputs=entries), n))
    return found


def main() -> None:
    base = temporary_base()
    server = None
    try:
        (base / "input").mkdir()
        shutil.copy(Path(os.environ["COMFYUI_PATH"]) / "input/example.png", base / "input")
        server = Server(os.environ["COMFYUI_PATH"], base)
        for number, (title, make) in enumerate(EXAMPLES, 1):
            graph = json.loads((ROOT / f"workflows/api/{make.__name__}.json").read_text(encoding="utf-8"))
            server.forget()
            result = server.run(graph)
            if result.status != "success":
                raise RuntimeError(f"{title}: {result.error or result.node_errors}")
            thumbnail(_shown(server, graph, result)).save(ROOT / f"workflows/{number:02} {title}.jpg", quality=88)
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main()
