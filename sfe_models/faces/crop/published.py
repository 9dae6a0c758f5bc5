"""The alignment as the published code computes it, for parity: several resamplings, 8 bits, no supersampling.

FFHQ's own script (recreate_aligned_images) without its 4096 px intermediate; `warp.crop_face` is the better way.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from torch import Tensor

from ..errors import FaceError
from .alignment import align_face

# Shares of the crop's side in the photo: border kept around the crop, least padding, deviation of the padding's blur.
_BORDER, _PADDING, _BLUR = 0.1, 0.3, 0.02
_LEAST_BORDER_PX = 3


def crop_face_published(photo: Tensor, landmarks: Tensor, size: int = 1024) -> tuple[Tensor, Tensor]:
    """Cut one face out of a photo [3,H,W], uint8, by dlib's 68 landmarks [68,2].

    landmarks: as dlib gives them, counted from the first pixel's centre (no half px added). Returns the corners
    [4,2] (top left, bottom left, bottom right, top right), float64, in the picture that was reduced, cropped and padded
    before the warp, and the crop [3,size,size], uint8. Raises FaceError.
    """
    if photo.dtype != torch.uint8 or photo.ndim != 3 or photo.shape[0] != 3:
        raise FaceError(f"The photo is {photo.dtype} of shape {tuple(photo.shape)}; expected uint8 [3,H,W].")
    picture = Image.fromarray(photo.movedim(0, -1).cpu().numpy())
    # With points counted from pixel centres the alignment comes out counted the same way.
    quad = align_face(landmarks, (picture.height, picture.width), (size, size)).quad().numpy()
    side = float(np.linalg.norm(quad[3] - quad[0]))
    picture, quad, side = _reduced(picture, quad, side, size)
    border = max(int(np.rint(side * _BORDER)), _LEAST_BORDER_PX)
    picture, quad = _cropped(picture, quad, border)
    picture, quad = _padded(picture, quad, side, border)
    crop = picture.transform(
        (size, size), Image.Transform.QUAD, (quad + 0.5).flatten().tolist(), Image.Resampling.BILINEAR
    )
    return torch.from_numpy(quad), torch.from_numpy(np.array(crop)).movedim(-1, 0)


def _reduced(picture: Image.Image, quad: np.ndarray, side: float, size: int) -> tuple[Image.Image, np.ndarray, float]:
    """Reduce a picture whose face is more than twice too large, by an integer."""
    factor = int(np.floor(side / size * 0.5))
    if factor <= 1:
        return picture, quad, side
    reduced = (int(np.rint(picture.width / factor)), int(np.rint(picture.height / factor)))
    return picture.resize(reduced, Image.Resampling.LANCZOS), quad / factor, side / factor


def _bounds(quad: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whole px around the quad: (left, top), (right, bottom)."""
    return np.floor(quad.min(axis=0)).astype(int), np.ceil(quad.max(axis=0)).astype(int)


def _cropped(picture: Image.Image, quad: np.ndarray, border: int) -> tuple[Image.Image, np.ndarray]:
    low, high = _bounds(quad)
    low, high = np.maximum(low - border, 0), np.minimum(high + border, picture.size)
    if not (high > low).all():
        raise FaceError("The face lies outside of the photo; its landmarks belong to another photo or another size.")
    return picture.crop((*low.tolist(), *high.tolist())), quad - low


def _padded(picture: Image.Image, quad: np.ndarray, side: float, border: int) -> tuple[Image.Image, np.ndarray]:
    """Continue the picture by its reflection, blurred and faded to its median towards the edges."""
    low, high = _bounds(quad)
    low, high = np.maximum(border - low, 0), np.maximum(high - picture.size + border, 0)
    if max(*low, *high) <= border - 4:
        return picture, quad
    least = int(np.rint(side * _PADDING))
    low, high = np.maximum(low, least), np.maximum(high, least)
    pixels = np.asarray(picture, dtype=np.float32)
    pixels = np.pad(pixels, ((low[1], high[1]), (low[0], high[0]), (0, 0)), "reflect")
    height, width = pixels.shape[:2]
    y, x = np.ogrid[:height, :width]
    across = np.minimum(np.float32(x) / low[0], np.float32(width - 1 - x) / high[0])
    along = np.minimum(np.float32(y) / low[1], np.float32(height - 1 - y) / high[1])
    outward = np.maximum(1.0 - across, 1.0 - along)[..., None]
    blurred = ndimage.gaussian_filter(pixels, [side * _BLUR, side * _BLUR, 0])
    pixels = pixels + (blurred - pixels) * np.clip(outward * 3.0 + 1.0, 0.0, 1.0)
    pixels = pixels + (np.median(pixels, axis=(0, 1)) - pixels) * np.clip(outward, 0.0, 1.0)
    return Image.fromarray(np.uint8(np.clip(np.rint(pixels), 0, 255))), quad + low
