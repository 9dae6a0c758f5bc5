"""What the real front end did with the pack, asked once for each front end and each way of drawing nodes."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from integration.server import ROOT, Server, temporary_base

MODES = {"canvas": (), "nodes2": ("--nodes2",)}
# Folders `comfyui_frontend_package/static`; empty: the one that COMFYUI_PYTHON has installed.
FRONT_ENDS = os.environ.get("COMFYUI_FRONTENDS", "").split(os.pathsep)


def chromium() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="session", params=FRONT_ENDS, ids=range(len(FRONT_ENDS)))
def front_end(request):
    """A server with one of the front ends."""
    checkout = os.environ.get("COMFYUI_PATH")
    if not checkout:
        pytest.skip("needs a ComfyUI checkout: set COMFYUI_PATH to it (and COMFYUI_PYTHON to its interpreter)")
    if not chromium():
        pytest.skip("needs Chromium on the PATH, or CHROMIUM set to its program")
    if not (ROOT / "node_modules/playwright-core").is_dir():
        pytest.skip("needs playwright-core: run `npm install` in the repository")
    base = temporary_base()
    (base / "input").mkdir()
    shutil.copy(Path(checkout) / "input/example.png", base / "input")
    server = None
    try:
        server = Server(checkout, base, *(("--front-end-root", request.param) if request.param else ()))
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(base, ignore_errors=True)


@pytest.fixture(scope="session", params=MODES)
def report(request, front_end, tmp_path_factory):
    """What check.mjs says; its screenshots stay in pytest's temporary folder."""
    return run_script("check.mjs", front_end, str(tmp_path_factory.mktemp(request.param)), *MODES[request.param])


def run_script(name: str, server: Server, *arguments: str) -> dict:
    """Run a script of this folder on a server's page; returns the JSON that it prints."""
    command = ["node", str(ROOT / "tests/browser" / name), f"http://127.0.0.1:{server.port}", *arguments]
    environment = os.environ | {"CHROMIUM": chromium()}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    if done.returncode or not done.stdout:
        raise RuntimeError(f"{name} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout)
