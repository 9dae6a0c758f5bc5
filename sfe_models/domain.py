"""What a domain is: the sizes and layer numbers that every network of one SFE model agrees on."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from typing import TypeVar

from .generators.base import SpecError
from .generators.mobilestylegan.spec import FFHQ_MOBILE, MobileStyleGANSpec
from .generators.stylegan2.spec import StyleGAN2Spec, config_f_channels
from .json_values import build

# A picture smaller than this holds no face; one whose sides are off by more than this is no aligned crop.
MIN_SIDE = 16
ASPECT_TOLERANCE = 0.02
# Of a generator alone: side in px of F_k, and of the pictures kept beside an inversion, as of the published model.
_FEATURE_SIDE, _SEEN = 64, 256


@dataclass(frozen=True)
class E4ESpec:
    """Describe the e4e encoder's IR-SE body: widths and depths of its four stages (IR-SE50 by default)."""

    stem: int = 64
    widths: tuple[int, int, int, int] = (64, 128, 256, 512)
    depths: tuple[int, int, int, int] = (3, 4, 14, 3)
    se_reduction: int = 16
    coarse_styles: int = 3
    middle_styles: int = 7


@dataclass(frozen=True)
class InverterSpec:
    """Describe the Inverter's backbone (IResNet-50 with the third stage's stride removed) and its Fuser.

    content_stride: strides of the two convolutions that predict F_k from the third stage, with which F_7 (1, 2) and
    F_5 (2, 2) are predicted from pictures of 256 px. fuser: False leaves it out, for the ablation: F_k is what the
    backbone predicts.
    """

    stem: int = 64
    widths: tuple[int, int, int, int] = (64, 128, 256, 512)
    depths: tuple[int, int, int, int] = (3, 4, 14, 3)
    strides: tuple[int, int, int, int] = (2, 2, 1, 2)
    pooled: int = 3
    fuser_blocks: int = 5
    fuser: bool = True
    content_stride: tuple[int, int] = (1, 1)

    @property
    def reduction(self) -> int:
        """How much smaller than the picture F_k is."""
        return math.prod((*self.strides[:3], *self.content_stride))


@dataclass(frozen=True)
class MobileE4ESpec:
    """Describe the small e4e encoder around MobileNetV2.

    hidden: width of its heads; shrink: how much smaller than the encoders' picture that is which the backbone sees.
    """

    hidden: int = 208
    family: str = "mobile"
    shrink: int = 2


@dataclass(frozen=True)
class MobileInverterSpec:
    """Describe the small Inverter around MobileNetV2.

    hidden: width of the heads of w; channels, blocks: of what stands at F_k's size.
    """

    hidden: int = 208
    channels: int = 96
    blocks: int = 2
    family: str = "mobile"

    @property
    def reduction(self) -> int:
        """How much smaller than the picture F_k is."""
        return 4


_Described = TypeVar("_Described")


