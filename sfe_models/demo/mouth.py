"""The nose's colours, the mouth, the beard and the folds around them, in face coordinates."""

from __future__ import annotations

import torch
from torch import Tensor

from .attributes import Portraits
from .head import MOUTH_V, NOSE_TIP_V, Head, column, nose_coordinates
from .palette import SKIN, constant, hair_colour, ramp
from .shapes import bell, blob, ellipse, fill, mix, paint, smooth_max, smooth_min, smoothstep, tint, wave

FOLD = (0.66, 0.50, 0.47)


def mouth_half_width(portraits: Portraits) -> Tensor:
    """Return half the mouth's width in face units, [B,1,1]."""
    smile = column(portraits, "smile")
    return 0.163 + 0.032 * smile + 0.013 * smile.square() - 0.02 * column(portraits, "mouth_open")


def corner_lift(portraits: Portraits) -> Tensor:
    """Return how far the mouth's corners stand above its middle, in face units, [B,1,1]."""
    return 0.012 + 0.062 * column(portraits, "smile")


def draw_mouth(image: Tensor, portraits: Portraits, head: Head) -> Tensor:
    """Paint lips, teeth and tongue and return the soft region they occupy [B,S,S]."""
    pixel = head.screen.pixel
    makeup, full = column(portraits, "makeup"), 0.7 + 0.6 * column(portraits, "lip_fullness")
    opening = column(portraits, "mouth_open")
    half, lift = mouth_half_width(portraits), corner_lift(portraits)
    mu = head.u
    mv = head.v - MOUTH_V
    across = mu / half
    square = across.square()
    arch = (1 - square).clamp(min=-1)
    line = lift * (0.45 - square)
    rounded = arch * (0.45 + 0.55 * arch.clamp(min=0))
    gap = 0.155 * opening
    top = line - 0.14 * gap * arch
    bottom = line + 0.86 * gap * rounded
    bow = 1 + 0.10 * bell(((across.abs() - 0.26) * 3.2).square()) - 0.22 * bell((across * 5).square())
    upper_edge = top - 0.043 * full * bow * arch
    lower_edge = bottom + 0.060 * full * rounded
    slope = (1 + (across * 2 * lift / half).square()).sqrt()
    lips = torch.maximum(torch.maximum(upper_edge - mv, mv - lower_edge) / slope, (mu.abs() - half) * 0.7)
    hole = torch.maximum(top - mv, mv - bottom) / slope

    below = blob(mu, mv - 0.86 * gap - 0.060 * full - 0.035, 0.13, 0.045)
    tint(image, 0.55 * below, constant((0.70, 0.55, 0.52), image))
    corners = blob(mu.abs() - half - 0.012, mv - line, 0.035, 0.035)
    tint(image, 0.45 * corners, constant(FOLD, image))

    skin = ramp(SKIN, column(portraits, "skin"))
    natural = skin * constant((0.86, 0.60, 0.60), image)
    colour = mix(natural, constant((0.82, 0.22, 0.30), image), 0.8 * makeup.unsqueeze(1))
    upper = smoothstep(0.006, -0.006, mv - line)
    relief = 1.04 - 0.20 * upper
    relief = relief + 0.16 * blob(mu + 0.03 * head.light[0], mv - bottom - 0.024 * full, 0.10, 0.022)
    paint(image, fill(lips, 1.4 * pixel), colour * relief.unsqueeze(1))
    gloss = blob(mu + 0.05 * head.light[0], mv - bottom - 0.022 * full, 0.055, 0.011)
    paint(image, (0.22 + 0.25 * makeup) * gloss, constant((1.0, 0.95, 0.95), image))

    inner = fill(hole, 1.4 * pixel) * fill(mu.abs() - half * 0.97, 2 * pixel)
    depth = smoothstep(0.0, 0.10, mv - top)
    paint(
        image, inner * (8 * opening).clamp(max=1), mix(0.30, 0.42, depth).unsqueeze(1) * constant((1, 0.28, 0.3), image)
    )
    tongue = fill(ellipse(mu, mv - 0.82 * gap - lift * 0.45, 0.10, 0.062), 0.02) * inner
    paint(image, tongue, constant((0.85, 0.40, 0.42), image))
    teeth = smooth_max(mv - top - 0.012 - 0.036 * (0.3 + 0.7 * arch.clamp(min=0)), mu.abs() - 0.80 * half, 0.03)
    shine = (0.99 - 0.25 * smoothstep(0.35, 0.9, across.abs())).unsqueeze(1)
    paint(image, fill(teeth, 1.5 * pixel) * inner, shine * constant((1.0, 0.985, 0.96), image))
    seam = bell(((mv - line) / slope * (1 / 0.0125)).square()) * fill(mu.abs() - half, 0.03)
    seam = seam * (1 - (8 * opening).clamp(max=1))
    tint(image, 0.9 * seam, constant((0.42, 0.25, 0.27), image))
    return fill(lips - 0.03, 0.05)


