"""The directions that come with the photographic model: each is readable, well named, and does what it is called."""

from pathlib import Path

import pytest
import torch
from perception.measuring_files import real_weights  # noqa: F401  a fixture

import sfe_models
from sfe_models.directions.files import describe_own_file, describe_own_files, read_own_file
from sfe_models.directions.finding.sampling import sample_w
from sfe_models.directions.published import names_of_persons
from sfe_models.domain import PHOTO
from sfe_models.perception.scores import NAMES, load_scorer, score_named

FOLDER = Path(sfe_models.__file__).parent / "photo" / "directions"
PATHS = sorted(FOLDER.glob("*.safetensors"))
# The score that tells what a direction does, where it has another name.
SCORE = {"smile": "happiness"}
# Of a score's range, half of a direction's own raises it by this at least.
MARGIN = 0.06
PEOPLE = 6


def own(path):
    return read_own_file(describe_own_file(path, PHOTO.subject), PHOTO.generator)


def test_all_are_read_from_the_folder():
    files, left_out = describe_own_files([FOLDER], PHOTO.subject)
    assert len(files) == len(PATHS) and not left_out


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_each_is_described_and_moves_every_latent(path):
    direction = own(path)
    info, (low, high) = direction.info, direction.info.strength_range
    assert info.name == path.stem and info.subject == PHOTO.subject and info.effect and info.source
    assert info.name not in names_of_persons()
    assert low < 0 < high and -6 <= low and high <= 6
    assert direction.vector.shape == (PHOTO.n_styles, PHOTO.generator.style_dim)
    assert direction.vector.isfinite().all() and direction.vector.any(dim=1).all()


@pytest.fixture(scope="module")
def people(mobile_generator):
    """Fresh codes, their pictures of 256 px."""
    w = torch.cat(list(sample_w(mobile_generator, PEOPLE, 77, PEOPLE, 0.7)))
    return mobile_generator.broadcast(w)


@torch.no_grad()
def scores(generator, codes, names, weights):
    return load_scorer(names, weights)(torch.cat([generator(code[None]) for code in codes]))


@pytest.fixture(scope="module")
def starts(mobile_generator, people, real_weights):  # noqa: F811
    return dict(zip(NAMES, scores(mobile_generator, people, NAMES, real_weights).T, strict=True))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_half_of_the_range_moves_its_score(path, mobile_generator, people, starts, real_weights):  # noqa: F811
    direction = own(path)
    score = score_named(SCORE.get(path.stem, path.stem))
    strength = torch.full((PEOPLE,), direction.info.strength_range[1] / 2)
    moved = scores(mobile_generator, direction.move(people, strength), [score.name], real_weights)[:, 0]
    assert (moved - starts[score.name]).mean() > MARGIN * score.span
