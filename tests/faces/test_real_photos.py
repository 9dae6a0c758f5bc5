"""Real photographs: found, aligned, pasted back. The numbers that docs/photos.md states."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from faces.conftest import PHOTOS

from sfe_models.checkpoints.present import find_file
from sfe_models.checkpoints.weights import SHAPE_PREDICTOR
from sfe_models.choices import REGIONS
from sfe_models.faces.crop.alignment import align_face
from sfe_models.faces.crop.appearance import LEAST_LIKENESS, likeness
from sfe_models.faces.crop.batch import crop_faces
from sfe_models.faces.crop.warp import crop_face
from sfe_models.faces.find.detectors import find_faces
from sfe_models.faces.find.people import align_photos
from sfe_models.faces.landmarks import face_centres
from sfe_models.faces.mask.regions import region_mask
from sfe_models.faces.paste.batch import paste_faces
from sfe_models.faces.paste.face import PasteOptions, paste_face

_CORNERS = "shape_predictor_5_face_landmarks.dat"


def five_of(points):
    """Eyes, nose and mouth corners of 68 points."""
    centres = face_centres(points)
    return torch.stack([centres.left_eye, centres.right_eye, points[30], points[48], points[54]])


@pytest.mark.parametrize("name", PHOTOS)
def test_every_face_is_found_and_stands_where_it_should(real_photo, landmarks_68, name):
    photo, points = real_photo(name), landmarks_68(name)
    one = align_face(points, tuple(photo.shape[1:]), (256, 256))
    centres = face_centres(one.to_crop(points))
    eyes = (centres.left_eye + centres.right_eye) / 2
    assert torch.allclose(eyes, torch.tensor([0.50, 0.476], dtype=torch.float64), atol=0.02)
    assert 0.68 <= centres.mouth[1] <= 0.76 and abs(centres.mouth[0] - 0.5) < 0.03
    crop = crop_face(photo, one)
    assert likeness(crop[None]) > LEAST_LIKENESS
    assert likeness(crop[None].rot90(2, (2, 3))) < LEAST_LIKENESS


@pytest.fixture(scope="session")
def eyes_of_another_network():
    """The middles of the eyes by dlib's other predictor, which places their corners only: [2,2]."""
    dlib = pytest.importorskip("dlib", reason="needs dlib (pip install dlib-bin)")
    path = find_file(replace(SHAPE_PREDICTOR, in_package=f"models/{_CORNERS}", place=_CORNERS), ["models"])
    if path is None:
        pytest.skip("needs dlib's five-point predictor (pip install face_recognition_models)")
    predict = dlib.shape_predictor(str(path))

    def find(photo, points):
        low, high = points[17:].amin(dim=0), points.amax(dim=0)
        box = dlib.rectangle(*(round(v) for v in (*low.tolist(), *high.tolist())))
        shape = predict(photo.movedim(0, -1).contiguous().numpy(), box)
        corners = torch.tensor([(shape.part(i).x, shape.part(i).y) for i in range(4)], dtype=torch.float64) + 0.5
        # The person's left eye comes first, which is the picture's right one.
        return torch.stack([corners[2:].mean(dim=0), corners[:2].mean(dim=0)])

    return find


@pytest.mark.parametrize("name", PHOTOS)
def test_five_points_give_the_crop_of_68(landmarks_68, real_photo, eyes_of_another_network, name):
    photo, points = real_photo(name), landmarks_68(name)
    one = align_face(points, tuple(photo.shape[1:]), (64, 64))
    five = five_of(points)
    assert torch.allclose(align_face(five, one.photo_size, (64, 64)).quad(), one.quad(), atol=1e-9)
    five[:2] = eyes_of_another_network(photo, points)
    other = align_face(five, one.photo_size, (64, 64))
    assert (other.quad() - one.quad()).norm(dim=1).max() < 0.03 * one.area**0.5


@pytest.mark.parametrize("name", PHOTOS)
def test_unedited_it_comes_back(real_photo, landmarks_68, name):
    photo = real_photo(name)
    one = align_face(landmarks_68(name), tuple(photo.shape[1:]), (64, 64))
    one = one.resized((round(one.area**0.5),) * 2)
    pasted, mask = paste_face(photo, crop_face(photo, one), one)
    inside = mask > 0
    error = (pasted.double() - photo.double())[:, inside].square().mean()
    assert 10 * torch.log10(255**2 / error) > 40
    assert torch.equal(pasted[:, ~inside], photo[:, ~inside]) and (~inside).any()


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turned_photos_give_the_same_crop(dlib_detector, real_photo, landmarks_68, turns):
    photo = real_photo("astronaut")
    turned = photo.rot90(turns, (1, 2))
    found = find_faces(turned, dlib_detector)
    assert len(found) == 1
    upright = crop_face(photo, align_face(landmarks_68("astronaut"), tuple(photo.shape[1:]), (64, 64)))
    crop = crop_face(turned, align_face(found[0], tuple(turned.shape[1:]), (64, 64)))
    assert (crop - upright).abs().mean() < 12


