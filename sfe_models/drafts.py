"""Small pictures on the way to the whole one, for somebody who waits for it."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

import torch.nn.functional as F
from torch import Tensor

from . import equations
from .domain import DomainSpec
from .generators.base import Generator, StyleSpace, SynthesisState
from .generators.mobilestylegan.draft import Draft
from .values import Features, Inversion

# Cells along a side in which a draft's colours are compared with the picture's.
_CELLS = 32


class Drafts:
    """Make whole pictures, and drafts of them before; a draft's colours are set right by the last one's error.

    Another strength of an edit lacks much the same as the one before, so what is kept is one error for an inversion.
    """

    def __init__(self, draft: Draft):
        self.draft = draft
        self._errors: WeakKeyDictionary[Inversion, Tensor] = WeakKeyDictionary()

    def picture(
        self,
        generator: Generator,
        domain: DomainSpec,
        features: Features,
        styles: StyleSpace,
        early: Callable[[Tensor], None],
    ) -> Tensor:
        """Make what `equations.synthesize` makes, [B,3,H,W]; early: called with [B,3,h,w] on the way."""
        device, inversion = generator.latent_avg.device, features.edit.inversion
        styles, draft = styles.map(lambda s: s.to(device)), self.draft.to(device)
        state = SynthesisState(domain.feature_layer, features.F_k.to(device))
        state = generator.run(state, styles, draft.layer)
        made, error = draft(state.features, draft.later(styles)), self._errors.get(inversion)
        early(equations.cropped(made if error is None else corrected(made, error), domain))
        picture = generator.picture(generator.run(state, styles))
        self._errors[inversion] = colour_error(made, picture)
        return equations.cropped(picture, domain)


def colour_error(draft: Tensor, picture: Tensor) -> Tensor:
    """What a draft lacks of its picture [B,3,R,R], coarsely: [B,3,c,c]."""
    return F.adaptive_avg_pool2d(picture, _CELLS) - F.adaptive_avg_pool2d(draft, _CELLS)


def corrected(draft: Tensor, error: Tensor) -> Tensor:
    """Add the `colour_error` of another edit to a draft [B,3,h,w]; bilinear, align_corners off."""
    return draft + F.interpolate(error, draft.shape[2:], mode="bilinear", align_corners=False)
