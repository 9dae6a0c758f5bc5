"""Compare direct convolution with Winograd's F(2, 3) and F(4, 3): milliseconds and exactness.

    python benchmarks/winograd.py [--repeats 9] [--threads N]

3 x 3 convolutions of one picture in channels_last with as many output as input channels. The weight's
transform is made beforehand. Errors are relative to float64.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from timing import medians  # noqa: E402

from sfe_models.nn.winograd import transform_weight, winograd_conv3x3  # noqa: E402

# (channels, side) as they occur: the encoders, the Fuser and the Feature Editor, the generator.
SHAPES = (
    (64, 128),
    (64, 256),
    (128, 64),
    (128, 128),
    (256, 32),
    (256, 64),
    (512, 8),
    (512, 16),
    (512, 32),
    (512, 64),
)
DTYPES = (torch.float32, torch.bfloat16)
WAYS = ("direct", "F(2, 3)", "F(4, 3)")


def compare(channels: int, side: int, dtype: torch.dtype, repeats: int) -> tuple[list[float], list[float]]:
    """Return milliseconds and relative errors, one for each of WAYS."""
    random = torch.Generator().manual_seed(channels + side)
    x = torch.randn(1, channels, side, side, generator=random).to(dtype, memory_format=torch.channels_last)
    weight = torch.randn(channels, channels, 3, 3, generator=random).div(3 * channels**0.5).to(dtype)
    exact = F.conv2d(x.double(), weight.double(), padding=1)
    direct = weight.contiguous(memory_format=torch.channels_last)
    two, four = transform_weight(weight, 2), transform_weight(weight, 4)
    cases = dict(
        zip(
            WAYS,
            (
                lambda: F.conv2d(x, direct, padding=1),
                lambda: winograd_conv3x3(x, two, None, 2),
                lambda: winograd_conv3x3(x, four, None, 4),
            ),
            strict=True,
        )
    )
    errors = [((run().double() - exact).norm() / exact.norm()).item() for run in cases.values()]
    return [1e3 * seconds for seconds in medians(cases, repeats).values()], errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads\n")
    heads = [f"{way}, ms | error" for way in WAYS]
    print(f"| dtype | channels | side | {' | '.join(heads)} |\n" + "|---" * 9 + "|")
    for dtype in DTYPES:
        for channels, side in SHAPES:
            times, errors = compare(channels, side, dtype, arguments.repeats)
            cells = [f"{ms:.2f} | {error:.1e}" for ms, error in zip(times, errors, strict=True)]
            name = str(dtype).removeprefix("torch.")
            print(f"| {name} | {channels} | {side} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    with torch.no_grad():
        main()
