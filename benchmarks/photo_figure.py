"""The README's picture of the photographic model: python benchmarks/photo_figure.py --output docs/photo.jpg

Rows: scikit-image's astronaut (NASA, in the public domain), then people whom the generator draws, with
details painted on that no code holds. Columns: the picture, its e4e inversion, its SFE inversion, and edits by the
model's own directions. Also writes the astronaut's whole photo, older and pasted back, beside it (`-pasted`). Needs
scikit-image, which the `test` extra brings, and the file of the detector.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sfe_models.checkpoints.load import load_networks  # noqa: E402
from sfe_models.checkpoints.places import PHOTO, models_folder  # noqa: E402
from sfe_models.choices import DETECTORS, ERROR, ORDERS  # noqa: E402
from sfe_models.cli.showcase import drawn_person, strength_at  # noqa: E402
from sfe_models.directions.library import DirectionLibrary, model_library  # noqa: E402
from sfe_models.faces.crop.batch import AlignedFaces, crop_faces  # noqa: E402
from sfe_models.faces.find.detectors import find_faces, load_detector  # noqa: E402
from sfe_models.faces.find.people import align_photos  # noqa: E402
from sfe_models.faces.paste.face import paste_into  # noqa: E402
from sfe_models.pictures.contact_sheet import contact_sheet  # noqa: E402
from sfe_models.pictures.image_io import save_image, to_pil  # noqa: E402
from sfe_models.pipeline import Pipeline  # noqa: E402

# Name and share of the direction's useful range; the first is the one that is pasted back.
EDITS = (("age", 1.0), ("age", -0.4), ("smile", 0.6), ("hair_light", 0.6))
SEEDS = (3, 13)
_SIDE = 256


def astronaut(folders: list[Path], detector: str, size: tuple[int, int]) -> tuple[Tensor, Tensor, AlignedFaces]:
    """Find and cut out the astronaut's face: the photo [3,H,W] uint8, the crop [1,3,*size] in [-1,1], where it was."""
    from skimage.data import astronaut as photograph

    photo = torch.from_numpy(photograph()).movedim(2, 0).contiguous()
    found = [find_faces(photo, load_detector(detector, folders))]
    aligned = align_photos(found, tuple(photo.shape[1:]), size, 0, ORDERS[0], ERROR)
    crops, _ = crop_faces(photo[None], aligned)
    return photo, (crops / 127.5 - 1).clamp(-1, 1), aligned


def row(pipeline: Pipeline, library: DirectionLibrary, image: Tensor, bar: tqdm) -> list[Tensor]:
    """The picture [1,3,H,W] itself, its two inversions and its edits, each [3,H,W] in [-1,1]."""
    inversion = pipeline.invert(image, all_styles=True)
    made = [image, pipeline.generate_from(inversion.w_e), pipeline.edit(inversion)]
    for name, share in EDITS:
        direction = library.get(name)
        made.append(pipeline.edit(inversion, [(direction, strength_at(direction, share))]))
        bar.update()
    return [picture[0].float().clamp(-1, 1) for picture in made]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.jpg")
    parser.add_argument("--model", default=PHOTO, help="the photographic model, or a bundle of that domain")
    parser.add_argument("--detector", choices=DETECTORS, default=DETECTORS[0])
    parser.add_argument("--face-models", type=Path, help="the detector's file (default: where models lie)")
    options = parser.parse_args()
    pipeline = Pipeline(load_networks(options.model, torch.float32))
    library = model_library(options.model, pipeline.spec)
    folders = [options.face_models] if options.face_models else [models_folder(), Path("models")]
    photo, crop, aligned = astronaut(folders, options.detector, pipeline.spec.picture_size)
    pictures = [crop, *(drawn_person(pipeline, seed) for seed in SEEDS)]
    with tqdm(total=len(pictures) * len(EDITS), desc="editing", leave=False) as bar:
        rows = [row(pipeline, library, picture, bar) for picture in pictures]
    labels = ["picture", "e4e", "SFE", *(f"{name.replace('_', ' ')} {'+' if s > 0 else '-'}" for name, s in EDITS)]
    labels += [""] * (len(labels) * (len(rows) - 1))
    sheet = contact_sheet([picture for one in rows for picture in one], labels, len(EDITS) + 3, _SIDE)
    print(save_image(sheet, options.output))
    older = (rows[0][3] + 1) * 127.5
    paste_into(photo, older, aligned.faces[0])
    beside = options.output.with_stem(f"{options.output.stem}-pasted")
    print(save_image(to_pil(photo / 127.5 - 1), beside))


if __name__ == "__main__":
    main()