class Description:
    """A dataclass that stands as JSON in the metadata of files."""

    def to_json(self) -> str:
        """Write the description as JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls: type[_Described], text: str) -> _Described:
        """Read what `to_json` wrote; raises SpecError for anything else."""
        try:
            return build(cls, json.loads(text), "description")
        except (ValueError, RecursionError) as error:
            raise SpecError(f"Not the description of a model: {error}") from error


@dataclass(frozen=True)
class DomainSpec(Description):
    """Describe a whole SFE model.

    subject: what the pictures show, None if nobody says; directions belong to a subject.
    feature_layer: k of F_k; outs[k] of the generator is what the Feature Editor edits.
    delta_layer: the layer that delta is taken from; k, or a later one of twice k's resolution, then brought
        down to k by one trainable stride-2 IResNet block (cars: 11, appendix 8 of the SFE paper).
    encoder_size: (height, width) in px of the picture that both encoders see.
    editor_width: None for the paper's Feature Editor; a number for the small one, a residual of this width.
    stack_start: what brings the joined features of Fuser and Feature Editor to F_k's channels: a "convolution" (1 x 1,
    then the blocks: the released networks, 1 + 5 layers) or a "block" (a residual block of IResNet in its place: the
    paper's six layers as its text can be read, too).
    e4e, inverter: None for both is a generator alone; then codes are found by optimisation and F_k' = F_k - delta.
    """

    name: str
    generator: StyleGAN2Spec | MobileStyleGANSpec
    subject: str | None = None
    e4e: E4ESpec | MobileE4ESpec | None = field(default_factory=E4ESpec)
    inverter: InverterSpec | MobileInverterSpec | None = field(default_factory=InverterSpec)
    feature_layer: int = 9
    delta_layer: int = 9
    encoder_size: tuple[int, int] = (256, 256)
    editor_blocks: int = 5
    editor_width: int | None = None
    stack_start: str = "convolution"

    def __post_init__(self):
        generator, k = self.generator, self.feature_layer
        if not 1 <= k <= generator.n_layers - 1:
            raise SpecError(
                f"feature_layer {k} is not a layer of a {generator.resolution} px generator with something after "
                f"it; expected 1 to {generator.n_layers - 1}."
            )
        scale = generator.layer_resolution(self.delta_layer) // generator.layer_resolution(k)
        if self.delta_layer != k and scale != 2:
            raise SpecError(
                f"delta_layer {self.delta_layer} must be feature_layer {k} itself or have twice its resolution."
            )
        if self.delta_layer > generator.n_layers:
            raise SpecError(f"delta_layer {self.delta_layer} is beyond the last layer {generator.n_layers}.")
        if self.stack_start not in ("convolution", "block"):
            raise SpecError(f"stack_start is {self.stack_start!r}; expected 'convolution' or 'block'.")
        width = self.encoder_size[1]
        if (self.e4e is None) != (self.inverter is None):
            raise SpecError("A model has both encoders or none; expected e4e and inverter, or neither.")
        if self.inverter is not None and width != self.inverter.reduction * self.feature_resolution:
            reduction = self.inverter.reduction
            raise SpecError(
                f"The Inverter brings {width} px down by {reduction}, but F_{k} is {self.feature_resolution} px "
                f"wide; expected encoder_size[1] = {reduction * self.feature_resolution}."
            )
        if self.encoder_size[0] > width:
            raise SpecError(f"encoder_size {self.encoder_size} is higher than wide; expected height <= width.")
        if self.encoder_size[0] % 16 or width % 16:
            raise SpecError(f"encoder_size {self.encoder_size} must be divisible by 16, the encoders' stride.")

    @property
    def has_encoders(self) -> bool:
        """Whether pictures are inverted by encoders; otherwise by optimisation."""
        return self.inverter is not None

    def without_encoders(self) -> DomainSpec:
        """Describe the generator alone, cut open at the same k."""
        return dataclasses.replace(self, e4e=None, inverter=None, delta_layer=self.feature_layer)

    @property
    def n_styles(self) -> int:
        return self.generator.n_styles

    @property
    def delta_styles(self) -> int:
        """How many leading styles decide delta: outs[delta_layer] reads w[0] ... w[delta_layer - 1]."""
        return self.delta_layer

    @property
    def feature_resolution(self) -> int:
        return self.generator.layer_resolution(self.feature_layer)

    @property
    def feature_channels(self) -> int:
        return self.generator.layer_channels(self.feature_layer)

    @property
    def picture_size(self) -> tuple[int, int]:
        """(height, width) in px of pictures: the generator's square, cropped to the encoders' aspect ratio."""
        height, width = self.encoder_size
        return self.generator.resolution * height // width, self.generator.resolution

    def preview_layers(self, after: int) -> dict[int, int]:
        """The sides in px of pictures that synthesis can stop at beyond a layer, and the layer of each."""
        return {side: layer for side, layer in self.generator.picture_layers.items() if layer > after}

    def crop_problem(self, width: int, height: int) -> str | None:
        """Say why a picture of this size is no aligned crop for this domain; None if it may be one."""
        want_height, want_width = self.picture_size
        if min(width, height) < MIN_SIDE:
            return f"is {width} x {height} px; expected at least {MIN_SIDE} px on each side"
        if abs(height / width * want_width / want_height - 1) > ASPECT_TOLERANCE:
            shape = "square" if want_width == want_height else f"{want_width}:{want_height}"
            return f"is {width} x {height} px; {self.name} expects a {shape} aligned crop"
        return None


@dataclass(frozen=True)
class BareGenerator(Description):
    """Describe a generator without the rest of a model. subject: what its pictures show, None if nobody says."""

    name: str
    generator: StyleGAN2Spec | MobileStyleGANSpec
    subject: str | None = None

    def domain(self) -> DomainSpec:
        """Describe the model of this generator without encoders; raises SpecError for one below 16 px.

        F_k is the last layer of 64 px, as in the paper, or of a quarter of a picture that is smaller than 256 px.
        """
        spec = self.generator
        seen, side = min(spec.resolution, _SEEN), min(spec.resolution // 4, _FEATURE_SIDE)
        layers = [n for n in range(1, spec.n_layers) if spec.layer_resolution(n) == side]
        if not layers or seen < MIN_SIDE:
            raise SpecError(f"A generator of {spec.resolution} px is too small to be inverted; expected 16 px or more.")
        k = layers[-1]
        return DomainSpec(
            self.name, spec, self.subject, e4e=None, inverter=None,
            feature_layer=k, delta_layer=k, encoder_size=(seen, seen),
        )  # fmt: skip


FFHQ_1024 = DomainSpec("ffhq-1024", StyleGAN2Spec(1024, config_f_channels(1024)), "human faces")

# The generator of the random_face package, which has the W of StyleGAN2 for FFHQ.
FFHQ_MOBILE_1024 = BareGenerator("ffhq-mobile-1024", FFHQ_MOBILE, subject="human faces")

# Appendix 8 of the SFE paper; 192 x 256 is what the car encoders of pSp and e4e see.
CARS_512 = DomainSpec(
    "cars-512", StyleGAN2Spec(512, config_f_channels(512)), "cars", delta_layer=11, encoder_size=(192, 256)
)


def tiny_domain(resolution: int = 64, width: int = 16, name: str | None = None) -> DomainSpec:
    """Describe a domain of 16 px or more whose networks run in milliseconds, for tests and first trials."""
    n = resolution.bit_length() - 2
    encoder = max(resolution, 32)
    feature_layer = 2 * (encoder // 4).bit_length() - 5
    spec = InverterSpec(stem=8, widths=(8, 8, 16, 16), depths=(1, 1, 1, 1), fuser_blocks=1)
    return DomainSpec(
        name or f"tiny-{resolution}",
        StyleGAN2Spec(resolution, (width,) * n, style_dim=width, mapping_layers=2),
        subject="human faces",
        e4e=E4ESpec(stem=8, widths=(8, 8, 16, 16), depths=(1, 1, 1, 1), se_reduction=4),
        inverter=spec,
        feature_layer=feature_layer,
        delta_layer=feature_layer,
        encoder_size=(encoder, encoder),
        editor_blocks=1,
    )


# The rendered portraits of `demo/`: F_k is 32 x 32, a quarter of the picture. Sizes from what two CPU cores train.
DEMO = DomainSpec(
    "demo",
    StyleGAN2Spec(128, (128, 128, 128, 96, 64, 32), style_dim=64, mapping_layers=2),
    subject="rendered portraits",
    e4e=E4ESpec(
        stem=16, widths=(32, 64, 96, 128), depths=(1, 2, 3, 1), se_reduction=8, coarse_styles=3, middle_styles=6
    ),
    inverter=InverterSpec(stem=16, widths=(32, 64, 64, 96), depths=(1, 1, 2, 1), pooled=2, fuser_blocks=2),
    feature_layer=7,
    delta_layer=7,
    encoder_size=(128, 128),
    editor_blocks=2,
)

# Real faces at 1024 px, around a generator of 38 MB; sizes from what two CPU cores train and run.
PHOTO = DomainSpec(
    "photo",
    MobileStyleGANSpec(),
    subject="human faces",
    e4e=MobileE4ESpec(shrink=1),
    inverter=MobileInverterSpec(),
    feature_layer=13,
    delta_layer=13,
    editor_blocks=2,
    editor_width=96,
)

DOMAINS = {spec.name: spec for spec in (FFHQ_1024, CARS_512, DEMO, PHOTO, tiny_domain(64))}
