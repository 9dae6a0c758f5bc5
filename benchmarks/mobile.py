"""Time the mobile generator at 1024 px: whole layers and strips, one picture and a batch, beside StyleGAN2.

    python benchmarks/mobile.py [--repeats 5] [--threads 2] [--batch 4]

Random weights of the published sizes. A strip's size is what one layer of it takes; the library's own stands in
`sfe_models/generators/mobilestylegan/strips.py`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from timing import medians  # noqa: E402

from sfe_models.domain import FFHQ_1024, FFHQ_MOBILE_1024  # noqa: E402
from sfe_models.generators.base import Generator, GeneratorSpec  # noqa: E402
from sfe_models.generators.families import make_generator  # noqa: E402
from sfe_models.generators.mobilestylegan import generator as family  # noqa: E402
from sfe_models.generators.mobilestylegan import strips  # noqa: E402

STRIP_MIB = (0.5, 1, 2, 4, 8)
OWN_MIN_RESOLUTION, OWN_STRIP_BYTES = family.MIN_RESOLUTION, strips.STRIP_BYTES
# The output of the block of 64 px, F_k of a model.
FEATURE_LAYER = 13


def made(spec: GeneratorSpec) -> Generator:
    with torch.device("meta"):
        generator = make_generator(spec)
    generator = generator.to_empty(device="cpu").requires_grad_(False).eval()
    generator.draw_weights(torch.Generator().manual_seed(0))
    return generator


def in_strips(run: Callable[[], Tensor], strip_bytes: int, min_resolution: int) -> Callable[[], Tensor]:
    def case() -> Tensor:
        strips.STRIP_BYTES, family.MIN_RESOLUTION = strip_bytes, min_resolution
        return run()

    return case


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--batch", type=int, default=4)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    mobile, stylegan2 = made(FFHQ_MOBILE_1024.generator), made(FFHQ_1024.generator)
    random = torch.Generator().manual_seed(1)

    def w_plus(generator: Generator, batch: int) -> Tensor:
        return generator.broadcast(generator.mapping(torch.randn(batch, 512, generator=random)))

    one, many, theirs = w_plus(mobile, 1), w_plus(mobile, arguments.batch), w_plus(stylegan2, 1)
    styles = mobile.style_space(one)
    state = mobile.run(mobile.start(1), styles, FEATURE_LAYER)
    own = OWN_STRIP_BYTES, OWN_MIN_RESOLUTION
    runs = {
        "one picture": lambda: mobile(one),
        "up to F_k": lambda: mobile.run(mobile.start(1), styles, FEATURE_LAYER).features,
        "from F_k on": lambda: mobile.picture(mobile.run(state, styles)),
        f"{arguments.batch} pictures": lambda: mobile(many),
        "one picture, layers whole": (lambda: mobile(one), OWN_STRIP_BYTES, 1 << 30),
        f"{arguments.batch} pictures, layers whole": (lambda: mobile(many), OWN_STRIP_BYTES, 1 << 30),
    }
    for mib in STRIP_MIB:
        runs[f"one picture, strips of {mib:g} MiB"] = (lambda: mobile(one), int(mib * 2**20), OWN_MIN_RESOLUTION)
    cases = {name: in_strips(*run) if isinstance(run, tuple) else in_strips(run, *own) for name, run in runs.items()}
    cases["StyleGAN2, one picture"] = lambda: stylegan2(theirs)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}")
    print(f"the library's strips: {OWN_STRIP_BYTES / 2**20:g} MiB from {OWN_MIN_RESOLUTION} px on\n")
    print("| what | ms | of StyleGAN2's time |\n|---|---|---|")
    times = medians(cases, arguments.repeats)
    whole = times["StyleGAN2, one picture"]
    for name, seconds in times.items():
        pictures = arguments.batch if name.startswith(f"{arguments.batch} ") else 1
        print(f"| {name} | {1e3 * seconds:.0f} | {seconds / pictures / whole:.2f} |")


if __name__ == "__main__":
    with torch.no_grad():
        main()
