"""What photographs of faces are compared by besides the paper's metrics: identity, ST-LPIPS, colours, surroundings."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checkpoints.measuring_weights import DLIB_IDENTITY, MOBILEFACENET, STLPIPS
from ..checkpoints.present import MissingWeightsError
from ..checkpoints.weights import SHAPE_PREDICTOR
from ..faces.crop.alignment import FaceAlignment
from ..faces.mask.regions import OVAL, region_mask
from ..perception.dlib_identity import load_dlib_identity
from ..perception.mobilefacenet import find_mobilefacenet, load_mobilefacenet
from ..perception.stlpips import find_stlpips, load_stlpips
from .comparison import MetricInfo, compared, needed

Paired = Callable[[Tensor, Tensor], Tensor]


class Described:
    """Compare pictures by what a network says of each; of the last photographs, the second pictures, it is kept.

    describe: pictures [B,3,H,W] to [B,E]; compare: two such to [B].
    """

    def __init__(self, describe: Callable[[Tensor], Tensor], compare: Paired):
        self._describe, self._compare = describe, compare
        self._last: tuple[Tensor, Tensor] | None = None

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """a, b: [B,3,H,W] in [-1,1]. Returns [B]."""
        if self._last is None or self._last[0] is not b:
            self._last = b, self._describe(b)
        return self._compare(self._describe(a), self._last[1]).to(a.device)


PHOTOGRAPH_INFO = (
    MetricInfo("st_lpips", "ST-LPIPS", "ST-LPIPS with AlexNet, brought to 256 px; its numbers are not LPIPS's"),
    MetricInfo("dlib", "dlib distance", "distance of dlib's face descriptors: the same person below 0.6"),
    MetricInfo("mobile", "MobileFaceNet", "cosine of MobileFaceNet's embeddings, on the aligned crop", True),
    MetricInfo("colour", "colour offset", "offset of each channel's mean over the face, in levels of 255"),
    MetricInfo("outside", "outside the face", "mean difference outside of the face, in levels of 255"),
)


def face_of_aligned(image: Tensor) -> Tensor:
    """Draw where the face lies in aligned crops of a size: [H,W] in [0,1], the oval of the mean face."""
    height, width = image.shape[2:]
    return region_mask(FaceAlignment.identity((height, width)), OVAL).to(image)


def colour_offset(a: Tensor, b: Tensor) -> Tensor:
    """Compare the mean of each channel over the face: the mean absolute offset in levels of 255, [B].

    a, b: [B,3,H,W] in [-1,1], aligned.
    """
    face = face_of_aligned(a)
    means = ((a - b) * face).sum(dim=(2, 3)) / face.sum()
    return means.abs().mean(dim=1) * 127.5


def outside_difference(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean absolute difference outside of the face in levels of 255, [B]: hair, neck and what is behind.

    a, b: [B,3,H,W] in [-1,1], aligned, compared at 256 px.
    """
    a, b = compared(a), compared(b)
    outside = 1 - F.max_pool2d(face_of_aligned(a)[None], 9, 1, 4)[0]  # a soft edge belongs to the face
    return ((a - b).abs().mean(dim=1) * outside).sum(dim=(1, 2)) / outside.sum() * 127.5


def load_photograph_metrics(
    weights: Path | str, device: torch.device | str = "cpu"
) -> tuple[dict[str, Paired], dict[str, str]]:
    """Load the metrics whose files lie in a folder or come with their packages: (by key, what the others need).

    Raises CheckpointError for a damaged file.
    """
    paired: dict[str, Paired] = {"colour": colour_offset, "outside": outside_difference}
    needs = {}
    try:
        perceptual = load_stlpips(find_stlpips(weights)).to(device)
        paired["st_lpips"] = lambda a, b: perceptual(compared(a), compared(b))
    except MissingWeightsError:
        needs["st_lpips"] = needed((STLPIPS,), weights)
    try:
        mobile = load_mobilefacenet(find_mobilefacenet(weights)).to(device)
        paired["mobile"] = Described(mobile.embed, lambda a, b: (a * b).sum(dim=1))
    except MissingWeightsError:
        needs["mobile"] = needed((MOBILEFACENET,), weights)
    try:
        paired["dlib"] = Described(load_dlib_identity(weights).describe, lambda a, b: (a - b).norm(dim=1))
    except MissingWeightsError:
        there = find_spec("dlib") is not None
        needs["dlib"] = needed((SHAPE_PREDICTOR, DLIB_IDENTITY), weights) if there else "needs `pip install dlib-bin`"
    return paired, needs
