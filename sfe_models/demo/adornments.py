"""Freckles, moles, scars and stickers on the face; earrings and headwear on the head."""

from __future__ import annotations

import torch
from torch import Tensor

from .details import Detail, Details
from .hair import Hair
from .head import Head
from .lettering import WORDS, word_distance
from .palette import constant, hsl
from .shapes import bell, blob, box, circle, ellipse, fill, paint, segment, smooth_max, smoothstep, tint

HEADWEAR = 4  # Cap, beanie, headband, bow.


def chosen(head: Head, who: Tensor) -> Head:
    """Return some of the heads, by index [N]."""

    def pick(value):
        if isinstance(value, Tensor):
            return value[who]
        return tuple(part[who] for part in value)

    names = [name for name in head.__dataclass_fields__ if name != "screen"]
    return Head(head.screen, *(pick(getattr(head, name)) for name in names))


def draw_skin_details(skin: Tensor, head: Head, details: Details) -> None:
    """Paint freckles, moles, scars and stickers on the skin [B,3,S,S], in place."""
    for kind, draw in (
        (Detail.FRECKLES, _freckles),
        (Detail.MOLES, _moles),
        (Detail.SCAR, _scar),
        (Detail.STICKER, _sticker),
    ):
        who = details.who(kind)
        if len(who):
            picked = skin[who]
            draw(picked, chosen(head, who), details, who)
            skin[who] = picked


def _freckles(skin: Tensor, head: Head, details: Details, who: Tensor) -> None:
    """Sprinkle freckles over the cheeks and the nose: one to each cell of a grid, moved within it."""
    cell = 0.062
    fx, fy = head.u * (1 / cell), head.v * (1 / cell)
    row, line = torch.floor(fx), torch.floor(fy)
    number = row * 0.754877 + line * 0.569840 + 10 * details.number(Detail.FRECKLES, 0, who)
    first = number - torch.floor(number)
    second = first * 7.13 + line * 0.31
    second = second - torch.floor(second)
    spot = circle(fx - row - 0.3 - 0.4 * first, fy - line - 0.3 - 0.4 * second, 0.14 + 0.10 * second)
    area = blob(head.u.abs() - 0.20, head.v - 0.12, 0.30, 0.17)
    alpha = fill(spot, 0.22) * smoothstep(0.05, 0.5, area)
    tint(skin, 0.8 * alpha, constant((0.62, 0.44, 0.36), skin))


def _moles(skin: Tensor, head: Head, details: Details, who: Tensor) -> None:
    """Paint two moles, one on each cheek or by the mouth."""
    for index, side in ((0, -1), (2, 1)):
        u = side * (0.16 + 0.16 * details.number(Detail.MOLES, index, who))
        v = 0.10 + 0.34 * details.number(Detail.MOLES, index + 1, who)
        spot = fill(circle(head.u - u, head.v - v, 0.020), 0.016)
        tint(skin, 0.9 * spot, constant((0.32, 0.20, 0.18), skin))


def _scar(skin: Tensor, head: Head, details: Details, who: Tensor) -> None:
    """Paint a scar with stitches across a cheek or the forehead."""
    side = (details.number(Detail.SCAR, 0, who) > 0.5).to(skin.dtype) * 2 - 1
    high = (details.number(Detail.SCAR, 1, who) > 0.6).to(skin.dtype)
    x = (head.u - side * (0.28 - 0.10 * high)) * side
    y = head.v - 0.18 + 0.56 * high
    line = fill(segment(x, y, (-0.06, 0.07), (0.06, -0.07), 0.006), 0.020)
    for step in (-0.6, 0.0, 0.6):
        cx, cy = 0.06 * step, -0.07 * step
        line = torch.maximum(line, fill(segment(x, y, (cx - 0.03, cy - 0.025), (cx + 0.03, cy + 0.025), 0.004), 0.018))
    tint(skin, 0.9 * line, constant((0.72, 0.36, 0.36), skin))


def _sticker(skin: Tensor, head: Head, details: Details, who: Tensor) -> None:
    """Stick a heart, a star or a disc on a cheek or on the forehead."""
    kind = Detail.STICKER
    shape = details.number(kind, 0, who)
    place = details.number(kind, 1, who)
    side = (place > 0.5).to(skin.dtype) * 2 - 1
    x, y = head.u - 0.285 * side, head.v - 0.19
    radius = 0.070
    disc = circle(x, y, radius * 0.9)
    heart_x = x.abs()
    lobe = circle(heart_x - 0.036, y + 0.022, 0.044)
    tip = (heart_x + y - 0.0762) * 0.707
    heart = torch.minimum(lobe, torch.maximum(tip, -y))
    star = _star(x, y, radius)
    distance = torch.where(shape < 1 / 3, heart, torch.where(shape < 2 / 3, star, disc))
    colour = hsl(details.number(kind, 2, who), 0.80, 0.58)
    paint(skin, fill(distance - 0.014, 1.5 * head.screen.pixel), constant((1.0, 1.0, 1.0), skin))
    paint(skin, fill(distance, 1.5 * head.screen.pixel), colour)


