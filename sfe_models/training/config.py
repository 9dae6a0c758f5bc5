"""Settings of the training stages: one frozen dataclass each; `config_files.py` writes and reads them."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..domain import DomainSpec
from .errors import ConfigError

PRECISIONS = ("auto", "fp32", "bf16")
# How the losses of the two halves of a batch become one.
HALVES = ("mean", "sum")


@dataclass(frozen=True)
class RunConfig:
    """How long a stage runs and what it leaves behind.

    steps: optimizer steps; batch: pictures per step over all processes; precision: "fp32", "bf16" for
    autocast, or "auto" for the latter where the device computes it itself; *_every: steps between log lines, sample
    grids and checkpoints; keep_every: checkpoints at multiples of it keep their number (0: only the last one is
    kept); ema_halflife: pictures after which half of an old weight is left in the averaged networks (0: no averaging);
    compile: fuse the generator with torch.compile, which takes a minute and a C++ compiler and makes a GAN's steps on a
    CPU up to twice as fast; mirror: flip half of the pictures; workers: loader processes; pictures: how many portraits
    the rendered data set has, or how many samples the generator makes. size: width of the training pictures (None: the
    domain's); samples: pictures of each batch that the generator makes, with their codes, the others are the data's;
    clip: largest norm of the gradient (0: as it is). jitter: move, turn, enlarge and colour pictures a little.
    """

    steps: int
    batch: int = 8
    seed: int = 0
    precision: str = "auto"
    log_every: int = 50
    sample_every: int = 500
    save_every: int = 500
    keep_every: int = 0
    ema_halflife: int = 0
    compile: bool = False
    mirror: bool = True
    size: int | None = None
    samples: int = 0
    clip: float = 0.0
    workers: int = 2
    pictures: int = 20_000
    jitter: bool = False

    def __post_init__(self):
        for name in ("steps", "batch", "log_every", "sample_every", "save_every"):
            if getattr(self, name) < 1:
                raise ConfigError(f"run.{name} is {getattr(self, name)}; expected 1 or more.")
        if self.precision not in PRECISIONS:
            raise ConfigError(f"run.precision is {self.precision!r}; expected one of {', '.join(PRECISIONS)}.")


@dataclass(frozen=True)
class OptimizerConfig:
    """name: "ranger" (RAdam, lookahead, gradient centralisation) or "adam"; lr falls to 0 over the last `decay`
    share of the run along a cosine (0: constant)."""

    name: str = "ranger"
    lr: float = 1e-4
    betas: tuple[float, float] = (0.95, 0.999)
    decay: float = 0.0


@dataclass(frozen=True)
class LossConfig:
    """Weights of the reconstruction losses, and the networks that compute them.

    perceptual: "alex" or "vgg" (LPIPS), "stlpips", "mobilenet" (MobileNetV2's first levels, by far the cheapest) or
    "attributes" (features of the rendered domain's attribute network);
    identity: "arcface", "moco", "mobilefacenet" or "attributes". gradient: of the mean absolute difference between
    neighbouring pixels' differences; parsing: of the distance of a network that parses faces, "unet" (CelebAMask-HQ's)
    or "small"; smooth_l1: of smooth L1, which turns from L2 to L1 at 0.1. Pictures are brought to `size` px first
    (None: the target's size).
    """

    l2: float = 1.0
    lpips: float = 0.8
    identity: float = 0.1
    perceptual_network: str = "alex"
    identity_network: str = "arcface"
    size: int | None = 256
    l1: float = 0.0
    gradient: float = 0.0
    parsing: float = 0.0
    parsing_network: str = "unet"
    smooth_l1: float = 0.0


@dataclass(frozen=True)
class AdversarialConfig:
    """The picture discriminator of both SFE phases.

    weight: of the encoder's adversarial loss; start: first step that has one; R1 with weight r1 on every
    r1_every-th step.
    """

    weight: float = 0.01
    start: int = 14_000
    lr: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.999)
    r1: float = 10.0
    r1_every: int = 16


@dataclass(frozen=True)
class GANConfig:
    """StyleGAN2 (Karras et al. 2020, 2020a).

    r1: gamma of R1; path_length: weight of path-length regularisation (0: none); *_every: lazy intervals;
    style_mixing: share of pictures with two latents; ada_target: r_t of adaptive augmentation (None: no
    augmentation), ada_speed: pictures for its probability to go from 0 to 1; adversarial_start: first step with
    the adversarial loss. paired: weight of the distance to the picture that a latent belongs to, for data that
    know it (the rendered domain); paired_features: how much more eyes, brows and mouth count in it;
    paired_perceptual: weight of the attribute network's distance in it. mapping_rate: factor on the mapping network's
    learning rate, which StyleGAN2 holds 100 times below the others'; regression wants it back.
    """

    domain: DomainSpec
    run: RunConfig
    lr: float = 2e-3
    betas: tuple[float, float] = (0.0, 0.99)
    r1: float = 10.0
    r1_every: int = 16
    path_length: float = 2.0
    path_every: int = 4
    path_batch_shrink: int = 2
    style_mixing: float = 0.9
    ada_target: float | None = 0.6
    ada_speed: int = 500_000
    adversarial: float = 1.0
    adversarial_start: int = 0
    paired: float = 0.0
    paired_features: float = 4.0
    paired_perceptual: float = 0.0
    mapping_rate: float = 1.0
    decay: float = 0.0


@dataclass(frozen=True)
class E4EConfig:
    """e4e (Tov et al. 2021).

    progressive_start: step at which the first offset opens, one more every progressive_every steps; delta_norm:
    weight of the offsets' norm (equation 3); discriminator_weight: of the latent adversarial loss (equation 5). code:
    weight of the mean squared error of w, for samples whose code is known; those have no picture loss then, but
    the last `code_pictures` of them. window: side in px of F_k of the parts that picture losses are computed on,
    `windows` of them (None: whole pictures).
    """

    domain: DomainSpec
    run: RunConfig
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    progressive_start: int = 20_000
    progressive_every: int = 2_000
    delta_norm: float = 2e-4
    discriminator_weight: float = 0.1
    discriminator_lr: float = 2e-5
    discriminator_layers: int = 4
    code: float = 0.0
    window: int | None = None
    windows: int = 1
    r1: float = 10.0
    r1_every: int = 16
    pool: int = 50
    code_pictures: int = 0


@dataclass(frozen=True)
class InverterConfig:
    """Phase 1 of SFE (section 3.3).

    halves: the losses of the picture from F_k and of the one from w are averaged ("mean", the released code's reading)
    or added ("sum", the paper's formula as it stands, beside which the other losses weigh half as much).
    feature_regulariser: "norm" (the paper's squared norm of F_k, as a mean over its elements), "sum" (the same norm to
    the letter, a sum over the elements of a picture) or "distance" (the released code's mean squared distance to F_w),
    with weight `regulariser`; feature_ramp: steps over which F_k takes the place of F_w in the
    generator (the released code's 10,000; 0: at once). window, windows: as for e4e; then only F_k's picture is
    compared. code, feature: weights of the mean squared errors of w and F_k for samples, whose both are known; those
    have no picture loss then. For the small Inverter: frozen_w, first steps in which what makes w stays as it started
    (afterwards it learns from what reads w after k; 0: from F_w too), and w_rate, the factor on its learning rate.
    painted: share of pictures with details painted onto them (`paint_over`).
    """

    domain: DomainSpec
    run: RunConfig
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    adversarial: AdversarialConfig = field(default_factory=AdversarialConfig)
    feature_regulariser: str = "norm"
    regulariser: float = 0.01
    feature_ramp: int = 0
    window: int | None = None
    windows: int = 1
    frozen_w: int = 0
    w_rate: float = 1.0
    painted: float = 0.0
    code: float = 0.0
    feature: float = 0.0
    halves: str = "mean"

    def __post_init__(self):
        if self.feature_regulariser not in ("norm", "sum", "distance"):
            raise ConfigError(
                f"feature_regulariser is {self.feature_regulariser!r}; expected 'norm' (the paper's, as a mean), 'sum' "
                "(to the letter) or 'distance' (the released code's)."
            )
        _check_halves(self.halves)


def _check_halves(halves: str) -> None:
    if halves not in HALVES:
        raise ConfigError(
            f"halves is {halves!r}; expected 'mean' (the released code's) or 'sum' (the paper's formula)."
        )


@dataclass(frozen=True)
class EditDraw:
    """One row of the table that phase 2 draws edits from: a direction, and strengths or a range of them."""

    direction: str
    strengths: tuple[float, ...] = ()
    range: tuple[float, float] | None = None

    def __post_init__(self):
        if bool(self.strengths) == (self.range is not None):
            raise ConfigError(f"Edit {self.direction!r} needs either `strengths` or a `range`, not both or neither.")


@dataclass(frozen=True)
class EditorConfig:
    """Phase 2 of SFE (section 3.4).

    edits: the table of directions and strengths; empty means every usable direction within its useful range.
    halves: the losses of inversion and edit are averaged ("mean", the released code's reading) or added ("sum", the
    paper's formula as it stands). window, windows: as for e4e; both losses are then computed on windows of F_k.
    adversarial_edits: directions whose edit of the real pictures, for which there is no target, takes part in the
    adversarial loss too (an option of the released code, which its runs leave out).
    inverter_statistics: "frozen" keeps the Inverter's BatchNorm in evaluation mode; "drifting" lets its statistics
    follow phase 2's pictures, as the released code does by accident.
    delta_code: the code that delta is computed from, the "e4e" encoder's or the "inverter"'s; inversion_weight: of the
    real pictures' reconstruction with delta = 0. Both are for the ablations of Table 3. delta_code "source" reads the
    code from X_E again, so that delta belongs to a code that is only like the picture, as it does at use.
    start: what an untrained H computes: "random" as published, or "difference", F_k - delta, which keeps every detail
    from the first step on and lets short trainings go to the edits.
    """

    domain: DomainSpec
    run: RunConfig
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    adversarial: AdversarialConfig = field(default_factory=AdversarialConfig)
    edits: tuple[EditDraw, ...] = ()
    feature_ramp: int = 0
    window: int | None = None
    windows: int = 1
    inverter_statistics: str = "frozen"
    delta_code: str = "e4e"
    inversion_weight: float = 1.0
    start: str = "random"
    halves: str = "mean"
    adversarial_edits: tuple[str, ...] = ()

    def __post_init__(self):
        _check_halves(self.halves)
        if self.start == "difference" and self.domain.stack_start == "block":
            raise ConfigError("start is 'difference', which needs a convolution at the start of H; set stack_start so.")
        if self.adversarial_edits and self.window is not None:
            raise ConfigError("adversarial_edits needs whole pictures; leave window or adversarial_edits out.")
        if self.start not in ("random", "difference"):
            raise ConfigError(f"start is {self.start!r}; expected 'random' or 'difference'.")
        if self.delta_code not in ("e4e", "inverter", "source"):
            raise ConfigError(f"delta_code is {self.delta_code!r}; expected 'e4e', 'inverter' or 'source'.")
        if self.inverter_statistics not in ("frozen", "drifting"):
            raise ConfigError(f"inverter_statistics is {self.inverter_statistics!r}; expected 'frozen' or 'drifting'.")


@dataclass(frozen=True)
class AttributesConfig:
    """The attribute network of the rendered domain, which stands in for LPIPS and ArcFace there."""

    domain: DomainSpec
    run: RunConfig
    optimizer: OptimizerConfig = field(default_factory=lambda: OptimizerConfig("adam", 2e-3, (0.9, 0.99), 0.5))
    widths: tuple[int, ...] = (24, 48, 96, 128)
