"""Faces of a batch of photos: which to take, their crops, and all of them back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .alignment import FaceAlignment
from .landmarks import FaceError
from .paste import paste_face
from .warp import crop_face, pixel_centres

ORDERS = ("largest first", "left to right", "as given")


@dataclass(frozen=True)
class AlignedFaces:
    """Alignments of the faces of a batch of photos, and the photo's number of each."""

    faces: tuple[FaceAlignment, ...]
    photos: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.faces)

    def repeated(self, times: int) -> AlignedFaces:
        """Stand for the one face of one photo in `times` photos."""
        return AlignedFaces(self.faces * times, tuple(range(times)))

    def __repr__(self) -> str:
        return f"AlignedFaces({len(self.faces)} faces in {len(set(self.photos))} photos)"


def choose_faces(found: Sequence[Sequence[FaceAlignment]], order: str, index: int) -> AlignedFaces:
    """Take one face of each photo, the `index`-th in this order, or all of them (-1), photo after photo.

    Raises FaceError naming the photo that has no such face.
    """
    faces, photos = [], []
    for number, in_photo in enumerate(found):
        if order == "largest first":
            in_photo = sorted(in_photo, key=lambda face: -face.area)
        elif order == "left to right":
            in_photo = sorted(in_photo, key=lambda face: face.quad()[:, 0].mean().item())
        elif order != "as given":
            raise FaceError(f"Order {order!r} is unknown; expected one of {', '.join(ORDERS)}.")
        chosen = list(in_photo) if index == -1 else list(in_photo)[index : index + 1]
        if not chosen or index < -1:
            raise FaceError(
                f"Photo {number + 1} has {len(in_photo)} faces; face number {index} is asked for. Give 0 for the first "
                "one, -1 for all, or landmarks of more faces."
            )
        faces += chosen
        photos += [number] * len(chosen)
    return AlignedFaces(tuple(faces), tuple(photos))


def crop_faces(photos: Tensor, aligned: AlignedFaces) -> tuple[Tensor, Tensor]:
    """Cut all faces out of photos [B,C,H,W]: crops [F,C,h,w], and masks [F,h,w] that are 1 where a crop shows photo."""
    crops = [crop_face(photos[i], face) for face, i in zip(aligned.faces, aligned.photos, strict=True)]
    return torch.stack(crops), torch.stack([_within_photo(face) for face in aligned.faces]).to(photos)


def _within_photo(face: FaceAlignment) -> Tensor:
    height, width = face.crop_size
    units = pixel_centres((0, 0, height, width)) / torch.tensor([width, height])
    points = face.to_photo(units)
    sides = torch.tensor([face.photo_size[1], face.photo_size[0]])
    return ((points >= 0) & (points <= sides)).all(dim=-1)


def paste_faces(
    photos: Tensor,
    crops: Tensor,
    aligned: AlignedFaces,
    feather: float = 0.1,
    match: bool = True,
    masks: Tensor | None = None,
    done: Callable[[Tensor], None] = lambda photo: None,
) -> tuple[Tensor, Tensor]:
    """Put crops [F,C,h,w] back into photos [B,C,H,W], as `paste_face` does; masks: [F,h,w], or [1,h,w] for all.

    Returns the photos and the masks used [B,H,W]. Photos without a face come back as they are.
    """
    if len(crops) != len(aligned) or (aligned.photos and max(aligned.photos) >= len(photos)):
        raise FaceError(
            f"{len(crops)} crops and {len(photos)} photos for an alignment of {len(aligned)} faces; expected one crop "
            "for each face, and the photos that were aligned."
        )
    if masks is not None and len(masks) not in (1, len(crops)):
        raise FaceError(f"{len(masks)} masks for {len(crops)} crops; expected one, or one for each.")
    result, used = photos.clone(), photos.new_zeros(len(photos), *photos.shape[2:])
    for number, (face, i) in enumerate(zip(aligned.faces, aligned.photos, strict=True)):
        mask = None if masks is None else masks[number if len(masks) > 1 else 0]
        result[i], part = paste_face(result[i], crops[number], face, feather, match, mask)
        used[i] = torch.maximum(used[i], part)
        done(result[i])
    return result, used
