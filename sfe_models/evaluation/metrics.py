"""The metrics of the SFE paper (section 4.1) for pairs of pictures, as far as their weights are there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ..checkpoints.present import MissingWeightsError
from ..checkpoints.weights import ALEX_HEADS, ALEXNET, ARCFACE, INCEPTION
from ..perception.attribute_network import AttributeNetwork
from ..perception.identity import find_arcface, identity_similarity, load_arcface
from ..perception.inception import find_inception, load_inception
from ..perception.lpips import find_lpips, load_lpips
from .comparison import MetricInfo, compared, l2, needed
from .photograph_metrics import PHOTOGRAPH_INFO, load_photograph_metrics
from .ssim import ms_ssim

INFO = (
    MetricInfo("l2", "L2", "mean squared error of pictures in [-1,1], brought to 256 px if they are larger"),
    MetricInfo("lpips", "LPIPS", "LPIPS 0.1 with AlexNet, brought to 256 px if they are larger"),
    MetricInfo("ms_ssim", "MS-SSIM", "multi-scale SSIM at full size, mean of the colour channels", True),
    MetricInfo("fid", "FID", "Frechet distance of Inception features between all pictures and all results"),
    MetricInfo("id", "ID", "cosine of ArcFace's embeddings (IR-SE50), on the aligned crop", True),
    MetricInfo("attributes", "attributes", "feature distance of the rendered domain's judge; compares with no LPIPS"),
    MetricInfo("seconds", "seconds", "median seconds to invert one picture alone, everything included"),
)
# All rows of a table, those of photographs after the paper's.
ROWS = (*INFO[:-2], *PHOTOGRAPH_INFO, *INFO[-2:])
# Metrics that a pair of pictures gives alone.
PAIRED = ("l2", "lpips", "ms_ssim", "id", *(info.key for info in PHOTOGRAPH_INFO), "attributes")


@dataclass(frozen=True)
class Metrics:
    """The metrics whose weights are there, and what the others need.

    paired: by key, pictures a, b [B,3,H,W] in [-1,1] to [B]; features: pictures to [B,2048], None without Inception;
    needs: by key, what is missing, such as "needs FILE in FOLDER".
    """

    paired: dict[str, Callable[[Tensor, Tensor], Tensor]]
    features: Callable[[Tensor], Tensor] | None = None
    needs: dict[str, str] = field(default_factory=dict)

    @torch.no_grad()
    def compare(self, made: Tensor, real: Tensor) -> list[dict[str, float]]:
        """Measure results against pictures, both [B,3,H,W] as saved: one row of numbers for each picture."""
        columns = {key: metric(made, real).tolist() for key, metric in self.paired.items()}
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    @property
    def keys(self) -> tuple[str, ...]:
        """What is measured for each picture."""
        return (*self.paired, *(("fid",) if self.features is not None else ()))


def load_metrics(
    weights: Path | str,
    device: torch.device | str = "cpu",
    judge: AttributeNetwork | None = None,
    photographs: bool = False,
) -> Metrics:
    """Load every metric whose weights lie in a folder.

    judge: adds the rendered domain's own distance; photographs: adds what aligned photographs of faces are compared by.
    A missing file leaves its metric out and is named in `needs`. Raises CheckpointError for a damaged one.
    """
    paired: dict[str, Callable] = {"l2": l2, "ms_ssim": ms_ssim}
    features, needs = None, {}
    try:
        network = load_lpips(*find_lpips(weights, "alex")).to(device)
        paired["lpips"] = lambda a, b: network(compared(a), compared(b))
    except MissingWeightsError:
        needs["lpips"] = needed((ALEXNET, ALEX_HEADS), weights)
    try:
        arcface = load_arcface(find_arcface(weights)).to(device)
        paired["id"] = lambda a, b: identity_similarity(arcface, a, b)
    except MissingWeightsError:
        needs["id"] = needed((ARCFACE,), weights)
    try:
        features = load_inception(find_inception(weights)).to(device)
    except MissingWeightsError:
        needs["fid"] = needed((INCEPTION,), weights)
    if photographs:
        of_photographs, missing = load_photograph_metrics(weights, device)
        paired |= of_photographs
        needs |= missing
    if judge is not None:
        paired["attributes"] = judge.perceptual_distance
    return Metrics({key: paired[key] for key in PAIRED if key in paired}, features, needs)
