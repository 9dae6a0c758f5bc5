"""StyleCLIP global directions: planted relevance gives the planted channels; statistics equal numpy's."""

import hashlib
from dataclasses import replace

import pytest
import torch

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.directions.base import DirectionError
from sfe_models.directions.finding.relevance import ChannelRelevance, RelevanceSettings, channel_relevance
from sfe_models.directions.finding.sampling import sample_w
from sfe_models.directions.finding.statistics import ChannelStatistics, channel_statistics
from sfe_models.directions.finding.styleclip_global import StyleCLIPGlobal
from sfe_models.domain import tiny_domain
from sfe_models.generators.base import StyleSpace
from sfe_models.pipeline import Pipeline

DIM = 6


class PlantedEmbedder:
    """Embed words by a table; pictures by fixed projections of their pixels."""

    name = "planted"

    def __init__(self):
        self.calls = 0
        basis = torch.eye(DIM)
        self.table = {"a face": basis[0], "a happy face": (basis[0] + basis[1]) / 2**0.5, "a Face": basis[0]}

    def embed_text(self, prompt):
        self.calls += 1
        return self.table[prompt]

    def embed_images(self, images):
        flat = images.flatten(1)
        random = torch.Generator().manual_seed(0)
        return torch.nn.functional.normalize(flat @ torch.randn(flat.shape[1], DIM, generator=random), dim=1)


def styles_like(widths, rgbs, seed):
    random = torch.Generator().manual_seed(seed)
    return StyleSpace(
        tuple(torch.rand(1, w, generator=random) for w in widths),
        tuple(torch.rand(1, w, generator=random) for w in rgbs),
    )


@pytest.fixture(scope="module")
def pipeline():
    return Pipeline(random_networks(tiny_domain(32, width=8)))


@pytest.fixture
def planted():
    """Relevance of a generator of convolutions of 3, 3 and 2 channels; the matrix covers the first two."""
    statistics = ChannelStatistics(styles_like([3, 3, 2], [3, 2], 0), styles_like([3, 3, 2], [3, 2], 1))
    difference = torch.eye(DIM)[1] / 2**0.5 + (1 / 2**0.5 - 1) * torch.eye(DIM)[0]
    unit = difference / difference.norm()
    across = torch.eye(DIM)[3]
    strengths = torch.tensor([0.0, 0.5, -0.25, 0.1, 0.0, 0.05])
    matrix = strengths[:, None] * unit + (1 - strengths.square()).sqrt()[:, None] * across
    return ChannelRelevance(statistics, matrix, "human faces")


def test_planted_relevance_gives_exactly_the_expected_channels(planted):
    make = StyleCLIPGlobal(PlantedEmbedder(), planted)
    weights = make.channel_weights("a face", "a happy face", 0.08)
    assert torch.allclose(weights, torch.tensor([0, 1, -0.5, 0.2, 0, 0]), atol=1e-6)
    assert weights.nonzero()[:, 0].tolist() == [1, 2, 3]
    direction = make.direction("a face", "a happy face", 0.08)
    std = planted.statistics.std
    zero = StyleSpace(
        tuple(torch.zeros(2, s.shape[1]) for s in std.convs),
        tuple(torch.zeros(2, s.shape[1]) for s in std.rgbs),
    )
    moved = direction.move(zero, torch.tensor([1.5, 3.0]))
    first = torch.cat([weights[:3] * std.convs[0][0], weights[3:] * std.convs[1][0]])
    assert torch.allclose(torch.cat(moved.convs[:2], 1), torch.stack([first, 2 * first]))
    assert not moved.convs[2].any() and not any(r.any() for r in moved.rgbs)
    assert direction.info.name == "styleclip_global_a face_a happy face_0.08"


def test_weights_agree_with_a_reference_in_float64(planted):
    embedder = PlantedEmbedder()
    difference = (embedder.table["a happy face"] - embedder.table["a face"]).double()
    weights = planted.matrix.double() @ (difference / difference.norm())
    weights[weights.abs() < 0.2] = 0
    got = StyleCLIPGlobal(embedder, planted).channel_weights("a face", "a happy face", 0.2)
    assert torch.allclose(got.double(), weights / weights.abs().max(), atol=1e-6)


def test_convolutions_that_do_not_move_still_count_in_the_largest_weight(planted):
    flipped = replace(planted, matrix=planted.matrix.flip(0))
    weights = StyleCLIPGlobal(PlantedEmbedder(), flipped, convs=1).channel_weights("a face", "a happy face", 0.0)
    assert torch.allclose(weights, torch.tensor([0.1, 0, 0.2, 0, 0, 0]), atol=1e-6)


def test_prompt_pairs_are_embedded_once_and_the_oldest_is_dropped(planted):
    embedder = PlantedEmbedder()
    make = StyleCLIPGlobal(embedder, planted, cached=1)
    for threshold in (0.1, 0.2):
        make.direction("a face", "a happy face", threshold)
    assert embedder.calls == 2
    make.direction("a happy face", "a face")
    make.direction("a face", "a happy face")
    assert embedder.calls == 6


