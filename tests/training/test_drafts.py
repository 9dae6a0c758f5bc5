"""Training of a draft: what it learns from parts of people holds for whole ones."""

import torch

from sfe_models.domain import FFHQ_MOBILE_1024
from sfe_models.networks import SFENetworks
from sfe_models.pipeline import Pipeline
from sfe_models.training.draft import draw_person, train_draft


def test_a_dozen_people_say_much_of_another(mobile_generator):
    generator = mobile_generator
    pipeline = Pipeline(SFENetworks.alone(generator, FFHQ_MOBILE_1024.domain()))
    draft = train_draft(pipeline, (), samples=12, inverted=0, steps=40)
    styles, state = draw_person(generator, torch.Generator().manual_seed(99))
    at = generator.run(state, styles, draft.layer)
    small = torch.nn.functional.adaptive_avg_pool2d(generator.picture(generator.run(at, styles)), draft.side)
    error = (draft(at.features, draft.later(styles)) - small).square().mean()
    assert error < 0.5 * small.var(dim=(2, 3), correction=0).mean()  # half of what a picture of its mean colour has
