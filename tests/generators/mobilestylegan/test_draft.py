"""Laws of the draft: it changes nothing of the picture that follows, and comes for the generator that it is of."""

import pytest
import torch

from sfe_models.atomic import save_tensors
from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.domain import FFHQ_MOBILE_1024, BareGenerator
from sfe_models.drafts import Drafts
from sfe_models.generators.families import make_generator
from sfe_models.generators.mobilestylegan.draft import Draft
from sfe_models.generators.mobilestylegan.spec import MobileStyleGANSpec
from sfe_models.networks import SFENetworks
from sfe_models.photo.draft import draft_of, save_draft
from sfe_models.pipeline import Pipeline
from sfe_models.tuning.tuned import inversion_of_code

SMALL = MobileStyleGANSpec(channels=(16, 16, 16, 16, 16, 8, 8), style_dim=8, mapping_layers=2)


@pytest.fixture(scope="module")
def drafted():
    """A random generator of 512 px with F_k at 64 px, and a draft that stops at 128 px."""
    generator = make_generator(SMALL).requires_grad_(False).eval()
    generator.draw_weights(torch.Generator().manual_seed(0))
    domain = BareGenerator("small", SMALL).domain()
    torch.manual_seed(0)
    draft = Draft(SMALL, layer=16, width=4).requires_grad_(False)
    return Pipeline(SFENetworks.alone(generator, domain), drafts=Drafts(draft))


@pytest.fixture
def features(drafted):
    w = drafted.networks.generator.broadcast(torch.randn(2, 8, generator=torch.Generator().manual_seed(1)))
    return drafted.feature_edit(inversion_of_code(drafted, w, torch.zeros(2, 3, 512, 512)))


def test_the_picture_after_a_draft_is_the_picture(drafted, features):
    seen = []
    picture = drafted.synthesize(features, early=seen.append)
    (early,) = seen
    assert early.shape == (2, 3, drafted.drafts.draft.side, drafted.drafts.draft.side) and early.dtype == torch.float32
    torch.testing.assert_close(picture, drafted.synthesize(features), rtol=1e-5, atol=1e-5)


def test_the_second_draft_of_an_inversion_has_the_picture_s_colours(drafted, features):
    seen = []
    for _ in range(2):
        picture = drafted.synthesize(features, early=seen.append)
    small = torch.nn.functional.adaptive_avg_pool2d(picture, drafted.drafts.draft.side)
    first, second = ((made - small).square().mean() for made in seen)
    assert second < first
    means = [value.mean(dim=(2, 3)) for value in (seen[1], small)]
    torch.testing.assert_close(*means, rtol=1e-3, atol=1e-3)


def test_no_draft_where_a_smaller_picture_or_a_region_is_asked_for(drafted, features):
    masked = drafted.keep_within(drafted.compute_delta(features.edit), torch.eye(512)[None])
    drafted.synthesize(drafted.feature_edit(masked), early=pytest.fail)
    assert Pipeline(drafted.networks).synthesize(features, early=pytest.fail).shape == (2, 3, 512, 512)


def test_a_draft_follows_every_later_style(drafted, features):
    styles, draft = drafted.networks.generator.style_space(features.edit.w), drafted.drafts.draft
    at, later = torch.randn(2, 8, 16, 16), draft.later(styles)
    first = draft(at, later)
    for i in range(later.shape[1]):
        moved = later.clone()
        moved[:, i] += 1
        assert not torch.equal(draft(at, moved), first)


def test_a_batch_is_its_pictures(drafted):
    at, later = torch.randn(2, 8, 16, 16), torch.randn(2, drafted.drafts.draft.modulation.in_features)
    both, alone = (
        drafted.drafts.draft(at, later),
        [drafted.drafts.draft(at[i : i + 1], later[i : i + 1]) for i in range(2)],
    )
    torch.testing.assert_close(both, torch.cat(alone), rtol=1e-5, atol=1e-5)


def test_saved_and_read_for_its_own_generator_only(drafted, tmp_path):
    generator, draft = drafted.networks.generator, drafted.drafts.draft
    path = save_draft(draft, generator, tmp_path / "draft.safetensors")
    read = draft_of(generator, path)
    assert read.layer == draft.layer and read.side == draft.side
    assert all(torch.equal(read.state_dict()[name], tensor) for name, tensor in draft.state_dict().items())
    other = make_generator(SMALL)
    other.draw_weights(torch.Generator().manual_seed(5))
    assert draft_of(other, path) is None


def test_another_file_is_refused(drafted, tmp_path):
    path = save_tensors({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="no draft"):
        draft_of(drafted.networks.generator, path)


def test_the_packaged_one_looks_like_the_picture(mobile_generator):
    """On people that it was not trained on; a picture of one colour would be about 11 dB."""
    draft = draft_of(mobile_generator)
    random = torch.Generator().manual_seed(123)
    styles = mobile_generator.style_space(mobile_generator.broadcast(mobile_generator.mapping(
        torch.randn(2, 512, generator=random), 0.7
    )))  # fmt: skip
    with torch.no_grad():
        at = mobile_generator.run(mobile_generator.start(2), styles, draft.layer)
        made = draft(at.features, draft.later(styles))
        picture = mobile_generator.picture(mobile_generator.run(at, styles))
    small = torch.nn.functional.adaptive_avg_pool2d(picture, draft.side)
    assert (made - small).square().mean() < 4 * 10**-2.4
    assert FFHQ_MOBILE_1024.generator.resolution == 4 * draft.side
