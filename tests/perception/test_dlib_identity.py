"""dlib's identity: laws of distances with the extra and its files, one sentence without."""

import pytest
import torch

from sfe_models.checkpoints.present import MissingWeightsError
from sfe_models.perception import dlib_identity
from sfe_models.perception.dlib_identity import load_dlib_identity


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    pytest.importorskip("dlib", reason="needs dlib (pip install dlib-bin)")
    try:
        return load_dlib_identity(tmp_path_factory.mktemp("empty"))
    except MissingWeightsError as error:
        pytest.skip(f"needs dlib's files: {error}")


def test_a_picture_is_at_no_distance_from_itself(network, faces):
    assert torch.equal(network.distance(faces, faces), torch.zeros(3))
    forth, back = network.distance(faces, faces.flip(3)), network.distance(faces.flip(3), faces)
    assert torch.equal(forth, back) and (forth > 0).all()


def test_embeddings_have_length_1_and_a_batch_equals_its_pictures_alone(network, faces):
    embedded = network.embed(faces)
    assert embedded.shape == (3, 128) and torch.allclose(embedded.norm(dim=1), torch.ones(3))
    assert torch.allclose(embedded[1:2], network.embed(faces[1:2]))


def test_what_lies_beyond_the_range_is_clipped(network, faces):
    bright = faces + 1.0
    assert torch.equal(network.describe(bright), network.describe(bright.clamp(-1, 1)))


def test_without_dlib_or_its_files_one_sentence_says_what_to_get(tmp_path, monkeypatch):
    monkeypatch.setattr(dlib_identity, "find_spec", lambda name: None)
    with pytest.raises(MissingWeightsError, match="pip install dlib-bin"):
        load_dlib_identity(tmp_path)
