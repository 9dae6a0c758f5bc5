"""Eyes, eyebrows and glasses, drawn in face coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .attributes import Portraits
from .head import EYE_U, EYE_V, Head, column
from .palette import EYES, constant, hair_colour, ramp
from .shapes import bell, blob, box, circle, fill, mix, paint, segment, smoothstep, tint

HALF_WIDTH, UPPER_HEIGHT = 0.148, 0.112
IRIS, PUPIL = 0.089, 0.043
LASHES = (0.10, 0.06, 0.06)


@dataclass(frozen=True)
class _Eye:
    """Where the pixels lie around one eye: [B,S,S] each.

    x, y: from its centre, x outwards; across: x in half widths; upper, lower: y of the lids; slope: length of the upper
    lid for each x; softness: of an edge [B,1,1]; ball: how much a pixel belongs to the eyeball.
    """

    x: Tensor
    y: Tensor
    across: Tensor
    upper: Tensor
    lower: Tensor
    slope: Tensor
    softness: Tensor
    ball: Tensor


def draw_eye(image: Tensor, portraits: Portraits, head: Head, side: int) -> Tensor:
    """Paint one eye (side -1: the picture's left) and return the soft region it occupies [B,S,S]."""
    size = 0.88 + 0.26 * column(portraits, "eye_size")
    opening, makeup = column(portraits, "eyes_open"), column(portraits, "makeup")
    ex, ey = (head.u * side - EYE_U) / size, (head.v - EYE_V) / size
    softness = head.screen.pixel * 1.3 / size
    across = ex * (1 / HALF_WIDTH)
    inside = (1 - across.square()).clamp(min=-3)
    # The corners sit on a slight slant, the outer one higher; the lids are parabolas between the corners.
    corner = -0.055 * ex
    lift = mix(-0.050, 1.10 * UPPER_HEIGHT, 1 - (1 - opening).square() * (1 - 0.5 * opening))
    upper = corner - lift * inside
    lower = corner + (0.070 + 0.008 * opening) * inside
    slope = (1 + (across * (1.3 * lift / HALF_WIDTH)).square()).sqrt()
    distance = torch.maximum((upper - ey) / slope, (ey - lower) * 0.8)
    eye = _Eye(ex, ey, across, upper, lower, slope, softness, fill(distance, softness))

    shade = makeup * blob(ex - 0.015, ey + 0.075, 0.20, 0.15) * smoothstep(0.03, -0.03, ey - upper)
    tint(image, 0.85 * shade, constant((0.66, 0.45, 0.62), image))
    fold = (ey - upper + 0.034 + 0.012 * opening) * (1 / 0.016)
    tint(image, 0.45 * bell(fold.square()) * bell((across * 0.85).square()), constant((0.62, 0.45, 0.42), image))
    _draw_ball(image, portraits, head, side, eye)
    _draw_lids(image, makeup, eye)
    _draw_wrinkles(image, column(portraits, "age"), eye)
    return fill(distance - 0.03, 0.05)


def _draw_ball(image: Tensor, portraits: Portraits, head: Head, side: int, eye: _Eye) -> None:
    """Paint the white, the iris, the pupil and two glints."""
    white = 0.97 - 0.42 * smoothstep(0.055, -0.01, eye.y - eye.upper) - 0.14 * eye.across.square().clamp(max=1)
    paint(image, eye.ball, white.unsqueeze(1) * constant((1.0, 0.985, 0.975), image))
    gaze_x = side * (0.045 * column(portraits, "gaze") - 0.05 * head.sine_yaw)
    gaze_y = 0.07 * head.sine_pitch + 0.002
    ix, iy = eye.x - gaze_x, eye.y - gaze_y
    colour = ramp(EYES, column(portraits, "eye_colour"))
    radius = (ix.square() + iy.square()).sqrt()
    glow = 0.62 + 0.85 * blob(ix, iy - 0.045, 0.085, 0.06) - 0.5 * smoothstep(0.062, 0.092, radius)
    glow = glow - 0.45 * smoothstep(0.05, -0.015, eye.y - eye.upper)
    iris = fill(radius - IRIS, eye.softness) * eye.ball
    paint(image, iris, (colour * (1.25 * glow).unsqueeze(1)).clamp(0, 1))
    paint(image, fill(radius - PUPIL, 1.5 * eye.softness) * eye.ball, constant((0.04, 0.03, 0.04), image))
    glint_x = side * 0.042 * head.light[0]
    glint = fill(circle(ix - glint_x, iy + 0.038, 0.026), 1.4 * eye.softness)
    glint = glint + 0.45 * fill(circle(ix + glint_x + 0.01 * side, iy - 0.042, 0.013), 2 * eye.softness)
    paint(image, (glint * eye.ball).clamp(max=1), constant((1.0, 1.0, 1.0), image))


def _draw_lids(image: Tensor, makeup: Tensor, eye: _Eye) -> None:
    """Paint the lashes of the upper lid and the rim of the lower one."""
    # The lash line follows the upper lid, grows thicker outwards and runs out in a small wing.
    wing = smoothstep(-0.9, 1.1, eye.across)
    thickness = (0.010 + 0.012 * wing) * (1 + 0.8 * makeup) * 0.5
    lash = ((eye.y - eye.upper + 0.004).abs() / eye.slope) - thickness
    ends = fill(eye.across.abs() - 1.04, 0.16)
    paint(image, 0.95 * fill(lash, eye.softness * 1.2) * ends, constant(LASHES, image))
    flick_start = (HALF_WIDTH * 0.93, -0.004 * torch.ones_like(makeup))
    flick_end = (HALF_WIDTH * 1.10 + 0.035 * makeup, -0.020 - 0.05 * makeup)
    flick = fill(segment(eye.x, eye.y, flick_start, flick_end, 0.005 + 0.004 * makeup), eye.softness * 1.2)
    paint(image, (0.45 + 0.5 * makeup) * flick, constant(LASHES, image))
    rim = bell(((eye.y - eye.lower) * (1 / 0.014)).square()) * fill(eye.across.abs() - 0.9, 0.4)
    tint(image, (0.35 + 0.4 * makeup) * rim, constant((0.60, 0.45, 0.45), image))


def _draw_wrinkles(image: Tensor, age: Tensor, eye: _Eye) -> None:
    """Paint the bag below the eye and the crow's feet."""
    bag = bell(((eye.y - eye.lower - 0.055 + 0.03 * eye.across.square()) * (1 / 0.022)).square())
    tint(image, 0.75 * age.square() * bag * bell((eye.across * 0.9).square()), constant((0.66, 0.54, 0.54), image))
    for index in (-1, 0, 1):
        start = (0.175, -0.005 + 0.026 * index)
        end = (0.245, 0.004 + 0.065 * index)
        foot = fill(segment(eye.x, eye.y, start, end, 0.003), 0.016)
        tint(image, 0.8 * age.square() * foot, constant((0.62, 0.50, 0.48), image))


def draw_brow(image: Tensor, portraits: Portraits, head: Head, side: int) -> Tensor:
    """Paint one eyebrow in the hair's colour and return the soft region it occupies [B,S,S]."""
    thick = column(portraits, "brows")
    raised, angle = column(portraits, "brow_height"), column(portraits, "brow_angle")
    hair = hair_colour(column(portraits, "hair_colour"), column(portraits, "hair_redness"), column(portraits, "age"))
    colour = hair * 0.62
    bx = (head.u * side - EYE_U - 0.005) * (1 / 0.165)
    base = EYE_V - 0.178 - 0.05 * raised
    centre = base - 0.035 * (1 - (bx - 0.25).square()) - 0.035 * angle * bx.clamp(-1, 1) + 0.012
    width = (0.012 + 0.027 * thick) * (1 - 0.55 * smoothstep(-0.4, 1.1, bx)) * smoothstep(-1.25, -0.75, bx)
    distance = torch.maximum((head.v - centre).abs() - width, (bx.abs() - 1) * 0.165)
    alpha = fill(distance, 1.6 * head.screen.pixel)
    paint(image, 0.92 * alpha, colour)
    return fill(distance - 0.02, 0.04)


def draw_glasses(image: Tensor, portraits: Portraits, head: Head) -> Tensor:
    """Paint spectacles as opaque as the attribute says and return the soft region they occupy [B,S,S]."""
    opacity = column(portraits, "glasses")
    pixel = head.screen.pixel
    # The frame stands a little before the face: it moves ahead when the head turns.
    gu, gv = head.u - 0.05 * head.sine_yaw, head.v + 0.05 * head.sine_pitch
    gx, gy = gu.abs() - EYE_U, gv - EYE_V - 0.015
    lens = box(gx, gy, 0.178, 0.145, 0.105)
    shadow = fill((box(gx, gy - 0.03, 0.178, 0.145, 0.105).abs() - 0.016), 0.05)
    tint(image, 0.35 * opacity * shadow, constant((0.55, 0.45, 0.45), image))
    inside = fill(lens, pixel)
    shine = _reflection(gu - EYE_U, gv) + _reflection(gu + EYE_U, gv)
    paint(image, opacity * inside * (0.07 + 0.26 * shine), constant((0.93, 0.97, 1.0), image))
    bridge = torch.maximum((gy + 0.045).abs() - 0.012, gu.abs() - 0.06)
    temple = torch.maximum((gy + 0.05).abs() - 0.012, 0.40 - gu.abs())
    frame = torch.minimum(torch.minimum(lens.abs() - 0.0135, bridge), temple)
    on_head = fill(head.outline, pixel)
    alpha = opacity * fill(frame, 1.4 * pixel) * on_head
    sheen = 0.10 + 0.16 * smoothstep(0.05, -0.15, gy)
    paint(image, alpha, sheen.unsqueeze(1) * constant((1.0, 0.75, 0.70), image))
    return opacity * fill(torch.minimum(frame, lens) - 0.02, 0.04)


def _reflection(x: Tensor, y: Tensor) -> Tensor:
    """Return two slanted streaks of reflected light on a lens around the origin."""
    streak = x + 0.6 * (y - EYE_V)
    wide = smoothstep(-0.115, -0.10, streak) * smoothstep(-0.045, -0.06, streak)
    narrow = smoothstep(-0.03, -0.022, streak) * smoothstep(-0.002, -0.01, streak)
    return wide + 0.7 * narrow
