"""Faces of a sequence: the same person, without jitter."""

import pytest
import torch
from faces.people import face

from sfe_models.choices import PASS
from sfe_models.faces.crop.alignment import FaceAlignment
from sfe_models.faces.crop.warp import crop_face
from sfe_models.faces.errors import FaceError
from sfe_models.faces.find.detectors import find_faces
from sfe_models.faces.find.people import align_photos
from sfe_models.faces.find.tracking import smooth_track, track_faces

SIZE = (600, 800)


def path(frames, jitter=0.0, seed=0):
    """A face that moves and grows steadily, with random jitter of every point: noisy and true landmarks."""
    random = torch.Generator().manual_seed(seed)
    true = [face(300 + 2.0 * t, 250 + 1.0 * t, 3 * 1.004**t).double() for t in range(frames)]
    shift = jitter * torch.randn(frames, 1, 2, generator=random, dtype=torch.float64)
    single = 0.3 * jitter * torch.randn(frames, 5, 2, generator=random, dtype=torch.float64)
    return [points + shift[t] + single[t] for t, points in enumerate(true)], true


def corners(aligned):
    return torch.stack([one.quad() for one in aligned.faces])


def jitter_of(quads, true):
    """Mean distance of the corners from where they should be."""
    return (quads - true).norm(dim=-1).mean()


def test_less_than_a_quarter_of_the_jitter_is_left():
    raw, smooth, raw_steps, smooth_steps = 0.0, 0.0, 0.0, 0.0
    for seed in range(5):
        noisy, true = path(120, jitter=3.0, seed=seed)
        exact, before, after = (
            corners(align_photos([[p] for p in points], SIZE, (64, 64), smoothing=deviation))
            for points, deviation in ((true, 0.0), (noisy, 0.0), (noisy, 8.0))
        )
        raw, smooth = raw + jitter_of(before, exact), smooth + jitter_of(after, exact)
        raw_steps += jitter_of(before.diff(dim=0), exact.diff(dim=0))
        smooth_steps += jitter_of(after.diff(dim=0), exact.diff(dim=0))
    assert smooth < 0.25 * raw
    # The steps from frame to frame are what the eye sees.
    assert smooth_steps < 0.05 * raw_steps


def test_steady_motion_has_no_lag():
    track = {t: face(100 + 5 * t, 50 + 2 * t, 3).double() for t in range(40)}
    smooth = smooth_track(track, 6.0)
    assert all(torch.allclose(smooth[t], track[t], atol=1e-6) for t in track)


def test_no_smoothing_changes_nothing():
    track = {t: points for t, points in enumerate(path(5, 2.0)[0])}
    assert all(torch.equal(a, track[t]) for t, a in smooth_track(track, 0.0).items())


def test_people_keep_their_identity_when_they_change_places_in_the_list():
    left, right = path(30)[0], [points + torch.tensor([250.0, 20.0]) for points in path(30, seed=1)[0]]
    found = [[a, b] if t % 2 else [b, a] for t, (a, b) in enumerate(zip(left, right, strict=True))]
    tracks = track_faces(found)
    assert len(tracks) == 2
    assert all(torch.equal(tracks[1][t], left[t]) and torch.equal(tracks[0][t], right[t]) for t in range(30))
    aligned = align_photos(found, SIZE, (64, 64), face=0, order="left to right", smoothing=2.0)
    steps = corners(aligned).diff(dim=0).norm(dim=-1)
    assert steps.max() < 20  # never from one to the other, who stands 250 px away


def test_frames_without_the_face_pass_through():
    noisy, _ = path(20)
    found = [[] if t in (7, 8) else [points] for t, points in enumerate(noisy)]
    assert len(track_faces(found)) == 1
    aligned = align_photos(found, SIZE, (64, 64), no_face=PASS, smoothing=3.0)
    assert aligned.photos == tuple(range(20))
    assert [t for t, one in enumerate(aligned.faces) if not one.found] == [7, 8]


def test_another_person_after_a_cut_is_another_track():
    assert len(track_faces([[face(200, 200, 3)], [face(600, 400, 3)]])) == 2
    assert len(track_faces([[face(200, 200, 3)], *[[]] * 20, [face(200, 200, 3)]])) == 2


def test_a_real_photo_that_pans_zooms_and_shakes(dlib_detector, real_photo):
    photo, random, frames = real_photo("astronaut"), torch.Generator().manual_seed(2), []
    for t in range(24):
        x, y = (60 + 2.0 * t, 5 + 1.0 * t) + 4 * torch.randn(2, generator=random).numpy()
        side = 330 * 0.996**t
        view = FaceAlignment((x, y), (side, 0.0), (0.0, side), tuple(photo.shape[1:]), (300, 300))
        frames.append(crop_face(photo, view).round().clamp(0, 255).to(torch.uint8))
    found = [find_faces(frame, dlib_detector) for frame in frames]
    shaken, calm = (corners(align_photos(found, (300, 300), (64, 64), smoothing=s)) for s in (0.0, 6.0))
    assert len(calm) == len(frames)
    # Steady motion has no second difference.
    assert calm.diff(n=2, dim=0).norm(dim=-1).mean() < 0.25 * shaken.diff(n=2, dim=0).norm(dim=-1).mean()
    assert (calm - shaken).norm(dim=-1).mean() < 8  # and the crop still shows the face
    assert all(one.found for one in align_photos(found, (300, 300), (64, 64), smoothing=6.0).faces)


def test_a_cut_is_told_without_contradicting_itself():
    """Two shots, one face in each: face 0 of the whole is not in the second."""
    shots = [[face(200.0, 300.0, 3).double()]] * 4 + [[face(650.0, 200.0, 1.5).double()]] * 3
    with pytest.raises(FaceError, match="Photo 5 shows another person.*after a cut.*smoothing off"):
        align_photos(shots, SIZE, (64, 64), smoothing=2.0)
    assert len(align_photos(shots, SIZE, (64, 64), smoothing=2.0, no_face=PASS).faces) == 7
    assert len(align_photos(shots, SIZE, (64, 64)).faces) == 7
