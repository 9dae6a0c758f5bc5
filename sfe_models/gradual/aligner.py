"""The Aligner: details put where the edited picture has room for them, by Selective Attention (the Editing Stream)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..nn.convolution import conv3x3
from .spec import GradualSpec

# Wave lengths of the position code, in sides of the picture: 2, 1, ... 1/8.
_OCTAVES = 5
# At the start: the temperature of the scores, how much position counts beside content (a cosine), and how the mean
# cosine of what was looked at becomes a confidence, and how much better what lies at the query's own place has to be
# for its details to stay there: slope and offset before the sigmoid.
_TEMPERATURE, _POSITION, _CONFIDENCE, _STAY = 0.05, 0.5, (2.0, 2.0), (20.0, 3.0)


def selective_attention(query: Tensor, key: Tensor, value: Tensor, selection: str = "top", keep: int = 0) -> Tensor:
    """Mean of the values that a query selects, weighted by the softmax of its scores: [B,N,V].

    query: [B,N,D]; key: [B,M,D]; value: [B,M,V]; scores are dot products. selection: "top" looks at the `keep` best
    keys, 0 for all; "mean" at those above the query's mean score.
    """
    return attention_weights(query, key, selection, keep).to(value.dtype) @ value


def attention_weights(query: Tensor, key: Tensor, selection: str = "top", keep: int = 0) -> Tensor:
    """Compute the weights of `selective_attention`, [B,N,M]; rows add up to 1."""
    scores = (query @ key.transpose(1, 2)).float()
    if selection == "mean":
        return scores.masked_fill(scores < scores.mean(dim=2, keepdim=True), -math.inf).softmax(dim=2)
    if not keep or keep >= scores.shape[2]:
        return scores.softmax(dim=2)
    best, index = scores.topk(keep, dim=2)
    return torch.zeros_like(scores).scatter(2, index, best.softmax(dim=2))


def position_code(side: int) -> Tensor:
    """Unit vectors for the cells of a square, [side^2,4 octaves], whose dot products fall with the distance."""
    place = (torch.arange(side) + 0.5) / side
    waves = place[:, None] * math.pi * 2 ** torch.arange(_OCTAVES)
    waves = torch.cat([waves.sin(), waves.cos()], dim=1)
    down, across = waves[:, None].expand(-1, side, -1), waves[None].expand(side, -1, -1)
    return torch.cat([down, across], dim=2).flatten(0, 1) / math.sqrt(2 * _OCTAVES)


class Aligner(nn.Module):
    """F'_m and its confidence: values F_m, keys of F_m, queries of the edited feature f_m^edi.

    score = (cos(Q, K) + position (p . p')) / temperature. Above `attention_side` queries and keys are means of patches
    and whole patches of F_m move. Where the key at the query's own place fits as well as what was found, nothing has
    moved and F_m stays as it lies, sharper than any mean of what is looked at.
    """

    def __init__(self, channels: int, width: int, side: int, gradual: GradualSpec):
        super().__init__()
        self.gradual = gradual
        self.patch = max(1, side // gradual.attention_side)
        self.query = conv3x3(channels, gradual.dim, bias=True)
        self.key = conv3x3(width + (channels if gradual.key == "residual+features" else 0), gradual.dim, bias=True)
        self.out = conv3x3(width, width)
        self.temperature = nn.Parameter(torch.tensor(_TEMPERATURE).log())
        self.position = nn.Parameter(torch.tensor(_POSITION))
        self.confidence = nn.Parameter(torch.tensor(_CONFIDENCE))
        self.stay = nn.Parameter(torch.tensor(_STAY))
        self.register_buffer("places", position_code(side // self.patch), persistent=False)
        nn.init.zeros_(self.out.weight)
        if gradual.key == "residual+features":  # keys start as the queries of the same features: what is alike is found
            nn.init.zeros_(self.key.weight[:, :width])
            self.key.weight.data[:, width:] = self.query.weight.data
            self.key.bias.data.copy_(self.query.bias.data)

    def forward(self, edited: Tensor, residual: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """edited: f_m^edi [B,C,r,r]; residual: F_m [B,C_m,r,r]; features: f_m^rec [B,C,r,r], where F_m was made.

        Returns F'_m [B,C_m,r,r] and the confidence [B,1,r,r] in [0,1]. No gradient goes into the edited feature.
        """
        query, key, looking, lying = self._looks(edited, residual, features)
        patches = F.pixel_unshuffle(residual, self.patch) if self.patch > 1 else residual
        values = torch.cat([patches.flatten(2).transpose(1, 2).to(key.dtype), key], dim=2)
        found = selective_attention(looking, lying, values, self.gradual.selection, self.gradual.keep)
        moved = _map(found[:, :, : patches.shape[1]], patches)
        cosine, there = (
            _map((k * query).sum(dim=2, keepdim=True), patches) for k in (found[:, :, patches.shape[1] :], key)
        )
        stays = torch.sigmoid(self.stay[0] * (there - cosine) + self.stay[1])
        confidence = torch.sigmoid(self.confidence[0] * cosine.lerp(there, stays) + self.confidence[1])
        if self.patch > 1:
            moved = F.pixel_shuffle(moved, self.patch)
            stays, confidence = (
                F.interpolate(x, scale_factor=self.patch, mode="bilinear", align_corners=False)
                for x in (stays, confidence)
            )
        moved = (moved + self.out(moved)).lerp(residual.to(moved.dtype), stays)
        return moved.to(residual.dtype), confidence.to(residual.dtype)

    def weights(self, edited: Tensor, residual: Tensor, features: Tensor) -> Tensor:
        """Where the queries of `forward`'s inputs look: [B,n^2,n^2] for n x n patches, rows add up to 1."""
        _, _, looking, lying = self._looks(edited, residual, features)
        return attention_weights(looking, lying, self.gradual.selection, self.gradual.keep)

    def _looks(self, edited: Tensor, residual: Tensor, features: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Compute the contents of queries and keys, unit vectors [B,n^2,D], and both as scores are made of them."""
        query = _tokens(self.query(_levelled(self._pooled(edited.detach()))))
        known = [self._pooled(residual)]
        if self.gradual.key == "residual+features":
            known.append(_levelled(self._pooled(features)))
        key = _tokens(self.key(torch.cat(known, dim=1)))
        places = self.places.expand(len(query), -1, -1).to(query.dtype)
        sharp = torch.exp(-self.temperature)
        looking = torch.cat([query * sharp, places * (self.position * sharp)], dim=2)
        return query, key, looking, torch.cat([key, places], dim=2)

    def _pooled(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, self.patch) if self.patch > 1 else x


def _levelled(features: Tensor) -> Tensor:
    """Bring every cell of [B,C,r,r] to a root mean square of 1."""
    return features * torch.rsqrt(features.square().mean(dim=1, keepdim=True) + 1e-8)


def _tokens(x: Tensor) -> Tensor:
    """[B,D,r,r] to unit vectors [B,r^2,D]."""
    return F.normalize(x.flatten(2).transpose(1, 2).float(), dim=2)


def _map(tokens: Tensor, like: Tensor) -> Tensor:
    """Tokens [B,r^2,C] to [B,C,r,r], the rows and columns of another map."""
    return tokens.transpose(1, 2).unflatten(2, like.shape[2:])
