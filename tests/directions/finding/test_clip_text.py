"""CLIP through transformers: a tiny random model gives what the formulas say."""

import builtins
import json

import pytest
import torch
import torch.nn.functional as F

from sfe_models.directions.base import DirectionError
from sfe_models.directions.finding.clip_text import TEMPLATES, ClipEmbedder, read_templates, text_difference


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a CLIP of 12 dimensions whose tokens are letters."""
    transformers = pytest.importorskip("transformers", reason="text directions are an optional extra")
    folder = tmp_path_factory.mktemp("clip")
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)] + [","]
    words = [*letters, *(f"{c}</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = transformers.CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = small | {
        "vocab_size": len(words),
        "max_position_embeddings": 40,
        "bos_token_id": len(words) - 2,
        "eos_token_id": len(words) - 1,
    }
    config = transformers.CLIPConfig(
        text_config=text, vision_config=small | {"image_size": 32, "patch_size": 16}, projection_dim=12
    )
    torch.manual_seed(0)
    model = transformers.CLIPModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape) * 0.3)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def embedder(folder):
    return ClipEmbedder.load(folder, templates=("a {}", "the {} here", "{}"))


def test_text_embedding_equals_a_reference_in_float64(embedder):
    model = embedder.model.double()
    vectors = []
    for sentence in ("a cat", "the cat here", "cat"):
        tokens = embedder.tokenizer([sentence], return_tensors="pt")
        hidden = model.text_model(**tokens).last_hidden_state[0, -1]
        vectors.append(F.normalize(hidden @ model.text_projection.weight.T, dim=0))
    reference = F.normalize(torch.stack(vectors).mean(0), dim=0)
    embedder.model.float()
    got = embedder.embed_text("cat")
    assert got.shape == (12,) and torch.allclose(got.double(), reference, atol=1e-5)
    assert torch.allclose(embedder.embed_text("  cat "), got)


def test_difference_of_prompts(embedder):
    difference = text_difference(embedder, "face", "old face")
    assert torch.equal(difference, embedder.embed_text("old face") - embedder.embed_text("face"))
    with pytest.raises(DirectionError, match="mean the same"):
        text_difference(embedder, "face", "Face")


def test_pictures_are_clamped_resized_and_normalised(embedder):
    images = torch.rand(2, 3, 64, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1
    got = embedder.embed_images(images)
    assert got.shape == (2, 12) and torch.allclose(got.norm(dim=1), torch.ones(2))
    plain = torch.full((1, 3, 32, 32), 3.0)
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073])[:, None, None]
    std = torch.tensor([0.26862954, 0.26130258, 0.27577711])[:, None, None]
    expected = embedder.embed_pixels((torch.ones(1, 3, 32, 32) - mean) / std)
    assert torch.allclose(embedder.embed_images(plain), expected, atol=1e-6)


def test_a_prompt_that_is_too_long_is_refused(embedder):
    with pytest.raises(DirectionError, match="reads 40"):
        embedder.embed_text("a very long prompt with a great many letters")


def test_a_missing_model_is_explained(tmp_path):
    pytest.importorskip("transformers", reason="text directions are an optional extra")
    with pytest.raises(DirectionError, match=f"Cannot load CLIP from {tmp_path}"):
        ClipEmbedder.load(tmp_path)


def test_without_transformers_one_sentence_says_so(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "transformers":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DirectionError, match="pip install transformers"):
        ClipEmbedder.load()


def test_own_templates_are_as_many_as_the_published_ones():
    assert len(set(TEMPLATES)) == 79 and all(t.count("{}") == 1 for t in TEMPLATES)


def test_templates_are_read_and_checked(tmp_path):
    path = tmp_path / "templates.txt"
    path.write_text("a {}.\n\n  the {}.", encoding="utf-8")
    assert read_templates(path) == ("a {}.", "the {}.")
    path.write_text("a {}\nthe {0.name}\n", encoding="utf-8")
    with pytest.raises(DirectionError, match="0.name"):
        read_templates(path)
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(DirectionError, match="no template"):
        read_templates(path)
    with pytest.raises(DirectionError, match="nowhere"):
        read_templates(tmp_path / "nowhere.txt")
