"""How well the default detector finds and places faces: one row for each photo, against dlib's 68 points.

python benchmarks/found_faces.py PHOTO ... [--sheet crops.png]

Needs `pip install -e ".[dlib]"`. Apart: the farthest corner between the aligned crop by the detector and by dlib, in
shares of the side, for the face that is nearest to dlib's largest. Half, twice: the farthest corner between the crop of
the photo and of the photo reduced or enlarged by two.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sfe_models.choices import DETECTORS  # noqa: E402
from sfe_models.faces.crop.alignment import FaceAlignment, align_face  # noqa: E402
from sfe_models.faces.crop.warp import crop_face  # noqa: E402
from sfe_models.faces.find.detectors import DEFAULT_FOLDERS, find_faces, load_detector  # noqa: E402
from sfe_models.pictures.contact_sheet import contact_sheet  # noqa: E402
from sfe_models.pictures.image_io import load_photo  # noqa: E402


def aligned(photo: torch.Tensor, detector) -> list[FaceAlignment]:
    """Alignments of all faces of a photo [3,H,W], uint8, largest first."""
    return [align_face(points, tuple(photo.shape[1:]), (256, 256)) for points in find_faces(photo, detector)]


def apart(one: FaceAlignment, other: FaceAlignment, scale: float = 1.0) -> float:
    """Farthest corner between two crops in sides of the first; scale: px of the first for one of the second."""
    return float((one.quad() - other.quad() * scale).norm(dim=1).max()) / one.area**0.5


def scaled(photo: torch.Tensor, factor: float) -> torch.Tensor:
    """The photo reduced or enlarged."""
    made = F.interpolate(photo[None].float(), scale_factor=factor, mode="bicubic", antialias=factor < 1)[0]
    return made.round().clamp(0, 255).to(torch.uint8)


def rescaled(photo: torch.Tensor, face: FaceAlignment, detector, factor: float) -> float:
    """How far the crop moves when the photo is reduced or enlarged; infinite if the face is not found again."""
    return min((apart(face, one, 1 / factor) for one in aligned(scaled(photo, factor), detector)), default=float("inf"))


def summary(name: str, values: list[float]) -> str:
    numbers = torch.tensor(values)
    return f"{name}: median {numbers.median():.3f}, 90 % {numbers.quantile(0.9):.3f}, largest {numbers.max():.3f}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--detector", choices=DETECTORS, default=DETECTORS[0])
    parser.add_argument("--face-models", default=DEFAULT_FOLDERS[0], help="folder with the detector's file")
    parser.add_argument("--sheet", type=Path, help="write the crops of all faces that were found")
    options = parser.parse_args()
    folders = [options.face_models]
    detector, ruler = load_detector(options.detector, folders), load_detector("dlib", folders)
    print("| photo | faces (dlib) | apart | half | twice | seconds |\n|---|---|---|---|---|---|")
    distances, halves, twices, seconds, crops, names = [], [], [], [], [], []
    faces = 0
    for path in options.photos:
        photo = load_photo(path).pixels
        start = time.perf_counter()
        found = aligned(photo, detector)
        seconds.append(time.perf_counter() - start)
        known = aligned(photo, ruler)
        faces += len(found)
        crops += [crop_face(photo, face) / 127.5 - 1 for face in found]
        names += [f"{path.stem} {number}" for number in range(len(found))]
        cells = ["-", "-", "-"]
        if known and found:
            face = min(found, key=lambda one: apart(known[0], one))
            distances.append(apart(known[0], face))
            halves.append(rescaled(photo, face, detector, 0.5))
            twices.append(rescaled(photo, face, detector, 2.0))
            cells = [f"{values[-1]:.3f}" for values in (distances, halves, twices)]
        print(f"| {path.stem} | {len(found)} ({len(known)}) | {' | '.join(cells)} | {seconds[-1]:.2f} |", flush=True)
    print(f"\n{faces} faces in {len(options.photos)} photos, {sum(seconds) / len(seconds):.2f} s each.")
    for name, values in (("Apart", distances), ("Half", halves), ("Twice", twices)):
        if values:
            print(summary(name, values))
    if options.sheet:
        contact_sheet(crops, names, side=160).save(options.sheet)


if __name__ == "__main__":
    main()
