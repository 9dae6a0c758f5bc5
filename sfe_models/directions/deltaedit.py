"""DeltaEdit (Lyu et al. 2023): a network from style vectors, a picture and a text difference to an offset.

Parameter names are those of the published `delta_mapper.pt`; the rest follows the published SFE code. It
works for FFHQ at 1024 px only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checkpoints.assign import assign
from ..checkpoints.errors import CheckpointError
from ..checkpoints.reading import read_numpy
from ..checkpoints.recognise import read_contents
from ..generators.base import StyleSpace
from ..generators.stylegan2.layers import MappingLayer, PixelNorm
from .base import DirectionError, DirectionInfo, StyleSpaceDirection
from .clip_text import Embedder, text_difference
from .styleclip_global import check_threshold

# Lengths of the coarse, medium and fine parts of the 6048 style values of FFHQ 1024 (RGB layers left out).
LEVELS = {"coarse": 3 * 512, "medium": 4 * 512, "fine": 2464}
# Channels of the convolutions' style vectors of FFHQ 1024, 6048 in all.
CHANNELS = (*[512] * 10, 256, 256, 128, 128, 64, 64, 32)
# The picture's embedding and the text difference.
_CLIP_DIM = 1024
# The side of the pictures that CLIP ViT-B/32 sees.
_CLIP_SIDE = 224
# DeltaEdit's own default.
DEFAULT_THRESHOLD = 0.03


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

    def __init__(self):
        super().__init__()
        for level, values in LEVELS.items():
            width = values if level == "fine" else 512
            self.add_module(f"sm_{level}", _Mapper(width, width))
            self.add_module(f"cm_{level}", _Mapper(_CLIP_DIM, width))
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
    contents = read_contents(path)
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


def read_deltaedit_relevance(path: Path | str) -> Tensor:
    """Read `fs3.npy`, the CLIP direction of each of the 6048 channels: [6048,512] float32.

    It is the same file as StyleCLIP's `delta_i_c.npy` for FFHQ.
    """
    values = read_numpy(path)
    if values.shape != (sum(CHANNELS), _CLIP_DIM // 2) or values.dtype.kind != "f":
        raise DirectionError(
            f"{path} holds {values.dtype} of shape {values.shape}; expected DeltaEdit's fs3.npy, [6048,512]."
        )
    if not (relevance := torch.from_numpy(values.astype("float32"))).isfinite().all():
        raise DirectionError(f"{path} holds numbers that are not finite; fetch the file again.")
    return relevance


class DeltaEdit:
    """Make directions from pictures and prompts. The last `cached` prompt pairs are kept."""

    def __init__(self, mapper: nn.Module, relevance: Tensor, embedder: Embedder, cached: int = 32):
        self.mapper, self.relevance, self.embedder = mapper, relevance, embedder
        self._difference = lru_cache(cached)(lambda a, b: text_difference(embedder, a, b).cpu())

    @staticmethod
    def read(mapper: Path | str, relevance: Path | str, embedder: Embedder) -> DeltaEdit:
        """Read the published `delta_mapper.pt` and `fs3.npy`."""
        return DeltaEdit(read_delta_mapper(mapper), read_deltaedit_relevance(relevance), embedder)

    def direction(
        self, pictures: Tensor, neutral: str, target: str, threshold: float = DEFAULT_THRESHOLD
    ) -> DeltaEditDirection:
        """Make the direction for some pictures, named as in the published code.

        pictures: the aligned pictures themselves, [B,3,H,W] in [-1,1], at full size as in the published code.
        threshold: channels whose relevance to the text difference (of unit embeddings, not normalised itself)
        is smaller stay. The picture enters CLIP as it is, averaged down to 224 px and without CLIP's
        normalisation, as DeltaEdit was trained.
        """
        threshold = check_threshold(threshold)
        if pictures.ndim != 4 or pictures.shape[1] != 3:
            raise DirectionError(f"Pictures of shape {tuple(pictures.shape)}; expected [B,3,H,W] in [-1,1].")
        difference = self._difference(neutral, target)
        if len(difference) != self.relevance.shape[1]:
            raise DirectionError(
                f"{self.embedder.name} embeds into {len(difference)} dimensions; DeltaEdit needs the CLIP "
                f"ViT-B/32 of {self.relevance.shape[1]}."
            )
        found = (self.relevance @ difference).abs()
        keep = (found >= threshold).float()
        if not keep.any():
            raise DirectionError(
                f"The threshold {threshold:g} removes every channel for {neutral!r} to {target!r}; the "
                f"largest relevance is {float(found.max()):.3g}. Lower the threshold."
            )
        image = self.embedder.embed_pixels(F.adaptive_avg_pool2d(pictures.float(), _CLIP_SIDE)).cpu()
        unit = (difference / difference.norm()).expand(len(image), -1)
        info = DirectionInfo(
            f"deltaedit_{neutral}_{target}_{threshold:g}",
            "deltaedit",
            "human faces",
            None,
            f"from {neutral!r} to {target!r}, {int(keep.sum())} channels",
            f"DeltaEdit through {self.embedder.name}",
        )
        return DeltaEditDirection(info, self.mapper, torch.cat([image, unit], dim=1), keep)
