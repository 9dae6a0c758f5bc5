"""Laws of the inversions that are kept: the same pictures, no encoder, never more than asked for."""

import gc
import weakref

import torch

from sfe_models.recent import RecentInversions


def test_another_strength_is_the_uncached_edit_and_runs_no_encoder(pipeline, image, directions):
    recent, ran = RecentInversions(), []
    hooks = [
        network.register_forward_pre_hook(lambda *_: ran.append(1))
        for network in (pipeline.networks.e4e_encoder, pipeline.networks.inverter)
    ]
    try:
        first = recent.of(image, lambda: pipeline.invert(image))
        assert len(ran) >= 2
        ran.clear()
        again = recent.of(image.clone(), lambda: pipeline.invert(image))
        assert again is first and not ran
    finally:
        for hook in hooks:
            hook.remove()
    for strength in (1.0, -2.0):
        steps = [(directions[0], strength)]
        assert torch.equal(pipeline.edit(again, steps), pipeline.edit(image, steps))


def test_other_pictures_are_inverted(pipeline, image):
    recent = RecentInversions()
    first = recent.of(image, lambda: pipeline.invert(image))
    for other in (image[:1], image + torch.eye(80) * 1e-3, image.flip(0)):
        found = recent.of(other, lambda other=other: pipeline.invert(other.clamp(-1, 1)))
        assert found is not first and len(found) == len(other)


def test_the_oldest_goes_first_and_its_memory_with_it(pipeline, image):
    recent, pictures = RecentInversions(most=2), [image[:1] * scale for scale in (1, 0.5, 0.25)]
    first, second = (weakref.ref(recent.of(p, lambda p=p: pipeline.invert(p))) for p in pictures[:2])
    recent.of(pictures[0], lambda: None)
    recent.of(pictures[2], lambda: pipeline.invert(pictures[2]))
    gc.collect()
    assert first() is not None and second() is None


def test_a_batch_of_more_pictures_than_are_kept_is_not_kept(pipeline, image):
    recent = RecentInversions(most=1)
    first = recent.of(image, lambda: pipeline.invert(image))
    assert recent.of(image, lambda: pipeline.invert(image)) is not first
