"""YuNet (Wu, Peng, Yu 2023) through kornia: its network and what its output says of a picture.

The output is decoded here, since kornia's own detector downloads on construction and its channel order changed between
releases.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Of each of the four outputs: px between its places, and the sizes of the boxes guessed there (libfacedetection).
_STEPS, _SIZES = (8, 16, 32, 64), ((10, 16, 24), (32, 48), (64, 96), (128, 192, 256))
# Sides of pictures are filled up to what the coarsest output divides.
MULTIPLE = _STEPS[-1]
# Scale of the offsets to the places, and to the boxes' sizes.
_CENTRE, _SIZE = 0.1, 0.2
_OVERLAP, _MOST = 0.3, 5000
# Guesses that overlap the best one of a face more than this speak of the same face.
_AGREEING = 0.5


def new_network() -> nn.Module:
    """kornia's network without weights; it was called YuFaceDetectNet until kornia 0.8."""
    from kornia.contrib import face_detection

    network = getattr(face_detection, "YuNet", None) or face_detection.YuFaceDetectNet
    return network("test", pretrained=False)


@torch.no_grad()
def faces_in(network: nn.Module, pictures: Tensor, threshold: float) -> list[tuple[Tensor, Tensor]]:
    """Find the faces of pictures [B,3,H,W], RGB in [0,255]: boxes [n,4] and landmarks [n,5,2] in px, on the CPU.

    The landmarks of a face are the mean, by score, of all guesses that agree with its best one, which are several
    times steadier than the best one's own.
    """
    height, width = (-n % MULTIPLE + n for n in pictures.shape[2:])
    filled = nn.functional.pad(pictures, (0, width - pictures.shape[3], 0, height - pictures.shape[2]))
    # Trained on BGR.
    output = {name: part.cpu() for name, part in network(filled.flip(1)).items()}
    found = []
    for i in range(len(pictures)):
        boxes, points, scores = guesses({name: part[i] for name, part in output.items()}, height, width, threshold)
        best = distinct(boxes, scores)
        weights = (_overlaps(boxes[best], boxes) > _AGREEING) * scores
        weights = weights / weights.sum(dim=1, keepdim=True)
        found.append((boxes[best], torch.einsum("fn,npc->fpc", weights, points).double()))
    return found


def guesses(output: dict[str, Tensor], height: int, width: int, threshold: float) -> tuple[Tensor, Tensor, Tensor]:
    """Turn the output for one picture into boxes [n,4], landmarks [n,5,2] in px and scores [n], best first."""
    places = _places(height, width).to(output["loc"])
    offsets, sizes = output["loc"], places[:, 2:]
    centres = places[:, :2] + offsets[:, :2] * _CENTRE * sizes
    halves = sizes * torch.exp(offsets[:, 2:4] * _SIZE) / 2
    points = places[:, None, :2] + offsets[:, 4:14].unflatten(1, (5, 2)) * _CENTRE * sizes[:, None]
    scores = (output["conf"][:, 1] * output["iou"][:, 0].clamp(0, 1)).sqrt()
    best = (scores > threshold).nonzero()[:, 0]
    best = best[scores[best].argsort(descending=True)[:_MOST]]
    return torch.cat([centres - halves, centres + halves], dim=1)[best], points[best], scores[best]


def distinct(boxes: Tensor, scores: Tensor) -> Tensor:
    """Return the numbers of the best boxes [n,4], one for each face."""
    from kornia.geometry.bbox import nms

    return nms(boxes, scores, _OVERLAP) if len(boxes) else torch.empty(0, dtype=torch.int64)


def _overlaps(some: Tensor, others: Tensor) -> Tensor:
    """Intersection over union of boxes [m,4] and [n,4]: [m,n]."""
    low = torch.maximum(some[:, None, :2], others[:, :2])
    high = torch.minimum(some[:, None, 2:], others[:, 2:])
    shared = (high - low).clamp_min(0).prod(dim=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(dim=1) for boxes in (some, others)]
    return shared / (areas[0][:, None] + areas[1] - shared)


def _places(height: int, width: int) -> Tensor:
    """Centre (x, y) and size (width, height) of every guessed box in px, in the order of the outputs: [n,4]."""
    found = []
    for step, sizes in zip(_STEPS, _SIZES, strict=True):
        y, x, size = torch.meshgrid(
            (torch.arange(height // step) + 0.5) * step,
            (torch.arange(width // step) + 0.5) * step,
            torch.tensor(sizes, dtype=torch.float32),
            indexing="ij",
        )
        found.append(torch.stack([x, y, size, size], dim=-1).flatten(0, 2))
    return torch.cat(found)
