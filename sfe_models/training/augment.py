"""Adaptive discriminator augmentation (Karras et al. 2020a, "Training generative adversarial networks with limited
data"): the pixel blitting, geometric and colour transforms of the paper's `bgc` set.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from .augment_transforms import blit, hue_matrix, identities, rotation_matrix, scale_matrix, warp


@dataclass(frozen=True)
class AugmentSpec:
    """Say how often and how strongly to augment; the defaults are those of the paper, appendix B.

    The first twelve multiply the probability p, in [0,1]; 0 switches the transform off. The others are
    strengths: deviations of a normal distribution (`_std`, log2 for the scales, contrast and saturation) or the
    ends of a uniform one (`_max`); translations relative to the picture's side, angles relative to 180 degrees.
    """

    x_flip: float = 1.0
    rotation_90: float = 1.0
    integer_translation: float = 1.0
    scale: float = 1.0
    rotation: float = 1.0
    anisotropic_scale: float = 1.0
    fractional_translation: float = 1.0
    brightness: float = 1.0
    contrast: float = 1.0
    luma_flip: float = 1.0
    hue: float = 1.0
    saturation: float = 1.0

    integer_translation_max: float = 0.125
    scale_std: float = 0.2
    rotation_max: float = 1.0
    anisotropic_scale_std: float = 0.2
    fractional_translation_std: float = 0.125
    brightness_std: float = 0.2
    contrast_std: float = 0.5
    hue_max: float = 1.0
    saturation_std: float = 1.0

    def __post_init__(self):
        for field in fields(self):
            value, is_strength = getattr(self, field.name), field.name.endswith(("_std", "_max"))
            if not 0 <= value <= (math.inf if is_strength else 1):
                expected = "0 or more" if is_strength else "0 to 1"
                raise ValueError(f"AugmentSpec.{field.name} is {value}; expected {expected}.")

    @classmethod
    def none(cls, **switched_on: float) -> AugmentSpec:
        """Make a spec with every transform off but those given."""
        off = {field.name: 0.0 for field in fields(cls) if not field.name.endswith(("_std", "_max"))}
        return cls(**{**off, **switched_on})


class AugmentPipe(nn.Module):
    """Augment pictures, each transform independently with its multiplier times probability p.

    The buffer `p` starts at 0. Real and generated pictures must go through the same pipe.
    """

    def __init__(self, spec: AugmentSpec | None = None):
        super().__init__()
        self.spec = spec or AugmentSpec()
        self.register_buffer("p", torch.zeros(()))

    def forward(self, image: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """image: [B,3,S,S] in [-1,1]; returns the same size, which may leave [-1,1].

        With p = 0 the result is `image` itself. The draws are made on the CPU, from `generator` if given (one
        for the CPU), so that they do not depend on the device.
        """
        if image.ndim != 4 or image.shape[1] != 3 or image.shape[2] != image.shape[3]:
            raise ValueError(f"Pictures to augment have the shape {tuple(image.shape)}; expected [B,3,S,S].")
        p = float(self.p)
        if p == 0:
            return image
        draws = _Draws(len(image), p, generator)
        with torch.autocast(image.device.type, enabled=False):
            wide = image.to(torch.promote_types(image.dtype, torch.float32))
            return self._colour(self._warp(self._blit(wide, draws), draws), draws).to(image.dtype)

    def _blit(self, image: Tensor, draws: _Draws) -> Tensor:
        spec, side = self.spec, image.shape[-1]
        flip = draws.choice(spec.x_flip, 2) == 1
        turns = draws.choice(spec.rotation_90, 4)
        reach = spec.integer_translation_max * side
        shift = draws.uniform(spec.integer_translation, reach, 2).round().long()
        if not (flip.any() or turns.any() or shift.any()):
            return image
        return blit(image, flip, turns, shift)

    def _warp(self, image: Tensor, draws: _Draws) -> Tensor:
        """Compose the geometric transforms; the matrix goes from the result back to the picture."""
        spec, side = self.spec, image.shape[-1]
        half_turn = math.pi * spec.rotation_max
        identity = identities(3, len(image))
        scale = torch.exp2(-draws.normal(spec.scale, spec.scale_std))
        matrix = scale_matrix(scale, scale)
        matrix = matrix @ rotation_matrix(draws.rotation(spec.rotation, half_turn))
        stretch = torch.exp2(-draws.normal(spec.anisotropic_scale, spec.anisotropic_scale_std))
        matrix = matrix @ scale_matrix(stretch, 1 / stretch)
        matrix = matrix @ rotation_matrix(draws.rotation(spec.rotation, half_turn))
        shift = identity.clone()
        shift[:, :2, 2] = -draws.normal(spec.fractional_translation, spec.fractional_translation_std * side, 2)
        matrix = matrix @ shift
        return image if torch.equal(matrix, identity) else warp(image, matrix)

    def _colour(self, image: Tensor, draws: _Draws) -> Tensor:
        """Compose the colour transforms: colour' = matrix colour + offset."""
        spec = self.spec
        identity = identities(3, len(image))
        grey = torch.full((3, 3), 1 / 3, dtype=torch.float64)  # projects onto the grey axis
        offset = draws.normal(spec.brightness, spec.brightness_std)[:, None, None].expand(-1, 3, 1)
        contrast = torch.exp2(draws.normal(spec.contrast, spec.contrast_std))[:, None, None]
        matrix = (identity - 2 * grey * draws.choice(spec.luma_flip, 2)[:, None, None]) * contrast
        matrix = hue_matrix(draws.uniform(spec.hue, math.pi * spec.hue_max)) @ matrix
        saturation = torch.exp2(draws.normal(spec.saturation, spec.saturation_std))[:, None, None]
        matrix = (grey + (identity - grey) * saturation) @ matrix
        offset = matrix @ offset
        if torch.equal(matrix, identity) and not offset.any():
            return image
        return torch.einsum("bij,bjhw->bihw", matrix.to(image), image) + offset[..., None].to(image)


