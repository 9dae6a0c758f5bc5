"""Render portraits from their attributes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..choices import PLAIN
from .adornments import draw_earrings, draw_headwear, draw_skin_details
from .attributes import Portraits
from .details import Details, draw_details
from .eyes import draw_brow, draw_eye, draw_glasses
from .hair import draw_back, draw_front, grow_hair
from .head import EYE_U, EYE_V, MOUTH_V, NOSE_DEPTH, NOSE_TIP_V, Head, column, draw_ear, pose_head, relief, skin_colour
from .looks import with_look
from .mouth import corner_lift, draw_beard, draw_cheeks, draw_mouth, draw_nose, mouth_half_width
from .palette import complexion, constant
from .patterns import draw_wall, dress
from .scene import background_colour, clothes_colour, draw_clothes, draw_neck, shade_background
from .shapes import REACH, Screen, fill, paint, smoothstep, tint

CHUNK = 8  # Pictures rendered together: few enough for the processor's cache, many enough to hide torch's overhead.
SMALLEST = 32  # Smallest side in px; below it faces are no faces.


@dataclass(frozen=True)
class Rendering:
    """Hold rendered portraits and what is known about them.

    image: [B,3,S,S] float32 in [-1,1]. face_mask, hair_mask: [B,1,S,S] in [0,1], what is seen of the face (with eyes
    and mouth) and of the hair. feature_mask: [B,1,S,S] in [0,1], soft regions of eyes, brows, mouth and glasses.
    landmarks: [B,5,2], x and y in pixels of the eyes (the picture's left first), the nose's tip and the mouth's corners
    (left first); the centre of the first pixel is at 0.5.
    """

    image: Tensor
    face_mask: Tensor
    hair_mask: Tensor
    feature_mask: Tensor
    landmarks: Tensor


@torch.no_grad()
def render(portraits: Portraits, size: int = 128, look: str = PLAIN) -> Rendering:
    """Render portraits at size x size pixels on the device of their values; each is independent of its batch.

    look: one of LOOKS, see `looks.with_look`.
    """
    if size < SMALLEST:
        raise ValueError(f"Portraits are rendered at {SMALLEST} pixels or more, got {size}.")
    starts = range(0, max(len(portraits), 1), CHUNK)
    parts = [_render_chunk(portraits[start : start + CHUNK], size) for start in starts]
    image, *known = (torch.cat(fields) for fields in zip(*parts, strict=True))
    return Rendering(with_look(image, look), *known)


def _render_chunk(portraits: Portraits, size: int) -> tuple[Tensor, ...]:
    """Render a few portraits, from back to front; returns the fields of a Rendering."""
    portraits = Portraits(portraits.values.float(), portraits.detail_seeds)
    screen = Screen.of(size, portraits.values)
    head = pose_head(portraits, screen)
    details = draw_details(portraits)
    hair = grow_hair(portraits, head)
    skin = complexion(column(portraits, "skin"), column(portraits, "age"))

    image = background_colour(portraits).expand(-1, 3, size, size).contiguous()
    draw_wall(image, screen, details)
    shade_background(image, screen)
    hair_mask = draw_back(image, head, hair)
    for cover in (
        draw_neck(image, head, skin),
        draw_clothes(image, head, dress(clothes_colour(portraits), head, details)),
    ):
        hair_mask = hair_mask * (1 - cover)
    for side in (-1, 1):
        hair_mask = hair_mask * (1 - draw_ear(image, head, skin, side, 1.0))
    face = fill(head.outline, 1.5 * screen.pixel)
    features = _draw_face(image, portraits, head, hair.shadow, face, details)
    for side in (-1, 1):
        near = smoothstep(0.05, 0.6, -side * column(portraits, "yaw"))
        face = face * (1 - draw_ear(image, head, skin, side, near))
    hair_mask = hair_mask * (1 - face)
    glasses = draw_glasses(image, portraits, head)
    front = draw_front(image, head, hair)
    hair_mask = torch.maximum(hair_mask, front)
    worn = torch.maximum(draw_earrings(image, head, details), draw_headwear(image, head, hair, details))
    hair_mask = hair_mask * (1 - worn)
    features = torch.maximum(features * (1 - front), glasses) * (1 - worn)
    image *= (0.74 + 0.40 * column(portraits, "brightness")).unsqueeze(1)
    image = (image.clamp(0, 1) * 2 - 1).contiguous()
    masks = ((face * (1 - front) * (1 - worn)).unsqueeze(1), hair_mask.unsqueeze(1), features.clamp(0, 1).unsqueeze(1))
    return image, *masks, _landmarks(portraits, head, size)


def _draw_face(
    image: Tensor, portraits: Portraits, head: Head, shadow: Tensor, face: Tensor, details: Details
) -> Tensor:
    """Paint the head with all its features within its outline; returns the features' soft regions [B,S,S]."""
    skin = skin_colour(portraits, head, relief(portraits, head))
    tint(skin, 0.8 * shadow, constant((0.66, 0.50, 0.50), image))
    draw_cheeks(skin, portraits, head)
    draw_nose(skin, portraits, head)
    draw_skin_details(skin, head, details)
    draw_beard(skin, portraits, head)
    regions = draw_mouth(skin, portraits, head)
    for side in (-1, 1):
        regions = torch.maximum(regions, draw_eye(skin, portraits, head, side))
        regions = torch.maximum(regions, draw_brow(skin, portraits, head, side))
    paint(image, face, skin)
    return regions * face


def _landmarks(portraits: Portraits, head: Head, size: int) -> Tensor:
    """Return the five landmarks in pixels [B,5,2]."""
    half, lift = mouth_half_width(portraits), corner_lift(portraits)
    corner = MOUTH_V - 0.55 * lift
    points = (
        head.project(-EYE_U, EYE_V),
        head.project(EYE_U, EYE_V),
        head.project(0.0, NOSE_TIP_V, NOSE_DEPTH),
        head.project(-half, corner, 0.05),
        head.project(half, corner, 0.05),
    )
    stacked = torch.stack([torch.stack(point, dim=-1).reshape(-1, 2) for point in points], dim=1)
    return (stacked * (1 / REACH) + 1) * (0.5 * size)
