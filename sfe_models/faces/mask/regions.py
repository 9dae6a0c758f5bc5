"""Masks of a crop's parts, drawn from the landmarks of its face: no network, no download."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ...choices import BACKGROUND, EYES, HEAD, MOUTH, NO_HAIR, NOSE, OVAL, REGIONS
from ..crop.alignment import FaceAlignment
from ..errors import FaceError
from ..landmarks import LANDMARK_SETS, face_centres

# How much parts are enlarged about their middle (across, along), since landmarks lie on their rims.
_GROWN = {MOUTH: (1.25, 1.4), EYES: (1.5, 2.4), NOSE: (1.35, 1.1)}
# The forehead above the brows, in distances from the brows' middle to the chin; the head's outline, in those too:
# half its width, its top above and its bottom below the brows' middle.
_FOREHEAD = 0.42
_HEAD = 0.95, 0.85, 1.12
# Masks are drawn this many times finer and reduced.
_FINER = 4

# Parts of MediaPipe's face mesh (face_mesh_connections): oval from the forehead's middle, lips, eyes, brows, nose.
_MESH_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
_MESH_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
_MESH_EYES = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (362, 382, 381, 380, 374, 373, 390, 249, 263, 466, 388, 387, 386, 385, 384, 398),
)
_MESH_BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
_MESH_NOSE = (168, 197, 5, 4, 1, 2, 98, 327, 129, 358)

# dlib's 68 points in an aligned crop's unit square: the mean over eight portraits and their mirror images, to see
# what five points leave open. Left half and middle; the right half mirrors it.
_LEFT = {
    0: (0.231, 0.480), 1: (0.234, 0.551), 2: (0.241, 0.623), 3: (0.254, 0.693), 4: (0.279, 0.760), 5: (0.319, 0.818),
    6: (0.371, 0.867), 7: (0.431, 0.908), 8: (0.5, 0.919), 17: (0.276, 0.436), 18: (0.307, 0.402), 19: (0.356, 0.391),
    20: (0.406, 0.398), 21: (0.454, 0.417), 27: (0.5, 0.469), 28: (0.5, 0.517), 29: (0.5, 0.566), 30: (0.5, 0.615),
    31: (0.445, 0.644), 32: (0.472, 0.653), 33: (0.5, 0.662), 36: (0.332, 0.476), 37: (0.361, 0.458),
    38: (0.396, 0.459), 39: (0.428, 0.483), 40: (0.394, 0.488), 41: (0.359, 0.488), 48: (0.385, 0.723),
    49: (0.429, 0.710), 50: (0.470, 0.704), 51: (0.5, 0.712), 57: (0.5, 0.781), 58: (0.467, 0.778), 59: (0.427, 0.760),
    60: (0.402, 0.726), 61: (0.469, 0.727), 62: (0.5, 0.731), 66: (0.5, 0.747), 67: (0.469, 0.742),
}  # fmt: skip
_MIRRORED = (
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
    41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
)  # fmt: skip


def mean_face() -> Tensor:
    """Return where dlib's 68 points lie on average in an aligned crop's unit square: [68,2], float64."""
    points = [_LEFT.get(i) or (1 - _LEFT[_MIRRORED[i]][0], _LEFT[_MIRRORED[i]][1]) for i in range(68)]
    return torch.tensor(points, dtype=torch.float64)


def region_mask(alignment: FaceAlignment, region: str) -> Tensor:
    """Draw one of REGIONS on the crop: [h,w] in [0,1], 1 inside, antialiased, without feather.

    From 68 or 478 landmarks the parts follow the face's own shape; from five a mean face is laid through them; of a
    crop without landmarks the mean face of aligned crops is taken. Raises FaceError for another region.
    """
    if region not in REGIONS:
        raise FaceError(f"Region {region!r} is unknown; expected one of {', '.join(REGIONS)}.")
    height, width = alignment.crop_size
    canvas = Image.new("L", (width * _FINER, height * _FINER))
    draw = ImageDraw.Draw(canvas)
    for outline in _outlines(_unit_landmarks(alignment), OVAL if region == BACKGROUND else region):
        # Pillow counts from the first pixel's centre.
        scaled = outline * outline.new_tensor([canvas.width, canvas.height]) - 0.5
        draw.polygon([tuple(point) for point in scaled.tolist()], fill=255)
    mask = torch.from_numpy(np.asarray(canvas.reduce(_FINER), dtype=np.float32) / 255)
    return 1 - mask if region == BACKGROUND else mask


def region_masks(alignments, region: str) -> Tensor:
    """Draw a region on many crops of one size: [F,h,w]."""
    return torch.stack([region_mask(alignment, region) for alignment in alignments])


def _unit_landmarks(alignment: FaceAlignment) -> Tensor:
    """68 or 468 points in the crop's unit square."""
    if not alignment.landmarks:
        return mean_face()
    points = alignment.to_crop(torch.tensor(alignment.landmarks, dtype=torch.float64))
    return _through_five(points) if len(points) == 5 else points[:468]


