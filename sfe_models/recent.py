"""The last inversions of one model: another edit of a picture that was just inverted needs no encoder."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .values import GradualInversion, Inversion

# Pictures whose inversions are kept: an inversion at 1024 px is some 20 MB, with what a pipeline keeps for it 40.
_MOST = 4


class RecentInversions:
    """Keep inversions by the pictures that they are of, at most `most` pictures together; the oldest goes first."""

    def __init__(self, most: int = _MOST):
        self._most = most
        self._kept: list[tuple[Tensor, Inversion | GradualInversion]] = []

    def of(self, seen: Tensor, make: Callable[[], Inversion | GradualInversion]) -> Inversion | GradualInversion:
        """Return the inversion of pictures: the very one that is kept, or a new one.

        seen: what the encoders see of them, [B,3,h,w], which alone decides; make: inverts them.
        """
        for place, (picture, inversion) in enumerate(self._kept):
            if torch.equal(picture, seen):
                self._kept.append(self._kept.pop(place))
                return inversion
        inversion = make()
        self._kept.append((seen, inversion))
        while sum(len(picture) for picture, _ in self._kept) > self._most:
            self._kept.pop(0)
        return inversion
