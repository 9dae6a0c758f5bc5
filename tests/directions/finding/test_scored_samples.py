"""Scores from a callable and from a table."""

import pytest
import torch

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.directions.base import DirectionError
from sfe_models.directions.finding.scored_samples import ScoredSamples, picture_scorer, read_scores, sample_scored
from sfe_models.domain import tiny_domain


@pytest.fixture(scope="module")
def generator():
    return random_networks(tiny_domain(32)).generator


def brightness(pictures):
    return pictures.mean(dim=(1, 2, 3))


def test_scores_belong_to_the_codes(generator):
    seen = []
    samples = sample_scored(generator, brightness, 10, 4, 4, progress=lambda done, total: seen.append((done, total)))
    pictures = generator(generator.broadcast(samples.codes))
    torch.testing.assert_close(samples.scores[:, 0].float(), brightness(pictures), rtol=0, atol=1e-5)
    assert samples.codes.shape == (10, 16) and samples.attributes == ("score",)
    assert seen == [(4, 10), (8, 10), (10, 10)]


def test_same_seed_same_samples_whatever_the_batch(generator):
    runs = [sample_scored(generator, brightness, 6, seed, size) for seed, size in ((1, 2), (1, 6), (2, 6))]
    torch.testing.assert_close(runs[0].codes, runs[1].codes, rtol=0, atol=1e-5)
    torch.testing.assert_close(runs[0].scores, runs[1].scores, rtol=0, atol=1e-5)
    assert not torch.equal(runs[1].codes, runs[2].codes)


def test_scorer_of_codes(generator):
    measure = picture_scorer(generator, brightness, 2)
    samples = sample_scored(generator, brightness, 5)
    torch.testing.assert_close(measure(samples.codes), samples.scores, rtol=0, atol=1e-5)
    torch.testing.assert_close(measure(generator.broadcast(samples.codes)), samples.scores, rtol=0, atol=1e-5)


def test_several_attributes(generator):
    def both(pictures):
        return torch.stack([brightness(pictures), pictures[:, 0].mean(dim=(1, 2))], dim=1)

    samples = sample_scored(generator, both, 5, attributes=("bright", "red"))
    assert torch.equal(samples.column("red"), samples.scores[:, 1])


def test_scorer_of_another_shape(generator):
    with pytest.raises(DirectionError, match=r"\(4, 3\).*1 attributes"):
        sample_scored(generator, lambda pictures: torch.zeros(len(pictures), 3), 4)


def test_scorer_that_gives_nan(generator):
    with pytest.raises(DirectionError, match="4 scores of 'score'"):
        sample_scored(generator, lambda pictures: brightness(pictures) / 0 * 0, 4)


@pytest.mark.parametrize(
    "codes, scores, names, message",
    [
        (torch.zeros(3, 4), torch.zeros(2, 1), ("a",), r"\(2, 1\)"),
        (torch.zeros(3), torch.zeros(3, 1), ("a",), r"\(3,\)"),
        (torch.zeros(3, 4), torch.zeros(3, 2), ("a",), "2 score columns"),
        (torch.zeros(3, 4), torch.zeros(3, 2), ("a", "a"), "2 score columns"),
        (torch.full((3, 4), float("nan")), torch.zeros(3, 1), ("a",), "codes"),
    ],
)
def test_samples_that_do_not_fit(codes, scores, names, message):
    with pytest.raises(DirectionError, match=message):
        ScoredSamples(codes, scores, names)


def written(tmp_path, text):
    path = tmp_path / "scores.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_table_by_index_in_any_order(tmp_path):
    path = written(tmp_path, "index,age,smile\n1, 20,0.5\n\n0,10,0.25\n7,1,1\n")
    scores, names = read_scores(path, 2)
    assert names == ("age", "smile") and scores.tolist() == [[10, 0.25], [20, 0.5]]


def test_table_by_file_with_a_byte_order_mark(tmp_path):
    path = written(tmp_path, '\ufefffile,age\n"b, c.png",2\na.png,1\n')
    assert read_scores(path, ["a.png", "b, c.png"])[0].tolist() == [[1], [2]]


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "header"),
        ("index\n0\n", "header"),
        ("file,age\na,1\n", "`index"),
        ("index,age\n0,old\n", "line 2"),
        ("index,age\nzero,1\n", "line 2"),
        ("index,age\n0,1,2\n", "line 2: 2 scores"),
        ("index,age\n0,1\n0,2\n", "line 3: index 0 occurs twice"),
        ("index,age\n0,1\n", "1 samples, the first index being 1"),
    ],
)
def test_bad_tables(tmp_path, text, message):
    with pytest.raises(DirectionError, match=message):
        read_scores(written(tmp_path, text), 2)


def test_table_that_is_not_there(tmp_path):
    with pytest.raises(DirectionError, match="none.csv"):
        read_scores(tmp_path / "none.csv", 2)


def test_table_that_is_no_text(tmp_path):
    (tmp_path / "scores.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DirectionError, match="UTF-8"):
        read_scores(tmp_path / "scores.csv", 2)
