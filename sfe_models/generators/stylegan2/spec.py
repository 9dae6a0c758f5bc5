"""The sizes of a StyleGAN2 generator."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..base import SpecError

# Channels of StyleGAN2 config F by resolution: min(512, 32768 / resolution), doubled from 64 px up to the cap.
_CONFIG_F_BASE, _CONFIG_F_CAP = 32768, 512


def config_f_channels(resolution: int) -> tuple[int, ...]:
    """List the channels of StyleGAN2 config F for 4, 8, ... `resolution` px (Karras et al. 2020, table 1)."""
    return tuple(min(_CONFIG_F_CAP, _CONFIG_F_BASE // 2**i) for i in range(2, resolution.bit_length()))


@dataclass(frozen=True)
class StyleGAN2Spec:
    """Describe a StyleGAN2 generator with RGB skips.

    resolution: side of the picture in px, a power of two from 8 on.
    channels: one width per resolution 4, 8, ..., resolution.
    conv_clamp: StyleGAN2-ADA clamps every layer's output to +-conv_clamp times its gain; None does not.
    """

    resolution: int
    channels: tuple[int, ...]
    style_dim: int = 512
    mapping_layers: int = 8
    conv_clamp: float | None = None
    family: str = "stylegan2"

    def __post_init__(self):
        if self.resolution < 8 or self.resolution & (self.resolution - 1):
            raise SpecError(f"Generator resolution is {self.resolution}; expected a power of two from 8 on.")
        if len(self.channels) != self.n_resolutions:
            raise SpecError(
                f"{len(self.channels)} channel widths for a {self.resolution} px generator; "
                f"expected {self.n_resolutions}, one for each of 4, 8, ..., {self.resolution} px."
            )

    @property
    def n_resolutions(self) -> int:
        return self.resolution.bit_length() - 2

    @property
    def n_layers(self) -> int:
        """Number of convolutions with a style: 17 at 1024 px."""
        return 2 * self.n_resolutions - 1

    @property
    def n_styles(self) -> int:
        """Number of latents of a W+ code: 18 at 1024 px."""
        return 2 * self.n_resolutions

    @property
    def picture_layers(self) -> dict[int, int]:
        """The convolution that ends each resolution, after which its RGB layer stands, by side in px."""
        return {self.layer_resolution(n): n for n in range(1, self.n_layers + 1, 2)}

    @property
    def stylegan2_latents(self) -> tuple[int, ...]:
        """For each latent, the one of a StyleGAN2 of the same picture size that it stands for: itself."""
        return tuple(range(self.n_styles))

    def layer_channels(self, layer: int) -> int:
        """Channels of outs[layer]; layer 0 is the constant input, layer 1 the 4 x 4 convolution."""
        return self.channels[layer // 2]

    def layer_resolution(self, layer: int) -> int:
        """Side in px of outs[layer]."""
        return 4 * 2 ** (layer // 2)

    def fit_latents(self, w_plus: Tensor) -> Tensor:
        """Repeat one latent [...,1,D] for all layers; of a larger StyleGAN2's, take those of the layers here."""
        count = w_plus.shape[-2]
        if count == 1:
            return w_plus.expand(*w_plus.shape[:-2], self.n_styles, -1)
        if count < self.n_styles or count % 2:
            raise SpecError(
                f"{count} latents for a StyleGAN2 of {self.resolution} px; expected its own {self.n_styles}."
            )
        return w_plus[..., : self.n_styles, :]
