"""Models in folders are known by content, named where they cannot be used, and each folder is looked into once."""

import os
import shutil
import time

import pytest
import torch

from sfe_models.atomic import save_tensors
from sfe_models.checkpoints.found import find_models
from sfe_models.checkpoints.load import DEMO_BUNDLE


def bundle(path, **metadata):
    return save_tensors({"a": torch.zeros(3)}, path, {"format": "sfe-bundle"} | metadata)


@pytest.mark.parametrize("name", ["a.safetensors", "Copy.SAFETENSORS", "below/deep/b.safetensors", "mine.sft", "c.pt"])
def test_a_bundle_is_one_whatever_it_is_called(tmp_path, name):
    path = bundle(tmp_path / name)
    assert find_models([tmp_path]).models == {name: path}


def test_a_generator_alone_is_a_model(tmp_path):
    path = bundle(tmp_path / "own.safetensors", format="sfe-generator")
    assert find_models([tmp_path]).models == {"own.safetensors": path}


def test_files_of_ours_that_are_no_model_are_explained(tmp_path):
    for format in ("sfe-inversion", "sfe-tuned-generator", "sfe-channel-relevance", "plain"):
        bundle(tmp_path / f"{format}.safetensors", format=format)
    found = find_models([tmp_path])
    assert not found.models and not found.damaged
    assert "kept inversion" in found.why_not("sfe-inversion.safetensors")
    assert "make one with `convert`" in found.why_not("plain.safetensors")


@pytest.mark.parametrize("suffix", ["pt", "PT", "pth", "PKL", "bin"])
def test_published_files_are_chosen_by_their_folder(tmp_path, suffix):
    for place in (tmp_path, tmp_path / "mine/inner"):
        place.mkdir(parents=True, exist_ok=True)
        torch.save({"a": torch.zeros(1)}, place / f"loose.{suffix}")
    found = find_models([tmp_path])
    assert found.models == {"./": tmp_path, "mine/inner/": tmp_path / "mine/inner"}
    assert found.why_not(f"mine/inner/loose.{suffix}") == "is one file of several: choose its folder, 'mine/inner/'"


def test_files_of_detectors_directions_and_hidden_ones_are_no_models(tmp_path):
    (tmp_path / "directions").mkdir()
    for name in ("yunet_final.pth", "directions/age.pt", ".hidden.pt", "._a.pt"):
        torch.save(torch.zeros(3), tmp_path / name)
    (tmp_path / "notes.txt").write_text("mine")
    found = find_models([tmp_path])
    assert not (found.models or found.others or found.damaged)


def test_what_cannot_be_used_is_named_and_stops_nothing(tmp_path):
    whole = bundle(tmp_path / "whole.safetensors")
    (tmp_path / "page.safetensors").write_text("<html>")
    (tmp_path / "cut.safetensors").write_bytes(DEMO_BUNDLE.read_bytes()[:5000])
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/gen.pt").symlink_to("/nowhere/gen.pt")
    (tmp_path / "self").symlink_to("self")
    found = find_models([tmp_path, tmp_path / "not there"])
    assert found.models == {"whole.safetensors": whole}
    assert sorted(found.damaged) == ["cut.safetensors", "linked/gen.pt", "page.safetensors", "self"]
    assert "saved web page" in found.why_not("page.safetensors")
    assert "/nowhere/gen.pt, which is not there" in found.why_not("linked/")
    assert found.why_not("other.safetensors") is None


@pytest.mark.skipif(os.getuid() == 0, reason="everything may be read by root")
def test_a_folder_that_may_not_be_read_is_named(tmp_path):
    (tmp_path / "closed").mkdir(mode=0)
    assert find_models([tmp_path]).damaged == {"closed/": "cannot be read (Permission denied)"}


def test_sixty_bundles_and_looping_links_take_no_time(tmp_path):
    shutil.copy(DEMO_BUNDLE, tmp_path / "0.safetensors")
    for i in range(1, 60):
        os.link(tmp_path / "0.safetensors", tmp_path / f"{i}.safetensors")
    (tmp_path / "a").mkdir()
    for name, target in {"loop": tmp_path, "a/up": tmp_path, "a/above": tmp_path.parent, "a/here": "."}.items():
        (tmp_path / name).symlink_to(target, target_is_directory=True)
    start = time.process_time()
    assert len(find_models([tmp_path]).models) == 60
    assert time.process_time() - start < 0.3


def test_a_link_to_a_folder_elsewhere_is_followed(tmp_path):
    path = bundle(tmp_path / "elsewhere/a.safetensors")
    (tmp_path / "sfe").mkdir()
    (tmp_path / "sfe/linked").symlink_to(path.parent, target_is_directory=True)
    assert list(find_models([tmp_path / "sfe"]).models) == ["linked/a.safetensors"]
