"""Run a script of this folder on the page of a real server, which is started for it.

    COMFYUI_PATH=... PYTHONPATH=.:tests python tests/browser/with_server.py screenshots.mjs
    COMFYUI_PATH=... PYTHONPATH=.:tests python tests/browser/with_server.py measure_latency.mjs [REPEATS]
    COMFYUI_PATH=... PYTHONPATH=.:tests python tests/browser/with_server.py boards.mjs FOLDER [OPTIONS]
    COMFYUI_PATH=... PYTHONPATH=.:tests python tests/browser/with_server.py first_use.mjs FOLDER PHOTO [--nodes2]

The photographic model has to be on this machine (`python -m sfe_models download photo`). The front end is the one that
COMFYUI_PYTHON has installed, or the first of COMFYUI_FRONTENDS.
"""

from __future__ import annotations

import json
import os
import shutil
import sys

from browser.conftest import FRONT_ENDS, run_script
from integration.clip import drawn_portrait, put_film
from integration.server import Server, base_with_photo


def main(script: str, *arguments: str) -> None:
    base = base_with_photo()
    server = None
    try:
        more = ("--front-end-root", FRONT_ENDS[0]) if FRONT_ENDS[0] else ()
        server = Server(os.environ["COMFYUI_PATH"], base, *more)
        if script == "boards.mjs":
            put_film(base, drawn_portrait(server))
        sys.stdout.write(json.dumps(run_script(script, server, *arguments)) + "\n")
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
