"""Bad photos and bad landmarks: one sentence each, and never a wrong picture."""

import numpy as np
import pytest
import torch
from faces.people import UPRIGHT, face
from PIL import Image

from sfe_models.cli import main
from sfe_models.faces.crop.alignment import align_face
from sfe_models.faces.crop.warp import crop_face
from sfe_models.faces.errors import FaceError
from sfe_models.faces.find.detectors import find_faces
from sfe_models.faces.find.people import align_photos
from sfe_models.faces.landmarks import face_centres
from sfe_models.faces.paste.face import PasteOptions, paste_face, paste_into

MODEL = ["--model", "random:tiny-64", "--dtype", "float32", "--device", "cpu"]


class Nobody:
    def __call__(self, photo, quick=False):
        return []


def test_no_face():
    assert find_faces(torch.zeros(3, 90, 120, dtype=torch.uint8), Nobody()) == []
    with pytest.raises(FaceError, match="no face that can be used"):
        align_photos([[]], (90, 120), (64, 64))


def test_one_pixel():
    assert find_faces(torch.zeros(3, 1, 1, dtype=torch.uint8), Nobody()) == []


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (torch.full((5, 2), 30.0), "one place"),
        (torch.stack([torch.arange(5.0) * 10, torch.arange(5.0) * 10], dim=1), "one line"),
        (UPRIGHT * torch.tensor([1.0, float("nan")]), "not finite"),
        (UPRIGHT * float("inf"), "not finite"),
        (UPRIGHT[[1, 0, 2, 4, 3]], "wrong way round"),
        (UPRIGHT[:4], "expected"),
    ],
)
def test_degenerate_landmarks(points, message):
    with pytest.raises(FaceError, match=message):
        face_centres(points)
    with pytest.raises(FaceError, match=message):
        align_photos([[points]], (100, 100), (64, 64))


def test_landmarks_outside_of_the_photo():
    with pytest.raises(FaceError, match="outside of the photo"):
        align_photos([[face(900, 900, 4)]], (300, 300), (64, 64))


def test_an_alignment_of_another_photo_s_size():
    one = align_face(face(150, 150, 3), (300, 300), (64, 64))
    with pytest.raises(FaceError, match="photo that was aligned"):
        crop_face(torch.zeros(3, 200, 300), one)
    with pytest.raises(FaceError, match="photo that was aligned"):
        paste_face(torch.zeros(3, 200, 300), torch.zeros(3, 64, 64), one)


def test_masks_of_nothing_and_of_no_number():
    photo = torch.rand(3, 300, 300, generator=torch.Generator().manual_seed(0))
    one = align_face(face(150, 150, 3), (300, 300), (64, 64))
    pasted, used = paste_face(photo, torch.ones(3, 64, 64), one, mask=torch.zeros(64, 64))
    assert torch.equal(pasted, photo) and not used.any()
    for mask in (torch.zeros(0, 64), torch.full((64, 64), float("nan")), torch.zeros(2, 64, 64)):
        with pytest.raises(FaceError, match="mask"):
            paste_face(photo, torch.ones(3, 64, 64), one, mask=mask)


def test_a_hundred_megapixels_are_touched_only_where_the_face_is():
    row = torch.arange(12500, dtype=torch.int64).remainder(251).to(torch.uint8)
    photo = row.expand(3, 8000, 12500)  # takes the memory of one row
    one = align_face(face(9000, 4000, 12), (8000, 12500), (128, 128))
    crop = crop_face(photo, one)
    assert crop.shape == (3, 128, 128)
    part = photo[:, 3000:5000].clone()
    shifted = align_face(face(9000, 1000, 12), (2000, 12500), (128, 128))
    plain = PasteOptions(colour_match=False)
    (top, left, height, width), weights = paste_into(part, torch.zeros(3, 128, 128), shifted, options=plain)
    assert height < 2000 and width < 2000 and weights.max() == 1
    part[:, top : top + height, left : left + width] = row[left : left + width]
    assert torch.equal(part, photo[:, 3000:5000])


@pytest.fixture
def landmarks_file(tmp_path):
    path = tmp_path / "points.txt"
    path.write_text(", ".join(f"{x:.1f} {y:.1f}" for x, y in face(150, 100, 3).tolist()))
    return path


def edit(path, landmarks_file, out, *more):
    return main(["edit", str(path), "--paste", "--landmarks", str(landmarks_file), "--output", str(out), *MODEL, *more])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.write_bytes(b""), "cannot be read"),
        (lambda path: path.write_bytes(path.read_bytes()[:200]), "cannot be read"),
        (lambda path: Image.new("RGB", (1, 1)).save(path), "outside of the photo"),
        (lambda path: Image.fromarray(np.zeros((200, 300), dtype=np.uint16)).save(path), "more than 8 bits"),
    ],
)
def test_files(tmp_path, landmarks_file, capsys, spoil, message):
    path, out = tmp_path / "photo.png", tmp_path / "out.png"
    Image.effect_noise((300, 200), 60).convert("RGB").save(path)
    spoil(path)
    assert edit(path, landmarks_file, out) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error and not out.exists()


def test_a_file_without_a_face_is_written_as_it_is(tmp_path, landmarks_file):
    path, out = tmp_path / "photo.png", tmp_path / "out.png"
    Image.effect_noise((300, 200), 60).convert("RGB").save(path)
    assert edit(path, landmarks_file, out, "--face", "5") == 1
    assert edit(path, landmarks_file, out, "--face", "5", "--no-face", "pass") == 0
    assert np.array_equal(np.asarray(Image.open(out)), np.asarray(Image.open(path)))


def test_a_face_that_is_not_there_is_told_with_what_the_command_takes(tmp_path, landmarks_file, capsys):
    path = tmp_path / "photo.png"
    Image.effect_noise((300, 200), 60).convert("RGB").save(path)
    landmarks_file.write_text("\ufeff" + landmarks_file.read_text(), encoding="utf-8")
    assert edit(path, landmarks_file, tmp_path / "out.png", "--face", "5") == 1
    error = capsys.readouterr().err
    assert "has 1 face; face number 5 is asked for. Give 0, or landmarks" in error and " -1" not in error


def test_the_command_pastes_back(tmp_path, landmarks_file):
    path, out = tmp_path / "photo.png", tmp_path / "out.png"
    noise = Image.effect_noise((300, 200), 60).convert("RGB")
    noise.putalpha(Image.linear_gradient("L").resize((300, 200)))
    noise.save(path)
    assert edit(path, landmarks_file, out, "--face", "all", "--region", "face oval", "--blend", "poisson") == 0
    before, after = np.asarray(Image.open(path)), np.asarray(Image.open(out))
    assert after.shape == before.shape and np.array_equal(after[..., 3], before[..., 3])
    changed = (before != after).any(axis=-1)
    assert changed[100, 150] and not changed[:, :10].any() and 0.05 < changed.mean() < 0.5


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--no-align"], "--paste needs the photo"),
        (["--face", "first"], "--face"),
        (["--feather", "3"], "feather"),
        (["--only", "mouth", "--mask", "m.png"], "choose one"),
        (["--output", "out.jpg"], "transparency"),
    ],
)
def test_bad_options(tmp_path, landmarks_file, capsys, monkeypatch, more, message):
    monkeypatch.chdir(tmp_path)
    noise = Image.effect_noise((300, 200), 60).convert("RGB")
    noise.putalpha(Image.linear_gradient("L").resize((300, 200)))
    noise.save("photo.png")
    assert edit("photo.png", landmarks_file, tmp_path / "out.png", *more) == 1
    assert message in capsys.readouterr().err