@pytest.mark.parametrize("name", PHOTOS)
def test_parts_of_the_face_are_where_their_landmarks_are(real_photo, landmarks_68, name):
    points, size = landmarks_68(name), tuple(real_photo(name).shape[1:])
    one = align_face(points, size, (128, 128))
    from_five = align_face(five_of(points), size, (128, 128))
    for region in REGIONS:
        a, b = region_mask(one, region), region_mask(from_five, region)
        overlap = torch.minimum(a, b).sum() / torch.maximum(a, b).sum()
        assert overlap > (0.5 if region in ("eyes", "mouth", "nose") else 0.75), region


def group(real_photo, landmarks_68, names):
    """One photo of several single ones, scaled to similar faces, and its faces' landmarks."""
    parts, faces, left = [], [], 0
    for name in names:
        photo, points = real_photo(name), landmarks_68(name)
        scale = 420 / align_face(points, tuple(photo.shape[1:]), (8, 8)).area ** 0.5
        small = F.interpolate(photo[None].float(), scale_factor=scale, mode="bilinear", antialias=True)
        small = small[0].round().clamp(0, 255).to(torch.uint8)
        faces.append(points * scale + torch.tensor([left, 0.0], dtype=torch.float64))
        parts.append(small)
        left += small.shape[2]
    height = max(part.shape[1] for part in parts)
    parts = [F.pad(part, (0, 0, 0, height - part.shape[1]), value=90) for part in parts]
    return torch.cat(parts, dim=2), faces


@pytest.mark.parametrize("names", [("astronaut",) * 4, ("smith", "robert", "keanu", "watson")], ids=lambda n: n[0])
def test_a_group_is_edited_in_one_call(dlib_detector, real_photo, landmarks_68, names):
    photo, known = group(real_photo, landmarks_68, names)
    found = find_faces(photo, dlib_detector)
    assert len(found) == len(names)
    aligned = align_photos([found], tuple(photo.shape[1:]), (256, 256), face=-1, order="left to right")
    middles = [face.quad().mean(dim=0)[0].item() for face in aligned.faces]
    assert middles == sorted(middles) and aligned.photos == (0,) * 4
    for face, points in zip(aligned.faces, known, strict=True):
        expected = align_face(points, tuple(photo.shape[1:]), (256, 256))
        assert (face.quad() - expected.quad()).norm(dim=1).max() < 0.05 * expected.area**0.5
    crops, _ = crop_faces(photo[None], aligned)
    shifts = -torch.tensor([[40.0, 0, 0], [0, 40, 0], [0, 0, 40], [30, 30, 0]])
    plain = PasteOptions(colour_match=False)
    pasted, used = paste_faces(photo[None], crops + shifts[:, :, None, None], aligned, options=plain)
    assert torch.equal(pasted[0][:, used[0] == 0], photo[:, used[0] == 0])
    for face, shift in zip(aligned.faces, shifts, strict=True):
        x, y = (int(v) for v in face.quad().mean(dim=0))
        change = pasted[0, :, y - 5 : y + 5, x - 5 : x + 5].float() - photo[:, y - 5 : y + 5, x - 5 : x + 5].float()
        assert (change.mean(dim=(1, 2)) - shift).abs().max() < 8


@pytest.mark.parametrize("name", ["astronaut", "smith"])
def test_a_pasted_crop_of_another_colour_leaves_no_seam(real_photo, landmarks_68, name):
    """Mean step across the mask's border, in levels, after a shift by ten of them."""
    photo = real_photo(name)
    one = align_face(landmarks_68(name), tuple(photo.shape[1:]), (256, 256))
    crop = crop_face(photo, one)
    reference, mask = paste_face(photo, crop, one, options=PasteOptions(0.02, colour_match=False))
    inside, outside = edge_of(mask)

    def step(**how):
        pasted, _ = paste_face(photo, crop + 10, one, options=PasteOptions(0.02, **how))
        change = pasted.float() - reference.float()
        return (change[:, inside].mean(dim=1) - change[:, outside].mean(dim=1)).abs().max()

    assert step(colour_match=False) > 5
    assert step(colour_match=True) < 1
    assert step(colour_match=False, blend="poisson") < 1


def edge_of(mask):
    """Points just inside and just outside of a mask's soft edge."""
    blurred = F.avg_pool2d(mask[None, None], 9, 1, 4)[0, 0]
    return (mask == 1) & (blurred < 1), (mask == 0) & (blurred > 0)
