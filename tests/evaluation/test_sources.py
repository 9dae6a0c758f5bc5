"""Photographs that an evaluation aligns itself."""

import numpy as np
import pytest
import torch
from PIL import Image

from sfe_models.domain import tiny_domain
from sfe_models.evaluation.errors import EvaluationError
from sfe_models.evaluation.sources import PictureFiles, open_source
from sfe_models.faces.errors import FaceError
from sfe_models.faces.mask.regions import mean_face

SPEC = tiny_domain(64)


class Finder:
    """Find a face that fills a square of the photo, or none."""

    def __init__(self, corner=(20.0, 30.0), side=120.0):
        self.corner, self.side = corner, side

    def __call__(self, photo, quick=False):
        return [] if self.corner is None else [mean_face() * self.side + torch.tensor(self.corner).double()]


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    small = random.integers(0, 255, (5, 5, 3), dtype=np.uint8)
    Image.fromarray(small).resize((200, 200), Image.Resampling.BICUBIC).save(tmp_path / "photo.png")
    return tmp_path


def test_a_photograph_is_cut_to_its_face(folder):
    source = open_source(str(folder), SPEC, None, 0, detector=Finder())
    assert source.keys == ("photo.png",) and source.portraits(["photo.png"]) is None
    crop = source.read("photo.png")
    with Image.open(folder / "photo.png") as photo:
        expected = photo.crop((20, 30, 140, 150)).resize((64, 64), Image.Resampling.BILINEAR)
    expected = torch.from_numpy(np.array(expected)).movedim(-1, 0) / 127.5 - 1
    assert crop.shape == (3, 64, 64) and (crop - expected).abs().mean() < 0.06
    assert torch.allclose((crop + 1) * 127.5, ((crop + 1) * 127.5).round(), atol=1e-3)


def test_a_photograph_without_a_face_says_so(folder):
    with pytest.raises(FaceError, match="no face that can be used"):
        open_source(str(folder), SPEC, None, 0, detector=Finder(None)).read("photo.png")


def test_without_a_detector_the_folder_holds_crops(folder):
    assert isinstance(open_source(str(folder), SPEC, None, 0), PictureFiles)
    with pytest.raises(EvaluationError, match="There is no folder"):
        open_source(str(folder / "none"), SPEC, None, 0, detector=Finder())


def test_hidden_files_are_passed_over_and_suffixes_do_not_decide(folder):
    (folder / "photo.png").rename(folder / "photo.dat")
    for name in ("._photo.png", "broken.png", "notes.txt"):
        (folder / name).write_bytes(b"no picture")
    assert PictureFiles.find(folder, SPEC, None, 0).keys == ("broken.png", "photo.dat")


def test_pictures_that_a_file_names_do_not_count(tmp_path):
    folder, names = tmp_path / "pictures", tmp_path / "seen.txt"
    (folder / "below").mkdir(parents=True)
    for name in ("a.png", "b.png", "below/c.png", "d.png"):
        Image.new("RGB", (64, 64)).save(folder / name)
    names.write_text("a\nbelow/c.png\n\nd.png\n")
    assert open_source(str(folder), SPEC, None, 0, leave_out=names).keys == ("b.png",)
    names.write_text("a\nd\n", encoding="utf-16")  # as Windows' editors may keep it
    assert open_source(str(folder), SPEC, None, 0, leave_out=names).keys == ("b.png", "below/c.png")
    for text, message in (("e.png", "names no picture"), ("a\nb\nc\nd", "names every picture")):
        names.write_text(text)
        with pytest.raises(EvaluationError, match=message):
            open_source(str(folder), SPEC, None, 0, leave_out=names)
    with pytest.raises(EvaluationError, match="cannot be read"):
        open_source(str(folder), SPEC, None, 0, leave_out=tmp_path / "none.txt")
