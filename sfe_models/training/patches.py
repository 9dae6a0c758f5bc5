"""Pictures made in part: a window of F_k through the rest of the generator, and what the target shows there.

The rest of a generator costs three times what stands before F_k; a window of a quarter of the side a sixteenth of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..domain import DomainSpec
from ..generators.base import Generator, StyleSpace, SynthesisState

# Rows and columns of F_k at each side of a window that are not looked at: what stands beyond is missing there.
_MARGIN = 1


@dataclass(frozen=True)
class Window:
    """A square part of F_k: its top left corner and its side, in px of F_k [B,C,r,r]."""

    top: int
    left: int
    side: int

    @staticmethod
    def drawn(resolution: int, side: int) -> Window:
        """Draw a place for a window in features of this resolution."""
        top, left = torch.randint(resolution - side + 1, (2,)).tolist()
        return Window(top, left, side)

    def cut(self, picture: Tensor, resolution: int, margin: int = 0) -> Tensor:
        """Cut the window out of [B,C,R,R], R any multiple of the features' resolution; margin in px of F_k."""
        scale = picture.shape[2] // resolution
        rows, columns = (slice((a + margin) * scale, (a + self.side - margin) * scale) for a in (self.top, self.left))
        return picture[:, :, rows, columns]


def synthesize_window(
    generator: Generator, domain: DomainSpec, styles: StyleSpace, features: Tensor, window: Window
) -> Tensor:
    """Run a window of F_k to the picture: [B,3,s,s], less the margin. For families that carry nothing at k."""
    resolution = domain.feature_resolution
    state = SynthesisState(domain.feature_layer, window.cut(features, resolution))
    place = window.top / resolution, window.left / resolution
    made = generator.picture(generator.run(state, styles, window=place))
    edge = _MARGIN * made.shape[2] // window.side
    return made[:, :, edge:-edge, edge:-edge]


def target_window(image: Tensor, domain: DomainSpec, window: Window) -> Tensor:
    """What `synthesize_window` should make, out of pictures [B,3,R,R] of any multiple of F_k's resolution."""
    return window.cut(image, domain.feature_resolution, _MARGIN)


def windows_loss(
    loss: Callable[[Tensor, Tensor], dict[str, Tensor]],
    generator: Generator,
    domain: DomainSpec,
    styles: StyleSpace,
    features: Tensor,
    image: Tensor,
    side: int,
    count: int,
) -> dict[str, Tensor]:
    """Compare `count` drawn windows of what F_k makes with pictures [B,3,R,R]: the means of the losses."""
    found = []
    for _ in range(count):
        window = Window.drawn(domain.feature_resolution, side)
        made = synthesize_window(generator, domain, styles, features, window)
        found.append(loss(made, target_window(image, domain, window)))
    return {name: sum(part[name] for part in found) / count for name in found[0]}
