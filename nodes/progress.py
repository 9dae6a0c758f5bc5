"""Progress bars, and work in parts.

Front ends keep a node's last preview where its own picture should be: only work that shows none sends previews.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import comfy.model_management
import comfy.utils
from torch import Tensor

from ..sfe_models.pictures.image_io import to_pil
from ..sfe_models.tuning.refine import Refining
from ..sfe_models.tuning.tune import ESTIMATE_AFTER, Tuning
from .models import PICTURES_AT_ONCE

logger = logging.getLogger(__name__)

# Previews cost time; work that is done sooner needs none.
_PREVIEW_AFTER_S = 1.0
_PREVIEW_PX = 512


class Progress:
    """A progress bar of one node; every step is a place where the prompt can be interrupted.

    Work of a single step has none: the front end draws the whole graph anew with every report.
    """

    def __init__(self, total: int):
        self.total, self.done, self.start = total, 0, time.monotonic()
        self.bar = comfy.utils.ProgressBar(total) if total > 1 else None

    def step(self, count: int = 1, picture: Tensor | None = None) -> None:
        """Count what is done; picture: [3,H,W] in about [-1,1], shown if the work takes long and goes on."""
        comfy.model_management.throw_exception_if_processing_interrupted()
        self.done += count
        if self.bar is None:
            return
        wanted = self.done < self.total and time.monotonic() - self.start > _PREVIEW_AFTER_S
        preview = ("JPEG", to_pil(picture), _PREVIEW_PX) if wanted and picture is not None else None
        self.bar.update_absolute(self.done, preview=preview)

    def refined(self, now: Refining) -> None:
        """Count a step of a refinement."""
        self.step(1, now.image[0])

    def tuned(self, now: Tuning) -> None:
        """Count a step of tuning; after three that move weights, the console says how long the rest takes."""
        if now.tuned == ESTIMATE_AFTER:
            logger.info("Tuning takes about %.1f minutes more.", now.seconds_left / 60)
        self.step(1, now.image[0])

    def report(self, done: int, total: int) -> None:
        """Take the progress of a function of the library."""
        comfy.model_management.throw_exception_if_processing_interrupted()
        if self.bar is not None:
            self.bar.update_absolute(done, total)


def parts(count: int) -> Iterator[slice]:
    """Slices of a batch that are worked on together."""
    for first in range(0, count, PICTURES_AT_ONCE):
        yield slice(first, min(first + PICTURES_AT_ONCE, count))
