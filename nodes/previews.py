"""Pictures that a node shows under itself: few, small, temporary files, named in JSON."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable

import comfy.utils
import folder_paths
import torch
from comfy_api.latest import ui
from torch import Tensor

from ..sfe_models.pictures.image_io import to_pil
from . import page
from .pictures import from_image, to_image

# Pictures of a batch that are shown; longest side of one that is drawn, of a comparison, and of a sheet of several.
MOST, _SIDE, _LARGE_SIDE, _SHEET_SIDE = 4, 512, 1024, 2048
# What the page is told when there is a picture to be seen before a node is done.
_EARLY = "sfe.early"
# A PNG of this side takes longer to write than the picture takes to make; JPEG as good as nobody sees.
_QUALITY = 95


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


def compared(before: Tensor, written: list[dict] | None = None) -> list[dict]:
    """Write the IMAGE that others are compared with.

    written: its files from an earlier comparison, taken again where they are still there.
    """
    if written is not None and all(os.path.exists(_path(entry["filename"])) for entry in written):
        return written
    return _written(before, _LARGE_SIDE)


def before_after(before: list[dict], after: Tensor) -> dict:
    """Show two IMAGEs under a slider: what ComfyUI's own compare widget takes. before: of `compared`."""
    return {"a_images": before, "b_images": _written(after, _LARGE_SIDE)}


def early(node: str, before: list[dict]) -> Callable[[Tensor], None]:
    """Make what shows pictures [B,3,h,w], about [-1,1], in the comparison of a node that is still at work."""

    def show(pictures: Tensor) -> None:
        if page.is_open():
            after = [_jpeg(picture) for picture in from_image(to_image(pictures))]
            page.tell(_EARLY, {"node": node, "a_images": before, "b_images": after})

    return show


def drawn(pictures: Tensor) -> dict:
    """Show pictures [B,3,H,W] in about [-1,1], at most MOST; who draws them draws no more."""
    return {"images": [_jpeg(picture) for picture in from_image(_limited(to_image(pictures), _SIDE))]}


def _written(image: Tensor, side: int) -> list[dict]:
    image = _limited(image[:MOST], side)
    if max(image.shape[1:3]) <= _SIDE or side == _SHEET_SIDE:
        return [dict(entry) for entry in ui.PreviewImage(image).as_dict()["images"]]
    return [_jpeg(picture) for picture in from_image(image)]


def _path(name: str) -> str:
    """A file of ComfyUI's temporary folder."""
    return os.path.join(folder_paths.get_temp_directory(), name)


def _jpeg(picture: Tensor) -> dict:
    """Write a picture [3,H,W] in [-1,1] into ComfyUI's temporary folder."""
    name = f"sfe_{uuid.uuid4().hex}.jpg"
    os.makedirs(folder_paths.get_temp_directory(), exist_ok=True)
    to_pil(picture).save(_path(name), quality=_QUALITY, subsampling=0)
    return {"filename": name, "subfolder": "", "type": "temp"}


def _limited(image: Tensor, side: int) -> Tensor:
    """IMAGE in RGB, made so small that no side is longer than `side` px."""
    image = image[..., :3].expand(-1, -1, -1, 3)
    height, width = image.shape[1:3]
    if max(height, width) <= side:
        return image
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return comfy.utils.common_upscale(image.movedim(-1, 1), *size, "area", "disabled").movedim(1, -1)
