"""Pictures that a node shows under itself: few, small, temporary files, named in JSON."""

from __future__ import annotations

import comfy.utils
import torch
from comfy_api.latest import ui
from torch import Tensor

from .pictures import to_image

# Pictures of a batch that are shown; longest side of one that is drawn, and of a sheet of several, in px.
MOST, _SIDE, _SHEET_SIDE = 4, 512, 2048


def images(image: Tensor, side: int = _SHEET_SIDE) -> dict:
    """Show an IMAGE [B,H,W,3] as ComfyUI shows pictures."""
    return {"images": _written(image, side)}


def beside(left: Tensor, right: Tensor) -> dict:
    """Show two IMAGEs, each pair as one picture."""
    count = min(len(left), len(right), MOST)
    left, right = _limited(left[:count], _SIDE), _limited(right[:count], _SIDE)
    height, width = right.shape[1:3]
    left = comfy.utils.common_upscale(left.movedim(-1, 1), width, height, "bilinear", "disabled").movedim(1, -1)
    return images(torch.cat([left, right], dim=2))


def before_after(before: Tensor, after: Tensor, side: int = _SIDE) -> dict:
    """Show two IMAGEs under a slider: what ComfyUI's own compare widget takes."""
    return {"a_images": _written(before, side), "b_images": _written(after, side)}


def drawn(pictures: Tensor) -> dict:
    """Show pictures [B,3,H,W] in about [-1,1], at most MOST; who draws them draws no more."""
    return images(to_image(pictures), _SIDE)


def _written(image: Tensor, side: int) -> list[dict]:
    return [dict(entry) for entry in ui.PreviewImage(_limited(image[:MOST], side)).as_dict()["images"]]


def _limited(image: Tensor, side: int) -> Tensor:
    """IMAGE in RGB, made so small that no side is longer than `side` px."""
    image = image[..., :3].expand(-1, -1, -1, 3)
    height, width = image.shape[1:3]
    if max(height, width) <= side:
        return image
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return comfy.utils.common_upscale(image.movedim(-1, 1), *size, "area", "disabled").movedim(1, -1)