def draw_nose(image: Tensor, portraits: Portraits, head: Head) -> None:
    """Darken the nostrils and the nose's shadow and warm its tip; the relief has given it its shape."""
    size = 0.8 + 0.4 * column(portraits, "nose_size")
    nu, nv = nose_coordinates(head)
    nv = nv - NOSE_TIP_V
    warm = blob(nu, nv, 0.11 * size, 0.09 * size)
    tint(image, 0.45 * warm, constant((1.02, 0.86, 0.84), image))
    under = blob(nu, nv - 0.085 * size, 0.12 * size, 0.04)
    tint(image, 0.50 * under, constant((0.66, 0.48, 0.46), image))
    hole = fill(ellipse(nu.abs() - 0.040 * size, nv - 0.052 * size, 0.020 * size, 0.0125 * size), 0.022)
    tint(image, 0.85 * hole, constant((0.42, 0.26, 0.26), image))
    wing = ellipse(nu.abs() - 0.055 * size, nv - 0.018, 0.05 * size, 0.048 * size).abs()
    edge = bell((wing * (1 / 0.018)).square()) * smoothstep(0.07, 0.10, nu.abs() / size) * smoothstep(-0.04, 0.02, nv)
    tint(image, 0.35 * edge, constant(FOLD, image))
    glint = blob(nu - 0.03 * head.light[0] * 1.2, nv + 0.022, 0.032 * size, 0.026 * size)
    paint(image, 0.38 * glint, constant((1.0, 0.98, 0.95), image))


def draw_cheeks(image: Tensor, portraits: Portraits, head: Head) -> None:
    """Paint blush, and the folds and wrinkles of age."""
    makeup, age, smile = column(portraits, "makeup"), column(portraits, "age"), column(portraits, "smile")
    u, v, side = head.u, head.v, head.u.abs()
    blush = blob(side - 0.28, v - 0.165, 0.22, 0.17)
    tint(image, (0.45 + 0.45 * makeup) * blush, constant((1.03, 0.80, 0.79), image))
    rows = smoothstep(0.34, 0.10, side)
    for row in (-0.345, -0.41, -0.475):
        line = bell(((v - row + 0.10 * u.square() - 0.006 * wave(2.2 * u + 7 * row)) * (1 / 0.013)).square())
        tint(image, 0.62 * age.square() * line * rows, constant(FOLD, image))
    path = 0.105 + 0.30 * (v - 0.17).clamp(-0.1, 0.5)
    strength = (0.9 * age.square() + 0.28 * smile.clamp(min=0)).clamp(max=1)
    fold = bell(((side - path) * (1 / 0.024)).square()) * smoothstep(0.14, 0.22, v) * smoothstep(0.40, 0.28, v)
    tint(image, 0.62 * strength * fold, constant(FOLD, image))


def draw_beard(image: Tensor, portraits: Portraits, head: Head) -> Tensor:
    """Paint a full beard with a moustache and return its coverage [B,S,S]; half-grown, it is a translucent stubble."""
    amount = column(portraits, "beard")
    half, lift = mouth_half_width(portraits), corner_lift(portraits)
    opening = column(portraits, "mouth_open")
    u, v, side = head.u, head.v, head.u.abs()
    mv = v - MOUTH_V
    # The beard's upper edge runs from the sideburns down past the mouth's corners to a tuft below the lower lip.
    out = (side - 0.13).clamp(min=0)
    line = 0.315 - 1.9 * out.square() + 0.05 * bell((side * 4.0).square())
    bare = ellipse(u, mv - 0.07 * opening - 0.008, half * 1.02, 0.062 + 0.078 * opening)
    chin = smooth_max(line - v, -bare, 0.05)
    arc = mv + 0.088 - 0.02 * lift + 0.55 * side.square() - 0.9 * (side - 0.55 * half).clamp(min=0)
    moustache = smooth_max(arc.abs() - 0.042, side - 1.35 * half, 0.06)
    region = smooth_max(smooth_min(chin, moustache, 0.04), head.outline - 0.03, 0.02)
    strands = 0.5 * wave(17 * u + 0.6 * wave(3 * v)) + 0.3 * wave(29 * u - 5 * v)
    edge = region + 0.005 * strands
    colour = hair_colour(column(portraits, "hair_colour"), column(portraits, "hair_redness"), column(portraits, "age"))
    dark = constant((1.0, 1.0, 1.0), image) * (0.70 + 0.10 * strands + 0.25 * smoothstep(0.55, 0.2, v)).unsqueeze(1)
    alpha = fill(edge, 0.03) * (0.96 * amount)
    side_light = (0.92 + 0.25 * head.light[0] * head.x * 1.6).clamp(0.6, 1.2).unsqueeze(1)
    paint(image, alpha, colour * dark * side_light)
    return alpha
