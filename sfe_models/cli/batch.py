"""The command batch: what `batch_work` does, for every picture, in the loop of `sfe_models.batch`."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from tqdm import tqdm

from ..batch.cluster import Cluster, run_on_ray
from ..batch.find import Found, Picture, find_pictures
from ..batch.manifest import MANIFEST, Line, Part, end, finished
from ..batch.run import Made, run
from ..batch.settings import is_begun, settle
from ..batch.storage import Store, store_of
from ..directions.recipe import save_recipe
from ..inputs import InputError
from ..sharing import Share
from .batch_work import edit_work
from .before import check_options, given_mask
from .common import say
from .editing import recipe_of
from .parsers.batch import SUFFIXES

# Sentences of pictures that could not be edited that are said at the end; the manifest has all.
_SAID = 5


def run_batch(options: argparse.Namespace) -> None:
    share, output = Share.of_environment(), store_of(options.output)
    if options.ray and share.world > 1:
        raise InputError("--ray shares the work itself; start it once, not by torchrun.")
    if options.paste is None:
        options.paste = not options.no_align
    if options.face is None and options.paste:
        options.face = "all"
    check_options(options)
    if options.landmarks and not Path(options.landmarks).is_dir():
        raise InputError(f"--landmarks is {options.landmarks}; give a folder with a .txt file for each picture.")
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
        torch.cuda.set_device(share.gpu(torch.cuda.device_count()))
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
    if counts.bad and not counts.edited and not counts.before and share.world == 1:
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
