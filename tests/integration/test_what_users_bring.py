"""Odd folders, names and numbers that people bring to a server."""

import os
import shutil
from pathlib import Path

import pytest
import torch
from integration.parts import MODEL, Trial

from sfe_models.checkpoints.load import DEMO_BUNDLE

SFE = "models/sfe"


def models_of(server):
    return server.get("/object_info/SFE_LoadModel")["SFE_LoadModel"]["input"]["required"]["model"][1]["options"]


def computed(server):
    """Seconds that the server has computed so far (Linux), however busy the machine is."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def crowded(base):
    """Sixty bundles and links that lead in circles."""
    folder = base / SFE / "crowd"
    folder.mkdir()
    shutil.copy(DEMO_BUNDLE, folder / "0.safetensors")
    for i in range(1, 60):
        os.link(folder / "0.safetensors", folder / f"{i}.safetensors")
    for name, target in {"loop": base / SFE, "here": folder}.items():
        (folder / name).symlink_to(target, target_is_directory=True)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.usefixtures("crowded")
def test_sixty_bundles_and_looping_links_are_not_felt(server):
    assert len([name for name in models_of(server) if name.startswith("crowd/")]) == 60
    for node in ("SFE_LoadModel", "SFE_ApplyDirection"):
        took = []
        for _ in range(3):
            start = computed(server)
            server.get(f"/object_info/{node}")
            took.append(computed(server) - start)
        assert min(took) < 0.3, took


def test_files_are_what_they_hold(server, base):
    shutil.copy(base / SFE / MODEL, base / SFE / "Copy.SAFETENSORS")
    torch.save({}, base / SFE / "loose.pt")
    (base / SFE / "linked").mkdir()
    (base / SFE / "linked/gen.pt").symlink_to("/nowhere/gen.pt")
    try:
        assert {"Copy.SAFETENSORS", "./"} <= set(models_of(server))
        graph = Trial(model="Copy.SAFETENSORS")
        graph.show(graph.reconstruction)
        assert server.run(graph.api()).status == "success"
        for name, said in {"loose.pt": "choose its folder", "linked/": "/nowhere/gen.pt, which is not there"}.items():
            graph = Trial(model=name)
            graph.show(graph.reconstruction)
            result = server.run(graph.api())
            assert result.status in ("error", "rejected") and said in str((result.error, result.node_errors)), name
    finally:
        for name in ("Copy.SAFETENSORS", "loose.pt"):
            (base / SFE / name).unlink()
        shutil.rmtree(base / SFE / "linked")


@pytest.mark.parametrize("name", ["", " ", ".", "..", "con", "a/NUL", "x:y", "a" * 300])
def test_names_that_no_file_should_have_are_refused(server, base, name):
    graph = Trial()
    graph.add("SFE_SaveInversion", inversion=graph.inversion, filename=name, overwrite=True)
    result = server.run(graph.api())
    assert result.status == "error" and "'filename' is" in result.error["exception_message"], result


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"strengths": "1e9"}, "from -1000 to 1000"),
        ({"strengths": ",".join(["1"] * 300)}, "at most 64"),
        ({"name": 5}, "direction is 5; expected the name"),
    ],
)
def test_numbers_that_no_edit_has_are_refused(server, more, said):
    graph = Trial()
    graph.show(graph.finish(graph.delta(graph.apply(**more))))
    result = server.run(graph.api())
    assert result.status in ("error", "rejected") and said in str((result.error, result.node_errors)), result
