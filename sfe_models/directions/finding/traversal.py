"""Traversal pictures: what a direction does to samples, strength by strength, with the generator alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from einops import rearrange
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ...generators.base import Generator
from ...pictures.image_io import to_pil
from ..base import Direction, DirectionError, check_generator, strength_tensor

# The band above the pictures and its text, relative to a picture's width; small pictures get a readable size.
_BAND, _TEXT, _MIN_TEXT = 0.12, 0.08, 10


@torch.no_grad()
def seed_codes(generator: Generator, seeds: Sequence[int], truncation: float = 0.7) -> Tensor:
    """Compute the W+ code of one sample for each seed: [R,N,D]."""
    if not len(seeds):
        raise DirectionError("No seed is given; expected one for each row.")
    dim, device = generator.spec.style_dim, generator.latent_avg.device
    z = torch.cat([torch.randn(1, dim, generator=torch.Generator().manual_seed(seed)) for seed in seeds])
    return generator.broadcast(generator.mapping(z.to(device), truncation))


@torch.no_grad()
def traversal(
    generator: Generator,
    direction: Direction,
    strengths: Sequence[float],
    codes: Tensor,
    *,
    batch_size: int = 8,
) -> Tensor:
    """Draw codes (rows, R) moved by strengths (columns, S): one picture [3,R*r,S*r] in [-1,1], on the CPU.

    codes: W+ [R,N,D], for instance of `seed_codes`; r: the generator's resolution. The noise is the stored one.
    """
    spec = generator.spec
    check_generator(direction.info, generator.fingerprint())
    if codes.ndim != 3 or not len(codes) or codes.shape[1:] != (spec.n_styles, spec.style_dim):
        raise DirectionError(
            f"Codes of shape {tuple(codes.shape)}; this generator's are [R,{spec.n_styles},{spec.style_dim}]."
        )
    rows, columns = len(codes), len(strengths)
    if not columns or batch_size < 1:
        raise DirectionError(f"{columns} strengths in batches of {batch_size}; expected 1 or more of each.")
    device = generator.latent_avg.device
    values = torch.tensor(list(strengths), dtype=torch.float32).repeat(rows)
    places = torch.arange(rows).repeat_interleave(columns)
    pictures = []
    for part in torch.arange(rows * columns).split(batch_size):
        w_plus = codes[places[part].to(codes.device)].to(device)
        styles = direction.moved_styles(generator, w_plus, strength_tensor(values[part], len(part), device))
        pictures.append(generator.synthesize(styles).clamp(-1, 1).cpu())
    return rearrange(torch.cat(pictures), "(r s) c h w -> c (r h) (s w)", r=rows)


def traversal_picture(grid: Tensor, strengths: Sequence[float], title: str = "") -> Image.Image:
    """Write each column's strength, and a title if there is one, above a grid [3,H,W] of `traversal`."""
    if not len(strengths) or grid.ndim != 3 or grid.shape[2] % len(strengths):
        raise DirectionError(f"{len(strengths)} strengths for a grid of {tuple(grid.shape)}; expected its columns.")
    height, width = grid.shape[1:]
    cell = width // len(strengths)
    band, text = max(round(cell * _BAND), _MIN_TEXT + 4), max(round(cell * _TEXT), _MIN_TEXT)
    lines = 2 if title else 1
    picture = Image.new("RGB", (width, height + lines * band), "white")
    picture.paste(to_pil(grid), (0, lines * band))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(text)
    if title:
        draw.text((width / 2, band / 2), title, "black", font, anchor="mm")
    for i, strength in enumerate(strengths):
        draw.text(((i + 0.5) * cell, (lines - 0.5) * band), f"{strength:g}", "black", font, anchor="mm")
    return picture