def _star(x: Tensor, y: Tensor, radius: float) -> Tensor:
    """Return about the distance to a five-pointed star with a tip at the top, folded by its mirrors."""
    cosine, sine = 0.809017, 0.587785  # Of 36 degrees.
    x, y = x.abs(), -y
    beyond = 2 * (x * cosine - y * sine).clamp(min=0)
    x, y = x - beyond * cosine, y + beyond * sine
    beyond = 2 * (-x * cosine - y * sine).clamp(min=0)
    x, y = x + beyond * cosine, y + beyond * sine
    return (x.abs() * 0.81 + (y - radius) * 0.59) * 0.9


def draw_earrings(image: Tensor, head: Head, details: Details) -> Tensor:
    """Hang earrings on the ears that are seen; returns their coverage [B,S,S]."""
    cover = torch.zeros_like(head.u)
    who = details.who(Detail.EARRINGS)
    if len(who):
        some, picked = chosen(head, who), image[who]
        hoop = (details.number(Detail.EARRINGS, 0, who) > 0.5).to(image.dtype)
        gold = (details.number(Detail.EARRINGS, 1, who) > 0.5).to(image.dtype).unsqueeze(1)
        colour = hsl(details.number(Detail.EARRINGS, 2, who), 0.75, 0.55) * (1 - gold)
        colour = colour + gold * constant((0.96, 0.76, 0.30), image)
        total = torch.zeros_like(some.u)
        for side in (-1, 1):
            turn = (side * some.sine_yaw).clamp(min=0)
            x = some.x - side * (0.545 * some.width - 0.25 * turn) + 0.02 * some.sine_yaw
            y = some.y - 0.225 - 0.10 * some.sine_pitch
            ring = circle(x, y, 0.052).abs() - 0.013
            drop = circle(x, y + 0.01, 0.042)
            distance = drop + (ring - drop) * hoop
            # The ear that is turned away hides behind the cheek.
            alpha = fill(distance, 1.5 * head.screen.pixel) * smoothstep(0.16, 0.06, turn)
            paint(picked, alpha, colour)
            glint = bell(((x + 0.015).square() + (y + 0.028).square()) * (1 / 0.018**2))
            paint(picked, 0.9 * glint * alpha, constant((1.0, 1.0, 1.0), image))
            total = torch.maximum(total, alpha)
        image[who], cover[who] = picked, total
    return cover


def draw_headwear(image: Tensor, head: Head, hair: Hair, details: Details) -> Tensor:
    """Put a cap, a beanie, a headband or a bow on; returns the coverage [B,S,S]."""
    cover = torch.zeros_like(head.u)
    kind = Detail.HEADWEAR
    everybody = details.who(kind)
    variant = (details.numbers[everybody, kind, 0] * HEADWEAR).floor()
    for index, draw in enumerate((_cap, _beanie, _band, _bow)):
        who = everybody[variant == index]
        if len(who):
            picked = image[who]
            colour = hsl(details.number(kind, 2, who), 0.62, 0.38 + 0.30 * details.number(kind, 3, who))
            cover[who] = draw(picked, chosen(head, who), hair.mass[who], colour, details.numbers[who, kind])
            image[who] = picked
    return cover


def _dome_light(head: Head) -> Tensor:
    """Return the light on a round hat [B,1,S,S]."""
    lx, ly, lz = head.light
    nx, ny = head.x * (1 / 0.72), (head.y + 0.25) * (1 / 0.85)
    nz = (1 - nx.square() - ny.square()).clamp(min=0.05).sqrt()
    return (0.62 + 0.50 * (lx * nx + ly * ny + lz * nz)).clamp(0.4, 1.15).unsqueeze(1)


def _crown(head: Head, v: Tensor, low: float) -> Tensor:
    """Return the distance to a hat that covers the hair above a line of the face [B,S,S]."""
    shape = ellipse(head.x + 0.03 * head.sine_yaw, head.y + 0.16, 0.60 * head.width, 0.645)
    return smooth_max(shape, v - low, 0.04)


