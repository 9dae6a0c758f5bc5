"""ComfyUI's tensors and the library's, in one function each way."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..sfe_models.inputs import InputError, in_range


def from_image(image: Tensor, name: str = "image") -> Tensor:
    """IMAGE [B,H,W,C] in [0,1] to [B,3,H,W] in [-1,1]; an alpha channel is dropped, grey becomes RGB."""
    return signed(channels_first(image, name))


def channels_first(image: Tensor, name: str = "image") -> Tensor:
    """IMAGE [B,H,W,C] to [B,3,H,W] in [0,1]; a little outside is clamped with a warning, far outside refused."""
    if image.ndim != 4 or image.shape[3] not in (1, 3, 4) or 0 in image.shape:
        raise InputError(f"'{name}' has the shape {tuple(image.shape)}; expected an IMAGE [B,H,W,3] of some pictures.")
    image = image.float().expand(-1, -1, -1, 3) if image.shape[3] == 1 else image[..., :3].float()
    return in_range(image.movedim(-1, 1), f"'{name}'", 0, 1)


def signed(picture: Tensor) -> Tensor:
    """Pictures in [0,1] to [-1,1]."""
    return picture * 2 - 1


def to_image(pictures: Tensor) -> Tensor:
    """[B,3,H,W] in about [-1,1] to IMAGE [B,H,W,3] in [0,1]."""
    return torch.add(pictures.float().movedim(1, -1), 1).mul_(0.5).clamp_(0, 1).contiguous()


def channels_last(pictures: Tensor) -> Tensor:
    """[B,3,H,W] to IMAGE [B,H,W,3] in the same range."""
    return pictures.movedim(1, -1).contiguous()


def pil_to_image(picture: Image.Image) -> Tensor:
    """An RGB picture of Pillow to IMAGE [1,H,W,3]."""
    return torch.from_numpy(np.asarray(picture.convert("RGB"), dtype=np.float32) / 255)[None]


def masks_of(mask: Tensor, name: str = "mask", invert: bool = False) -> Tensor:
    """MASK [B,H,W] or [H,W] to [B,H,W] in [0,1], checked as pictures are; invert: black and white change places."""
    mask = mask[None] if mask.ndim == 2 else mask
    mask = mask[:, 0] if mask.ndim == 4 and mask.shape[1] == 1 else mask
    if mask.ndim != 3 or 0 in mask.shape:
        raise InputError(f"'{name}' has the shape {tuple(mask.shape)}; expected a MASK [B,H,W].")
    mask = in_range(mask.float(), f"'{name}'", 0, 1)
    return 1 - mask if invert else mask
