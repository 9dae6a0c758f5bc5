"""Two processes do what one with the whole batch does."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from training import two_processes

from sfe_models.training.checkpoint import load_checkpoint
from sfe_models.training.distributed import Processes

ROOT = Path(__file__).resolve().parents[2]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("two")


@pytest.fixture(scope="module")
def pair(folder):
    """The results of both processes."""
    group = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "OMP_NUM_THREADS": "1"}
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    running = []
    for rank in range(2):
        env = {**os.environ, **group, "RANK": str(rank), "PYTHONPATH": path}
        command = [sys.executable, two_processes.__file__, str(folder)]
        running.append(subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True))
    try:
        errors = [process.communicate(timeout=200)[1] for process in running]
    finally:
        for process in running:
            process.kill()
    assert [process.returncode for process in running] == [0, 0], "\n".join(errors)
    return [torch.load(folder / f"rank{rank}.pt") for rank in range(2)]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return two_processes.everything(Processes(), tmp_path_factory.mktemp("alone"))


def test_primitives(pair):
    first, second = (result["primitives"] for result in pair)
    assert (first["part"], second["part"]) == ([0, 3], [3, 6])
    for result in (first, second):
        assert result["gradient"].eq(0.5).all() and result["buffers"]["running_mean"].eq(0.5).all()
        assert result["broadcast"].eq(5).all() and result["mean"] == 0.5
        assert result["gather"].tolist() == [[0, 10], [1, 11]]
    assert [int(r["buffers"]["num_batches_tracked"]) for r in (first, second)] == [0, 1]  # not a mean of anything


@pytest.mark.parametrize("name", two_processes.EXACT)
def test_gradients_and_weights_are_those_of_one_process(name, pair, alone):
    want = alone[name]
    for result in pair:
        for step, reference in zip(result[name]["gradients"], want["gradients"], strict=True):
            scale = max(float(g.abs().max()) for g in reference)
            for gradient, other in zip(step, reference, strict=True):
                torch.testing.assert_close(gradient, other, rtol=1e-4, atol=1e-5 * scale)
        for key, tensor in result[name]["weights"].items():
            torch.testing.assert_close(tensor, want["weights"][key], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", two_processes.EXACT)
def test_both_processes_step_with_the_same_gradients(name, pair):
    steps = [result[name]["gradients"] for result in pair]
    assert len(steps[0]) == len(steps[1]) == 2
    for one, other in zip(*steps, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("name", ["gan", "batchnorm"])
def test_processes_agree_at_the_end(name, pair, folder):
    """Different noise, latents, augmentations and batch statistics; the same weights and running statistics."""
    first, second = (result[name] for result in pair)
    for key, network in first["networks"].items():
        for tensor, value in network.items():
            assert torch.equal(value, second["networks"][key][tensor]), f"{key} {tensor}"
    saved = load_checkpoint(folder / name)["networks"]
    for key, network in first["networks"].items():
        assert all(torch.equal(saved[key][tensor], value) for tensor, value in network.items())
    if name == "gan":
        assert first["augmentation"] == second["augmentation"] > 0


def test_without_torchrun_a_process_is_alone(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    processes = Processes.start(torch.device("cpu"))
    assert processes == Processes(0, 1) and processes.part(5) == slice(0, 5)
    value = torch.ones(2)
    assert processes.gather(value) is value and processes.mean(value) is value
    processes.stop()
