"""Time one resolution of the generator whole and in strips of various heights.

    python benchmarks/strips.py [--repeats 5] [--threads N]

One resolution is the upsampling convolution, the second convolution and the RGB layer, for one picture.
`whole` is the layers one after the other, as they run where strips do not suit; the last strip height is that
of the whole picture, which tells the strips' own gain from that of folding the styles into the weights.
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

from sfe_models.domain import FFHQ_1024  # noqa: E402
from sfe_models.generators.stylegan2 import strips  # noqa: E402
from sfe_models.generators.stylegan2.generator import StyleGAN2  # noqa: E402

SIDES = (256, 512, 1024)
DTYPES = (torch.float32, torch.bfloat16)
HEIGHTS = (8, 16, 32, 64, 128, 256)


def cases(generator: StyleGAN2, side: int, dtype: torch.dtype) -> dict[str, Callable[[], Tensor]]:
    """List ways of making one resolution; each returns the RGB skip."""
    number = side.bit_length() - 3
    first = 2 * number - 1
    layers = generator.conv(first), generator.conv(first + 1), generator.to_rgb(number)
    noises = tuple(getattr(generator.noises, f"noise_{i}") for i in (first, first + 1))
    random = torch.Generator().manual_seed(side)
    styles = tuple(1 + 0.3 * torch.randn(1, layer.conv.weight.shape[2], generator=random) for layer in layers)
    x = torch.randn(1, styles[0].shape[1], side // 2, side // 2, generator=random)
    x = x.to(dtype, memory_format=torch.channels_last)
    rgb = torch.randn(1, 3, side // 2, side // 2, generator=random)
    keep = side != generator.spec.resolution
    channels = layers[1].conv.weight.shape[1]

    def whole() -> Tensor:
        up, conv, to_rgb = layers
        features = conv(up(x, styles[0], noises[0]), styles[1], noises[1])
        return to_rgb(features, styles[2], rgb)

    def in_strips(height: int) -> Tensor:
        # The height follows from this constant, which this script is there to choose.
        strips.STRIP_BYTES = height * side * channels * x.element_size()
        return strips.synthesize_in_strips(*layers, x, rgb, styles, noises, keep)[1]

    heights = [h for h in HEIGHTS if h < side] + [side]
    return {"whole": whole} | {f"{h} rows": lambda h=h: in_strips(h) for h in heights}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    print(f"the library's strips: {strips.STRIP_BYTES >> 20} MiB\n")
    print("| dtype | side | way | MiB a strip | ms | difference to whole |\n" + "|---" * 6 + "|")
    torch.manual_seed(0)
    for dtype in DTYPES:
        generator = StyleGAN2(FFHQ_1024.generator).requires_grad_(False)
        for parameter in generator.parameters():
            if parameter.ndim == 5:
                parameter.data = parameter.data.to(dtype)
        for i in range(FFHQ_1024.generator.n_layers):
            generator.conv(i).noise.weight.fill_(0.1)
        for side in SIDES:
            ways = cases(generator, side, dtype)
            whole = ways["whole"]()
            for way, seconds in medians(ways, arguments.repeats).items():
                difference = ((ways[way]() - whole).norm() / whole.norm()).item()
                mib = "" if way == "whole" else f"{strips.STRIP_BYTES / 2**20:g}"
                name = str(dtype).removeprefix("torch.")
                cells = f"{name} | {side} | {way} | {mib} | {1e3 * seconds:.0f} | {difference:.1e}"
                print(f"| {cells} |", flush=True)


if __name__ == "__main__":
    with torch.no_grad():
        main()
