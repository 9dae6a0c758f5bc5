"""How many pictures go through the networks together."""

import pytest
import torch

from sfe_models import memory
from sfe_models.batch import pace
from sfe_models.domain import FFHQ_1024

CUDA, GIB = torch.device("cuda"), 2**30


@pytest.fixture
def free(monkeypatch):
    """Set the free memory of a GPU, in GiB."""
    return lambda gib: monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (int(gib * GIB), 80 * GIB))


def test_on_a_cpu_pictures_go_alone():
    assert memory.pictures_at_once(FFHQ_1024, torch.device("cpu")) == 1
    assert pace.usual_pace(FFHQ_1024, torch.device("cpu")) == pace.Pace(1, 1, 0)


@pytest.mark.parametrize(("gib", "count"), [(0.1, 1), (1, 1), (4, 2), (8, 5), (80, 16)])
def test_a_gpu_takes_what_its_free_memory_holds(free, gib, count):
    free(gib)
    assert memory.picture_bytes(FFHQ_1024) == GIB
    assert memory.pictures_at_once(FFHQ_1024, CUDA) == count


def test_gradients_take_more(free):
    free(12)
    assert memory.pictures_at_once(FFHQ_1024, CUDA, gradients=True) == 2 < memory.pictures_at_once(FFHQ_1024, CUDA) == 8


@pytest.mark.parametrize(
    ("cores", "processes", "want"), [(16, 1, (8, 1)), (64, 1, (8, 4)), (64, 8, (4, 1)), (1, 1, (1, 1))]
)
def test_beside_a_gpu_threads_share_the_cores_of_their_process(free, monkeypatch, cores, processes, want):
    free(80)
    monkeypatch.setattr(pace.os, "sched_getaffinity", lambda pid: set(range(cores)), raising=False)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(processes))
    usual = pace.usual_pace(FFHQ_1024, CUDA)
    assert (usual.threads, usual.cores) == want
