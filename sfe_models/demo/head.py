"""The head: its pose, its outline, its relief and the light on its skin."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .attributes import Portraits
from .palette import complexion, constant
from .shapes import Screen, bell, blob, ellipse, fill, mix, smooth_min, smoothstep

# At full yaw and pitch; a little less than the sines of 30 and 15 degrees, for the flatter face of an illustration.
SINE_YAW, SINE_PITCH = 0.43, 0.24
RADIUS_X, RADIUS_Y = 0.63, 0.82  # The ellipsoid that carries the face, a little larger than the outline.
CENTRE_Y = 0.02
# How far the head moves against the face when it turns, so that the eyes stay near the middle, as FFHQ's alignment has
# it (a share of the eyes' own movement).
COUNTER_X, COUNTER_Y = 0.55, 0.55
EYE_U, EYE_V = 0.225, -0.09
NOSE_TIP_V = 0.155
MOUTH_V = 0.365
NOSE_DEPTH = 0.17  # How far the nose's tip stands out, in face units.


def column(portraits: Portraits, name: str) -> Tensor:
    """Return one attribute as [B,1,1]."""
    return portraits.get(name).reshape(-1, 1, 1)


@dataclass(frozen=True)
class Head:
    """Hold one batch of posed heads.

    x, y: screen coordinates from the head's centre, [B,1,S] and [B,S,1]. u, v: face coordinates of the surface under
    each pixel, [B,S,S] (u to the picture's right, v down, origin in the middle of the face, same unit as the screen).
    bulge: the height of that surface on its unit sphere, in (0,1]. outline: distance to the head's outline [B,S,S].
    sine_yaw, cosine_yaw, sine_pitch, cosine_pitch: [B,1,1]. centre_x, centre_y: the head's centre on the screen, and
    width: the face's width as a factor, [B,1,1]. light: direction to the key light, three [B,1,1].
    """

    screen: Screen
    x: Tensor
    y: Tensor
    u: Tensor
    v: Tensor
    bulge: Tensor
    outline: Tensor
    sine_yaw: Tensor
    cosine_yaw: Tensor
    sine_pitch: Tensor
    cosine_pitch: Tensor
    centre_x: Tensor
    centre_y: Tensor
    width: Tensor
    light: tuple[Tensor, Tensor, Tensor]

    def project(self, u: float | Tensor, v: float | Tensor, depth: float = 0.0) -> tuple[Tensor, Tensor]:
        """Project a face point, `depth` above the surface, to the screen: x and y, [B,1,1]."""
        qx, qy = u * self.width.reciprocal() / RADIUS_X, v / RADIUS_Y + torch.zeros_like(self.sine_yaw)
        qz = (1 - qx * qx - qy * qy).clamp(min=0).sqrt() + depth
        y = self.cosine_pitch * qy - self.sine_pitch * qz
        z = self.sine_pitch * qy + self.cosine_pitch * qz
        x = self.cosine_yaw * qx + self.sine_yaw * z
        return x * RADIUS_X * self.width + self.centre_x, y * RADIUS_Y + self.centre_y


def pose_head(portraits: Portraits, screen: Screen) -> Head:
    """Turn the heads and lay face coordinates over the screen."""
    sy, sp = SINE_YAW * column(portraits, "yaw"), SINE_PITCH * column(portraits, "pitch")
    cy, cp = (1 - sy * sy).sqrt(), (1 - sp * sp).sqrt()
    width = 0.93 + 0.12 * column(portraits, "roundness")
    centre_x = -COUNTER_X * RADIUS_X * sy
    centre_y = CENTRE_Y + COUNTER_Y * RADIUS_Y * sp
    x, y = screen.x - centre_x, screen.y - centre_y
    px, py = x / (RADIUS_X * width), y * (1 / RADIUS_Y)
    pz = (1 - px.square() - py.square()).clamp(min=1e-4).sqrt()
    z1 = sy * px + cy * pz
    u = (cy * px - sy * pz) * (RADIUS_X * width)
    v = (cp * py + sp * z1) * RADIUS_Y
    outline = head_outline(portraits, x, y, sy, sp, width)
    lx = 0.85 * column(portraits, "light")
    norm = (lx * lx + 0.45**2 + 0.8**2).sqrt().reciprocal()
    light = (lx * norm, -0.45 * norm, 0.8 * norm)
    return Head(screen, x, y, u, v, pz, outline, sy, cy, sp, cp, centre_x, centre_y, width, light)


def head_outline(portraits: Portraits, x: Tensor, y: Tensor, sy: Tensor, sp: Tensor, width: Tensor) -> Tensor:
    """Return the distance to the head's outline: a cranium and a jaw, which moves ahead when the head turns."""
    jaw = column(portraits, "jaw")
    cranium = ellipse(x - 0.06 * sy, y + 0.14, 0.515 * width, 0.55)
    cheeks = ellipse(x - 0.20 * sy, y - 0.10 + 0.15 * sp, (0.455 + 0.015 * jaw) * width, 0.38)
    chin = ellipse(x - 0.40 * sy, y - 0.38 + 0.35 * sp, (0.215 + 0.11 * jaw) * width, 0.235 - 0.02 * jaw)
    return smooth_min(smooth_min(cranium, cheeks, 0.15), chin, 0.22)


def nose_coordinates(head: Head) -> tuple[Tensor, Tensor]:
    """Return face coordinates sheared so that the nose's tip stands out: it moves ahead when the head turns."""
    out = ((head.v - EYE_V) * (1 / (NOSE_TIP_V - EYE_V))).clamp(0, 1.3)
    return head.u - NOSE_DEPTH * head.sine_yaw * out, head.v + NOSE_DEPTH * head.sine_pitch * out


def relief(portraits: Portraits, head: Head) -> Tensor:
    """Return the height of the face's surface towards the viewer [B,S,S], in picture units."""
    u, v = head.u, head.v
    nu, nv = nose_coordinates(head)
    size = 0.8 + 0.4 * column(portraits, "nose_size")
    side = u.abs()
    depth = (-head.outline).clamp(min=0) * (1 / 0.30)
    edge = (1 - (1 - depth.clamp(max=1)).square()).sqrt()
    height = 0.30 * head.bulge + 0.16 * edge
    ball = blob(nu, nv - NOSE_TIP_V, 0.105 * size, 0.10 * size)
    wings = blob(nu.abs() - 0.062 * size, nv - NOSE_TIP_V - 0.022, 0.06 * size, 0.06 * size)
    ridge = bell((nu / (0.115 * size)).square()) * smoothstep(-0.20, 0.10, nv) * smoothstep(0.24, 0.10, nv)
    height = height + 0.062 * ball + 0.026 * wings + 0.034 * ridge
    sockets = blob(side - EYE_U, v - EYE_V + 0.01, 0.21, 0.16)
    cheeks = blob(side - 0.25, v - 0.17, 0.20, 0.18)
    chin = blob(u, v - 0.54, 0.16, 0.11)
    return height - 0.030 * sockets + 0.035 * cheeks + 0.02 * chin


def slopes(height: Tensor, pixel: float) -> tuple[Tensor, Tensor]:
    """Differentiate a height map [B,S,S] along x and y by central differences; the border repeats its neighbour."""
    dx, dy = torch.empty_like(height), torch.empty_like(height)
    scale = 0.5 / pixel
    torch.sub(height[:, :, 2:], height[:, :, :-2], out=dx[:, :, 1:-1])
    torch.sub(height[:, 2:], height[:, :-2], out=dy[:, 1:-1])
    dx[:, :, 0], dx[:, :, -1] = dx[:, :, 1], dx[:, :, -2]
    dy[:, 0], dy[:, -1] = dy[:, 1], dy[:, -2]
    return dx * scale, dy * scale


def lambert(dx: Tensor, dy: Tensor, light: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Return the wrapped diffuse light in [0,1] and a soft gloss in [0,1] on a surface of these slopes, [B,S,S]."""
    lx, ly, lz = light
    inverse = (dx.square() + dy.square() + 1).sqrt().reciprocal()
    cosine = (lz - lx * dx - ly * dy) * inverse
    half = (lx * lx + ly * ly + (lz + 1).square()).sqrt().reciprocal()
    gloss = (((lz + 1) - lx * dx - ly * dy) * half * inverse).clamp(min=0).square().square().square()
    return (0.5 + 0.5 * cosine).clamp(0, 1), (gloss * gloss).square()


def skin_colour(portraits: Portraits, head: Head, height: Tensor) -> Tensor:
    """Shade the skin [B,3,S,S] under the key light, with a warm shadow and a soft gloss."""
    base = complexion(column(portraits, "skin"), column(portraits, "age"))
    diffuse, gloss = lambert(*slopes(height, head.screen.pixel), head.light)
    lit = smoothstep(0.30, 0.98, diffuse).unsqueeze(1)
    shadow, bright = constant((0.60, 0.46, 0.47), base), constant((1.05, 1.03, 1.00), base)
    return base * mix(shadow, bright, lit) + 0.10 * gloss.unsqueeze(1)


def ear_shape(head: Head, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the distance to one ear (side -1: the picture's left) and its own coordinates, all [B,S,S]."""
    turn = side * head.sine_yaw  # Positive: this ear is turned away.
    centre = side * (0.52 * head.width - 0.015) - 0.02 * head.sine_yaw - side * turn * 0.16
    ex = (head.x - centre) * side
    ey = head.y - 0.02 - 0.10 * head.sine_pitch
    return ellipse(ex + 0.11 * ey, ey, 0.085, 0.135), ex, ey


def draw_ear(image: Tensor, head: Head, skin: Tensor, side: int, opacity: Tensor | float) -> Tensor:
    """Paint one ear with its shell and return its coverage [B,S,S]. skin: [B,3,1,1]; opacity: [B,1,1] or a number."""
    distance, ex, ey = ear_shape(head, side)
    alpha = fill(distance, 1.5 * head.screen.pixel) * opacity
    lit = (0.86 + 0.16 * side * head.light[0]).unsqueeze(1)
    image += (skin * lit - image) * alpha.unsqueeze(1)
    shell = fill(ellipse(ex + 0.01, ey + 0.005, 0.045, 0.085), 0.05) * alpha
    image *= 1 - shell.unsqueeze(1) * constant((0.18, 0.30, 0.30), image)
    return alpha
