"""The attributes of the demo domain's portraits, and how people are drawn at random."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

import torch
from torch import Tensor


class Prior(Enum):
    """How an attribute's values are spread over its range."""

    UNIFORM = "uniform"
    BELL = "bell"
    SWITCH = "switch"


@dataclass(frozen=True)
class Attribute:
    """Describe one attribute: every value lies in [low, high].

    meaning: what low and high look like. prior: how random people are spread over the range.
    share: for a switch, the share of people who have it.
    """

    name: str
    low: float
    high: float
    meaning: str
    prior: Prior = Prior.UNIFORM
    share: float = 0.5


ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute("yaw", -1, 1, "head turned to the picture's left (-30 degrees) .. right (+30)", Prior.BELL),
    Attribute("pitch", -1, 1, "looks down (-15 degrees) .. up (+15)", Prior.BELL),
    Attribute("roundness", 0, 1, "narrow .. round face", Prior.BELL),
    Attribute("jaw", 0, 1, "pointed .. square jaw", Prior.BELL),
    Attribute("skin", 0, 1, "light .. dark skin"),
    Attribute("hair_colour", 0, 1, "black, brown .. blond hair"),
    Attribute("hair_redness", 0, 1, "neutral .. red hair", Prior.SWITCH, 0.2),
    Attribute("hair_length", 0, 1, "short crop .. long below the shoulders"),
    Attribute("hair_volume", 0, 1, "flat .. voluminous hair", Prior.BELL),
    Attribute("fringe", 0, 1, "free forehead .. fringe down to the brows"),
    Attribute("parting", -1, 1, "hair parted at the picture's left .. right"),
    Attribute("curl", 0, 1, "straight .. curly hair"),
    Attribute("smile", -1, 1, "frown .. broad smile", Prior.BELL),
    Attribute("mouth_open", 0, 1, "closed .. wide open mouth"),
    Attribute("lip_fullness", 0, 1, "thin .. full lips", Prior.BELL),
    Attribute("eyes_open", 0, 1, "closed .. wide open eyes", Prior.BELL),
    Attribute("eye_size", 0, 1, "small .. large eyes", Prior.BELL),
    Attribute("eye_colour", 0, 1, "dark brown, hazel, green .. blue eyes"),
    Attribute("gaze", -1, 1, "eyes turned to the picture's left .. right", Prior.BELL),
    Attribute("brows", 0, 1, "thin .. thick eyebrows", Prior.BELL),
    Attribute("brow_height", 0, 1, "low .. raised eyebrows", Prior.BELL),
    Attribute("brow_angle", -1, 1, "worried .. stern eyebrows", Prior.BELL),
    Attribute("nose_size", 0, 1, "small .. large nose", Prior.BELL),
    Attribute("glasses", 0, 1, "no glasses .. glasses", Prior.SWITCH, 0.3),
    Attribute("beard", 0, 1, "shaven .. full beard", Prior.SWITCH, 0.25),
    Attribute("makeup", 0, 1, "none .. lipstick, eye shadow, lashes and blush", Prior.SWITCH, 0.35),
    Attribute("age", 0, 1, "young .. old: wrinkles, folds, grey hair"),
    Attribute("light", -1, 1, "key light from the picture's left .. right"),
    Attribute("brightness", 0, 1, "dim .. bright light", Prior.BELL),
    Attribute("background_hue", 0, 1, "once around the colour circle, from red"),
    Attribute("background_light", 0, 1, "dark .. light background"),
    Attribute("clothes_hue", 0, 1, "once around the colour circle, from red"),
    Attribute("clothes_light", 0, 1, "dark .. light clothes"),
)

NAMES: tuple[str, ...] = tuple(attribute.name for attribute in ATTRIBUTES)

# (attribute, other, weight): the latent of `attribute` leans on that of `other`. Chosen by eye, for plausible people.
CORRELATIONS: tuple[tuple[str, str, float], ...] = (
    ("makeup", "beard", -0.9),
    ("hair_length", "beard", -0.7),
    ("hair_length", "makeup", 0.5),
    ("jaw", "beard", 0.5),
    ("brows", "beard", 0.4),
    ("hair_colour", "skin", -0.8),
    ("eye_colour", "skin", -0.8),
    ("hair_redness", "skin", -0.5),
    ("mouth_open", "smile", 0.4),
)

BELL_WIDTH = 0.6  # A bell-shaped attribute takes the Gaussian CDF of this multiple of its latent.
SWITCH_SOFTNESS = 0.05  # In standard deviations of the latent: how smoothly a switch passes from 0 to 1.


