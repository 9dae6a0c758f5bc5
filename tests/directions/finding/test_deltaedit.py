"""DeltaEdit as the published SFE code uses it, with a stand-in for the 83 million weights."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from sfe_models.directions.base import DirectionError
from sfe_models.directions.families.deltaedit import CHANNELS, DeltaMapper
from sfe_models.directions.files import describe_own_file, read_own_file, save_own_file
from sfe_models.directions.finding.deltaedit import DeltaEdit, read_deltaedit_relevance
from sfe_models.domain import FFHQ_1024
from sfe_models.generators.base import StyleSpace

TOTAL = sum(CHANNELS)


class StandInMapper(torch.nn.Module):
    def forward(self, styles, clip):
        return styles.square() + clip[:, :1] + clip.sum(dim=1, keepdim=True)


class StandInEmbedder:
    name = "stand-in"

    def embed_text(self, prompt):
        return F.normalize(torch.randn(512, generator=torch.Generator().manual_seed(len(prompt))), dim=0)

    def embed_pixels(self, pixels):
        assert pixels.shape[1:] == (3, 224, 224)
        return F.normalize(pixels.mean(dim=(1, 2, 3))[:, None] + torch.arange(512.0), dim=1)


@pytest.fixture(scope="module")
def maker():
    random = torch.Generator().manual_seed(0)
    relevance = F.normalize(torch.randn(TOTAL, 512, generator=random), dim=1)
    return DeltaEdit(StandInMapper(), relevance, StandInEmbedder())


def styles(batch, seed=1):
    random = torch.Generator().manual_seed(seed)
    return StyleSpace(
        tuple(torch.randn(batch, c, generator=random) for c in CHANNELS),
        (torch.ones(batch, 512), torch.ones(batch, 32)),
    )


def pictures(batch):
    return torch.rand(batch, 3, 256, 256, generator=torch.Generator().manual_seed(2)) * 2 - 1


def test_offset_equals_the_formula(maker):
    direction = maker.direction(pictures(1), "face", "old face", 0.03)
    before, embedder = styles(1), StandInEmbedder()
    moved = direction.move(before, torch.tensor([2.0]))
    difference = embedder.embed_text("old face") - embedder.embed_text("face")
    image = embedder.embed_pixels(F.adaptive_avg_pool2d(pictures(1), 224))
    clip = torch.cat([image, (difference / difference.norm())[None]], 1)
    s = torch.cat(before.convs, 1)
    offset = StandInMapper()(s, clip)
    offset[:, (maker.relevance @ difference).abs() < 0.03] = 0
    assert 0 < int((offset == 0).sum()) < TOTAL
    assert torch.allclose(torch.cat(moved.convs, 1), s + 2 * offset, atol=1e-5)
    assert all(a is b for a, b in zip(moved.rgbs, before.rgbs, strict=True))
    assert direction.info.name == "deltaedit_face_old face_0.03" and direction.reads_all_layers


def test_strength_0_is_the_identity(maker):
    before = styles(2)
    moved = maker.direction(pictures(2), "face", "old face").move(before, torch.zeros(2))
    assert all(map(torch.equal, moved.convs, before.convs))


def test_batch_equals_loop_and_one_picture_serves_a_sweep(maker):
    both, shots = styles(2), pictures(2)
    strength = torch.tensor([1.0, -0.5])
    batch = maker.direction(shots, "face", "old face").move(both, strength)
    for i in range(2):
        direction = maker.direction(shots[i : i + 1], "face", "old face")
        alone = direction.move(both[i : i + 1], strength[i : i + 1])
        assert all(torch.allclose(a[i : i + 1], b) for a, b in zip(batch.convs, alone.convs, strict=True))
        direction.move(both, strength)


def test_the_published_network_takes_the_place_of_the_stand_in(maker):
    with torch.device("meta"):
        mapper = DeltaMapper()
    mapper.to_empty(device="cpu")
    with torch.no_grad():
        for parameter in mapper.parameters():
            parameter.fill_(0.01)
    direction = DeltaEdit(mapper, maker.relevance, StandInEmbedder()).direction(pictures(1), "face", "old face")
    with torch.no_grad():
        moved = direction.move(styles(1), torch.ones(1))
    assert [s.shape[1] for s in moved.convs] == list(CHANNELS)


def test_misfits_are_refused(maker):
    direction = maker.direction(pictures(2), "face", "old face")
    with pytest.raises(DirectionError, match="2 pictures; the codes are of 3"):
        direction.move(styles(3), torch.ones(3))
    short = StyleSpace(styles(2).convs[:9], ())
    with pytest.raises(DirectionError, match="FFHQ 1024"):
        direction.move(short, torch.ones(2))
    with pytest.raises(DirectionError, match="removes every channel"):
        maker.direction(pictures(1), "face", "old face", 2.0)
    with pytest.raises(DirectionError, match="mean the same"):
        maker.direction(pictures(1), "face", "mask")
    with pytest.raises(DirectionError, match="expected \\[B,3,H,W\\]"):
        maker.direction(pictures(1)[0], "face", "old face")


def test_relevance_of_another_size_is_refused(tmp_path):
    np.save(tmp_path / "fs3.npy", np.ones((5376, 512), dtype=np.float32))
    with pytest.raises(DirectionError, match="5376, 512.*6048,512"):
        read_deltaedit_relevance(tmp_path / "fs3.npy")


def test_the_offset_of_one_picture_is_kept_as_a_vector(maker, tmp_path):
    direction, before = maker.direction(pictures(1), "face", "old face", 0.03), styles(1)
    path = save_own_file(direction.for_styles(before, "f00d"), tmp_path / "old.safetensors")
    kept = read_own_file(describe_own_file(path, None), FFHQ_1024.generator)
    moved, wanted = (d.move(before, torch.tensor([2.0])) for d in (kept, direction))
    for a, b in zip(moved.convs, wanted.convs, strict=True):
        torch.testing.assert_close(a, b)
    assert moved.rgbs is before.rgbs and (kept.info.family, kept.info.generator) == ("deltaedit", "f00d")
