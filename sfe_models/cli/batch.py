"""What `batch` does: the steps of `edit` for every picture, in the loop of `sfe_models.batch`."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from ..batch.find import Found, Picture, find_pictures
from ..batch.manifest import MANIFEST, Line, Part, finished
from ..batch.run import Made, Pace, run
from ..batch.settings import is_begun, settle
from ..batch.sharing import Share
from ..checksums import tensor_checksum
from ..choices import DLIB
from ..directions.base import Direction
from ..directions.library import DirectionLibrary
from ..directions.recipe import Recipe, resolve, save_recipe
from ..inputs import InputError
from ..pictures.image_io import save_image, save_photo
from ..precision import choose_device
from .before import check_options, given_mask
from .common import direction_library, say
from .editing import mask_of, recipe_of
from .inverting import EditedModel, invert_pictures, load_edited
from .parsers.batch import SUFFIXES
from .photos import Crops, detector_for, face_number, load_crops, paste_crops

# What of the options changes pictures, beside the model, the edits and the mask.
_MATTER = ("no_align", "detector", "face", "order", "paste", "region", "feather", "no_colour_match", "blend", "no_face")
_MATTER += ("only", "mask_acts_on", "refine", "refine_w", "optimise", "space", "format")
# Sentences of pictures that could not be edited that are said at the end; the manifest has all.
_SAID = 5


class EditWork:
    """`edit` for the loop: reads photos, edits their faces, pastes them back."""

    def __init__(
        self, options: argparse.Namespace, model: EditedModel, steps: Sequence[tuple[Direction, float]], mask: Tensor
    ):
        self.options, self.pipeline, self.steps, self.mask = options, model.pipeline, steps, mask

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
        raise InputError(f"{source} is a film; this version edits pictures only.")


def run_batch(options: argparse.Namespace) -> None:
    share, output = Share.of_environment(), Path(options.output)
    if options.paste is None:
        options.paste = not options.no_align
    if options.face is None and options.paste:
        options.face = "all"
    check_options(options)
    mask, recipe = given_mask(options), recipe_of(options)
    found = find_pictures(options.inputs, output, options.root, SUFFIXES[options.format])
    if share.rank == 0:
        _say_found(found, options)
    done = {name for name, made in finished(output).items() if (output / made).is_file()}
    own = [picture for picture in found.pictures if share.takes(picture.name)]
    left = [picture for picture in own if picture.name not in done]
    if options.dry_run:
        films = sum(picture.is_film for picture in own)
        print(f"{len(own) - films} pictures and {films} films; {len(own) - len(left)} are done, {len(left)} are left.")
        return
    if not is_begun(output):
        _check_nothing_is_there(left, output)
    if not options.no_align:
        face_number(options)
        detector_for(options)
    if torch.cuda.is_available() and share.world > 1:
        torch.cuda.set_device(share.local_rank)
    model = load_edited(options)
    library = direction_library(options, model.pipeline.spec)
    if not options.recipe:
        recipe = replace(recipe, subject=model.pipeline.spec.subject)
    work = EditWork(options, model, resolve(recipe, library), mask)
    edits = _edits(recipe, library)
    made = Made(settle(output, _settings(options, model, edits, mask)), edits)
    if options.save_recipe and share.rank == 0:
        print(save_recipe(recipe, options.save_recipe))
    order = {picture.name: number for number, picture in enumerate(found.pictures)}
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
            run(left, work, part, made, _pace(options), report)
        part.end(order)
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

    def sentence(self, output: Path, share: Share) -> str:
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


def _check_nothing_is_there(pictures: Sequence[Picture], output: Path) -> None:
    """Before the first start of a batch: no file of somebody else's is replaced. Raises InputError."""
    there = next((output / picture.output for picture in pictures if (output / picture.output).exists()), None)
    if there is not None:
        raise InputError(f"{there} is there already, and no batch made it; give an --output that is new or empty.")


def _pace(options: argparse.Namespace) -> Pace:
    cpu = choose_device(options.device).type == "cpu"
    threads = options.threads or (1 if cpu else 4)
    if options.detector == DLIB and not options.no_align:
        threads = 1  # dlib's detector is not made for several
    return Pace(options.faces_at_once or (1 if cpu else 8), threads)


def _edits(recipe: Recipe, library: DirectionLibrary) -> list[dict]:
    """The steps as a recipe writes them, with the hashes of files that they are read from."""
    rows = []
    for step in recipe.steps:
        found = [library.find(entry) for name in step.names if (entry := library.entry(name)).file is not None]
        files = [sha256(path.read_bytes()).hexdigest()[:12] for path in found]
        row = {"direction": step.direction, "strength": step.strength, "layers": step.layers, "files": files}
        rows.append({name: value for name, value in row.items() if value not in (None, [])})
    return rows


def _settings(options: argparse.Namespace, model: EditedModel, edits: list[dict], mask: Tensor | None) -> dict:
    """What pictures depend on, as JSON holds it."""
    digest = sha256()
    for name, tensor in sorted(model.pipeline.networks.state_dict().items()):
        digest.update(f"{name} {tensor_checksum(tensor)} ".encode())
    return {
        "model": model.pipeline.spec.name,
        "weights": digest.hexdigest()[:12],
        "edits": edits,
        "mask": None if mask is None else tensor_checksum(mask),
        **{name: getattr(options, name) for name in _MATTER},
    }


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
