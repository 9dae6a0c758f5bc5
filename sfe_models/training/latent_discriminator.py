"""The latent discriminator of e4e: does a w come from the mapping network or from the encoder?"""

from __future__ import annotations

import torch
from torch import Tensor, nn

LRELU_SLOPE = 0.2


class LatentDiscriminator(nn.Module):
    """Multilayer perceptron on single latents (Tov et al. 2021, section 4.2; 4 layers in the published code)."""

    def __init__(self, style_dim: int, layers: int = 4):
        super().__init__()
        hidden = [m for _ in range(layers - 1) for m in (nn.Linear(style_dim, style_dim), nn.LeakyReLU(LRELU_SLOPE))]
        self.mlp = nn.Sequential(*hidden, nn.Linear(style_dim, 1))

    def forward(self, w: Tensor) -> Tensor:
        """w: [...,style_dim]. Returns logits [...,1]."""
        return self.mlp(w)


class LatentPool:
    """Earlier latents, so that the discriminator sees more than the newest encoder's (Tov et al. 2021).

    Once full, half of the latents asked for are swapped for older ones.
    """

    def __init__(self, size: int):
        self.size = size
        self.latents: list[Tensor] = []

    def query(self, latents: Tensor) -> Tensor:
        """latents: [B,D]. Returns [B,D], some of them from earlier calls."""
        given = []
        for latent in latents.detach():
            if len(self.latents) < self.size:
                self.latents.append(latent)
            elif self.size and torch.rand(()) < 0.5:
                i = int(torch.randint(self.size, ()))
                latent, self.latents[i] = self.latents[i], latent
            given.append(latent)
        return torch.stack(given)

    def state(self) -> list[Tensor]:
        """Return what is in the pool, each latent in memory of its own."""
        return [latent.clone() for latent in self.latents]

    def load_state(self, latents: list[Tensor], device: torch.device) -> None:
        """Take back what `state` gave."""
        self.latents = [latent.to(device) for latent in latents]
