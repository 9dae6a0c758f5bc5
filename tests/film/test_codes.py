"""Codes over time: what is steady or moves stays, what flickers goes."""

import pytest
import torch

from sfe_models.film.codes import reach, smoothed, smoothed_batch, time_weights


def film(pipeline, frames, noise, seed=0):
    """Inversions of frames that all show one person, with noise in their codes."""
    random = torch.Generator().manual_seed(seed)
    still = pipeline.invert(torch.rand(1, 3, 64, 64, generator=random) * 2 - 1)
    still = still[torch.zeros(frames, dtype=torch.long)]
    return still.map(lambda t: t + noise * t.std() * torch.randn(t.shape, generator=random))


@pytest.mark.parametrize("now", [0, 1, 7, 14])
def test_weights_sum_to_one_and_keep_a_steady_motion(now):
    times = torch.tensor([0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16.0])
    weights = time_weights(times, now, 2.0).double()
    assert weights.sum() == pytest.approx(1, abs=1e-6)
    assert (weights * (3 * times - 5)).sum() == pytest.approx(3 * times[now].item() - 5, abs=1e-4)
    assert not weights[(times - times[now]).abs() > 6].any() and reach(2.0) == 6


def test_in_the_middle_the_filter_has_no_lag():
    weights = time_weights(torch.arange(13.0), 6, 2.0)
    assert torch.allclose(weights, weights.flip(0), atol=1e-7)


def test_what_does_not_change_stays_and_one_frame_alone_too(pipeline):
    still = film(pipeline, 6, 0.0)
    made = smoothed_batch(pipeline, still, 2.0)
    for name in ("w", "w_e", "F_k", "F_w_e"):
        assert torch.allclose(getattr(made, name), getattr(still, name), atol=1e-4)
    one = still[:1]
    assert smoothed(pipeline, [one], [0.0], [0], 2.0).F_k.equal(one.F_k)


def test_noise_shrinks_and_the_picture_that_was_seen_is_kept(pipeline):
    noisy, still = film(pipeline, 13, 0.05), film(pipeline, 13, 0.0)
    made = smoothed_batch(pipeline, noisy, 2.0)
    for name in ("w", "w_e", "F_k"):
        left = (getattr(made, name) - getattr(still, name))[3:-3].square().mean().sqrt()
        assert left < 0.6 * (getattr(noisy, name) - getattr(still, name))[3:-3].square().mean().sqrt()
    assert made.picture.equal(noisy.picture)


def test_a_blink_stays(pipeline):
    """What changes in a few cells for two frames, by far more than the noise, is no flicker."""
    noisy = film(pipeline, 13, 0.02)
    noisy.F_k[6:8, :, 4:9, 4:9] += 3 * noisy.F_k.std()
    made = smoothed_batch(pipeline, noisy, 2.0)
    kept = (made.F_k[6:8] - made.F_k[5:6])[:, :, 5:8, 5:8].mean() / (3 * noisy.F_k.std())
    assert kept > 0.9


def test_what_follows_from_the_codes_is_computed_anew(pipeline, directions):
    """The delta of a strength near 0 is near 0: F(w_E) is that of the smoothed code."""
    made = smoothed_batch(pipeline, film(pipeline, 7, 0.1), 2.0)
    small = pipeline.compute_delta(pipeline.apply_direction(made, directions[0], 1e-4)).delta
    large = pipeline.compute_delta(pipeline.apply_direction(made, directions[0], 1.0)).delta
    assert small.abs().max() < 1e-2 * large.abs().max()


def test_nothing_is_smoothed_across_a_cut(pipeline):
    random = torch.Generator().manual_seed(4)
    pictures = torch.cat([torch.zeros(5, 3, 64, 64) - 0.8, torch.zeros(5, 3, 64, 64)])
    pictures[5:, 0] = 0.9
    pictures = (pictures + 0.01 * torch.randn(pictures.shape, generator=random)).clamp(-1, 1)
    both = pipeline.invert(pictures)
    made = smoothed_batch(pipeline, both, 2.0)
    for part in (slice(0, 5), slice(5, 10)):
        alone = smoothed_batch(pipeline, both[part], 2.0)
        assert torch.allclose(made.F_k[part], alone.F_k, atol=1e-5) and torch.allclose(made.w[part], alone.w, atol=1e-5)


def test_smoothing_0_changes_nothing(pipeline):
    noisy = film(pipeline, 4, 0.1)
    assert smoothed_batch(pipeline, noisy, 0.0) is noisy
