"""A real ComfyUI server, driven over HTTP. Standard library, numpy and Pillow."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
PACK = "stylefeatureeditor"


@dataclass(frozen=True)
class Result:
    """How a graph ended. cached: numbers of nodes that did not run; error: of the node that failed."""

    status: str
    outputs: dict
    cached: tuple[str, ...]
    error: dict
    node_errors: dict
    seconds: float


class Server:
    """ComfyUI in a folder of its own, on a CPU."""

    def __init__(self, checkout: str, base: Path, *arguments: str):
        self.base, self.log = base, base / "server.log"
        for folder in ("custom_nodes", "models/sfe", "input", "output", "temp", "user"):
            (base / folder).mkdir(parents=True, exist_ok=True)
        link = base / "custom_nodes" / PACK
        if not link.exists():
            link.symlink_to(ROOT, target_is_directory=True)
        self.port = _free_port()
        command = [os.environ.get("COMFYUI_PYTHON", sys.executable), f"{checkout}/main.py", "--cpu"]
        command += ["--listen", "127.0.0.1", "--port", str(self.port), "--base-directory", str(base)]
        command += ["--disable-auto-launch", "--disable-api-nodes", *arguments]
        command += ["--database-url", f"sqlite:///{base}/user/comfyui.db"]
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command, cwd=checkout, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._wait()

    def _wait(self) -> None:
        for _ in range(600):
            if self.process.poll() is not None:
                raise RuntimeError(f"ComfyUI ended with {self.process.returncode}:\n{self.log.read_text()[-4000:]}")
            try:
                self.get("/system_stats")
                return
            except OSError:
                time.sleep(0.3)
        raise TimeoutError(f"ComfyUI did not start:\n{self.log.read_text()[-4000:]}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def get(self, path: str):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            return json.loads(answer.read())

    def post(self, path: str, content: dict) -> tuple[int, dict]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            json.dumps(content).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")

    def queue(self, graph: dict) -> str:
        """Queue a graph; returns its number."""
        status, answer = self.post("/prompt", {"prompt": graph})
        if status != 200:
            raise ValueError(json.dumps(answer))
        return answer["prompt_id"]

    def wait_for(self, prompt: str, timeout: float = 300) -> Result:
        """Wait until a queued graph has ended."""
        start = time.monotonic()
        while time.monotonic() - start < timeout:
            history = self.get(f"/history/{prompt}").get(prompt)
            if history:
                messages = dict(history["status"]["messages"])
                cached = tuple(messages.get("execution_cached", {}).get("nodes", ()))
                status = "interrupted" if "execution_interrupted" in messages else history["status"]["status_str"]
                error = messages.get("execution_error", {})
                return Result(status, history["outputs"], cached, error, {}, time.monotonic() - start)
            time.sleep(0.01)
        raise TimeoutError(f"Prompt {prompt} is not finished after {timeout} s:\n{self.log.read_text()[-4000:]}")

    def run(self, graph: dict, timeout: float = 300) -> Result:
        """Run a graph; a graph that is refused has the status "rejected"."""
        start = time.monotonic()
        status, answer = self.post("/prompt", {"prompt": graph})
        if status != 200:
            return Result("rejected", {}, (), answer.get("error", {}), answer.get("node_errors", {}), 0.0)
        result = self.wait_for(answer["prompt_id"], timeout)
        return Result(
            result.status, result.outputs, result.cached, result.error, answer.get("node_errors", {}),
            time.monotonic() - start,
        )  # fmt: skip

    def pictures(self, result: Result, node: str) -> np.ndarray:
        """The pictures that a node shows, of a comparison those after the edit: [B,H,W,3], 8 bits."""
        found, shown = [], result.outputs[node]
        for picture in shown.get("images") or shown["b_images"]:
            query = urllib.parse.urlencode(picture)
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/view?{query}", timeout=60) as answer:
                found.append(np.asarray(Image.open(io.BytesIO(answer.read())).convert("RGB")))
        return np.stack(found)

    def forget(self) -> None:
        """Empty the cache and unload the models, so that the next graph computes everything."""
        self.post("/free", {"unload_models": True, "free_memory": True})
        time.sleep(1.5)

    def memory(self) -> int:
        """Resident memory in MB (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) // 1024


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def temporary_base() -> Path:
    return Path(tempfile.mkdtemp(prefix="comfyui-"))


def base_with_photo() -> Path:
    """A folder for a server that has the photographic model. Raises CheckpointError where it was not fetched."""
    from sfe_models.checkpoints.places import photo_bundle

    base = temporary_base()
    (base / "models/sfe").mkdir(parents=True)
    for file in photo_bundle().parent.iterdir():  # the detector's file lies beside it
        (base / "models/sfe" / file.name).symlink_to(file.resolve())
    return base
