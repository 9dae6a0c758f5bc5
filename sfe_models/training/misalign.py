"""Misalignments that stand in for edits: details moved away from where the picture has them (GradStyle's training)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .gradual_config import MisalignConfig


def draw_grid(config: MisalignConfig, batch: int, device: torch.device) -> Tensor:
    """Draw one warp for each picture, as a smooth map from the result back to the source: [B,G,G,2] in [-1,1].

    Pixel centres of a G x G picture, align_corners off. A share `identity` of the pictures keeps its place.
    """
    side = config.grid
    ends = (torch.arange(side, device=device) + 0.5) * (2 / side) - 1
    y, x = torch.meshgrid(ends, ends, indexing="ij")
    places = torch.stack([x, y], dim=2).expand(batch, -1, -1, -1)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(batch, *shape, device=device) * 2 - 1

    turn = uniform() * (config.rotation * torch.pi / 180)
    scale = torch.exp(-uniform() * torch.log(torch.tensor(1 + config.scale)))
    cosine, sine = turn.cos() * scale, turn.sin() * scale
    flip = torch.where(torch.rand(batch, device=device) < config.flip, -1.0, 1.0)
    matrix = torch.stack([cosine * flip, -sine, sine * flip, cosine], dim=1).unflatten(1, (2, 2))
    moved = torch.einsum("bij,bhwj->bhwi", matrix, places) + 2 * config.shift * uniform(2)[:, None, None]
    # Four corners that move on their own, and a smooth field between a few points.
    for cells, reach in ((2, config.perspective), (config.elastic_cells, config.elastic)):
        field = F.interpolate(uniform(2, cells, cells), (side, side), mode="bicubic" if cells > 2 else "bilinear")
        moved = moved + 2 * reach * field.permute(0, 2, 3, 1)
    stays = torch.rand(batch, device=device) < config.identity
    return torch.where(stays[:, None, None, None], places, moved)


def draw_gaps(config: MisalignConfig, batch: int, device: torch.device) -> Tensor:
    """Draw which cells of a coarse grid lose their details, as an edit hides some: [B,1,g,g], 1 where they stay."""
    share = torch.empty(batch, device=device).uniform_(*config.dropped)
    share = share * (torch.rand(batch, device=device) < config.dropping)
    cells = torch.rand(batch, 1, config.gap_cells, config.gap_cells, device=device)
    return (cells >= share[:, None, None, None]).float()


def misaligned(x: Tensor, grid: Tensor, gaps: Tensor) -> Tensor:
    """Warp [B,C,r,r] by a map of `draw_grid` (bilinear, edges repeated), then empty the gaps."""
    side = x.shape[2]
    small = F.interpolate(grid.permute(0, 3, 1, 2), (side, side), mode="bilinear", align_corners=False)
    warped = F.grid_sample(x, small.permute(0, 2, 3, 1).to(x.dtype), "bilinear", "border", align_corners=False)
    return warped * F.interpolate(gaps, (side, side)).to(x.dtype)
