"""Time `batch` beside a loop over `edit`, and watch its memory over many pictures.

    python benchmarks/batch_speed.py [FOLDER] [--model photo] [--count 8] [--shell 2] [--detector dlib]
    python benchmarks/batch_speed.py --memory 2000 [--model random:tiny-64]

Without a FOLDER of photos crops of the rendered people are edited; a folder of fewer than `--count` photos is taken
again and again. The ways take turns in one run; the first row is what a person's loop in a shell takes, which loads
Python and the model for every picture (`--shell` pictures of it), the second one the same steps in one process, one
after the other.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from timing import take_turns  # noqa: E402

from sfe_models.batch.find import Picture, find_pictures  # noqa: E402
from sfe_models.batch.manifest import Line, Part  # noqa: E402
from sfe_models.batch.pace import Pace  # noqa: E402
from sfe_models.batch.run import Made, run  # noqa: E402
from sfe_models.batch.storage import Folder  # noqa: E402
from sfe_models.cli.batch_work import EditWork, edit_work  # noqa: E402
from sfe_models.cli.main import build_parser  # noqa: E402
from sfe_models.demo.attributes import sample_portraits  # noqa: E402
from sfe_models.demo.renderer import render  # noqa: E402
from sfe_models.pictures.image_io import save_image  # noqa: E402
from sfe_models.sharing import Share  # noqa: E402

# At how many marks memory is told.
_MARKS = 8


def rendered(folder: Path, count: int, size: int) -> Path:
    """Write crops of rendered people, 32 different ones, again and again under new names."""
    pictures = render(sample_portraits(range(min(count, 32))), size).image
    for number in range(count):
        save_image(pictures[number % len(pictures)], folder / f"{number // 100:03d}/{number:05d}.png")
    return folder


def repeated(pictures: list[Picture], count: int) -> list[Picture]:
    """So many of these pictures, under names of their own."""
    several = itertools.islice(itertools.cycle(pictures), count)
    return [Picture(p.source, f"{number}/{p.name}", f"{number}/{p.output}") for number, p in enumerate(several)]


def one_by_one(work: EditWork, pictures: list[Picture], output: Path) -> None:
    for number, picture in enumerate(pictures):
        faces = work.read(Path(picture.source), picture.name)
        work.write(faces, work.edit([faces])[0], output / f"{number}{Path(picture.output).suffix}")


def as_batch(work: EditWork, pictures: list[Picture], pace: Pace, done=lambda line: None) -> None:
    with tempfile.TemporaryDirectory() as folder, Part(Folder(folder), Share()) as part:
        run(pictures, work, part, Made("", work.edits), pace, done)


def in_a_shell(command: list[str], pictures: list[Picture], output: Path) -> None:
    for picture in pictures:
        target = output / f"shell{Path(picture.output).suffix}"
        edit = ["edit", picture.source, "--output", str(target), *command]
        subprocess.run([sys.executable, "-m", "sfe_models", *edit], check=True, stdout=subprocess.DEVNULL)


def watch_memory(work: EditWork, pictures: list[Picture], pace: Pace) -> None:
    """Print the peak memory of this process as pictures are done, and how long they took."""
    start, marks = time.perf_counter(), {len(pictures) * n // _MARKS for n in range(1, _MARKS + 1)}
    count = 0
    print("| pictures | peak memory, MB | pictures a second |\n|---|---|---|")

    def done(line: Line) -> None:
        nonlocal count
        count += 1
        if count in marks:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
            print(f"| {count} | {peak:.0f} | {count / (time.perf_counter() - start):.2f} |", flush=True)

    as_batch(work, pictures, pace, done)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, help="photos (default: crops of rendered people)")
    parser.add_argument("--model", default="demo")
    parser.add_argument("--edit", default="age=1", help="'' for none")
    parser.add_argument("--detector", default="yunet")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--shell", type=int, default=2, help="pictures of the loop in a shell (0: none)")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--faces-at-once", type=int, help="of `batch` (default: as it chooses by itself)")
    parser.add_argument("--threads", type=int, help="that read, and that write (default: likewise)")
    parser.add_argument("--torch-threads", type=int)
    parser.add_argument("--memory", type=int, metavar="N", help="only watch memory over N pictures")
    arguments = parser.parse_args()
    if arguments.torch_threads:
        torch.set_num_threads(arguments.torch_threads)
    with tempfile.TemporaryDirectory() as name:
        place, count = Path(name), arguments.memory or arguments.count
        command = ["--model", arguments.model, "--device", arguments.device, "--detector", arguments.detector]
        command += ["--edit", arguments.edit] if arguments.edit else []
        command += [] if arguments.folder else ["--no-align"]
        given = build_parser().parse_args(["batch", "pictures", "--output", str(place), *command])
        given.paste, given.face = arguments.folder is not None, "all" if arguments.folder else None
        given.faces_at_once, given.threads = arguments.faces_at_once, arguments.threads
        work = edit_work(given)
        pace = work.pace()
        folder = arguments.folder or rendered(place / "in", count, work.pipeline.spec.picture_size[0])
        pictures = repeated(find_pictures([str(folder)], place / "out").pictures, count)
        if arguments.memory:
            watch_memory(work, pictures, pace)
        else:
            command += ["--face", "all"] if arguments.folder else []
            cases = {
                "loop over `edit` in a shell": lambda: in_a_shell(command, pictures[: arguments.shell], place),
                "the same steps in one process, one by one": lambda: one_by_one(work, pictures, place),
                "`batch`": lambda: as_batch(work, pictures, pace),
            }
            if not arguments.shell:
                del cases["loop over `edit` in a shell"]
            seconds = take_turns(cases, arguments.repeats)
            best = {
                way: min(times) / (arguments.shell if "shell" in way else len(pictures))
                for way, times in seconds.items()
            }
            print("| | s a picture | pictures a second | `batch` is times faster |\n|---|---|---|---|")
            for way, each in best.items():
                print(f"| {way} | {each:.2f} | {1 / each:.3f} | {each / best['`batch`']:.2f} |")
            spread = max(max(times) / min(times) for times in seconds.values())
            print(f"\n{len(pictures)} pictures, best of {arguments.repeats}; slowest / fastest repeat: {spread:.2f}")
        device = next(work.pipeline.networks.parameters()).device
        what = torch.cuda.get_device_name() if device.type == "cuda" else torch.backends.cpu.get_cpu_capability()
        print(
            f"model {arguments.model}, {device} ({what}), torch {torch.__version__}, "
            f"{torch.get_num_threads()} threads of torch, {pace.threads} that read, {pace.faces} faces at once"
        )
        if device.type == "cuda":
            print(f"peak memory of the GPU {torch.cuda.max_memory_allocated() / 2**30:.2f} GiB")


if __name__ == "__main__":
    main()
