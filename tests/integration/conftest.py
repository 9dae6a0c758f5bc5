"""A real ComfyUI server for the tests of this folder, and a model that it and they both have."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from integration.server import ROOT, Server, temporary_base

from sfe_models.checkpoints.bundle import save_bundle
from sfe_models.checkpoints.load import load_networks
from sfe_models.demo.attributes import sample_portraits
from sfe_models.demo.renderer import render
from sfe_models.directions.base import DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.families.stylespace import StyleOffsetDirection
from sfe_models.directions.files import attached, bundle_directions
from sfe_models.pipeline import Pipeline

NAMES = ("smile", "glasses", "beard", "makeup", "age", "hair_colour", "hair_length", "yaw")
MODEL = "trial.safetensors"


def _trial_bundle(path: Path) -> None:
    """Write random networks of the demo domain's sizes, with directions of the demo model's names."""
    networks = load_networks("random:demo")
    spec, random = networks.spec, torch.Generator().manual_seed(1)

    def info(name):
        return DirectionInfo(name, "trial", spec.subject, (-3.0, 3.0), name)

    shape = spec.n_styles, spec.generator.style_dim
    directions = [LinearDirection(info(n), torch.randn(shape, generator=random) * 0.3) for n in NAMES]
    styles = networks.generator.style_space(torch.randn(1, *shape, generator=random)).map(lambda s: s[0] * 0.1)
    directions.append(StyleOffsetDirection(info("style"), styles.convs, styles.rgbs))
    save_bundle(networks, path, directions=attached(directions))


@pytest.fixture(scope="session")
def base():
    """The server's folder, with a trial model and ComfyUI's example picture."""
    checkout = os.environ.get("COMFYUI_PATH")
    if not checkout:
        pytest.skip("needs a ComfyUI checkout: set COMFYUI_PATH to it (and COMFYUI_PYTHON to its interpreter)")
    folder = temporary_base()
    (folder / "models/sfe").mkdir(parents=True)
    _trial_bundle(folder / "models/sfe" / MODEL)
    (folder / "input").mkdir()
    shutil.copy(Path(checkout) / "input/example.png", folder / "input")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server(base):
    """One server for all tests; each of them leaves it alive."""
    elsewhere = base / "elsewhere"
    elsewhere.mkdir()
    _trial_bundle(elsewhere / "extra.safetensors")
    paths = base / "extra_model_paths.yaml"
    paths.write_text(f"shared_disk:\n  base_path: {elsewhere}\n  sfe: .\n")
    running = Server(os.environ["COMFYUI_PATH"], base, "--extra-model-paths-config", str(paths))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def pipeline(base):
    """The library's own view of the trial model."""
    return Pipeline(load_networks(base / "models/sfe" / MODEL, torch.float32))


@pytest.fixture(scope="session")
def directions(base):
    return {d.info.name: d for d in bundle_directions(base / "models/sfe" / MODEL)}


@pytest.fixture(scope="session")
def film(base):
    """Put the film that the workflow of that name asks for into the server's input; the landmarks of its frames."""
    pytest.importorskip("av", reason="needs PyAV (the extra `video`)")
    from integration.clip import put_film

    seen = render(sample_portraits([15]), 128)
    picture = ((seen.image[0].clamp(-1, 1) + 1) * 127.5).round().byte().movedim(0, -1).numpy()
    return put_film(base, picture, seen.landmarks[0].double())


@pytest.fixture(params=sorted(path.stem for path in (ROOT / "workflows/api").glob("*.json")))
def example(request):
    """An example workflow's name, and its graph in API format."""
    graph = json.loads((ROOT / f"workflows/api/{request.param}.json").read_text(encoding="utf-8"))
    if request.param == "film":
        landmarks = request.getfixturevalue("film")
        for node in graph.values():  # nothing is fetched by a test, the detector neither
            node["inputs"] |= {"landmarks": landmarks} if node["class_type"] == "SFE_AlignFace" else {}
    return request.param, graph
