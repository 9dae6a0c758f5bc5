"""Run every example workflow on a real server and write what it shows to `workflows/NAME.jpg`.

    COMFYUI_PATH=... PYTHONPATH=.:tests python tests/integration/build_thumbnails.py [TITLE]

TITLE: of one workflow alone, or a part of it. ComfyUI's template browser shows these beside the workflows' names.
They are made with the photographic model, which has to be on this machine (`python -m sfe_models download photo`).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from integration.clip import drawn_portrait, put_film
from integration.examples import EXAMPLES
from integration.server import ROOT, Result, Server, base_with_photo
from PIL import Image

_SIDE, _WIDEST = 256, 1024
_MOST = 4
_LIMIT_S = 1800
_SHOWING = {
    *(
        "SFE_Invert",
        "SFE_ComputeDelta",
        "SFE_MaskDelta",
        "SFE_Synthesize",
        "SFE_PasteBack",
        "SFE_EditFace",
        "SFE_Sweep",
    ),
    "SaveImage",
}


def thumbnail(pictures: list[np.ndarray]) -> Image.Image:
    """Put pictures [H,W,3] of 8 bits beside each other, all of one height; a wide one alone."""
    shown = [Image.fromarray(p) for p in pictures]
    wide = [p for p in shown if p.width > 2 * p.height]
    resized = []
    for picture in wide[:1] or shown[:_MOST]:
        height = _SIDE if not wide else min(picture.height, picture.height * _WIDEST // picture.width)
        size = (round(picture.width * height / picture.height), height)
        resized.append(picture.resize(size, Image.Resampling.LANCZOS))
    whole = Image.new("RGB", (sum(p.width for p in resized), resized[0].height))
    left = 0
    for picture in resized:
        whole.paste(picture, (left, 0))
        left += picture.width
    return whole


def run_whole(server: Server, graph: dict, wanted: Iterable[str]) -> Result:
    """Run a graph so that the history has what the nodes wanted show: nothing of them comes from the cache."""
    result = server.run(graph, timeout=_LIMIT_S)
    if set(wanted) & set(result.cached) & _showing(graph):
        server.forget()
        result = server.run(graph, timeout=_LIMIT_S)
    return result


def _showing(graph: dict) -> set[str]:
    return {number for number, node in graph.items() if node["class_type"] in _SHOWING}


def _shown(server: Server, graph: dict, result) -> list[np.ndarray]:
    """Before and after of a comparison; of a batch or without one, what a graph saves or draws last."""
    kinds = {number: node["class_type"] for number, node in graph.items()}

    def of(*wanted: str) -> list[str]:
        return [number for number, kind in kinds.items() if kind in wanted]

    for compared in of("SFE_PasteBack", "SFE_EditFace") or of("SFE_Synthesize"):
        pairs = [result.outputs[compared][key] for key in ("a_images", "b_images")]
        if len(pairs[1]) == 1 or kinds[compared] == "SFE_PasteBack":  # of a film the first frame
            entries = [{compared: {"images": shown}} for shown in pairs]
            return [server.pictures(replace(result, outputs=one), compared)[0] for one in entries]
    return [picture for n in of("SaveImage", "SFE_Sweep") for picture in server.pictures(result, n)]


def main(wanted: str = "") -> None:
    base = base_with_photo()
    server = None
    try:
        server = Server(os.environ["COMFYUI_PATH"], base)
        put_film(base, drawn_portrait(server))
        for number, (title, make) in enumerate(EXAMPLES, 1):
            if wanted not in title:
                continue
            graph = json.loads((ROOT / f"workflows/api/{make.__name__}.json").read_text(encoding="utf-8"))
            result = run_whole(server, graph, graph)
            if result.status != "success":
                raise RuntimeError(f"{title}: {result.error or result.node_errors}")
            thumbnail(_shown(server, graph, result)).save(ROOT / f"workflows/{number:02} {title}.jpg", quality=84)
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
