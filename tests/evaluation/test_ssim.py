"""MS-SSIM against a slow second implementation and a published package, and its laws."""

import numpy as np
import pytest
import torch

from sfe_models.evaluation.ssim import SCALE_WEIGHTS, ms_ssim, scales_of


def pictures(height, width, noise=0.3, batch=2, dtype=torch.float64):
    random = torch.Generator().manual_seed(0)
    rough = torch.rand(batch, 3, height // 8 + 2, width // 8 + 2, generator=random, dtype=dtype) * 2 - 1
    a = torch.nn.functional.interpolate(rough, size=(height, width), mode="bilinear")
    return a, (a + noise * torch.randn(a.shape, generator=random, dtype=dtype)).clamp(-1, 1)


def reference(a, b, weights):
    """One channel [H,W] in [0,1], straight from the papers' equations, a window at a time."""
    x = np.arange(11) - 5
    window = np.exp(-(x[:, None] ** 2 + x[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    product = 1.0
    for scale, weight in enumerate(weights):
        structures, similarities = [], []
        for i in range(a.shape[0] - 10):
            for j in range(a.shape[1] - 10):
                p, q = a[i : i + 11, j : j + 11], b[i : i + 11, j : j + 11]
                mp, mq = (window * p).sum(), (window * q).sum()
                vp, vq = (window * (p - mp) ** 2).sum(), (window * (q - mq) ** 2).sum()
                covariance = (window * (p - mp) * (q - mq)).sum()
                structure = (2 * covariance + 0.03**2) / (vp + vq + 0.03**2)
                structures.append(structure)
                similarities.append((2 * mp * mq + 0.01**2) / (mp**2 + mq**2 + 0.01**2) * structure)
        last = scale == len(weights) - 1
        product *= max(np.mean(similarities if last else structures), 0) ** weight
        a, b = (z.reshape(z.shape[0] // 2, 2, z.shape[1] // 2, 2).mean(axis=(1, 3)) if not last else z for z in (a, b))
    return product


def test_against_a_slow_implementation_at_three_scales():
    a, b = pictures(48, 64, batch=1)
    weights = np.array(SCALE_WEIGHTS[:3]) / sum(SCALE_WEIGHTS[:3])
    want = [reference((a[0, c].numpy() + 1) / 2, (b[0, c].numpy() + 1) / 2, weights) for c in range(3)]
    assert ms_ssim(a, b).item() == pytest.approx(np.mean(want), abs=1e-9)


def test_five_scales_against_the_package():
    package = pytest.importorskip("pytorch_msssim")
    a, b = pictures(176, 192)
    want = package.ms_ssim((a + 1) / 2, (b + 1) / 2, data_range=1.0, size_average=False)
    torch.testing.assert_close(ms_ssim(a, b), want.double(), rtol=1e-6, atol=1e-7)


def test_laws():
    a, b = pictures(64, 64, dtype=torch.float32)
    torch.testing.assert_close(ms_ssim(a, a), torch.ones(2))
    torch.testing.assert_close(ms_ssim(a, b), ms_ssim(b, a))
    torch.testing.assert_close(torch.cat([ms_ssim(a[:1], b[:1]), ms_ssim(a[1:], b[1:])]), ms_ssim(a, b))
    torch.testing.assert_close(ms_ssim(a, b).double(), ms_ssim(a.double(), b.double()), rtol=1e-4, atol=1e-5)
    assert ms_ssim(a, -a).min() >= 0  # negative terms count as nothing
    values = [ms_ssim(*pictures(64, 64, noise)).mean() for noise in (0.05, 0.2, 0.6)]
    assert values == sorted(values, reverse=True)


def test_as_many_scales_as_fit():
    assert [scales_of(s, 999) for s in (1024, 161, 160, 128, 64, 41, 40, 11)] == [5, 5, 4, 4, 3, 3, 2, 1]
    assert ms_ssim(*pictures(45, 43)).shape == (2,)
    with pytest.raises(ValueError, match="expected at least 11 px"):
        ms_ssim(*pictures(10, 20))
    with pytest.raises(ValueError, match="two batches of one shape"):
        ms_ssim(torch.zeros(1, 3, 16, 16), torch.zeros(2, 3, 16, 16))
