"""Pictures that a generator makes, with the W+ code of each: exact pairs without end."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..generators.base import Generator, truncated
from .data import FIRST_TRAINING_SEED, Batch, mapped_bytes

# Truncation of samples is drawn evenly from here to 1.
_LEAST_TRUNCATION = 0.5
# Share of samples whose later latents are drawn towards another sample's, so that W+ offsets are seen too.
_MIXED = 0.5


def sample_codes(generator: Generator, seeds: Sequence[int]) -> Tensor:
    """Draw one W+ code for each seed: [B,N,D].

    w is a sample at a truncation between 0.5 and 1; in half of the codes the latents from a drawn one on lie on the
    way to those of a second sample.
    """
    spec, drawn = generator.spec, []
    for seed in seeds:
        random = torch.Generator().manual_seed(seed)
        z, numbers = torch.randn(2, spec.style_dim, generator=random), torch.rand(4, generator=random)
        w, other = generator.mapping(z.to(generator.latent_avg.device))
        truncation = _LEAST_TRUNCATION + (1 - _LEAST_TRUNCATION) * numbers[0].item()
        first = int(1 + numbers[1] * (spec.n_styles - 1)) if numbers[2] < _MIXED else spec.n_styles
        code = w.expand(spec.n_styles, -1).clone()
        code[first:] = torch.lerp(w, other, numbers[3].item())
        drawn.append(truncated(code, generator.latent_avg, truncation))
    return torch.stack(drawn)


class GeneratedPictures:
    """Samples of consecutive seeds, made when first asked for and kept as 8-bit pictures of (height, width).

    Pictures are brought to their size by area averaging. cache: folder of the file that keeps them between runs (None:
    in memory).
    """

    def __init__(
        self,
        generator: Generator,
        count: int,
        size: tuple[int, int],
        cache: Path | str | None = None,
        first_seed: int = FIRST_TRAINING_SEED,
    ):
        self.generator, self.count, self.size, self.first_seed = generator, count, size, first_seed
        shape = (count, 3, *size)
        if cache is None:
            self._pictures, self._filled = np.zeros(shape, np.uint8), np.zeros(count, np.uint8)
        else:
            probe = sample_codes(generator, [first_seed]).detach().cpu().numpy().round(3).tobytes()
            named = f"{generator.fingerprint()}-{size}-{first_seed}"  # one that was tuned may draw the same codes
            key = hashlib.sha256(probe + named.encode()).hexdigest()[:16]
            stem = Path(cache) / f"samples-{key}"
            self._pictures, self._filled = mapped_bytes(f"{stem}.u8", shape), mapped_bytes(f"{stem}.has", (count,))

    def __len__(self) -> int:
        return self.count

    @property
    def made(self) -> int:
        """How many of the samples are there already."""
        return int(self._filled.sum())

    @torch.no_grad()
    def __getitem__(self, indices: Sequence[int]) -> Batch:
        indices = np.asarray(indices)
        codes = sample_codes(self.generator, (indices + self.first_seed).tolist())
        for place, code in zip(indices, codes, strict=True):
            if not self._filled[place]:
                picture = F.adaptive_avg_pool2d(self.generator(code[None]).clamp(-1, 1), self.size)
                self._pictures[place] = ((picture[0] + 1) * 127.5).round().to(torch.uint8).cpu().numpy()
                self._filled[place] = 1
        return Batch(torch.from_numpy(self._pictures[indices]).float() / 127.5 - 1, code=codes)
