"""DeltaEdit (Lyu et al. 2023): a network from style vectors, a picture and a text difference to an offset.

Parameter names are those of the published `delta_mapper.pt`; the rest follows the published SFE code. It
works for FFHQ at 1024 px only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from ...checkpoints.assign import assign
from ...checkpoints.errors import CheckpointError
from ...checkpoints.recognise import read_contents
from ...generators.base import StyleSpace
from ...generators.stylegan2.layers import MappingLayer, PixelNorm
from ..base import DirectionError, DirectionInfo, StyleSpaceDirection
from .stylespace import StyleOffsetDirection

# Lengths of the coarse, medium and fine parts of the 6048 style values of FFHQ 1024 (RGB layers left out).
LEVELS = {"coarse": 3 * 512, "medium": 4 * 512, "fine": 2464}
# Channels of the convolutions' style vectors of FFHQ 1024, 6048 in all.
CHANNELS = (*[512] * 10, 256, 256, 128, 128, 64, 64, 32)
# The picture's embedding and the text difference.
CLIP_DIM = 1024


class _Mapper(nn.Module):
    """Four mapping layers, after a PixelNorm over dimension 1 if `norm`."""

    def __init__(self, in_features: int, out_features: int, norm: bool = True):
        super().__init__()
        layers = [MappingLayer(in_features if i == 0 else out_features, out_features) for i in range(4)]
        self.mapping = nn.Sequential(*([PixelNorm()] if norm else []), *layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.mapping(x)


class DeltaMapper(nn.Module):
    """Predict a style space offset from style values and a CLIP difference, level by level.

    Each level maps the style values (`sm_`), the CLIP vector (`cm_`) and both joined (`fm_`). Coarse and
    medium levels see their 3 and 4 layers of 512 values one by one, the fine level all its values at once.
    """

    signature = "sm_coarse.mapping.1.weight"

    def __init__(self):
        super().__init__()
        for level, values in LEVELS.items():
            width = values if level == "fine" else 512
            self.add_module(f"sm_{level}", _Mapper(width, width))
            self.add_module(f"cm_{level}", _Mapper(CLIP_DIM, width))
            self.add_module(f"fm_{level}", _Mapper(2 * width, width, norm=False))

    def forward(self, styles: Tensor, clip: Tensor) -> Tensor:
        """styles: [B,6048], the convolutions' style vectors end to end; clip: [B,1024]. Returns [B,6048]."""
        parts = []
        for level, part in zip(LEVELS, styles.split(list(LEVELS.values()), dim=1), strict=True):
            style_map, clip_map, joint_map = (getattr(self, f"{kind}_{level}") for kind in ("sm", "cm", "fm"))
            text = clip_map(clip)
            if level != "fine":
                part = part.unflatten(1, (-1, 512))
                text = text[:, None].expand(-1, part.shape[1], -1)
            parts.append(joint_map(torch.cat([style_map(part), text], dim=-1)).flatten(1))
        return torch.cat(parts, dim=1)


def read_delta_mapper(path: Path | str) -> DeltaMapper:
    """Read the published `delta_mapper.pt`."""
    contents = read_contents(path, {"delta_mapper": DeltaMapper})
    if "delta_mapper" not in contents.components:
        raise CheckpointError(f"{path} holds {contents.describe()}; expected DeltaEdit's delta_mapper.pt.")
    with torch.device("meta"):
        mapper = DeltaMapper()
    assign(mapper, contents.components["delta_mapper"], contents.path, "DeltaEdit mapper")
    return mapper.float().eval().requires_grad_(False)


@dataclass(frozen=True, eq=False, repr=False)
class DeltaEditDirection(StyleSpaceDirection):
    """s + strength * keep * mapper(s, clip); RGB style vectors stay.

    It belongs to the pictures that `clip` was made from, and is not linear: the mapper reads the style
    vectors. clip: [B,1024], or [1,1024] for one picture at any number of strengths; keep: [6048], 0 for
    channels whose relevance to the text is below the threshold, else 1.
    """

    info: DirectionInfo
    mapper: nn.Module
    clip: Tensor
    keep: Tensor
    reads_all_layers = True

    def move(self, styles: StyleSpace, strength: Tensor) -> StyleSpace:
        channels = tuple(s.shape[1] for s in styles.convs)
        if channels != CHANNELS:
            raise DirectionError(
                f"Direction '{self.info.name}' needs the style vectors of FFHQ 1024, {list(CHANNELS)} "
                f"channels; the model's have {list(channels)}. DeltaEdit works with that generator only."
            )
        s = torch.cat(styles.convs, dim=1)
        if len(self.clip) not in (1, len(s)):
            raise DirectionError(
                f"Direction '{self.info.name}' was made for {len(self.clip)} pictures; the codes are of "
                f"{len(s)}. Make it from the same pictures, repeated as the codes are."
            )
        clip = self.clip.to(s).expand(len(s), -1)
        offset = self.mapper.to(s.device)(s, clip) * self.keep.to(s) * strength.to(s)[:, None]
        convs = (a + b for a, b in zip(styles.convs, offset.split(CHANNELS, dim=1), strict=True))
        return replace(styles, convs=tuple(convs))

    def for_styles(self, styles: StyleSpace, generator: str) -> StyleOffsetDirection:
        """Keep the offset for one picture's style vectors, batches of 1: a vector, which files can hold.

        generator: fingerprint of the one whose style vectors these are.
        """
        moved = self.move(styles, torch.ones(1, device=styles.convs[0].device))
        offsets = ((a - b)[0].float().cpu() for a, b in zip(moved.convs, styles.convs, strict=True))
        return StyleOffsetDirection(replace(self.info, generator=generator), tuple(offsets))
