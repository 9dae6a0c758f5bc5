"""What `batch` does: the steps of `edit` for every picture, in the loop of `sfe_models.batch`."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from ..batch.cluster import Cluster, run_on_ray
from ..batch.find import Found, Picture, find_pictures
from ..batch.manifest import MANIFEST, Line, Part, end, finished
from ..batch.pace import Pace, usual_pace
from ..batch.run import Made, run
from ..batch.settings import is_begun, settle
from ..batch.sharing import Share
from ..batch.storage import Store, store_of
from ..checksums import tensor_checksum
from ..choices import DLIB
from ..directions.library import DirectionLibrary
from ..directions.recipe import Recipe, resolve, save_recipe
from ..film.edit import edit_film, film_faces
from ..film.frames import FilmOptions
from ..inputs import InputError
from ..pictures.image_io import save_image, save_photo
from ..pipeline import Pipeline
from .before import check_options, given_mask
from .common import direction_library, say
from .editing import mask_of, recipe_of
from .inverting import invert_pictures, load_edited
from .parsers.batch import SUFFIXES
from .photos import Crops, detector_for, face_number, load_crops, paste_crops, paste_ways

# What of the options changes pictures, beside the model, the edits and the mask.
_MATTER = ("no_align", "detector", "face", "order", "paste", "region", "feather", "no_colour_match", "blend", "no_face")
_MATTER += ("only", "mask_acts_on", "refine", "refine_w", "optimise", "space", "format")
# Sentences of pictures that could not be edited that are said at the end; the manifest has all.
_SAID = 5


def edit_work(options: argparse.Namespace) -> EditWork:
    """Load what the options name, here or in a worker of a cluster."""
    if not options.no_align:
        face_number(options)
        detector_for(options)
    pipeline = load_edited(options).pipeline
    recipe = recipe_of(options)
    if not options.recipe:
        recipe = replace(recipe, subject=pipeline.spec.subject)
    return EditWork(options, pipeline, direction_library(options, pipeline.spec), recipe)


class EditWork:
    """`edit` for the loop: reads photos, edits their faces, pastes them back."""

    def __init__(self, options: argparse.Namespace, pipeline: Pipeline, library: DirectionLibrary, recipe: Recipe):
        self.options, self.pipeline, self.recipe = options, pipeline, recipe
        self.steps, self.edits, self.mask = resolve(recipe, library), _edits(recipe, library), given_mask(options)

    def settings(self) -> dict:
        """What pictures depend on, as JSON holds it."""
        digest = sha256()
        for name, tensor in sorted(self.pipeline.networks.state_dict().items()):
            digest.update(f"{name} {tensor_checksum(tensor)} ".encode())
        return {
            "model": self.pipeline.spec.name,
            "weights": digest.hexdigest()[:12],
            "edits": self.edits,
            "mask": None if self.mask is None else tensor_checksum(self.mask),
            **{name: getattr(self.options, name) for name in _MATTER},
        }

    def pace(self) -> Pace:
        options, pipeline = self.options, self.pipeline
        gradients = options.refine or options.optimise is not None or not pipeline.spec.has_encoders
        usual = usual_pace(pipeline.spec, pipeline.networks.device, bool(gradients))
        threads = options.threads or usual.threads
        if options.detector == DLIB and not options.no_align:
            threads = 1  # dlib's detector is not made for several
        return Pace(options.faces_at_once or usual.faces, threads, usual.cores)

    def read(self, source: Path) -> Crops:
        return load_crops(source, self.options, self.pipeline.spec)

    def edit(self, faces: Sequence[Crops]) -> Sequence[Tensor]:
        inversion = invert_pictures(torch.cat([crops.pictures for crops in faces]), self.options, self.pipeline)
        mask = self.mask
        if self.options.only:
            mask = torch.cat([mask_of(None, self.options, crops) for crops in faces])
        edited = self.pipeline.edit(inversion, self.steps, mask, self.options.mask_acts_on)
        return edited.cpu().split([len(crops.pictures) for crops in faces])

    def write(self, faces: Crops, edited: Tensor | None, target: Path) -> None:
        if not self.options.paste:
            save_image(edited[0], target)
        else:
            save_photo(faces.photo if edited is None else paste_crops(faces, edited, self.options), target)

    def film(self, source: Path, target: Path) -> int:
        options = self.options
        if options.no_align or not options.paste or options.refine or options.optimise is not None:
            raise InputError("A film's faces are found, inverted by the encoders and pasted back; edit it by itself.")
        with tqdm(desc=source.name, leave=False, unit="frame", position=1) as bar:
            film_options = FilmOptions(
                face=max(face_number(options), 0),  # one person, of all the first
                order=options.order,
                paste=paste_ways(options),
                mask=self.mask,
                only=options.only,
                mask_acts_on=options.mask_acts_on,
            )
            find = film_faces(detector_for(options))
            made = edit_film(self.pipeline, source, target, self.steps, find, film_options, lambda *_: bar.update())
        return made.frames


def run_batch(options: argparse.Namespace) -> None:
    share, output = Share.of_environment(), store_of(options.output)
    if options.ray and share.world > 1:
        raise InputError("--ray shares the work itself; start it once, not by torchrun.")
    if options.paste is None:
        options.paste = not options.no_align
    if options.face is None and options.paste:
        options.face = "all"
    check_options(options)
    given_mask(options), recipe_of(options)  # said before anything is looked for
    found = find_pictures(options.inputs, options.output, options.root, SUFFIXES[options.format])
    if share.rank == 0:
        _say_found(found, options)
    done = finished(output)
    own = [picture for picture in found.pictures if share.takes(picture.name)]
    left = [picture for picture in own if picture.name not in done]
    if options.dry_run:
        films = sum(picture.is_film for picture in own)
        print(f"{len(own) - films} pictures and {films} films; {len(own) - len(left)} are done, {len(left)} are left.")
        return
    if not is_begun(output):
        _check_nothing_is_there(left, output)
    make_work = partial(edit_work, argparse.Namespace(**vars(options)))  # without what is loaded into the options here
    if torch.cuda.is_available() and share.world > 1:
        torch.cuda.set_device(share.local_rank)
    work = edit_work(options)
    made = Made(settle(output, work.settings()), work.edits)
    if options.save_recipe and share.rank == 0:
        print(save_recipe(work.recipe, options.save_recipe))
    counts = _Counts(len(own) - len(left))
    with (
        Part(output, share) as part,
        tqdm(total=len(own), initial=counts.before, unit="picture", disable=share.rank > 0, dynamic_ncols=True) as bar,
    ):

        def report(line: Line) -> None:
            counts.add(line)
            bar.set_postfix({"bad": counts.bad} if counts.bad else {}, refresh=False)
            bar.update()

        with _stopped_by_ctrl_c():
            if options.ray:
                cluster = Cluster(options.ray, options.workers, options.gpus)
                run_on_ray(left, make_work, str(output), made, cluster, report)
            else:
                run(left, work, part, made, work.pace(), report)
    end(output, share, {picture.name: number for number, picture in enumerate(found.pictures)})
    print(counts.sentence(output, share))
    if counts.bad and not counts.edited and share.world == 1:
        raise InputError(f"None of {counts.bad} pictures could be edited; {counts.errors[0]}")
    for sentence in counts.errors:
        say(sentence)


class _Counts:
    """What became of the pictures of this start."""

    def __init__(self, before: int):
        self.before, self.edited, self.bad, self.errors = before, 0, 0, []

    def add(self, line: Line) -> None:
        if line.error is None:
            self.edited += 1
            return
        self.bad += 1
        if self.bad <= _SAID:
            self.errors.append(line.error if line.input in line.error else f"{line.input}: {line.error}")

    def sentence(self, output: Store, share: Share) -> str:
        who = f"Process {share.rank} of {share.world}: " if share.world > 1 else ""
        before = f", {self.before} were done before" if self.before else ""
        return f"{who}{self.edited} edited, {self.bad} could not be{before}; {output / MANIFEST} lists all."


def _say_found(found: Found, options: argparse.Namespace) -> None:
    """Refuse to do nothing, and tell what was passed over."""
    for folder in found.unreadable:
        say(f"The folder {folder} cannot be read; it is passed over.")
    for link in found.links:
        say(f"{link} is a link to a folder; it is passed over. Give it as an INPUT of its own to take it.")
    if not found.pictures:
        others = f" among {found.passed_over} files" if found.passed_over else ""
        raise InputError(f"There is no picture{others} in {', '.join(options.inputs)}; give another INPUT.")
    if found.passed_over:
        say(f"{found.passed_over} files are no pictures; they are passed over.")


def _check_nothing_is_there(pictures: Sequence[Picture], output: Store) -> None:
    """Before the first start of a batch: no file of somebody else's is replaced. Raises InputError."""
    there = output.there(picture.output for picture in pictures)
    if there:
        raise InputError(f"{output / min(there)} is there already, made by no batch; give a new or empty --output.")


def _edits(recipe: Recipe, library: DirectionLibrary) -> list[dict]:
    """The steps as a recipe writes them, with the hashes of files that they are read from."""
    rows = []
    for step in recipe.steps:
        found = [library.find(entry) for name in step.names if (entry := library.entry(name)).file is not None]
        files = [sha256(path.read_bytes()).hexdigest()[:12] for path in found]
        row = {"direction": step.direction, "strength": step.strength, "layers": step.layers, "files": files}
        rows.append({name: value for name, value in row.items() if value not in (None, [])})
    return rows


class _StoppedError(BaseException):
    """Ctrl-C, under a name that no refinement takes for its own end."""


@contextmanager
def _stopped_by_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C end the batch, not the refinement of one picture, which would then be written half refined."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_) -> None:
        raise _StoppedError

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    except _StoppedError:
        say("Stopped; the same command goes on.")
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)