class _Draws:
    """Draw a transform's parameters for a batch, in float64 on the CPU; 0 where the transform does not happen."""

    def __init__(self, batch: int, p: float, generator: torch.Generator | None):
        self.batch, self.p, self.generator = batch, p, generator

    def _uniform(self, *size: int) -> Tensor:
        return torch.rand(self.batch, *size, generator=self.generator, dtype=torch.float64)

    def _happens(self, probability: float) -> Tensor:
        return self._uniform() < probability

    def choice(self, multiplier: float, count: int) -> Tensor:
        """Draw [B] integers of 0 .. count - 1."""
        chosen = (self._uniform() * count).long()
        return torch.where(self._happens(multiplier * self.p), chosen, 0)

    def uniform(self, multiplier: float, end: float, *size: int) -> Tensor:
        """Draw [B,*size] from -end to end; all of a picture's numbers happen together."""
        drawn = (2 * self._uniform(*size) - 1) * end
        return torch.where(self._happens(multiplier * self.p).view(-1, *[1] * len(size)), drawn, 0.0)

    def normal(self, multiplier: float, std: float, *size: int) -> Tensor:
        """Draw [B,*size] normally around 0; all of a picture's numbers happen together."""
        drawn = torch.randn(self.batch, *size, generator=self.generator, dtype=torch.float64) * std
        return torch.where(self._happens(multiplier * self.p).view(-1, *[1] * len(size)), drawn, 0.0)

    def rotation(self, multiplier: float, end: float) -> Tensor:
        """Draw one of the two rotations: either happens with probability multiplier * p in all."""
        once = 1 - math.sqrt(max(0.0, 1 - multiplier * self.p))
        return torch.where(self._happens(once), (2 * self._uniform() - 1) * end, 0.0)


class AdaptiveProbability(nn.Module):
    """Adjust p by the overfitting heuristic r_t = E[sign(D(real))] (equation 1 of the paper).

    p rises while r_t is above `target` and falls below it, so fast that it goes from 0 to 1 over `pictures` real
    pictures; it is adjusted every `interval` minibatches. maximum: where p ends; beyond 0.8 or so augmentations
    leak into what the generator makes (section 2.2). All of its state is in `state_dict`.
    """

    def __init__(
        self, target: float = 0.6, pictures: int = 500_000, interval: int = 4, p: float = 0.0, maximum: float = 1.0
    ):
        super().__init__()
        if not 0 <= p <= maximum <= 1 or pictures < 1 or interval < 1:
            raise ValueError(
                f"Adaptive augmentation got p {p}, maximum {maximum}, pictures {pictures}, interval {interval}; "
                "expected 0 <= p <= maximum <= 1 and positive numbers of pictures and minibatches."
            )
        self.target, self.pictures, self.interval, self.maximum = target, pictures, interval, maximum
        self.register_buffer("p", torch.tensor(p, dtype=torch.float64))
        self.register_buffer("r_t", torch.zeros((), dtype=torch.float64))
        self.register_buffer("signs", torch.zeros((), dtype=torch.float64))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.register_buffer("minibatches", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def update(self, real_logits: Tensor) -> float:
        """Take the discriminator's logits for one minibatch of real pictures, one each; return p.

        With several processes, give every one the logits of all.
        """
        self.signs += real_logits.double().sign().sum()
        self.seen += real_logits.numel()
        self.minibatches += 1
        if int(self.minibatches) == self.interval:
            self.r_t.copy_(self.signs / self.seen)
            step = torch.sign(self.r_t - self.target) * self.seen / self.pictures
            self.p.copy_((self.p + step).clamp(0, self.maximum))
            for counter in (self.signs, self.seen, self.minibatches):
                counter.zero_()
        return float(self.p)
