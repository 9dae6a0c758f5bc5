"""The hair: a mass around the head, an opening for the face, and strands along the meridians from the crown."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .attributes import Portraits
from .head import Head, column
from .palette import constant, hair_colour
from .shapes import bell, box, ellipse, fill, mix, paint, smooth_max, smooth_min, smoothstep, wave


@dataclass(frozen=True)
class Hair:
    """Hold the hair of one batch, all [B,S,S].

    mass: distance to the outline of all hair. opening: distance to the face's window in it.
    colour: the shaded hair [B,3,S,S]. shadow: how far it shades the skin beneath, in [0,1].
    """

    mass: Tensor
    opening: Tensor
    colour: Tensor
    shadow: Tensor


def grow_hair(portraits: Portraits, head: Head) -> Hair:
    """Shape and shade the hair."""
    length, volume = column(portraits, "hair_length"), column(portraits, "hair_volume")
    curl, fringe, parting = column(portraits, "curl"), column(portraits, "fringe"), column(portraits, "parting")
    width = head.width
    grown = smoothstep(0.0, 0.35, length)
    thick = 0.012 + 0.03 * grown + 0.07 * volume * (0.6 + 0.4 * grown) + 0.04 * length + 0.03 * curl
    hx = head.x + 0.03 * head.sine_yaw
    hy = head.y - 0.12 * head.sine_pitch
    # Curls: bumps along the outline and waves along the strands.
    bumps = curl * (0.018 * wave(2.3 * hy + 1.1 * hx + 0.2) + 0.010 * wave(5.3 * hy - 2.9 * hx + 0.4))
    bumps = bumps + curl * 0.014 * wave(4.7 * hx + 0.1)
    cap = ellipse(hx + 0.045 * parting * (0.3 + volume), hy + 0.15, 0.515 * width + thick, 0.56 + 0.85 * thick)
    end = -0.10 + 0.45 * length + 0.90 * length.square()
    half = (0.475 + 0.03 * grown) * width + thick + 0.05 * length * smoothstep(0.1, 0.9, hy)
    middle, half_height = 0.5 * (end - 0.30), 0.5 * (end + 0.30)
    sides = box(hx, hy - middle, half, half_height, 0.10 + 0.16 * length)
    ragged = 0.03 * length * wave(5.5 * hx + 0.13) + 0.02 * length * wave(9 * hx)
    sides = smooth_max(sides, hy - end + ragged + 0.02, 0.05)
    mass = smooth_min(cap, sides, 0.06) + bumps
    opening = _opening(head, length, fringe, parting, curl, 0.0, 0.0)
    fallen = _opening(head, length, fringe, parting, curl, 0.05 * head.light[0], 0.055)
    shadow = smoothstep(-0.10, 0.03, fallen) * smoothstep(0.10, -0.06, mass)
    strands, gloss = _strands(head, hx, hy, parting, curl)
    base = hair_colour(column(portraits, "hair_colour"), column(portraits, "hair_redness"), column(portraits, "age"))
    nx, ny = hx / (0.66 * width), (hy + 0.15) * (1 / 0.80)
    nz = (1 - nx.square() - ny.clamp(max=0.35).square()).clamp(min=0.02).sqrt()
    lx, ly, lz = head.light
    diffuse = (0.5 + 0.5 * (lx * nx + ly * ny.clamp(max=0.35) + lz * nz)).clamp(0, 1)
    depth = smoothstep(0.0, -0.14, mass) * smoothstep(-0.01, 0.09, opening)
    tone = mix(0.42, 1.18, smoothstep(0.28, 0.98, diffuse)) * (0.80 + 0.20 * depth) * (1 + 0.17 * strands)
    shine = (0.24 * gloss * (1 + 0.9 * strands) * smoothstep(0.45, 1.0, diffuse)).clamp(min=0)
    colour = base * tone.unsqueeze(1) + shine.unsqueeze(1) * (0.35 + 0.9 * base)
    return Hair(mass, opening, colour, shadow)


def _opening(
    head: Head, length: Tensor, fringe: Tensor, parting: Tensor, curl: Tensor, shift_u: Tensor | float, shift_v: float
) -> Tensor:
    """Return the distance to the face's window in the hair, moved by a shift in face coordinates."""
    u, v = head.u - shift_u, head.v - shift_v
    # Without a fringe the hairline is a gentle arch; with one it hangs lower and parts at the parting.
    away = (u - 0.30 * parting).abs()
    arch = -0.62 + 0.9 * u.square()
    hanging = -0.325 + 0.04 * parting * u + 0.12 * u.square() - 0.20 * bell((away * (1 / 0.26)).square())
    locks = wave(3.3 * u + 0.15 - 0.4 * parting) * 0.016 + wave(7.1 * u + 0.3) * 0.010
    line = mix(arch, hanging + locks, fringe) + curl * 0.014 * wave(5.9 * u)
    half = (0.455 - 0.015 * length - 0.06 * smoothstep(0.30, 0.75, v) * length) * head.width
    half = half + 0.010 * curl * wave(4 * v)
    return smooth_max(u.abs() - half, line - v, 0.16)


def _strands(head: Head, hx: Tensor, hy: Tensor, parting: Tensor, curl: Tensor) -> tuple[Tensor, Tensor]:
    """Return the strands' brightness in about [-1,1] and the gloss band in [0,1], [B,S,S]."""
    down = ((hy + 1.02) * (1 / 1.02)).clamp(0.03, 1)
    girth = (1 - (1 - down).square()).sqrt() * 0.62 + 0.02
    pole = 0.42 * parting * (1 - down)
    t = (hx - pole - 0.2 * head.sine_yaw * (1 - down)) / girth
    t = t + curl * (0.050 * wave(2.6 * hy + 1.7 * t) + 0.03 * wave(5.1 * hy - 2.3 * t))
    strands = (
        0.45 * wave(3.2 * t + 0.35 * wave(0.9 * hy)) + 0.35 * wave(7.3 * t + 0.2) + 0.28 * wave(13.1 * t - 0.6 * hy)
    )
    band = (down - 0.42 - 0.05 * wave(2.1 * t) - 0.10 * t.square()) * (1 / 0.26)
    return strands, bell(band.square())


def front_coverage(head: Head, hair: Hair) -> Tensor:
    """Return the coverage of the hair before the face [B,S,S]."""
    return fill(torch.maximum(hair.mass, -hair.opening), 1.5 * head.screen.pixel)


def draw_back(image: Tensor, head: Head, hair: Hair) -> Tensor:
    """Paint the darker mass of hair behind the neck and return its coverage [B,S,S]."""
    alpha = fill(hair.mass, 1.5 * head.screen.pixel)
    paint(image, alpha, hair.colour * constant((0.62, 0.58, 0.60), image))
    return alpha


def draw_front(image: Tensor, head: Head, hair: Hair) -> Tensor:
    """Paint the hair before the face and return its coverage [B,S,S]."""
    alpha = front_coverage(head, hair)
    paint(image, alpha, hair.colour)
    return alpha