def five_points(alignment: FaceAlignment) -> Tensor:
    """Return eyes, nose and mouth corners in the crop's unit square: [5,2], float64."""
    if len(alignment.landmarks) == 5:
        return alignment.to_crop(torch.tensor(alignment.landmarks, dtype=torch.float64))
    points = _unit_landmarks(alignment)
    known, centres = LANDMARK_SETS[len(points)], face_centres(points)
    nose = points[30 if len(points) == 68 else 4]
    return torch.stack([centres.left_eye, centres.right_eye, nose, *(points[i] for i in known.mouth_corners)])


def _through_five(five: Tensor) -> Tensor:
    """Lay the mean face through five points: the affine map that fits eyes, nose and mouth corners best."""
    mean = mean_face()
    centres = face_centres(mean)
    known = torch.stack([centres.left_eye, centres.right_eye, mean[30], mean[48], mean[54]])
    ones = torch.ones(5, 1, dtype=torch.float64)
    fitted = torch.linalg.lstsq(torch.cat([known, ones], dim=1), five.double()).solution
    return torch.cat([mean, torch.ones(68, 1, dtype=torch.float64)], dim=1) @ fitted


def _outlines(points: Tensor, region: str) -> list[Tensor]:
    """The polygons [n,2] of a region."""
    mesh = len(points) != 68
    jaw = points[list(_MESH_OVAL[9:28])].flip(0) if mesh else points[:17]
    brows = points[list(_MESH_BROWS)] if mesh else points[17:27]
    if region == OVAL:
        return [points[list(_MESH_OVAL)]] if mesh else [torch.cat([jaw, _forehead(points, jaw, brows)])]
    if region == NO_HAIR:
        return [torch.cat([jaw, brows.flip(0)])]
    if region == HEAD:
        return [_head(jaw, brows)]
    if region == MOUTH:
        parts = [points[list(_MESH_LIPS)] if mesh else points[48:60]]
    elif region == EYES:
        parts = [points[list(eye)] for eye in _MESH_EYES] if mesh else [points[36:42], points[42:48]]
    else:
        nose = points[list(_MESH_NOSE)] if mesh else torch.cat([points[27:28], points[31:36]])
        parts = [_hull(nose)]
    return [_grown(part, *_GROWN[region]) for part in parts]


def _axes(jaw: Tensor, brows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The brows' middle, the way from there to the chin, and the same length towards the picture's right."""
    middle = brows.mean(dim=0)
    down = jaw[len(jaw) // 2] - middle
    return middle, down, torch.stack([down[1], -down[0]])


def _forehead(points: Tensor, jaw: Tensor, brows: Tensor) -> Tensor:
    """An arc of half an ellipse over the brows, from the jaw's right end to its left end."""
    middle, down, _ = _axes(jaw, brows)
    half = (jaw[-1] - jaw[0]) / 2
    base = (jaw[-1] + jaw[0]) / 2
    up = middle - _FOREHEAD * down - base
    angle = torch.linspace(0, torch.pi, 33, dtype=points.dtype)[1:-1, None]
    return base + half * angle.cos() + up * angle.sin()


def _head(jaw: Tensor, brows: Tensor) -> Tensor:
    """An oval around face and hair."""
    middle, down, right = _axes(jaw, brows)
    half, above, below = _HEAD
    angle = torch.linspace(0, 2 * torch.pi, 97, dtype=jaw.dtype)[:-1, None]
    centre = middle + (below - above) / 2 * down
    return centre + half * right * angle.cos() + (above + below) / 2 * down * angle.sin()


def _grown(points: Tensor, across: float, along: float) -> Tensor:
    """Enlarge a part about its middle, along its own axes."""
    middle = points.mean(dim=0)
    _, _, axes = torch.linalg.svd(points - middle, full_matrices=False)
    upright = axes[0, 0].abs() >= axes[0, 1].abs()
    scale = points.new_tensor([across, along] if upright else [along, across])
    return middle + ((points - middle) @ axes.T * scale) @ axes


def _hull(points: Tensor) -> Tensor:
    from scipy.spatial import ConvexHull

    return points[torch.from_numpy(ConvexHull(points.numpy()).vertices.astype(np.int64))]
