"""How photos come out of alignment and back: one row for each photo, by dlib's landmarks.

python benchmarks/aligned_photos.py PHOTO ...

Needs `pip install -e ".[dlib]"`. Eyes and mouth: their middles in the crop, in shares of its side (published crops have
them at about 0.50, 0.476 and 0.50, 0.72). Five points: farthest corner between the crop by 68 landmarks and by five,
whose eyes come from dlib's other predictor, in shares of the side. PSNR: pasted back unedited, at 1:1 scale, within
the mask. Likeness: the measure by which a crop is warned about that does not look aligned.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sfe_models.checkpoints.present import find_file  # noqa: E402
from sfe_models.checkpoints.weights import SHAPE_PREDICTOR  # noqa: E402
from sfe_models.faces.crop.alignment import align_face  # noqa: E402
from sfe_models.faces.crop.appearance import likeness  # noqa: E402
from sfe_models.faces.crop.warp import crop_face  # noqa: E402
from sfe_models.faces.find.detectors import find_faces, load_detector  # noqa: E402
from sfe_models.faces.landmarks import face_centres  # noqa: E402
from sfe_models.faces.paste.face import paste_face  # noqa: E402
from sfe_models.pictures.image_io import load_photo  # noqa: E402

_CORNERS = "shape_predictor_5_face_landmarks.dat"


def eyes_by_corners(photo: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Middles of the eyes [2,2], the picture's left one first, by dlib's predictor of their corners."""
    import dlib

    path = find_file(replace(SHAPE_PREDICTOR, place=_CORNERS, in_package=f"models/{_CORNERS}"), ["models"])
    low, high = points[17:].amin(dim=0), points.amax(dim=0)
    box = dlib.rectangle(*(round(v) for v in (*low.tolist(), *high.tolist())))
    shape = dlib.shape_predictor(str(path))(photo.movedim(0, -1).contiguous().numpy(), box)
    corners = torch.tensor([(shape.part(i).x, shape.part(i).y) for i in range(4)], dtype=torch.float64) + 0.5
    return torch.stack([corners[2:].mean(dim=0), corners[:2].mean(dim=0)])


def row(path: Path, detector) -> str:
    photo = load_photo(path).pixels
    found = find_faces(photo, detector)
    if not found:
        return f"| {path.stem} | no face | | | | | |"
    points = found[0]
    one = align_face(points, tuple(photo.shape[1:]), (256, 256))
    side = one.area**0.5
    centres = face_centres(one.to_crop(points))
    eyes = centres.eyes
    five = torch.cat([eyes_by_corners(photo, points), points[[30, 48, 54]]])
    other = align_face(five, one.photo_size, (256, 256))
    apart = float((other.quad() - one.quad()).norm(dim=1).max()) / side
    whole = one.resized((round(side),) * 2)
    pasted, mask = paste_face(photo, crop_face(photo, whole), whole)
    error = (pasted.double() - photo.double())[:, mask > 0].square().mean()
    like = likeness(crop_face(photo, one)[None]).item()
    return (
        f"| {path.stem} | {side:.0f} | {eyes[0]:.3f}, {eyes[1]:.3f} | {centres.mouth[1]:.3f} | {apart:.1%} "
        f"| {10 * torch.log10(255**2 / error):.1f} | {like:.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    options = parser.parse_args()
    detector = load_detector("dlib")
    print(
        "| photo | crop's side, px | eyes | mouth | five points | PSNR, dB | likeness |\n|---|---|---|---|---|---|---|"
    )
    for path in options.photos:
        print(row(path, detector))


if __name__ == "__main__":
    main()
