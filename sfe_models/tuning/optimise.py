"""Inversion by optimisation, for any generator: W, then W+, then F_k.

Codes move in coordinates in which W has the same spread everywhere (`latent_space`), and are held near its mean, so
that directions still act on what is found. F_k takes up what no code can: a hat, a hand, the background.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..choices import SPACES
from ..inputs import InputError, picture_batch
from ..pipeline import Pipeline
from ..values import Inversion
from .latent_space import LatentSpace, inversion_of_code
from .looks import Look
from .refine import Refining, refine
from .stopping import Falling

# What a generator alone takes if nobody says: a minute on two cores for MobileStyleGAN at 1024 px.
USUAL_STEPS = 120
# Side in px of the pictures that codes are found by; details come from F_k.
_SIDE = 128
# Adam's rates in coordinates whose spread is 1; they fall along a cosine. Measured on three photographs with
# MobileStyleGAN, 40 steps: a quarter, half, these and twice as much leave an L2 at 128 px of 0.062, 0.049, 0.042 and
# 0.049; on three rendered people with StyleGAN2, 67 steps: half 0.029, these 0.025. The start is the mean of w: the
# best of 32 samples came as near at equal seconds on the rendered people (0.024), and less near on a photograph (0.028
# against 0.023); 200 samples take as long as 40 steps.
_W_RATE, _W_PLUS_RATE, _BETAS = 0.2, 0.06, (0.9, 0.99)
# What holds coordinates near 0, and those of single layers near their mean.
_PRIOR, _APART = 2e-4, 1e-3
_L1 = 0.3
# Shares of all steps that W, and W and W+ together, take where F_k follows.
_W_SHARE, _CODE_SHARE = 0.35, 0.75


@dataclass(frozen=True)
class Steps:
    """Steps of Adam on w, on W+ and on F_k."""

    w: int
    w_plus: int
    features: int

    @classmethod
    def shared(cls, total: int, space: str = "f") -> Steps:
        """Share steps among what is optimised, up to a space of SPACES. Raises InputError."""
        if space not in SPACES:
            raise InputError(f"The space is {space!r}; expected one of {', '.join(SPACES)}.")
        if total < 0:
            raise InputError(f"{total} steps of optimisation; expected 0 or more.")
        if space == "w":
            return cls(total, 0, 0)
        if space == "w+":
            w = round(total * _W_SHARE / _CODE_SHARE)
            return cls(w, total - w, 0)
        w, codes = round(total * _W_SHARE), round(total * _CODE_SHARE)
        return cls(w, codes - w, total - codes)

    @property
    def total(self) -> int:
        return self.w + self.w_plus + self.features


def optimise(
    pipeline: Pipeline,
    image: Tensor,
    steps: Steps,
    start: Tensor | None = None,
    progress: Callable[[Refining], None] | None = None,
) -> Inversion:
    """Find codes and F_k of aligned pictures [B,3,H,W] in [-1,1], without encoders.

    start: codes [B,N,D] to begin at, such as the Inverter's; None: the mean of w. A stage that finds codes ends early
    where its loss no longer falls. progress: called after every step, with pictures as small as the losses see them; if
    it raises KeyboardInterrupt, as Ctrl-C does, the best so far is
    returned. Pictures do not influence each other.
    """
    image = picture_batch(image, pipeline.spec).to(pipeline.networks.device, torch.float32)
    code, interrupted = found_code(pipeline, image, steps, start, progress)
    with torch.inference_mode(False):
        inversion = inversion_of_code(pipeline, code, image.clone())
    if interrupted or not steps.features:
        return inversion
    done = steps.w + steps.w_plus

    def report(now: Refining) -> None:
        progress(replace(now, done=now.done + done, steps=steps.total))

    return refine(pipeline, inversion, image, steps.features, progress=None if progress is None else report)


def found_code(
    pipeline: Pipeline,
    image: Tensor,
    steps: Steps,
    start: Tensor | None = None,
    progress: Callable[[Refining], None] | None = None,
) -> tuple[Tensor, bool]:
    """Do the part of `optimise` that finds codes [B,N,D]; the second is whether it was interrupted.

    image: [B,3,H,W] as `picture_batch` gives it, on the model's device.
    """
    with torch.inference_mode(False), torch.enable_grad():
        search = _Search(pipeline, image.clone(), start)
        interrupted = search.run(steps, progress)
        return search.best(), interrupted


class _Search:
    """The coordinates of the codes, and the best of them so far."""

    def __init__(self, pipeline: Pipeline, image: Tensor, start: Tensor | None):
        self.pipeline = pipeline
        generator = pipeline.networks.generator
        self.look = Look(generator, pipeline.spec, min(_SIDE, pipeline.spec.generator.resolution))
        self.target = self.look.seen(image)
        self.space = LatentSpace.of(generator)
        shape = len(image), pipeline.spec.n_styles, pipeline.spec.generator.style_dim
        self.rest = 0.0
        if start is None:
            x = torch.zeros(shape, device=image.device)
        else:
            start = start.to(image.device).clone()
            x = self.space.coordinates(start)
            self.rest = start - self.space.code(x)  # what W hardly has stays as it was found
        self.kept = x
        self.lowest = torch.full((len(image),), torch.inf, device=image.device)

    def code(self, x: Tensor) -> Tensor:
        return self.space.code(x) + self.rest

    def best(self) -> Tensor:
        """The best codes [B,N,D]."""
        return self.code(self.kept).detach()

    def run(self, steps: Steps, progress) -> bool:
        """Optimise w, then W+; say whether it was interrupted."""
        done = 0

        def report(loss: Tensor, made: Tensor) -> None:
            nonlocal done
            done += 1
            if progress is not None:
                progress(Refining(done, steps.total, loss, made))

        try:
            if steps.w:
                self._stage(self.kept.mean(dim=1, keepdim=True), steps.w, _W_RATE, report)
            if steps.w_plus:
                self._stage(self.kept.clone(), steps.w_plus, _W_PLUS_RATE, report)
        except KeyboardInterrupt:
            return True
        return False

    def _stage(self, x: Tensor, steps: int, rate: float, report) -> None:
        """Move coordinates [B,1 or N,D] by Adam, and keep the best."""
        x = x.detach().clone().requires_grad_()
        optimizer = torch.optim.Adam([x], rate, _BETAS)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, rate / 20)
        self.lowest.fill_(torch.inf)  # stages differ in what they are held by
        falling = Falling()
        for step in range(steps + 1):
            loss, made = self._loss(x)
            self._keep(x, loss.detach())
            if step:
                report(loss.detach(), made.detach())
            if step == steps or not falling(self.lowest):
                break
            optimizer.zero_grad(set_to_none=True)
            torch.where(loss.isfinite(), loss, 0.0).sum().backward()
            x.grad.nan_to_num_(0.0, 0.0, 0.0)
            optimizer.step()
            schedule.step()

    def _loss(self, x: Tensor) -> tuple[Tensor, Tensor]:
        whole = x.expand(-1, self.pipeline.spec.n_styles, -1)
        made = self.look(self.pipeline.networks.generator.style_space(self.code(whole)))
        difference = (made - self.target).flatten(1)
        mean = x.mean(dim=1, keepdim=True)
        held = _PRIOR * mean.square().mean(dim=(1, 2)) + _APART * (x - mean).square().mean(dim=(1, 2))
        return difference.square().mean(dim=1) + _L1 * difference.abs().mean(dim=1) + held, made

    @torch.no_grad()
    def _keep(self, x: Tensor, loss: Tensor) -> None:
        better = loss < self.lowest
        self.lowest = torch.where(better, loss, self.lowest)
        now = x.detach().expand_as(self.kept)
        self.kept = torch.where(better[:, None, None], now, self.kept)
