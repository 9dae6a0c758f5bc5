"""StyleCLIP latent mappers (Patashnik et al. 2021): a small network for one text, as the published files hold."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...generators.base import GeneratorSpec
from ...generators.stylegan2.layers import MappingLayer, PixelNorm
from ..base import DirectionError, DirectionInfo, WPlusDirection
from ..layers import has_stylegan2_layers
from .reader import Reader, Stored

# Levels of the W+ code; the first is spelt so in the published files.
LEVELS = {"course_mapping": slice(0, 4), "medium_mapping": slice(4, 8), "fine_mapping": slice(8, None)}
# What stands before every name in a published file.
_PREFIX = "mapper."


class LevelMapper(nn.Module):
    """PixelNorm over dimension 1 (of [B,layers,D]: over the layers of the level), then four mapping layers."""

    def __init__(self, style_dim: int):
        super().__init__()
        self.mapping = nn.Sequential(PixelNorm(), *(MappingLayer(style_dim, style_dim) for _ in range(4)))

    def forward(self, x: Tensor) -> Tensor:
        return self.mapping(x)


class StyleCLIPMapper(nn.Module):
    """Predict an offset for each level of a W+ code; a level without a mapper stays."""

    signature = "course_mapping.mapping.1.weight"

    def __init__(self, style_dim: int, levels: tuple[str, ...]):
        super().__init__()
        for name in levels:
            self.add_module(name, LevelMapper(style_dim))

    def forward(self, w_plus: Tensor) -> Tensor:
        """w_plus: [B,N,D], all layers. Returns the offset [B,N,D]."""
        offset = torch.zeros_like(w_plus)
        for name, level in LEVELS.items():
            if hasattr(self, name):
                offset[:, level] = getattr(self, name)(w_plus[:, level])
        return offset


class StyleCLIPMapperDirection(WPlusDirection):
    """w + strength * mapper(w)."""

    reads_all_layers = True

    def __init__(self, info: DirectionInfo, mapper: StyleCLIPMapper):
        self.info, self.mapper = info, mapper.eval().requires_grad_(False)

    def move(self, w_plus: Tensor, strength: Tensor) -> Tensor:
        dim = self.mapper.course_mapping.mapping[1].weight.shape[1]
        if dim != w_plus.shape[2]:
            raise DirectionError(
                f"Direction '{self.info.name}' is for W of {dim} dimensions; the model's has {w_plus.shape[2]}."
            )
        mapper = self.mapper.to(w_plus.device)
        return w_plus + strength.to(w_plus)[:, None, None] * mapper(w_plus)


def _recognises(stored: Stored) -> bool:
    return f"{_PREFIX}course_mapping.mapping.1.weight" in stored.tensors


def _read(stored: Stored, spec: GeneratorSpec) -> StyleCLIPMapperDirection:
    """Read a published mapper's state dict, with keys `mapper.<level>.mapping.<i>.weight`."""
    tensors = {k.removeprefix(_PREFIX): v for k, v in stored.tensors.items() if k.startswith(_PREFIX)}
    if not has_stylegan2_layers(spec):
        raise DirectionError(f"{stored.where}: a StyleCLIP mapper reads a StyleGAN2's latents; this generator is none.")
    levels = tuple(name for name in LEVELS if f"{name}.mapping.1.weight" in tensors)
    with torch.device("meta"):
        mapper = StyleCLIPMapper(tensors["course_mapping.mapping.1.weight"].shape[1], levels)
    try:
        mapper.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        raise DirectionError(f"{stored.where} is not a StyleCLIP mapper of four layers per level: {error}") from error
    return StyleCLIPMapperDirection(stored.info, mapper.float())


READER = Reader("a StyleCLIP mapper (mapper.course_mapping...)", _recognises, _read)
