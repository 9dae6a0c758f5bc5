"""Faces and five landmarks by YuNet, which was trained on faces much smaller than a portrait's.

So a photo is searched in pictures from small to large, each face is taken from the picture in which it has the size
that suits the network, and its landmarks come from a second look at crops of fixed size.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ...checkpoints.reading import tensors_of
from ...checkpoints.unpickling.torch_file import read_torch
from ...checkpoints.weights import YUNET
from ..crop.alignment import FaceAlignment, align_face
from ..crop.warp import crop_face
from ..errors import FaceError
from ..files import face_file
from .resizing import resized
from .yunet_output import faces_in, new_network

_THRESHOLD = 0.6

# Longer sides of the pictures that are searched, in px, as far as they are smaller than the photo. The last one is for
# photos in which nobody was found until then.
_SIDES, _LAST_SIDE = (160, 320, 640, 1280), 2560
# Sizes of faces that are taken from a picture, in px: larger ones were seen in a smaller picture, smaller ones will be
# in a larger one.
_SMALLEST, _LARGEST, _SMALLEST_OF_LAST = 20, 160, 10
# Faces nearer than this, in sides of the larger one's aligned crop, are one.
_APART = 0.3

# The second look: sides of its crops in sides of the aligned crop, and in px. All show the face at about one size.
_LOOKS = ((1.0, 160), (1.3, 192), (1.6, 224))
_CANVAS = 256
# A picture serves for a second look if the aligned crop is this large in it, in px.
_FINE = 150
# Of the crops and their mirror images, so many must show the face, no farther than this from their middle.
_LEAST_SEEN, _OFF_MIDDLE = 5, 0.25
# Landmarks of a face agree from crop to crop within 0.008 to 0.012 of the aligned crop's side (root mean square); of a
# fist, of blurred things and of faces upside down they differ by 0.035 and more.
_AGREEMENT = 0.025
_MIRRORED = (1, 0, 2, 4, 3)
# YuNet's eyes lie a little outwards of and above dlib's, to which published crops are aligned; what brings the left
# one there, in sides of the crop (x, y). Measured by benchmarks/found_faces.py.
_LEFT_EYE = (0.002, 0.004)


class YuNetDetector:
    """Detect faces with YuNet. network: kornia's, in evaluation mode; threshold: how sure it must be, in [0,1]."""

    def __init__(self, network: nn.Module, threshold: float = _THRESHOLD):
        self.network, self.threshold = network, threshold

    @classmethod
    def load(cls, folders: Sequence[Path | str], device: torch.device | str = "cpu") -> YuNetDetector:
        """Load kornia's network with the file from one of the folders, or download it. Raises FaceError."""
        path = face_file(YUNET, folders)
        network = new_network()
        state = tensors_of(read_torch(path), path)
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            raise FaceError(f"{path} does not hold YuNet as kornia knows it ({error}); get it again.") from error
        return cls(network.eval().requires_grad_(False).to(device))

    def __call__(self, photo: np.ndarray, quick: bool = False) -> list[Tensor]:
        longest = max(photo.shape[:2])
        sides = [side for side in _SIDES if side < longest or side == _SIDES[0]]
        whole = torch.from_numpy(photo).movedim(-1, 0)
        pictures = [_picture(photo, side / longest) for side in sides]
        found: list[tuple[FaceAlignment, Tensor]] = []
        for number, picture in enumerate(pictures):
            smallest = _SMALLEST if number < len(pictures) - 1 else _SMALLEST_OF_LAST
            self._search(picture, [*pictures, whole], found, smallest, _LARGEST if number else longest)
        if not found and not quick and longest > sides[-1]:
            last = _picture(photo, min(_LAST_SIDE / longest, 1.0))
            self._search(last, [*pictures, whole], found, _SMALLEST_OF_LAST, _LARGEST)
        return [points for _, points in sorted(found, key=lambda face: -face[0].area)]

    def _search(self, picture: Tensor, pictures: list[Tensor], found: list, smallest: float, largest: float) -> None:
        """Add to `found` the faces of a picture [3,h,w] that are new, their alignments and points in px of the photo.

        pictures: the photo [3,H,W] at growing sizes, last as it is.
        """
        scale = _scale(picture, pictures[-1])
        [(boxes, points)] = faces_in(self.network, picture[None].to(self._device).float(), self.threshold)
        sizes = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1).sqrt()
        for number in sizes.argsort(descending=True).tolist():
            if not smallest <= sizes[number] <= largest:
                continue
            rough = _aligned(points[number] * scale, pictures[-1])
            if rough is None or any(_same(rough, other) for other, _ in found):
                continue
            exact = self._placed(rough, pictures)
            face = None if exact is None else _aligned(exact, pictures[-1])
            if face is not None and not any(_same(face, other) for other, _ in found):
                found.append((face, exact))

    def _placed(self, rough: FaceAlignment, pictures: list[Tensor]) -> Tensor | None:
        """Look again at a face: its landmarks [5,2] in px of the photo, or None if it is none after all."""
        side = rough.area**0.5
        picture = next((p for p in pictures if side / float(_scale(p, pictures[-1]).max()) >= _FINE), pictures[-1])
        scale = _scale(picture, pictures[-1])
        inside = _aligned(torch.tensor(rough.landmarks, dtype=torch.float64) / scale, picture)
        if inside is None:
            return None
        views = [inside.enlarged(share, (px, px)) for share, px in _LOOKS]
        crops = [crop_face(picture, view).clamp(0, 255) for view in views]
        canvas = crops[0].new_zeros(2 * len(crops), 3, _CANVAS, _CANVAS)
        for number, crop in enumerate(crops):
            px = crop.shape[1]
            canvas[2 * number, :, :px, :px], canvas[2 * number + 1, :, :px, :px] = crop, crop.flip(2)
        seen = []
        for number, (boxes, points) in enumerate(faces_in(self.network, canvas.to(self._device), self.threshold)):
            view = views[number // 2]
            px = view.crop_size[0]
            off = ((boxes[:, :2] + boxes[:, 2:]) / 2 / px - 0.5).norm(dim=1)
            if not len(off) or off.min() > _OFF_MIDDLE:
                continue
            units = points[off.argmin()] / px
            if number % 2:
                units = torch.stack([1 - units[:, 0], units[:, 1]], dim=1)[list(_MIRRORED)]
            seen.append(view.to_photo(units) * scale)
        if len(seen) < _LEAST_SEEN:
            return None
        points = torch.stack(seen)
        mean = points.mean(dim=0)
        spread = (points - mean).square().sum(dim=2).mean().sqrt()
        return _as_dlib(mean, rough) if spread < _AGREEMENT * side else None

    @property
    def _device(self) -> torch.device:
        return next(self.network.parameters()).device


def _picture(photo: np.ndarray, factor: float) -> Tensor:
    """The photo, uint8 [H,W,3], at another size: [3,h,w]."""
    return torch.from_numpy(resized(photo, factor).copy()).movedim(-1, 0)


def _scale(picture: Tensor, photo: Tensor) -> Tensor:
    """Px of the photo that one px of a picture of it spans, along x and y."""
    return torch.tensor([photo.shape[2] / picture.shape[2], photo.shape[1] / picture.shape[1]], dtype=torch.float64)


def _aligned(points: Tensor, picture: Tensor) -> FaceAlignment | None:
    """The alignment by points [5,2] in px of a picture, None if they cannot be a face's."""
    try:
        return align_face(points, tuple(picture.shape[1:]), (_CANVAS, _CANVAS))
    except FaceError:
        return None


def _same(one: FaceAlignment, other: FaceAlignment) -> bool:
    apart = (one.quad().mean(dim=0) - other.quad().mean(dim=0)).norm()
    return bool(apart < _APART * max(one.area, other.area) ** 0.5)


def _as_dlib(points: Tensor, face: FaceAlignment) -> Tensor:
    """Move the eyes to where dlib's outlines have their middles."""
    right, down = (points.new_tensor(axis) for axis in (face.right, face.down))
    across, along = _LEFT_EYE[0] * right, _LEFT_EYE[1] * down
    return points + torch.stack([across + along, along - across, *[torch.zeros_like(across)] * 3])