@dataclass(frozen=True)
class Portraits:
    """Hold the attribute values and the detail seeds of B people.

    values: [B,A] float, in the order of NAMES. detail_seeds: [B] int64; -1 means a plain portrait.
    """

    values: Tensor
    detail_seeds: Tensor

    def __post_init__(self) -> None:
        """Refuse shapes that do not belong together and values out of range."""
        if self.values.ndim != 2 or self.values.shape[1] != len(ATTRIBUTES):
            raise ValueError(f"Portraits need values of shape [B,{len(ATTRIBUTES)}], got {tuple(self.values.shape)}.")
        if self.detail_seeds.shape != self.values.shape[:1] or self.detail_seeds.dtype != torch.int64:
            raise ValueError(
                f"Portraits need one int64 detail seed for each of the {len(self.values)} people, "
                f"got {tuple(self.detail_seeds.shape)} of {self.detail_seeds.dtype}."
            )
        low = self.values.new_tensor([attribute.low for attribute in ATTRIBUTES])
        high = self.values.new_tensor([attribute.high for attribute in ATTRIBUTES])
        wrong = ~((self.values >= low) & (self.values <= high))
        if wrong.any():
            person, column = wrong.nonzero()[0].tolist()
            attribute, value = ATTRIBUTES[column], self.values[person, column].item()
            raise ValueError(
                f"Attribute '{attribute.name}' of person {person} is {value:g}; "
                f"it must lie in [{attribute.low:g}, {attribute.high:g}]."
            )

    def __len__(self) -> int:
        """Count the people."""
        return len(self.values)

    def __getitem__(self, index: slice | Tensor) -> Portraits:
        """Choose people by a slice, a boolean mask [B] or an index tensor [N]."""
        return Portraits(self.values[index], self.detail_seeds[index])

    def get(self, name: str) -> Tensor:
        """Return one attribute of everybody: [B]."""
        return self.values[:, attribute_index(name)]

    def changed(self, name: str, value: float | Tensor) -> Portraits:
        """Return the same people with one attribute set to a number or to a tensor [B]; ValueError out of range."""
        values = self.values.clone()
        values[:, attribute_index(name)] = value
        return replace(self, values=values)


def attribute_index(name: str) -> int:
    """Return an attribute's column; ValueError when there is no such attribute."""
    if name not in NAMES:
        raise ValueError(f"There is no attribute '{name}'. Choose one of: {', '.join(NAMES)}.")
    return NAMES.index(name)


def attributes_from_latent(z: Tensor) -> Tensor:
    """Map Gaussian latents smoothly to attribute values.

    z: [B,D] with D >= A; each row is first divided by its root mean square, as StyleGAN2's mapping does, and its first
    A entries are then used. Returns [B,A] of z's dtype, within the attributes' ranges.
    """
    if z.ndim != 2 or z.shape[1] < len(ATTRIBUTES):
        raise ValueError(f"Latents must be [B,D] with D >= {len(ATTRIBUTES)}, got {tuple(z.shape)}.")
    wide = z.double()
    wide = wide * torch.rsqrt(wide.square().mean(dim=1, keepdim=True) + 1e-8)
    sources = wide[:, : len(ATTRIBUTES)].unbind(dim=1)
    columns = []
    for attribute, source in zip(ATTRIBUTES, sources, strict=True):
        leaning, power = source, 1.0
        for name, other, weight in CORRELATIONS:
            if name == attribute.name:
                leaning, power = leaning + weight * sources[attribute_index(other)], power + weight**2
        position = _position(attribute, leaning / math.sqrt(power))
        columns.append(attribute.low + (attribute.high - attribute.low) * position)
    return torch.stack(columns, dim=1).to(z.dtype)


def _position(attribute: Attribute, latent: Tensor) -> Tensor:
    """Return where in the attribute's range a standard normal latent [B] falls, in [0,1]."""
    if attribute.prior is Prior.SWITCH:
        threshold = math.sqrt(2) * torch.erfinv(torch.tensor(1 - 2 * attribute.share, dtype=torch.float64)).item()
        return torch.sigmoid((latent - threshold) / SWITCH_SOFTNESS)
    width = BELL_WIDTH if attribute.prior is Prior.BELL else 1.0
    return 0.5 * (1 + torch.erf(width * latent / math.sqrt(2)))


def latents(seeds: Sequence[int] | Tensor, latent_dim: int = 64) -> Tensor:
    """Draw each person's latent [B,latent_dim] from a generator of its own, so that it never depends on the batch."""
    rows = [torch.randn(latent_dim, generator=torch.Generator().manual_seed(int(seed))) for seed in seeds]
    return torch.stack(rows) if rows else torch.empty(0, latent_dim)


def sample_portraits(seeds: Sequence[int] | Tensor, details: bool = True, latent_dim: int = 64) -> Portraits:
    """Draw one person for each seed (>= 0); with details, the seed is the detail seed too."""
    numbers = torch.as_tensor(seeds, dtype=torch.int64)
    detail_seeds = numbers if details else torch.full_like(numbers, -1)
    return Portraits(attributes_from_latent(latents(numbers, latent_dim)), detail_seeds.clone())
