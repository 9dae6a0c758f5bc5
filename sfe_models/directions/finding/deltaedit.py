"""DeltaEdit (Lyu et al. 2023): from pictures and two prompts to a direction for those pictures."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...checkpoints.reading import read_numpy
from ...choices import DELTAEDIT_THRESHOLD
from ..base import DirectionError, DirectionInfo
from ..families.deltaedit import CHANNELS, CLIP_DIM, DeltaEditDirection, read_delta_mapper
from .clip_text import Embedder, check_threshold, text_difference

# The side of the pictures that CLIP ViT-B/32 sees.
_CLIP_SIDE = 224


def read_deltaedit_relevance(path: Path | str) -> Tensor:
    """Read `fs3.npy`, the CLIP direction of each of the 6048 channels: [6048,512] float32.

    It is the same file as StyleCLIP's `delta_i_c.npy` for FFHQ.
    """
    values = read_numpy(path)
    if values.shape != (sum(CHANNELS), CLIP_DIM // 2) or values.dtype.kind != "f":
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
        self, pictures: Tensor, neutral: str, target: str, threshold: float = DELTAEDIT_THRESHOLD
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
