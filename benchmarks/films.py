"""Temporal error of edited films along a known motion: every frame by itself, a calm crop, smoothed codes.

    python benchmarks/films.py rendered [--frames 24] [--seeds 5 9]
    python benchmarks/films.py photo --photo FILE [--frames 9] [--size 400] [--edit smile=1.5]

`rendered` edits films of the demo's people, whose heads turn while the camera moves, with noise of 3 levels and
landmarks that are off by 0.6 % of the crop's side; the surface of the head says where each pixel was a frame before.
`photo` moves a photograph by a known turn, zoom and shift, with noise. Both compare what was made of neighbouring
frames along the motion, within the face: root mean square in levels of 255. The same strength is given to all ways;
`change` is how far they move the picture, and for rendered people `error` is the distance to the true edited film.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sfe_models.checkpoints.load import DEMO_BUNDLE, load_networks  # noqa: E402
from sfe_models.checkpoints.places import models_folder  # noqa: E402
from sfe_models.choices import YUNET  # noqa: E402
from sfe_models.demo.attributes import Portraits, sample_portraits  # noqa: E402
from sfe_models.demo.head import pose_head  # noqa: E402
from sfe_models.demo.renderer import render  # noqa: E402
from sfe_models.demo.shapes import REACH, Screen  # noqa: E402
from sfe_models.directions.base import Direction  # noqa: E402
from sfe_models.directions.library import model_library  # noqa: E402
from sfe_models.faces.crop.alignment import align_face  # noqa: E402
from sfe_models.faces.find.detectors import find_faces, load_detector  # noqa: E402
from sfe_models.film.following import Looking, follow  # noqa: E402
from sfe_models.film.frames import FilmOptions, edited_frames  # noqa: E402
from sfe_models.pictures.image_io import load_photo  # noqa: E402
from sfe_models.pipeline import Pipeline  # noqa: E402

NOISE, JITTER, CANVAS, SIDE, RATE = 3.0, 0.006, 256, 200, 25
# (name, smoothing of the crop, of the codes).
WAYS = (("every frame by itself", 0.0, 0.0), ("a calm crop", 6.0, 0.0), ("and smoothed codes", 6.0, 2.0))


@dataclass(frozen=True, eq=False)
class Case:
    """A film with known motion.

    seen: what is edited [T,3,H,W] uint8; plain: without noise; points: what a detector finds; back: where each pixel of
    a frame was a frame before, as grid_sample takes it [T-1,H,W,2]; inside: [T-1,H,W], where that is known; truth: the
    true edited film, None of a photo.
    """

    name: str
    seen: Tensor
    plain: Tensor
    points: list[Tensor]
    back: Tensor
    inside: Tensor
    truth: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Camera:
    """Turn, zoom and shift in each frame [T]; coordinates run from -1 to 1."""

    angle: Tensor
    scale: Tensor
    x: Tensor
    y: Tensor

    @staticmethod
    def moving(frames: int, scale: float, random: torch.Generator) -> Camera:
        time, shake = torch.arange(frames) / RATE, 0.003 * torch.randn(2, frames, generator=random)

        def wave(seconds: float) -> Tensor:
            return torch.sin(2 * math.pi * time / seconds)

        angle = math.radians(4) * wave(2.1)
        return Camera(angle, scale * (1 + 0.05 * wave(3.0)), 0.1 * wave(1.9) + shake[0], 0.08 * wave(2.7) + shake[1])

    def to_frame(self, x: Tensor, y: Tensor, part: slice = slice(None)) -> tuple[Tensor, Tensor]:
        """Scene to frame; x, y: [T,...]."""
        c, s, mx, my = self._terms(x.ndim, part)
        return c * x - s * y + mx, s * x + c * y + my

    def to_scene(self, x: Tensor, y: Tensor, part: slice = slice(None)) -> tuple[Tensor, Tensor]:
        """Frame to scene."""
        c, s, mx, my = self._terms(x.ndim, part)
        x, y, size = x - mx, y - my, c.square() + s.square()
        return (c * x + s * y) / size, (c * y - s * x) / size

    def _terms(self, ndim: int, part: slice) -> list[Tensor]:
        terms = self.scale * self.angle.cos(), self.scale * self.angle.sin(), self.x, self.y
        return [term[part].reshape(-1, *[1] * (ndim - 1)) for term in terms]

    def film(self, scene: Tensor, size: tuple[int, int]) -> Tensor:
        """Frames [T,3,H,W] of a scene [T or 1,3,h,w]."""
        grid = torch.stack(self.to_scene(*pixels(len(self.angle), size)), dim=-1)
        scene = scene.expand(len(grid), -1, -1, -1)
        return F.grid_sample(scene, grid, mode="bicubic", padding_mode="reflection", align_corners=False)

    def points(self, points: Tensor, size: tuple[int, int]) -> Tensor:
        """Points of the scene [T or 1,n,2] from -1 to 1 to px of the frames [T,n,2]."""
        points = points.expand(len(self.angle), -1, -1)
        moved = torch.stack(self.to_frame(points[..., 0], points[..., 1]), dim=-1)
        return ((moved + 1) / 2 * torch.tensor([size[1], size[0]])).double()


def pixels(frames: int, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """x and y of all pixels, -1 to 1: [T,H,W] each."""
    axes = [(torch.arange(n) + 0.5) / n * 2 - 1 for n in size]
    y, x = torch.meshgrid(*axes, indexing="ij")
    return x.expand(frames, -1, -1), y.expand(frames, -1, -1)


def noisy(plain: Tensor, points: Tensor, random: torch.Generator) -> tuple[Tensor, list[Tensor]]:
    """A camera's noise, and a detector's."""
    seen = (plain + NOISE * torch.randn(plain.shape, generator=random)).round().clamp(0, 255).byte()
    side = align_face(points[0], tuple(plain.shape[2:]), (64, 64)).area ** 0.5
    return seen, list(points + JITTER * side * torch.randn(points.shape, generator=random))


def rendered(seed: int, frames: int, attribute: str, change: float) -> Case:
    """A person of the demo who turns the head, and the true film of the edit."""
    random, time = torch.Generator().manual_seed(seed), torch.arange(frames) / RATE
    people = sample_portraits([seed] * frames)
    people = people.changed("yaw", 0.35 * torch.sin(2 * math.pi * time / 1.6))
    people = people.changed("pitch", 0.2 * torch.sin(2 * math.pi * time / 2.3 + 1))
    size, camera = (SIDE, SIDE), Camera.moving(frames, 0.72, random)
    made = render(people, CANVAS)
    edited = render(people.changed(attribute, people.get(attribute) + change), CANVAS).image
    plain, truth = ((camera.film(image, size) + 1) * 127.5 for image in (made.image, edited))
    seen, points = noisy(plain, camera.points(made.landmarks / CANVAS * 2 - 1, size), random)
    # Along the surface of the head: pixel to face coordinates, and those to where they were.
    heads = [pose_head(Portraits(p.values.float(), p.detail_seeds), Screen.of(CANVAS, p.values)) for p in
             (people[1:], people[:-1])]  # fmt: skip
    scene = torch.stack(camera.to_scene(*pixels(frames - 1, size), slice(1, None)), dim=-1)
    known = torch.stack([heads[0].u, heads[0].v], dim=1)
    surface = F.grid_sample(known, scene, padding_mode="border", align_corners=False)
    x, y = heads[1].project(surface[:, 0], surface[:, 1])
    back = torch.stack(camera.to_frame(x / REACH, y / REACH, slice(0, -1)), dim=-1)
    face = camera.film(made.face_mask, size)[:, 0]
    face = -F.max_pool2d(-face[:, None], 9, 1, 4)[:, 0] > 0.9
    return Case(f"person {seed}, {attribute}", seen, plain, points, back, face[1:] & face[:-1], truth)


def moved_photo(path: Path, frames: int, longest: int) -> Case:
    """A photograph that a camera moves over; its longer side becomes so many px."""
    random, photo = torch.Generator().manual_seed(1), load_photo(path).pixels
    points, photo = find_faces(photo, load_detector(YUNET, [models_folder()]))[0], photo.float()
    share = longest / max(photo.shape[1:])
    size = tuple(round(n * share) for n in photo.shape[1:])
    camera = Camera.moving(frames, 0.95, random)
    scene = F.interpolate(photo[None], scale_factor=min(1.0, 2 * share), mode="area")
    plain = camera.film(scene, size).clamp(0, 255)
    at = points.float() / torch.tensor([photo.shape[2], photo.shape[1]]) * 2 - 1
    seen, found = noisy(plain, camera.points(at[None], size), random)
    here = camera.to_scene(*pixels(frames - 1, size), slice(1, None))
    back = torch.stack(camera.to_frame(*here, slice(0, -1)), dim=-1)
    inside = torch.zeros(frames, *size, dtype=torch.bool)
    for mask, face in zip(inside, found, strict=True):
        (left, top), (right, bottom) = face.amin(dim=0).int().tolist(), face.amax(dim=0).int().tolist()
        mask[max(0, top - 10) : bottom + 10, max(0, left - 10) : right + 10] = True
    return Case(path.name, seen, plain, found, back, inside[1:] & inside[:-1])


def rms(values: Tensor, inside: Tensor) -> float:
    """Root mean square of [T,3,H,W] within [T,H,W]."""
    return float((values.square() * inside[:, None]).sum().div(3 * inside.sum()).sqrt())


def along_motion(film: Tensor, case: Case) -> float:
    """How much neighbouring frames differ along the known motion."""
    before = F.grid_sample(film[:-1], case.back, mode="bicubic", padding_mode="border", align_corners=False)
    return rms(film[1:] - before, case.inside)


def measure(case: Case, pipeline: Pipeline, edits: Sequence[tuple[Direction, float]]) -> None:
    """Print a row for each way."""

    def row(name: str, film: Tensor) -> None:
        error = "" if case.truth is None else f"{rms(film[1:] - case.truth[1:], case.inside):.2f}"
        change = rms(film[1:] - case.plain[1:], case.inside)
        print(f"| {case.name} | {name} | {along_motion(film, case):.2f} | {error} | {change:.2f} |", flush=True)

    row("the film before the edit", case.seen.float())
    if case.truth is not None:
        row("the true edited film", case.truth)
    for name, crop, codes in WAYS:
        queue = iter(case.points)
        looking = Looking(lambda picture, queue=queue: [next(queue)])
        for picture in case.seen:
            looking.see(picture)
        times = [number / RATE for number in range(len(case.seen))]
        plan = follow(looking, times, pipeline.spec.picture_size, smoothing=crop)
        options = FilmOptions(smoothing=codes, crop_smoothing=crop)
        made = [picture for picture, _ in edited_frames(pipeline, case.seen, plan, edits, options)]
        row(name, torch.stack(made).float())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("rendered", "photo"))
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--seeds", type=int, nargs="+", default=[5, 9])
    parser.add_argument("--model", default="photo")
    parser.add_argument("--photo", type=Path, help="a photograph with one face")
    parser.add_argument("--size", type=int, default=400, help="longer side of the film in px")
    parser.add_argument("--edit", default="smile=1.5")
    options = parser.parse_args()
    print("| film | way | along the motion | error | change |\n|---|---|---|---|---|")
    name, _, strength = options.edit.partition("=")
    if options.what == "rendered":
        pipeline = Pipeline(load_networks(DEMO_BUNDLE))
        library = model_library(DEMO_BUNDLE, pipeline.spec)
        for seed in options.seeds:
            measure(rendered(seed, options.frames, "smile", 0.3), pipeline, [(library.get("smile"), 1.0)])
    else:
        pipeline = Pipeline(load_networks(options.model))
        library = model_library(options.model, pipeline.spec)
        case = moved_photo(options.photo, options.frames, options.size)
        measure(case, pipeline, [(library.get(name), float(strength))])


if __name__ == "__main__":
    main()
