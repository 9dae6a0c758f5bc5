"""YuNet (Wu, Peng, Yu 2023) through kornia: boxes and five landmarks. The network is kornia's; its file is read with
`weights_only`, and its output decoded here, since kornia's own detector downloads on construction and its channel
order changed between releases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ...checkpoints.reading import tensors_of
from ...checkpoints.unpickling.torch_file import read_torch
from ...checkpoints.weights import YUNET
from ..errors import FaceError
from ..files import face_file

# Of each of the four outputs: px between its places, and the sizes of the boxes guessed there (libfacedetection).
_STEPS, _SIZES = (8, 16, 32, 64), ((10, 16, 24), (32, 48), (64, 96), (128, 192, 256))
# Scale of the offsets to the places, and to the boxes' sizes.
_CENTRE, _SIZE = 0.1, 0.2
_THRESHOLD, _OVERLAP, _MOST = 0.6, 0.3, 5000


class YuNetDetector:
    """Detect faces with YuNet. network: kornia's, in evaluation mode; threshold: how sure it must be, in [0,1]."""

    # It sees faces from about 10 px on; larger ones have more exact landmarks.
    sides = (1280, 2560)

    def __init__(self, network: nn.Module, threshold: float = _THRESHOLD):
        self.network, self.threshold = network, threshold

    @classmethod
    def load(cls, folders: Sequence[Path | str], device: torch.device | str = "cpu") -> YuNetDetector:
        """Load kornia's network with the file from one of the folders, or download it. Raises FaceError."""
        path = face_file(YUNET, folders)
        network = new_network()
        state = tensors_of(read_torch(path), path)
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            raise FaceError(f"{path} does not hold YuNet as kornia knows it ({error}); get it again.") from error
        return cls(network.eval().requires_grad_(False).to(device))

    @torch.no_grad()
    def __call__(self, picture: np.ndarray, photo: np.ndarray) -> list[Tensor]:
        device = next(self.network.parameters()).device
        # Trained on BGR in [0,255]; sides are filled up to what the coarsest output divides.
        pixels = torch.from_numpy(np.ascontiguousarray(picture[:, :, ::-1])).movedim(-1, 0)[None].to(device).float()
        height, width = (-n % _STEPS[-1] + n for n in picture.shape[:2])
        pixels = nn.functional.pad(pixels, (0, width - picture.shape[1], 0, height - picture.shape[0]))
        boxes, points, scores = decoded(self.network(pixels), height, width, self.threshold)
        scale = torch.tensor([photo.shape[1] / picture.shape[1], photo.shape[0] / picture.shape[0]])
        order = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1).argsort(descending=True)
        return list(points[order].cpu().double() * scale)


def new_network() -> nn.Module:
    """kornia's network without weights; it was called YuFaceDetectNet until kornia 0.8."""
    from kornia.contrib import face_detection

    network = getattr(face_detection, "YuNet", None) or face_detection.YuFaceDetectNet
    return network("test", pretrained=False)


def decoded(
    output: dict[str, Tensor], height: int, width: int, threshold: float = _THRESHOLD
) -> tuple[Tensor, Tensor, Tensor]:
    """Turn the network's output for one picture into boxes [n,4], landmarks [n,5,2] in px and scores [n]."""
    from kornia.geometry.bbox import nms

    places = _places(height, width).to(output["loc"])
    offsets, sizes = output["loc"][0], places[:, 2:]
    centres = places[:, :2] + offsets[:, :2] * _CENTRE * sizes
    halves = sizes * torch.exp(offsets[:, 2:4] * _SIZE) / 2
    points = places[:, None, :2] + offsets[:, 4:14].unflatten(1, (5, 2)) * _CENTRE * sizes[:, None]
    scores = (output["conf"][0, :, 1] * output["iou"][0, :, 0].clamp(0, 1)).sqrt()
    best = (scores > threshold).nonzero()[:, 0]
    best = best[scores[best].argsort(descending=True)[:_MOST]]
    boxes = torch.cat([centres - halves, centres + halves], dim=1)[best]
    kept = nms(boxes, scores[best], _OVERLAP) if len(best) else best
    return boxes[kept], points[best][kept], scores[best][kept]


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
