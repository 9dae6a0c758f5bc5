"""Directions made for StyleGAN2 on generators of another layout."""

import pytest
import torch

from sfe_models.directions.base import DirectionError, DirectionInfo
from sfe_models.directions.families.mapper import StyleCLIPMapper
from sfe_models.directions.families.reader import Stored
from sfe_models.directions.families.readers import read_direction
from sfe_models.directions.finding.sefa import sefa
from sfe_models.domain import FFHQ_1024
from sfe_models.generators.mobilestylegan.generator import MobileStyleGAN
from sfe_models.generators.mobilestylegan.spec import FFHQ_MOBILE, MobileStyleGANSpec
from sfe_models.generators.stylegan2.spec import StyleGAN2Spec, config_f_channels

INFO = DirectionInfo("d", "test", "human faces")
PCA = {"comp": torch.eye(512)[:2, None], "mean": torch.zeros(1, 512), "std": torch.ones(2)}


def read(tensors, spec, **parameters):
    return read_direction(Stored("d.pt", INFO, tensors, parameters=parameters), spec)


def moved_layers(direction, spec):
    w_plus = torch.zeros(1, spec.n_styles, 512)
    return (direction.move(w_plus, torch.ones(1))[0] != 0).any(dim=1).nonzero()[:, 0].tolist()


def test_a_vector_of_18_latents_reaches_a_generator_of_23():
    rows = torch.arange(1.0, 19)[:, None].expand(18, 512)
    direction = read({"": rows.reshape(1, -1)}, FFHQ_MOBILE)
    assert torch.equal(direction.vector, FFHQ_MOBILE.fit_latents(rows)) and direction.vector.shape == (23, 512)
    assert torch.equal(read({"": rows}, FFHQ_1024.generator).vector, rows)
    assert torch.equal(read({"": rows[:1]}, FFHQ_MOBILE).vector, rows[:1])
    with pytest.raises(DirectionError, match=r"shape \[17, 512\]; the model's W\+ codes are \[23,512\]"):
        read({"": rows[:17]}, FFHQ_MOBILE)


def test_a_smaller_stylegan2_takes_the_first_latents():
    spec = StyleGAN2Spec(512, config_f_channels(512))
    rows = torch.arange(1.0, 19)[:, None].expand(18, 512)
    assert torch.equal(read({"": rows}, spec).vector, rows[:16])


@pytest.mark.parametrize(("first", "end"), [(7, 8), (0, 5), (10, 11), (0, 18)])
def test_a_coordinate_is_set_where_stylegan2_has_the_same_pixels(first, end):
    mask = torch.zeros(18, 1)
    mask[first:end] = 1
    wanted = FFHQ_MOBILE.fit_latents(mask)[:, 0].nonzero()[:, 0].tolist()
    assert moved_layers(read(PCA, FFHQ_MOBILE, component=0, first_layer=first, end_layer=end), FFHQ_MOBILE) == wanted
    stylegan2 = FFHQ_1024.generator
    direction = read(PCA, stylegan2, component=0, first_layer=first, end_layer=end)
    assert moved_layers(direction, stylegan2) == list(range(first, end))


def test_a_mapper_is_for_stylegan2_alone():
    state = {f"mapper.{k}": v for k, v in StyleCLIPMapper(512, ("course_mapping",)).state_dict().items()}
    assert read(state, FFHQ_1024.generator).reads_all_layers
    with pytest.raises(DirectionError, match="StyleGAN2's latents"):
        read(state, FFHQ_MOBILE)


def test_sefa_finds_directions_of_any_family():
    torch.manual_seed(0)
    generator = MobileStyleGAN(MobileStyleGANSpec((16, 16, 16, 8), style_dim=16, mapping_layers=2))
    spec = generator.spec
    (whole,), (some,) = sefa(generator, None, None, 1), sefa(generator, None, (1, spec.n_styles - 1), 1)
    assert whole.vector.shape == (1, 16) and whole.info.subject is None
    assert some.vector.any(dim=1).nonzero()[:, 0].tolist() == [1, spec.n_styles - 1]
    w = generator.broadcast(torch.zeros(1, 16))
    before, after = (generator.style_space(code) for code in (w, whole.move(w, torch.ones(1))))
    assert any((a != b).any() for a, b in zip(before.convs, after.convs, strict=True))
