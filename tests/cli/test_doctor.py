"""`doctor` says what there is, survives what is broken, and tells no path of others."""

import os
import shutil

import pytest
import torch
from safetensors.torch import save_file

from sfe_models.checkpoints.load import DEMO_BUNDLE, load_networks
from sfe_models.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = tmp_path / "home/my models"
    (folder / "directions").mkdir(parents=True)
    shutil.copy(DEMO_BUNDLE, folder / "mine.safetensors")
    return folder


def said(capsys, *folders):
    assert main(["doctor", *map(str, folders)]) == 0
    return capsys.readouterr().out


def test_it_says_what_there_is(folder, capsys):
    torch.save(torch.ones(3), folder / "directions/a.pt")
    (folder / "directions/b.npy").write_text("<html>")
    (folder / "yunet_final.pth").write_bytes(b"cut")
    save_file({"lora.weight": torch.ones(3)}, folder / "lora.safetensors")
    mine = load_networks(DEMO_BUNDLE).generator.fingerprint()
    text = said(capsys, folder)
    for wanted in (
        f"torch {torch.__version__}", "mine.safetensors: demo, float16, ", f"generator {mine}", "~/my models: ",
        "1 files that can be read",
        "lora.safetensors is a safetensors file, but no SFE bundle",
        "left out: b.npy", "saved web page", "yunet_final.pth has 3 bytes, expected 405729", "GB", "processor: ",
    ):  # fmt: skip
        assert wanted in text, (wanted, text)


def test_it_survives_what_is_broken(folder, tmp_path, capsys, monkeypatch):
    (folder / "cut.safetensors").write_bytes(DEMO_BUNDLE.read_bytes()[:3000])
    (folder / "linked.pt").symlink_to("/home/some body/secret place/gen.pt")
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "directions/a.json").write_bytes(b"\xff\xfe{")
    torch.save(torch.ones(3), folder / "directions/a.pt")
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr("sfe_models.directions.files._listed", lambda place: (_ for _ in ()).throw(RuntimeError("bad")))
    text = said(capsys, folder, tmp_path / "file", tmp_path / "nowhere")
    assert "cut.safetensors cannot be used" in text
    assert "file is a file; give the folder that holds it" in text
    assert "linked.pt is a link to .../gen.pt, which is not there" in text
    assert "could not be told: RuntimeError: bad" in text
    assert "free disk" in text and "nowhere" in text


def test_it_tells_no_path_of_others(folder, tmp_path, capsys):
    (tmp_path / "secret").mkdir()
    (folder / "linked.pt").symlink_to(tmp_path / "secret/gen.pt")
    os.symlink(tmp_path / "secret", folder / "elsewhere")
    text = said(capsys, folder)
    assert "secret" not in text and str(tmp_path) not in text.replace(str(folder), "")


def test_a_folder_that_cannot_be_read_is_said(folder, capsys, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.iterdir", refuse)
    text = said(capsys, folder)
    assert "directions cannot be read (Permission denied)" in text and "detectors" in text