@pytest.mark.parametrize(
    ("neutral", "target", "threshold", "words"),
    [
        ("", "a happy face", 0.1, "neutral prompt is empty"),
        ("a face", "  ", 0.1, "target prompt is empty"),
        ("a face", "a Face", 0.1, "mean the same"),
        ("a face", "a happy face", 0.6, "removes every channel"),
        ("a face", "a happy face", -0.1, "-0.1"),
        ("a face", "a happy face", float("nan"), "nan"),
        ("a face", "a happy face", True, "True"),
    ],
)
def test_bad_prompts_and_thresholds_are_refused(planted, neutral, target, threshold, words):
    with pytest.raises(DirectionError, match=words):
        StyleCLIPGlobal(PlantedEmbedder(), planted).direction(neutral, target, threshold)


def test_an_embedder_without_numbers_is_refused(planted):
    embedder = PlantedEmbedder()
    embedder.table["a happy face"] = torch.full((DIM,), float("nan"))
    with pytest.raises(DirectionError, match="planted gives numbers that are not finite"):
        StyleCLIPGlobal(embedder, planted).direction("a face", "a happy face")


def test_another_clip_is_refused_with_both_sizes(planted):
    narrow = replace(planted, matrix=planted.matrix[:, :4])
    with pytest.raises(DirectionError, match="6 dimensions.* 4"):
        StyleCLIPGlobal(PlantedEmbedder(), narrow).direction("a face", "a happy face")


@pytest.mark.parametrize("matrix", [torch.ones(4, DIM), torch.full((6, DIM), float("nan")), torch.ones(6)])
def test_a_matrix_that_does_not_fit_is_refused(planted, matrix):
    with pytest.raises(DirectionError, match="relevance matrix"):
        replace(planted, matrix=matrix)


def test_relevance_follows_the_recipe_and_resumes(pipeline):
    generator, embedder = pipeline.networks.generator, PlantedEmbedder()
    statistics = channel_statistics(generator, 200)
    seen, parts = [], []
    how = RelevanceSettings(3, pictures=3, batch_size=4, seed=5)
    got = channel_relevance(
        generator,
        embedder,
        statistics,
        "tests",
        how,
        progress=lambda *p: seen.append(p),
        on_layer=parts.append,
    )
    assert got.matrix.shape == (24, DIM) and got.convs == 3 and seen[-1] == (24, 24)
    (w,) = sample_w(generator, 3, seed=5, batch_size=3, truncation=0.7)
    styles = generator.style_space(generator.broadcast(w))
    for conv, channel in ((0, 3), (1, 7), (2, 4)):
        pictures = []
        for sign in (1, -1):
            convs = [s.clone() for s in styles.convs]
            mean, std = (s.convs[conv][0, channel] for s in (statistics.mean, statistics.std))
            convs[conv][:, channel] = mean + sign * 5 * std
            pictures.append(embedder.embed_images(generator.synthesize(replace(styles, convs=tuple(convs)))).double())
        steps = torch.nn.functional.normalize(pictures[0] - pictures[1], dim=1).mean(0)
        assert torch.allclose(got.matrix[8 * conv + channel].double(), steps / steps.norm(), atol=1e-4)
    resumed = channel_relevance(generator, embedder, statistics, "tests", how, resume=parts[0])
    assert torch.equal(resumed.matrix, got.matrix)
    # What older files tell the generator apart by.
    digest = hashlib.sha256()
    for i in range(generator.spec.n_layers):
        digest.update(generator.conv(i).conv.modulation.weight.numpy().tobytes())
    older = parts[0].settings.replace(generator.fingerprint(), digest.hexdigest()[:16])
    assert older != parts[0].settings
    again = channel_relevance(generator, embedder, statistics, "tests", how, resume=replace(parts[0], settings=older))
    assert torch.equal(again.matrix, got.matrix)
    other = channel_statistics(random_networks(tiny_domain(16, width=8)).generator, 10)
    with pytest.raises(DirectionError, match="Compute statistics of this generator"):
        channel_relevance(generator, embedder, other, "tests", how)
    with pytest.raises(DirectionError, match="same settings"):
        channel_relevance(generator, embedder, statistics, "tests", replace(how, pictures=2), resume=parts[0])


def test_a_text_direction_edits_a_picture_and_strength_0_is_the_inversion(pipeline):
    generator, embedder = pipeline.networks.generator, PlantedEmbedder()
    statistics = channel_statistics(generator, 100)
    subject = pipeline.spec.subject
    relevance = channel_relevance(generator, embedder, statistics, subject, RelevanceSettings(3, pictures=1))
    direction = StyleCLIPGlobal(embedder, relevance).direction("a face", "a happy face", 0.0)
    image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    inversion = pipeline.invert(image)
    plain = pipeline.edit(inversion)
    assert torch.equal(pipeline.edit(inversion, [(direction, 0.0)]), plain)
    assert not torch.allclose(pipeline.edit(inversion, [(direction, 3.0)]), plain)
    there = pipeline.apply_direction(inversion, direction, 2.0)
    back, at_once = (pipeline.apply_direction(there, direction, s) for s in (-2.0, 1.0))
    straight = pipeline.apply_direction(inversion, direction, 3.0)
    for a, b in zip(at_once.styles.convs, straight.styles.convs, strict=True):
        assert torch.allclose(a, b, atol=1e-5)
    start = generator.style_space(inversion.w)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(back.styles.convs, start.convs, strict=True))
