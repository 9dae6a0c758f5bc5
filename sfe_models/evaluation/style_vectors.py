"""A way to one picture in style space: its style vectors by optimisation, which no W+ code ties together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..directions.base import Direction
from ..equations import cropped
from ..generators.base import StyleSpace
from ..pipeline import Pipeline
from .methods import People

# Adam's rate falls along a cosine; L1 beside L2 keeps edges.
_RATE, _BETAS, _L1 = 0.02, (0.9, 0.99), 0.3


@dataclass(frozen=True, eq=False)
class FoundStyles:
    """Style vectors of one picture, and the code [1,N,D] that they were begun at.

    A direction moves them by as much as it moves the code's: S + S(w + d) - S(w).
    """

    pipeline: Pipeline
    styles: StyleSpace
    code: Tensor
    seconds: float = 0.0
    steps: int = 0
    name: str = "s"

    @torch.no_grad()
    def inverted(self, people: People) -> Tensor:
        """Return the picture [1,3,H,W] as it comes back without an edit."""
        return self._picture(self.styles)

    @torch.no_grad()
    def edited(self, people: People, index: Sequence[int], direction: Direction, strength: Sequence[float]) -> Tensor:
        """Edit the picture once for each strength: [len(strength),3,H,W]."""
        generator, made = self.pipeline.networks.generator, []
        before = generator.style_space(self.code)
        for value in strength:
            after = direction.moved_styles(generator, self.code, torch.tensor([value], device=self.code.device))
            made.append(self._picture(_added(self.styles, after, before)))
        return torch.cat(made)

    def _picture(self, styles: StyleSpace) -> Tensor:
        return cropped(self.pipeline.networks.generator.synthesize(styles), self.pipeline.spec)


def _added(styles: StyleSpace, after: StyleSpace, before: StyleSpace) -> StyleSpace:
    convs, rgbs = (
        tuple(s + a - b for s, a, b in zip(*(getattr(part, kind) for part in (styles, after, before)), strict=True))
        for kind in ("convs", "rgbs")
    )
    return StyleSpace(convs, rgbs)


def find_styles(
    pipeline: Pipeline, image: Tensor, steps: int, progress: Callable[[object], None] | None = None
) -> FoundStyles:
    """Find style vectors of a picture [1,3,H,W] in [-1,1], from e4e's code on, without encoders from the mean of w."""
    networks, spec = pipeline.networks, pipeline.spec
    generator = networks.generator
    if spec.has_encoders:
        code = pipeline.invert(image, all_styles=True).w_e
    else:
        code = generator.latent_avg.expand(1, spec.n_styles, -1)
    target = F.adaptive_avg_pool2d(image.to(code.device), spec.picture_size)
    with torch.inference_mode(False), torch.enable_grad():
        code, target = code.clone(), target.clone()
        start = generator.style_space(code)
        convs, rgbs = ([s.detach().clone().requires_grad_() for s in part] for part in (start.convs, start.rgbs))
        optimizer = torch.optim.Adam([*convs, *rgbs], _RATE, _BETAS)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(steps, 1), _RATE / 20)
        for _ in range(steps):
            made = cropped(generator.synthesize(StyleSpace(tuple(convs), tuple(rgbs))), spec)
            difference = made - target
            loss = difference.square().mean() + _L1 * difference.abs().mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            if progress is not None:
                progress(made)
    styles = StyleSpace(tuple(s.detach() for s in convs), tuple(s.detach() for s in rgbs))
    return FoundStyles(pipeline, styles, code, steps=steps)
