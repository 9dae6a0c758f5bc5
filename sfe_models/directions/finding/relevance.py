"""What each channel of style space does to CLIP's view of the picture (StyleCLIP, section 6 and its released
code).

Statistics: mean and standard deviation of every style channel over many w. Relevance: a channel is set to its mean
plus and minus 5 standard deviations in 100 pictures; the differences of the pictures' unit embeddings are brought to
unit length, averaged, and brought to unit length again. RGB layers are left out. The released script stops at
the convolutions of 128 px, the first 11; the released matrix for FFHQ 1024 is used with all 17 (6048
channels).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...choices import PUBLISHED_PICTURES
from ...generators.base import Generator, StyleSpace
from ...generators.stylegan2.generator import StyleGAN2
from ..base import DirectionError
from .clip_text import Embedder
from .sampling import Progress, sample_w
from .statistics import PUBLISHED_TRUNCATION, ChannelStatistics

# The released recipe: standard deviations, pictures per channel. Convolutions up to 128 px, which are
# also those that the published SFE code moves.
PUBLISHED_STDS = 5.0
PUBLISHED_CONVS = 11


@dataclass(frozen=True, eq=False)
class ChannelRelevance:
    """One CLIP direction per style channel, for the first convolutions of a generator.

    matrix: [n,D] float32, rows of norm 1 or (for channels without effect) 0, the channels of the first
    convolutions end to end. settings: one line on how the matrix was made.
    """

    statistics: ChannelStatistics
    matrix: Tensor
    subject: str | None
    settings: str = ""

    def __post_init__(self):
        if self.matrix.ndim != 2 or not self.matrix.isfinite().all():
            raise DirectionError(f"The relevance matrix is {tuple(self.matrix.shape)}; expected [n,D], all finite.")
        widths = [s.shape[1] for s in self.statistics.std.convs]
        ends = [sum(widths[:i]) for i in range(1, len(widths) + 1)]
        if len(self.matrix) not in ends:
            raise DirectionError(
                f"The relevance matrix has {len(self.matrix)} rows; the statistics are of convolutions with "
                f"{widths} channels. Expected the channels of the first convolutions: one of {ends} rows."
            )

    @property
    def convs(self) -> int:
        """How many convolutions the matrix covers."""
        left, i = len(self.matrix), 0
        while left:
            left -= self.statistics.std.convs[i].shape[1]
            i += 1
        return i

    def split(self, values: Tensor) -> tuple[Tensor, ...]:
        """Split one number per row, [n], into the convolutions that the matrix covers: one [C] each."""
        return values.split([s.shape[1] for s in self.statistics.std.convs[: self.convs]])


def _older_fingerprint(generator: Generator) -> str | None:
    """What older files of relevance tell StyleGAN2 generators apart by; None for another family."""
    if not isinstance(generator, StyleGAN2):
        return None
    digest = hashlib.sha256()
    for i in range(generator.spec.n_layers):
        weight = generator.conv(i).conv.modulation.weight
        digest.update(weight.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class RelevanceSettings:
    """How channel relevance is measured, by default as published.

    convs: convolutions whose channels are measured (None: as in the released script, up to 128 px); pictures: samples
    drawn with `seed` at `truncation`; stds: how far a channel is raised and lowered, in standard deviations;
    batch_size: pictures per generator call, half of them raised, half lowered.
    """

    convs: int | None = None
    pictures: int = PUBLISHED_PICTURES
    stds: float = PUBLISHED_STDS
    seed: int = 0
    truncation: float = PUBLISHED_TRUNCATION
    batch_size: int = 8


@torch.no_grad()
def channel_relevance(
    generator: Generator,
    embedder: Embedder,
    statistics: ChannelStatistics,
    subject: str | None,
    how: RelevanceSettings,
    *,
    resume: ChannelRelevance | None = None,
    on_layer: Callable[[ChannelRelevance], None] | None = None,
    progress: Progress | None = None,
) -> ChannelRelevance:
    """Find the CLIP direction of every channel of the first convolutions.

    on_layer: called after each convolution with what there is so far, for saving; `resume` takes such a part up again
    and must come from the same settings. The layers before the changed one run once per picture. Costs 2 * pictures
    runs of the rest, and as many embeddings, per channel.
    """
    spec, pictures, stds = generator.spec, how.pictures, how.stds
    convs = min(PUBLISHED_CONVS, spec.n_layers) if how.convs is None else how.convs
    if not 1 <= convs <= spec.n_layers or pictures < 1 or not stds > 0:
        raise DirectionError(
            f"Relevance of {convs} convolutions from {pictures} pictures at {stds:g} standard deviations; expected "
            f"1 to {spec.n_layers} convolutions, at least one picture and a positive number of them."
        )
    settings, older = _settings_of(generator, embedder, how)
    w = torch.cat(list(sample_w(generator, pictures, how.seed, pictures, how.truncation)))
    styles = generator.style_space(generator.broadcast(w))
    widths = _checked_widths(styles, statistics)[:convs]
    rows = _rows_to_resume(resume, statistics, (settings, older))
    done, at_once = sum(len(r) for r in rows), max(1, how.batch_size // 2)
    for conv in range(len(rows), convs):
        total = torch.zeros(widths[conv], 0)
        for first in range(0, pictures, at_once):
            part = styles[first : first + at_once]
            n = len(part.convs[0])
            before = generator.run(generator.start(n), part, conv)
            before = before[torch.arange(n, device=part.convs[0].device).repeat(2)]
            for channel in range(widths[conv]):
                both = _raised_and_lowered(part, statistics, conv, channel, stds)
                embedded = embedder.embed_images(generator.picture(generator.run(before, both))).double().cpu()
                difference = F.normalize(embedded[:n] - embedded[n:], dim=1).sum(dim=0)
                if not total.shape[1]:
                    total = difference.new_zeros(widths[conv], len(difference))
                total[channel] += difference
                if progress:
                    share = (first * widths[conv] + (channel + 1) * n) // pictures
                    progress(done + share, sum(widths))
        done += widths[conv]
        rows.append(F.normalize(total, dim=1).float())
        if on_layer:
            on_layer(ChannelRelevance(statistics, torch.cat(rows), subject, settings))
    return ChannelRelevance(statistics, torch.cat(rows[:convs]), subject, settings)


def _settings_of(generator: Generator, embedder: Embedder, how: RelevanceSettings) -> tuple[str, str]:
    """Describe a run in one line, as now and as older files have it."""
    named = {"clip": embedder.name, "pictures": how.pictures}
    named |= {"alpha": how.stds, "seed": how.seed, "truncation": how.truncation}
    now, older = (
        json.dumps({"generator": fingerprint} | named)
        for fingerprint in (generator.fingerprint(), _older_fingerprint(generator))
    )
    return now, older


def _checked_widths(styles: StyleSpace, statistics: ChannelStatistics) -> list[int]:
    """Channels of each convolution. Raises DirectionError for statistics of another generator."""
    widths = [s.shape[1] for s in styles.convs]
    known = [s.shape[1] for s in statistics.std.convs]
    if widths != known:
        raise DirectionError(
            f"The statistics are of convolutions with {known} channels; this generator's have {widths}. "
            "Compute statistics of this generator."
        )
    return widths


def _raised_and_lowered(
    styles: StyleSpace, statistics: ChannelStatistics, conv: int, channel: int, stds: float
) -> StyleSpace:
    """Twice the style vectors: one channel at mean + stds * std, then at mean - stds * std."""
    both = StyleSpace.cat([styles, styles])
    mean, std = (float(s.convs[conv][0, channel]) for s in (statistics.mean, statistics.std))
    n = len(styles.convs[0])
    both.convs[conv][:n, channel] = mean + stds * std  # cat made it a copy
    both.convs[conv][n:, channel] = mean - stds * std
    return both


def _rows_to_resume(
    resume: ChannelRelevance | None, statistics: ChannelStatistics, settings: tuple[str, str]
) -> list[Tensor]:
    """Rows of the convolutions that are done already; settings: this run's, as now and as older files have them."""
    if resume is None:
        return []
    if resume.settings not in settings:
        raise DirectionError(
            f"The relevance to resume was made with {resume.settings or 'unknown settings'}; this run's are "
            f"{settings[0]}. Use the same settings, or begin anew."
        )
    pairs = zip(statistics.std.convs, resume.statistics.std.convs, strict=True)
    if not all(a.shape == b.shape and torch.allclose(a, b, rtol=1e-4) for a, b in pairs):
        raise DirectionError("The relevance to resume has other channel statistics; use those of its file.")
    widths = [s.shape[1] for s in statistics.std.convs[: resume.convs]]
    return list(resume.matrix.split(widths))
