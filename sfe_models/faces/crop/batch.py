"""Crops of a batch of photos."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .alignment import FaceAlignment
from .padding import outward
from .warp import crop_face


@dataclass(frozen=True)
class AlignedFaces:
    """Alignments of the faces of a batch of photos, and the photo's number of each.

    shares: how much of each crop is pasted, where an edit fades in or out over the frames of a film; empty: all of it.
    """

    faces: tuple[FaceAlignment, ...]
    photos: tuple[int, ...]
    shares: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.faces)

    def repeated(self, times: int) -> AlignedFaces:
        """Stand for the one face of one photo in `times` photos."""
        return AlignedFaces(self.faces * times, tuple(range(times)))

    def __repr__(self) -> str:
        return f"AlignedFaces({sum(face.found for face in self.faces)} faces in {len(set(self.photos))} photos)"


def already_aligned(photos: int, size: tuple[int, int]) -> AlignedFaces:
    """Take photos of (height, width) as the crops that they are already."""
    return AlignedFaces((FaceAlignment.identity(size),) * photos, tuple(range(photos)))


def crop_faces(photos: Tensor, aligned: AlignedFaces) -> tuple[Tensor, Tensor]:
    """Cut all faces out of photos [B,C,H,W]: crops [F,C,h,w], and masks [F,h,w] that are 1 where a crop shows photo."""
    crops = torch.stack([crop_face(photos[i], face) for face, i in zip(aligned.faces, aligned.photos, strict=True)])
    return crops, torch.stack([(outward(face) == 0) for face in aligned.faces]).to(crops)
