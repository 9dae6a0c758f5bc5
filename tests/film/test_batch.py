"""Frames in a batch are followed as those of a film are."""

import pytest
import torch
from faces.people import face

from sfe_models.choices import PASS
from sfe_models.faces.crop.batch import crop_faces
from sfe_models.faces.errors import FaceError
from sfe_models.faces.find.people import align_photos
from sfe_models.faces.paste.batch import paste_faces
from sfe_models.film.batch import align_frames
from sfe_models.film.following import BRIDGED

SIZE, CROP = (160, 200), (64, 64)


def shaken(frames, jitter):
    """A still scene before a camera that jumps by whole px, and the points of a detector that is off by some."""
    random = torch.Generator().manual_seed(3)
    scene = torch.nn.functional.interpolate(torch.rand(1, 3, 12, 15, generator=random), size=(200, 240), mode="bicubic")
    steps = torch.randint(-5, 6, (frames, 2), generator=random).tolist()
    pictures = [scene[0, :, 20 + y : 180 + y, 20 + x : 220 + x].clamp(0, 1) for x, y in steps]
    points = [face(100 - x, 80 - y, 1.3) + jitter * torch.randn(5, 2, generator=random) for x, y in steps]
    return torch.stack(pictures), [[p] for p in points], torch.tensor(steps).double()


def test_the_crop_follows_the_picture_and_not_the_detector():
    frames, found, steps = shaken(16, 1.0)
    followed = align_frames(frames, found, CROP, smoothing=6.0)
    plain = align_photos(found, SIZE, CROP, smoothing=6.0)

    def jumps(aligned):
        middles = torch.stack([one.quad().mean(dim=0) for one in aligned.faces]) + steps
        return middles.diff(dim=0).norm(dim=1).mean()

    assert jumps(followed) < 0.5 < 2 < jumps(plain)
    assert len(followed) == 16 and followed.shares == (1.0,) * 16


def test_one_line_of_landmarks_serves_all_frames():
    frames, found, _ = shaken(6, 0.0)
    frames = frames[:1].expand(6, -1, -1, -1)
    once, each = ([[p] for p in points] for points in ([found[0][0]] * 6, [found[0][0].clone() for _ in range(6)]))
    for a, b in zip(*(align_frames(frames, f, CROP, smoothing=6.0).faces for f in (once, each)), strict=True):
        assert torch.allclose(a.quad(), b.quad())


def test_a_missed_face_is_bridged_and_one_that_goes_fades_and_passes():
    frames, found, _ = shaken(40, 0.0)
    found[3] = []
    found[20 : 22 + BRIDGED] = [[]] * (2 + BRIDGED)
    with pytest.raises(FaceError, match="Photo 21 does not show person number 0.*0 faces were found.*smoothing off"):
        align_frames(frames, found, CROP, smoothing=2.0)
    aligned = align_frames(frames, found, CROP, no_face=PASS, smoothing=2.0)
    assert [i for i, one in enumerate(aligned.faces) if not one.found] == list(range(20, 22 + BRIDGED))
    assert aligned.shares[0] == 1 > aligned.shares[15] > aligned.shares[19] > 0
    black = torch.zeros(40, 3, 64, 64)
    pasted, used = paste_faces(frames, black, aligned)
    assert torch.equal(pasted[20 : 22 + BRIDGED], frames[20 : 22 + BRIDGED])
    peaks = used.amax(dim=(1, 2))
    assert peaks == pytest.approx(torch.tensor(aligned.shares).where(peaks > 0, 0.0))
    assert crop_faces(frames, aligned)[0].shape == (40, 3, 64, 64)


@pytest.mark.parametrize("more", [{"smoothing": 0.0}, {"smoothing": 2.0, "face": -1}])
def test_photos_and_all_people_go_as_before(more):
    frames, found, _ = shaken(5, 1.0)
    found = [[*one, one[0] * 0.5] for one in found]
    assert align_frames(frames, found, CROP, **more) == align_photos(found, SIZE, CROP, **more)
