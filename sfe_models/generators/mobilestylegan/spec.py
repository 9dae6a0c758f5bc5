"""The sizes of a MobileStyleGAN generator."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..base import SpecError


@dataclass(frozen=True)
class MobileStyleGANSpec:
    """Describe a MobileStyleGAN generator: 4 px, then blocks of 8, 16, ... px, then a picture of twice the last.

    channels: the width after 4 px and after each block. Block I (from 0) reads three latents: 1 + 3 I scales what it
    upsamples, 2 + 3 I and 3 + 3 I its two convolutions; the last latent scales what the picture is made from.
    """

    channels: tuple[int, ...] = (512, 512, 512, 512, 512, 256, 128, 64)
    style_dim: int = 512
    mapping_layers: int = 8
    family: str = "mobilestylegan"

    def __post_init__(self):
        if len(self.channels) < 2 or any(width % 4 for width in self.channels):
            raise SpecError(
                f"Channel widths {self.channels}; expected two or more multiples of 4 (a wavelet has four bands)."
            )

    @property
    def n_blocks(self) -> int:
        return len(self.channels) - 1

    @property
    def resolution(self) -> int:
        return 4 * 2 ** (self.n_blocks + 1)

    @property
    def n_layers(self) -> int:
        """Number of layers before the picture: 22 at 1024 px."""
        return 1 + 3 * self.n_blocks

    @property
    def n_styles(self) -> int:
        """Number of latents of a W+ code: 23 at 1024 px."""
        return self.n_layers + 1

    @property
    def picture_layers(self) -> dict[int, int]:
        """Only the last: the wavelets of the picture are made there alone."""
        return {self.resolution: self.n_layers}

    @property
    def stylegan2_latents(self) -> tuple[int, ...]:
        """For each latent, the one of a StyleGAN2 of the same picture size that it stands for.

        A block's are those that StyleGAN2 reads at its resolution: the upsampling convolution's for upsampling and
        first convolution, the second convolution's for the second; the picture's is the last RGB layer's.
        """
        blocks = [n for i in range(self.n_blocks) for n in (2 * i + 1, 2 * i + 1, 2 * i + 2)]
        return (0, *blocks, 2 * self.n_blocks + 3)

    def layer_channels(self, layer: int) -> int:
        """Channels of outs[layer]; the first layer of a block is the upsampled one, of a quarter of the width."""
        block, part = divmod(layer - 2, 3)
        if layer < 2:
            return self.channels[0]
        return self.channels[block] // 4 if part == 0 else self.channels[block + 1]

    def layer_resolution(self, layer: int) -> int:
        """Side in px of outs[layer]."""
        return 4 if layer < 2 else 8 * 2 ** ((layer - 2) // 3)

    def fit_latents(self, w_plus: Tensor) -> Tensor:
        """Bring a StyleGAN2 W+ code or direction of the same picture size (18 latents at 1024 px) to this layout."""
        count, theirs = w_plus.shape[-2], 2 * (self.n_blocks + 2)
        if count in (1, self.n_styles):
            return w_plus.expand(*w_plus.shape[:-2], self.n_styles, -1)
        if count != theirs:
            raise SpecError(
                f"{count} latents for a MobileStyleGAN of {self.resolution} px; expected its own {self.n_styles} or "
                f"StyleGAN2's {theirs}."
            )
        return w_plus[..., torch.tensor(self.stylegan2_latents, device=w_plus.device), :]


FFHQ_MOBILE = MobileStyleGANSpec()
