"""Time the photographic model: first and further edit beside the published way, and a photo of 12 megapixels.

    python benchmarks/photo_speed.py [--model photo] [--repeats 3] [--threads 2] [--detector yunet --face-models FOLDER]

The ways take turns in one run; the table shows medians. The published way runs at 1024 px with random weights: its time
does not depend on them, and neither does that of `--model random:photo`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import published_way  # noqa: E402
from align_and_paste import ASTRONAUT, portrait  # noqa: E402
from PIL import Image  # noqa: E402
from timing import medians  # noqa: E402

from sfe_models.checkpoints.load import load_networks  # noqa: E402
from sfe_models.checkpoints.random_weights import random_networks  # noqa: E402
from sfe_models.choices import DETECTORS  # noqa: E402
from sfe_models.domain import DOMAINS  # noqa: E402
from sfe_models.evaluation.speed import benchmark_directions  # noqa: E402
from sfe_models.faces.crop.batch import crop_faces  # noqa: E402
from sfe_models.faces.errors import FaceError  # noqa: E402
from sfe_models.faces.find.detectors import find_faces, load_detector  # noqa: E402
from sfe_models.faces.find.people import align_photos  # noqa: E402
from sfe_models.faces.paste.face import paste_into  # noqa: E402
from sfe_models.pictures.image_io import load_photo, save_photo  # noqa: E402
from sfe_models.pipeline import Pipeline  # noqa: E402

SIZE = (3000, 4000)
STRENGTH = 1.5


def whole_way(pipeline: Pipeline, folder: Path, size: tuple[int, int], find: Callable | None) -> Callable[[], object]:
    """From JPEG to JPEG: read, find the face, cut it out, invert, edit, paste, write. find: None gives the points."""
    path = folder / "photo.jpg"
    Image.fromarray(portrait(*size).movedim(0, -1).numpy()).save(path, quality=95)
    points = torch.tensor(ASTRONAUT, dtype=torch.float64) * max(size) / 512
    direction, _ = benchmark_directions(pipeline.spec)

    def run() -> object:
        photo = load_photo(path)
        faces = [points] if find is None else find(photo.pixels)
        aligned = align_photos([faces], photo.size, pipeline.spec.picture_size)
        crops, _ = crop_faces(photo.pixels[None], aligned)
        edited = pipeline.edit(crops / 127.5 - 1, [(direction, STRENGTH)])
        pixels = photo.pixels.clone()
        paste_into(pixels, ((edited[0] + 1) * 127.5).clamp(0, 255), aligned.faces[0])
        return save_photo(photo.with_pixels(pixels), folder / "pasted.jpg")

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="photo", help="or random:photo, where it is not there")
    parser.add_argument("--published", default="ffhq-1024", choices=sorted(DOMAINS), help="sizes of the published way")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, help="default: as many as torch takes")
    parser.add_argument("--size", type=int, nargs=2, default=SIZE, metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--detector", choices=DETECTORS, default=DETECTORS[0])
    parser.add_argument("--face-models", default="models", metavar="FOLDER")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    pipeline = Pipeline(load_networks(options.model, torch.float32, torch.device("cpu")))
    networks = published_way.as_published(random_networks(DOMAINS[options.published], folded=False))
    random = torch.Generator().manual_seed(1)
    ours = torch.rand(1, 3, *pipeline.spec.picture_size, generator=random) * 2 - 1
    theirs = torch.rand(1, 3, *networks.spec.picture_size, generator=random) * 2 - 1
    direction, their_direction = (benchmark_directions(spec)[0] for spec in (pipeline.spec, networks.spec))
    inversion, found = pipeline.invert(ours), published_way.invert(networks, theirs)
    find = None
    try:
        detector = load_detector(options.detector, [options.face_models])
        find = lambda pixels: find_faces(pixels, detector)  # noqa: E731
    except FaceError as error:
        print(f"the face's points are given: {error}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        cases = {
            "published invert": lambda: published_way.invert(networks, theirs),
            "published edit": lambda: published_way.edit(networks, found, their_direction, [STRENGTH]),
            "first edit of an aligned crop": lambda: pipeline.edit(ours, [(direction, STRENGTH)]),
            "further edit": lambda: pipeline.edit(inversion, [(direction, STRENGTH)]),
            "photo to pasted photo": whole_way(pipeline, Path(folder), tuple(options.size), find),
        }
        times = medians(cases, options.repeats)
    invert, edit = times.pop("published invert"), times.pop("published edit")
    published = {"first edit of an aligned crop": invert + edit, "further edit": edit}
    threads, kind = torch.get_num_threads(), torch.backends.cpu.get_cpu_capability()
    print(f"{options.model}, torch {torch.__version__}, {threads} threads, {kind}; median of {options.repeats}\n")
    print("| what | seconds | published way, s | share of it |\n|---|---|---|---|")
    for name, seconds in times.items():
        if name in published:
            print(f"| {name} | {seconds:.2f} | {published[name]:.2f} | {seconds / published[name]:.3f} |")
        else:
            way = options.detector if find else "points given"
            megapixels = options.size[0] * options.size[1] / 1e6
            print(f"| {name}, {megapixels:.0f} megapixels ({way}) | {seconds:.2f} | | |")


if __name__ == "__main__":
    main()
