"""How a generator is tuned to one picture."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..choices import PIVOTS, TUNING_METHODS
from ..generators.base import GeneratorSpec
from ..generators.mobilestylegan.spec import MobileStyleGANSpec
from ..inputs import InputError
from ..training.config import LossConfig

# Above this side in px a step takes seconds on a CPU, and fewer must do.
_LARGE, _FEW = 256, 100
# Without demodulation scales multiply through all layers: with a share of 1 pictures are not finite after two steps.
_MOBILE_SHARE = 0.01
# Pixels alone, as no network for more comes with the package; at the size that the papers' losses see.
_PIXELS = LossConfig(l2=1.0, lpips=0.0, identity=0.0)


@dataclass(frozen=True)
class TuningConfig:
    """Settings of a run, kept in the file of what comes of it.

    method: "pti" (Roich et al. 2022) or "gani" (a reconstruction of Sheffi et al. 2023); steps: of optimisation; rate:
    of Adam on the weights, in units of their root mean square, or of Ranger on the gradient modules; local: weight of
    the localisation loss, which holds pictures of random codes where they were (0: none); blocks, normalise: of the
    gradient modules; losses: of the picture and of localisation alike; seconds: stop after so many, whatever the steps
    (None: never); seed: of random codes and modules; pivot: of PIVOTS, where no code is given; size:
    side in px of the pictures that are compared (None: the generator's); what it does after that size stays as it is;
    local_every: take the localisation loss at one step of so many, with as many times its weight; share: of a weight's
    root mean square that gradient modules may move it by, as a scale: 1 where demodulation takes scales out again.
    """

    method: str = "pti"
    steps: int = 200
    rate: float = 1e-3
    local: float = 0.1
    blocks: int = 2
    normalise: bool = True
    losses: LossConfig = field(default_factory=lambda: _PIXELS)
    seconds: float | None = None
    seed: int = 0
    pivot: str = PIVOTS[0]
    size: int | None = None
    local_every: int = 1
    share: float = 1.0

    def __post_init__(self):
        if self.method not in TUNING_METHODS:
            raise InputError(f"The method is {self.method!r}; expected {' or '.join(TUNING_METHODS)}.")
        if self.pivot not in PIVOTS:
            raise InputError(f"The pivot is {self.pivot!r}; expected one of {', '.join(PIVOTS)}.")
        if self.steps < 1:
            raise InputError(f"{self.steps} steps of tuning; expected 1 or more.")
        if not self.rate > 0 or not self.share > 0 or self.local < 0 or self.blocks < 1 or self.local_every < 1:
            raise InputError(
                f"A rate of {self.rate}, a share of {self.share}, locality {self.local} every {self.local_every} steps "
                f"and {self.blocks} blocks; expected a rate and a share above 0, locality of 0 or more, a step and a "
                "block at least."
            )

    @staticmethod
    def usual(method: str, spec: GeneratorSpec, steps: int = 0, **settings) -> TuningConfig:
        """Give the usual settings of a method for a generator; steps: 0 for the usual number.

        The small e4e beside MobileStyleGAN leaves so much of a photograph (an L2 of 0.16) that a code is found first.
        """
        mobile = isinstance(spec, MobileStyleGANSpec)
        config = TuningConfig(
            method,
            rate=1e-3 if method == "pti" else 3e-3,
            local=0.1 if method == "pti" else 0.2,
            pivot="w+" if mobile else "e4e",
            share=_MOBILE_SHARE if mobile else 1.0,
        )
        usual = config.steps if spec.resolution <= _LARGE else _FEW
        return replace(config, steps=steps or usual, **settings)
