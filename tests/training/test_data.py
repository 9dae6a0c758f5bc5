"""Pictures to train on and their order."""

import pickle
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from training.tiny import inverter_config, make

from sfe_models.demo.attributes import ATTRIBUTES, attributes_from_latent, sample_portraits
from sfe_models.demo.renderer import render
from sfe_models.training import data
from sfe_models.training.attributes import normalised
from sfe_models.training.data import (
    FIRST_TRAINING_SEED,
    Batch,
    PictureFolder,
    RenderedPortraits,
    StepOrder,
    batches,
    open_pictures,
)
from sfe_models.training.distributed import Processes
from sfe_models.training.errors import DataError
from sfe_models.training.loop import train


def write(path, value, size=(16, 16)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, 0, 255)).save(path)


@pytest.fixture
def folder(tmp_path):
    """Five pictures in three folders, one of them broken, beside other files."""
    root = tmp_path / "pictures"
    write(root / "a.png", 10)
    write(root / "b.JPG", 20, (40, 30))
    write(root / "below/c.webp", 30)
    write(root / "below/further/d.png", 40)
    (root / "below/broken.png").write_bytes(b"\x89PNG but no picture")
    (root / "notes.txt").write_text("no picture")
    return root


def reds(batch):
    return ((batch.image[:, 0].mean(dim=(1, 2)) + 1) * 127.5).round().int().tolist()


def test_a_folder_is_read_with_all_below_it(folder):
    pictures = PictureFolder(folder, (16, 16))
    assert [path.name for path in pictures.paths] == ["a.png", "b.JPG", "broken.png", "c.webp", "d.png"]
    batch = pictures[[0, 3, 4]]
    assert batch.image.shape == (3, 3, 16, 16) and batch.latent is None
    assert batch.image[:, 1].eq(-1).sum() > 500 and batch.image[0, 2].eq(1).all()
    assert np.allclose(reds(batch), [10, 30, 40], atol=3)
    assert pictures.skipped == []


def test_what_is_a_picture_is_told_by_content_and_hidden_files_are_passed_over(folder):
    shutil.copy(folder / "a.png", folder / "e.dat")
    shutil.copy(folder / "a.png", folder / "f")
    (folder / "._a.png").write_bytes(b"\0\5\x16\7 of macOS")
    write(folder / ".thumbnails/a.png", 99)
    pictures = PictureFolder(folder, (16, 16))
    assert [path.name for path in pictures.paths] == ["a.png", "b.JPG", "broken.png", "c.webp", "d.png", "e.dat", "f"]
    assert torch.equal(pictures[[5, 6]].image, pictures[[0, 0]].image) and pictures.skipped == []


def test_pictures_are_resized_to_the_domains_size(folder):
    assert PictureFolder(folder, (12, 16))[[1]].image.shape == (1, 3, 12, 16)


def test_kept_pictures_are_those_of_the_files(folder, tmp_path, monkeypatch):
    plain, cache = PictureFolder(folder, (16, 16)), tmp_path / "cache"
    want = plain[range(len(plain))].image
    assert torch.equal(PictureFolder(folder, (16, 16), cache)[range(len(plain))].image, want)
    with monkeypatch.context() as patch:
        patch.setattr(data, "open_image", None)  # no file is opened a second time
        assert torch.equal(PictureFolder(folder, (16, 16), cache)[[1, 0]].image, want[[1, 0]])
    for_a_worker = pickle.dumps(PictureFolder(folder, (16, 16), cache))
    assert len(for_a_worker) < 4_000 and torch.equal(pickle.loads(for_a_worker)[range(len(plain))].image, want)
    # Another file of the same name is another picture.
    Image.new("RGB", (20, 20), "red").save(plain.paths[0])
    assert not torch.equal(PictureFolder(folder, (16, 16), cache)[[0]].image, want[:1])


