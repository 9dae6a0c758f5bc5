"""Write tests/nodes/object_info.json and locales/en/nodeDefs.json from what a real server says.

    COMFYUI_PATH=... PYTHONPATH=.:tests python tests/integration/refresh_object_info.py [BUNDLE]

BUNDLE: a model whose directions are offered too, as long as the demo model is not there.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from integration.build_workflows import OBJECT_INFO
from integration.server import Server, temporary_base

# Nodes of ComfyUI itself that the example workflows use.
CORE = ("ImageStitch", "PreviewImage", "SaveImage", "LoadVideo", "GetVideoComponents", "CreateVideo", "SaveVideo")
_BUILT_IN = ("auto", "photo", "photo-gradual", "demo", "demo-gradual", "ffhq-1024 (download)")
LOCALE = OBJECT_INFO.parents[2] / "locales/en/nodeDefs.json"


def main(bundle: str | None = None) -> None:
    base = temporary_base()
    if bundle:
        (base / "models/sfe").mkdir(parents=True)
        shutil.copy(bundle, base / "models/sfe")
    checkout = os.environ["COMFYUI_PATH"]
    shutil.copy(Path(checkout) / "input/example.png", (base / "input").mkdir() or base / "input")
    server = Server(checkout, base)
    try:
        info = server.get("/object_info")
    finally:
        server.stop()
        shutil.rmtree(base, ignore_errors=True)
    chosen = {name: info[name] for name in sorted(info) if name.startswith("SFE_") or name in CORE}
    options = chosen["SFE_LoadModel"]["input"]["required"]["model"][1]["options"]
    options[:] = [name for name in options if name in _BUILT_IN]
    for node in chosen.values():
        node["python_module"] = node["python_module"].rpartition(".")[2]
    texts = {name: _texts(node) for name, node in chosen.items() if name.startswith("SFE_")}
    for path, content in ((OBJECT_INFO, chosen), (LOCALE, texts)):
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _texts(node: dict) -> dict:
    """What a translator begins with."""
    options = [option for group in ("required", "optional") for option in node["input"].get(group, {}).items()]
    return {
        "display_name": node["display_name"],
        "description": node["description"],
        "inputs": {name: _input_texts(name, more[0] if more else {}) for name, (_, *more) in options},
        "outputs": {
            str(i): {"name": name, "tooltip": tooltip}
            for i, (name, tooltip) in enumerate(zip(node["output_name"], node["output_tooltips"], strict=True))
        },
    }


def _input_texts(name: str, options: dict) -> dict:
    """Name and tooltip; tooltips of many lines stay out: they are lists that the pack makes when it is asked."""
    texts = {"name": options.get("display_name", name), "tooltip": options.get("tooltip", "")}
    return texts if texts["tooltip"] and "\n" not in texts["tooltip"] else {"name": texts["name"]}


if __name__ == "__main__":
    main(*sys.argv[1:])
