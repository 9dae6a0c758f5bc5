"""What the 68 points and the 19 classes of an aligned face say: pose, openings, widths, hair, light."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .face_classes import of_classes

# Of dlib's 68 points.
_LEFT_EYE, _RIGHT_EYE = slice(36, 42), slice(42, 48)
_NOSE_TIP, _CHIN, _BRIDGE = 30, 8, 27
_MOUTH_CORNERS, _INNER_LIPS = (48, 54), (62, 66)
_CHEEKS = (1, 15)
_LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))
_EYE_CORNERS = ((36, 39), (42, 45))
# The forehead of an aligned crop, above the brows: rows, then columns, in shares of its side.
_FOREHEAD = (0.25, 0.36), (0.38, 0.62)
# The band of the eyes, and a little more.
_EYES = (0.375, 0.625), (0.1875, 0.8125)
# Below the mouth, where long hair falls.
_SHOULDERS = (0.74, 1.0), (0.0, 1.0)
# The chin and the part between nose and mouth, where beards grow.
_BEARD = (0.79, 0.9), (0.4, 0.6)
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_FEW = 1e-3  # share of the picture below which a class is not there


def _eyes(points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    left, right = points[:, _LEFT_EYE].mean(dim=1), points[:, _RIGHT_EYE].mean(dim=1)
    return left, right, (right - left).norm(dim=1)


def _distance(points: Tensor, pairs: tuple[tuple[int, int], ...]) -> Tensor:
    return torch.stack([(points[:, a] - points[:, b]).norm(dim=1) for a, b in pairs]).mean(dim=0)


def yaw(points: Tensor) -> Tensor:
    """Return how far the nose's tip lies to the right of the eyes' middle, in eye distances: [B] of points [B,68,2]."""
    left, right, distance = _eyes(points)
    return ((points[:, _NOSE_TIP] - (left + right) / 2) * (right - left)).sum(dim=1) / distance.square()


def pitch(points: Tensor) -> Tensor:
    """Return how far down from the eyes to the mouth the nose's tip lies: larger in a face that looks down, [B]."""
    left, right, _ = _eyes(points)
    down = points[:, list(_MOUTH_CORNERS)].mean(dim=1) - (left + right) / 2
    return ((points[:, _NOSE_TIP] - (left + right) / 2) * down).sum(dim=1) / down.square().sum(dim=1)


def eyes_open(points: Tensor) -> Tensor:
    """Return the distance of the lids by the eyes' width, [B]."""
    return _distance(points, _LIDS) / _distance(points, _EYE_CORNERS)


def mouth_open(points: Tensor) -> Tensor:
    """Return the distance of the inner lips in eye distances, [B]."""
    return _distance(points, (_INNER_LIPS,)) / _eyes(points)[2]


def face_width(points: Tensor) -> Tensor:
    """Return the cheeks' distance by the height from the nose's bridge to the chin, [B]."""
    return _distance(points, (_CHEEKS,)) / _distance(points, ((_BRIDGE, _CHIN),))


def _luma(image: Tensor) -> Tensor:
    weights = image.new_tensor(_LUMA)[:, None, None]
    return ((image + 1) / 2 * weights).sum(dim=1)


def _resized(image: Tensor, classes: Tensor) -> Tensor:
    size = classes.shape[2:]
    return F.interpolate(image, size=size, mode="bilinear", align_corners=False, antialias=True)


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum(dim=(1, 2)) / weights.sum(dim=(1, 2)).clamp_min(_FEW * weights[0].numel())


def share(classes: Tensor, name: str) -> Tensor:
    """Return the log odds of a class's share of the picture, [B] of probabilities [B,19,H,W]."""
    part = of_classes(classes, name).mean(dim=(1, 2))
    return torch.logit(part, eps=1e-6)


def _inside(values: Tensor, box: tuple[tuple[float, float], tuple[float, float]]) -> Tensor:
    (top, bottom), (left, right) = box
    height, width = values.shape[1:]
    return values[:, round(top * height) : round(bottom * height), round(left * width) : round(right * width)]


def glasses(classes: Tensor) -> Tensor:
    """Return the log odds of the share of glasses in the band of the eyes, [B] of probabilities [B,19,H,W]."""
    return torch.logit(_inside(of_classes(classes, "glasses"), _EYES).mean(dim=(1, 2)), eps=1e-6)


def bangs(classes: Tensor) -> Tensor:
    """Return the share of hair on the forehead, [B] in [0,1]."""
    return _inside(of_classes(classes, "hair"), _FOREHEAD).mean(dim=(1, 2))


def hair_light(image: Tensor, classes: Tensor) -> Tensor:
    """Return the brightness of the hair, [B] in [0,1]: blond is high, black is low; 0 without hair."""
    return _mean(_luma(_resized(image, classes)), of_classes(classes, "hair"))


def hair_length(classes: Tensor) -> Tensor:
    """Return the share of hair below the mouth, [B] in [0,1]."""
    return _inside(of_classes(classes, "hair"), _SHOULDERS).mean(dim=(1, 2))


def hair_warm(image: Tensor, classes: Tensor) -> Tensor:
    """Return how much redder than blue the hair is, [B] in [-1,1]: red and golden are high, grey and black are low."""
    colours = _resized(image, classes)
    return _mean((colours[:, 0] - colours[:, 2]) / 2, of_classes(classes, "hair"))


def lipstick(image: Tensor, classes: Tensor) -> Tensor:
    """Return how much redder the lips are than the skin, [B]: red less green, in [0,1] of the range."""
    red = _resized(image, classes)
    red = (red[:, 0] - red[:, 1]) / 2
    return _mean(red, of_classes(classes, "upper lip", "lower lip")) - _mean(red, of_classes(classes, "skin"))


def beard(image: Tensor, classes: Tensor) -> Tensor:
    """Return how much darker the chin is than the skin of the face, [B] in [0,1] of the range.

    A shadow under the chin counts too; of many pictures the highest are beards.
    """
    luma, skin = _luma(_resized(image, classes)), of_classes(classes, "skin")
    return _mean(luma, skin) - _inside(luma, _BEARD).mean(dim=(1, 2))


def brightness(image: Tensor, classes: Tensor) -> Tensor:
    """Return the brightness of the face's skin, [B] in [0,1]: of the light and of the skin itself."""
    return _mean(_luma(_resized(image, classes)), of_classes(classes, "skin", "nose"))


def light(image: Tensor, classes: Tensor) -> Tensor:
    """Return how much brighter the skin in the right half of the picture is than in the left, [B]."""
    luma, skin = _luma(_resized(image, classes)), of_classes(classes, "skin", "nose")
    half = luma.shape[2] // 2
    return _mean(luma[:, :, half:], skin[:, :, half:]) - _mean(luma[:, :, :half], skin[:, :, :half])