def test_a_disk_without_room_is_said_before_anything_is_kept(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(data.shutil, "disk_usage", lambda place: SimpleNamespace(free=1000))
    with pytest.raises(DataError, match="free, but kept pictures would take"):
        PictureFolder(folder, (16, 16), tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("workers", [0, 2])
def test_broken_files_are_skipped_and_listed(folder, tmp_path, workers):
    for i in range(20):  # more than the pictures shown, which the main process reads itself
        write(folder / f"more/{i:02}.png", 50 + i)
    shutil.move(folder / "below/broken.png", folder / "z.png")
    pictures = PictureFolder(folder, (16, 16))
    config = inverter_config(6)
    config = replace(config, run=replace(config.run, workers=workers))
    train(make(config), config, pictures, tmp_path / "run")
    assert (tmp_path / "run/skipped.txt").read_text().splitlines() == [str(folder / "z.png")]


def test_another_picture_takes_a_broken_ones_place(folder):
    pictures = PictureFolder(folder, (16, 16))
    assert torch.equal(pictures[[2]].image, pictures[[3]].image)
    assert [path.name for path in pictures.skipped] == ["broken.png"]


def test_only_broken_files(folder):
    for path in PictureFolder(folder, (16, 16)).paths:
        path.write_bytes(b"broken")
    with pytest.raises(DataError, match="None of the 5 pictures"):
        PictureFolder(folder, (16, 16))[[0]]


def test_empty_and_missing_folders(tmp_path):
    with pytest.raises(DataError, match=f"{tmp_path} holds no pictures"):
        PictureFolder(tmp_path, (16, 16))
    with pytest.raises(DataError, match="There is no folder .*nowhere"):
        open_pictures(str(tmp_path / "nowhere"), (16, 16), 5, True, 40)


def test_portraits_are_square():
    with pytest.raises(DataError, match="this domain's pictures are 64 x 48 px"):
        open_pictures("demo", (48, 64), 5, True, 40)


def order(count=10, batch=4, part=slice(0, 4), seed=1, first=0, steps=15):
    return list(StepOrder(count, batch, part, seed, first, steps))


def test_every_epoch_is_a_permutation():
    seen = sum(order(), [])
    epochs = [seen[i : i + 10] for i in range(0, 60, 10)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 6


def test_order_is_a_function_of_the_step():
    whole = order()
    for first in (1, 2, 7, 14):
        assert order(first=first) == whole[first:]
    assert order(seed=2) != whole and order() == whole
    assert len(StepOrder(10, 4, slice(0, 4), 1, 3, 15)) == 12


def test_a_batch_may_be_larger_than_the_data():
    seen = order(count=3, batch=8, part=slice(0, 8), steps=3)
    assert [len(step) for step in seen] == [8, 8, 8]
    assert np.bincount(sum(seen, [])).tolist() == [8, 8, 8]


def test_parts_of_two_processes_join_to_the_batch():
    parts = [order(part=Processes(rank, 2).part(4)) for rank in range(2)]
    assert [a + b for a, b in zip(*parts, strict=True)] == order()


def test_a_batch_that_cannot_be_split():
    with pytest.raises(ValueError, match="A batch of 5 cannot be split among 2 processes; change run.batch"):
        Processes(0, 2).part(5)


def test_loader_keeps_the_order_and_the_fields():
    class Numbers:
        def __len__(self):
            return 10

        def __getitem__(self, indices):
            values = torch.tensor(indices, dtype=torch.float32)
            return Batch(values[:, None, None, None].expand(-1, 3, 2, 2).clone(), attributes=values[:, None])

    for workers in (0, 2):
        read = list(batches(Numbers(), StepOrder(10, 4, slice(0, 4), 1, 0, 6), workers))
        assert [batch.attributes[:, 0].int().tolist() for batch in read] == order(steps=6)
        assert all(batch.latent is None and len(batch) == 4 for batch in read)
    assert read[0][1:3].attributes.tolist() == read[0].attributes[1:3].tolist()


@pytest.mark.parametrize("details", [True, False])
def test_kept_portraits_are_the_rendered_ones_to_8_bits(details):
    portraits = RenderedPortraits(6, 32, details, latent_dim=40)
    seeds = [FIRST_TRAINING_SEED + i for i in (4, 1)]
    want = render(sample_portraits(seeds, details, 40), 32)
    for _ in range(2):  # drawn, then kept
        batch = portraits[[4, 1]]
        assert (batch.image - want.image).abs().max() <= 0.5 / 127.5 + 1e-6
        assert (batch.feature_mask - want.feature_mask).abs().max() <= 0.5 / 255 + 1e-6
    assert len(portraits) == 6


def test_a_portraits_latent_makes_its_attributes():
    batch = RenderedPortraits(4, 32, False, latent_dim=40)[[0, 3]]
    assert batch.latent.shape == (2, 40)
    torch.testing.assert_close(attributes_from_latent(batch.latent), batch.attributes)
    scaled = normalised(batch.attributes)
    assert 0 <= scaled.min() and scaled.max() <= 1
    a = ATTRIBUTES[5]
    torch.testing.assert_close(scaled[:, 5], (batch.attributes[:, 5] - a.low) / (a.high - a.low))


def test_a_cache_serves_other_runs(tmp_path, monkeypatch):
    first = RenderedPortraits(4, 32, True, 40, tmp_path / "cache")
    want = first[[2, 0, 2]]
    monkeypatch.setattr("sfe_models.training.data.render", None)  # nothing may be drawn any more
    second = RenderedPortraits(4, 32, True, 40, tmp_path / "cache")
    got = second[[2, 0, 2]]
    assert torch.equal(got.image, want.image) and torch.equal(got.feature_mask, want.feature_mask)
    assert torch.equal(got.latent, want.latent) and torch.equal(got.attributes, want.attributes)
    with pytest.raises(TypeError):  # that one was never asked for
        second[[1]]


def test_a_cache_is_not_taken_for_other_pictures(tmp_path):
    portraits = RenderedPortraits(3, 32, True, 40, tmp_path)
    for other in (
        RenderedPortraits(3, 32, False, 40, tmp_path),
        RenderedPortraits(3, 32, True, 41, tmp_path),
        RenderedPortraits(3, 32, True, 40, tmp_path, first_seed=7),
    ):
        assert not torch.equal(other[[0]].image, portraits[[0]].image)


def test_open_pictures_chooses_by_name(folder):
    assert isinstance(open_pictures("demo", (32, 32), 3, True, 40), RenderedPortraits)
    assert isinstance(open_pictures(str(folder), (32, 32), 3, True, 40), PictureFolder)