def _cap(image: Tensor, head: Head, mass: Tensor, colour: Tensor, numbers: Tensor) -> Tensor:
    """Paint a baseball cap with a visor that points where the face does."""
    pixel = 1.5 * head.screen.pixel
    crown = fill(_crown(head, head.v, -0.40), pixel)
    paint(image, crown, colour * _dome_light(head))
    seam = bell((head.u * (1 / 0.014)).square()) * crown
    tint(image, 0.3 * seam, constant((0.6, 0.6, 0.6), image))
    # Two caps of three carry a word.
    words = (numbers[:, 5] * len(WORDS)).long()
    letters = fill(word_distance(head.u, head.v + 0.575 + 0.05 * head.u.square(), words, 0.135), pixel)
    worded = (numbers[:, 6].view(-1, 1, 1) < 0.67).to(image.dtype)
    paint(image, letters * crown * worded, constant((0.98, 0.97, 0.94), image))
    vx = head.x - 0.55 * head.sine_yaw
    vy = head.y + 0.375 + 0.5 * head.sine_pitch - 0.16 * vx.square()
    visor = ellipse(vx, vy, 0.43, 0.085)
    drop = fill(ellipse(vx, vy - 0.05, 0.43, 0.085), 0.10)
    tint(image, 0.55 * drop * (1 - crown), constant((0.55, 0.48, 0.50), image))
    alpha = fill(visor, pixel)
    shade = (0.95 - 2.2 * vy.clamp(-0.1, 0.1)).unsqueeze(1)
    paint(image, alpha, colour * 0.82 * shade)
    return torch.maximum(crown, alpha)


def _beanie(image: Tensor, head: Head, mass: Tensor, colour: Tensor, numbers: Tensor) -> Tensor:
    """Paint a knitted hat with a folded brim and a pompom."""
    pixel = 1.5 * head.screen.pixel
    pompom = fill(circle(head.x + 0.04 * head.sine_yaw, head.y + 0.80, 0.085), pixel * 2)
    paint(image, pompom, (colour * 0.4 + 0.6) * _dome_light(head))
    crown = fill(_crown(head, head.v, -0.42), pixel)
    knit = head.u * 16
    rib = (knit - torch.floor(knit) - 0.5).abs() * 2
    paint(image, crown, colour * _dome_light(head) * (0.86 + 0.18 * rib.unsqueeze(1)))
    brim_v = (head.v + 0.42 - 0.10 * head.u.square()).abs() - 0.075
    shape = ellipse(head.x + 0.03 * head.sine_yaw, head.y + 0.16, 0.625 * head.width, 0.67)
    brim = fill(smooth_max(shape, brim_v, 0.05), pixel)
    paint(image, brim, (colour * 0.75 + 0.20) * _dome_light(head) * (0.84 + 0.20 * rib.unsqueeze(1)))
    return torch.maximum(torch.maximum(crown, brim), pompom)


def _band(image: Tensor, head: Head, mass: Tensor, colour: Tensor, numbers: Tensor) -> Tensor:
    """Paint a headband over the hair, with dots for half of the people."""
    line = (head.v + 0.56 - 0.55 * head.u.square()).abs() - 0.058
    alpha = fill(torch.maximum(line, mass - 0.015), 1.5 * head.screen.pixel)
    fx = head.u * (1 / 0.11)
    spot = fill(circle((fx - torch.floor(fx) - 0.5) * 0.11, head.v + 0.56 - 0.55 * head.u.square(), 0.022), 0.012)
    dotted = (numbers[:, 4].view(-1, 1, 1) > 0.5).to(image.dtype)
    paint(image, alpha, colour * _dome_light(head))
    paint(image, alpha * spot * dotted, constant((1.0, 1.0, 1.0), image))
    return alpha


def _bow(image: Tensor, head: Head, mass: Tensor, colour: Tensor, numbers: Tensor) -> Tensor:
    """Tie a bow into the hair at one side."""
    side = (numbers[:, 4].view(-1, 1, 1) > 0.5).to(image.dtype) * 2 - 1
    x = head.x - 0.30 * side - 0.25 * head.sine_yaw
    y = head.y + 0.60 - 0.2 * side * x + 0.15 * head.sine_pitch
    wings = torch.maximum(x.abs() - 0.175, y.abs() - 0.035 - 0.42 * x.abs())
    wings = smooth_max(wings, ellipse(x, y, 0.19, 0.15), 0.03)
    pixel = 1.5 * head.screen.pixel
    alpha = fill(wings, pixel)
    crease = (0.80 + 0.9 * (x.abs() - 0.03).clamp(0, 0.3) - 0.9 * y).clamp(0.5, 1.15).unsqueeze(1)
    paint(image, alpha, colour * crease)
    knot = fill(box(x, y, 0.045, 0.05, 0.03), pixel)
    paint(image, knot, colour * 0.82)
    return torch.maximum(alpha, knot)
