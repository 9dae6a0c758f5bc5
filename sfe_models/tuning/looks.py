"""Small pictures of codes, for losses that need no full one."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..domain import DomainSpec
from ..equations import cropped
from ..generators.base import Generator, StyleSpace

# Of the samples that a linear picture layer is fitted to: how many, and how far from the mean.
_SAMPLES, _TRUNCATION = 12, 0.7
# Keeps the fit from dividing by channels that do not vary, as a share of the mean variance.
_RIDGE = 1e-4


class Look:
    """Make pictures of about `side` px as early as the generator can.

    Where it makes pictures on the way (StyleGAN2), the run stops there. Where it makes them at the end alone
    (MobileStyleGAN), a linear layer from features to colours is fitted to a few seeded samples: good enough to find a
    code by, not for the last details.
    """

    def __init__(self, generator: Generator, spec: DomainSpec, side: int):
        self.generator, self.spec = generator, spec
        layers, full = spec.generator.picture_layers, spec.generator.resolution
        at_least = [have for have in layers if have >= min(side, full)]
        self.side, self.head = min(at_least), None
        self.layer = layers[self.side]
        if self.side > side:
            last = spec.generator.n_layers
            numbers = [n for n in range(1, last + 1) if spec.generator.layer_resolution(n) == side]
            self.side, self.layer = side, numbers[-1]
            self.head = self._fitted()

    def __call__(self, styles: StyleSpace) -> Tensor:
        """Make pictures [B,3,h,w], about [-1,1], cropped to the domain's; with gradients where they are on."""
        generator = self.generator
        if self.head is None:
            state = generator.run(generator.start(len(styles)), styles, self.layer)
            return cropped(generator.picture(state), self.spec)
        weight, bias = self.head
        features = generator.run(generator.start(len(styles)), styles, self.layer, features_only=True).features
        return cropped(F.conv2d(features, weight, bias), self.spec)

    def seen(self, image: Tensor) -> Tensor:
        """Bring pictures [B,3,H,W] to the look's size by area averaging."""
        height, width = self.spec.picture_size
        return F.adaptive_avg_pool2d(image, (self.side * height // width, self.side))

    @torch.no_grad()
    def _fitted(self) -> tuple[Tensor, Tensor]:
        """Fit colours [3] to the layer's features [C] by ridge regression: weight [3,C,1,1], bias [3]."""
        generator, device = self.generator, self.generator.latent_avg.device
        random = torch.Generator().manual_seed(0)
        z = torch.randn(_SAMPLES, self.spec.generator.style_dim, generator=random).to(device)
        left = right = 0.0
        for w in generator.mapping(z, _TRUNCATION).split(1):
            state = generator.run(
                generator.start(1), generator.style_space(generator.broadcast(w)), read_layers=(self.layer,)
            )
            x = state.read[self.layer][0].flatten(1).double()
            x = torch.cat([x, torch.ones_like(x[:1])])
            y = F.adaptive_avg_pool2d(generator.picture(state), self.side)[0].flatten(1).double()
            left, right = left + x @ x.T, right + x @ y.T
        diagonal = left.diagonal()
        diagonal += _RIDGE * diagonal.mean()
        solved = torch.linalg.solve(left, right).float()
        return solved[:-1].T[:, :, None, None].contiguous(), solved[-1]
