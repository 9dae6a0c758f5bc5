"""Winograd's method computes the convolution."""

import pytest
import torch
import torch.nn.functional as F

from sfe_models.nn import convolution, winograd
from sfe_models.nn.convolution import Conv2d, winograd_tile
from sfe_models.nn.winograd import transform_weight, winograd_conv3x3


def case(batch=2, channels=12, out=20, height=16, width=24):
    random = torch.Generator().manual_seed(1)
    x = torch.randn(batch, channels, height, width, generator=random)
    weight = torch.randn(out, channels, 3, 3, generator=random) / (9 * channels) ** 0.5
    bias = torch.randn(out, generator=random)
    return x, weight, bias, F.conv2d(x.double(), weight.double(), bias.double(), padding=1)


@pytest.mark.parametrize("m", [2, 4])
@pytest.mark.parametrize("elements", [1, 4000, 1 << 22])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_equals_direct_convolution(m, elements, memory_format, monkeypatch):
    monkeypatch.setattr(winograd, "_CHUNK_ELEMENTS", elements)
    x, weight, bias, want = case()
    x, weight = (t.contiguous(memory_format=memory_format) for t in (x, weight))
    got = winograd_conv3x3(x, transform_weight(weight, m), bias, m)
    assert (got - want).norm() <= 2e-6 * want.norm()
    without = winograd_conv3x3(x, transform_weight(weight, m), None, m)
    torch.testing.assert_close(without + bias[:, None, None], got, rtol=1e-5, atol=1e-5)


def test_float64_is_exact_to_rounding():
    x, weight, bias, want = case()
    got = winograd_conv3x3(x.double(), transform_weight(weight.double(), 4), bias.double(), 4)
    assert (got - want).norm() <= 1e-14 * want.norm()


def test_bfloat16_is_within_three_times_the_direct_error():
    x, weight, bias, want = case(channels=128, out=128)
    narrow = weight.bfloat16()
    got = winograd_conv3x3(x.bfloat16(), transform_weight(narrow, 2), bias.bfloat16(), 2)
    direct = F.conv2d(x.bfloat16(), narrow, bias.bfloat16(), padding=1)
    assert (got - want).norm() <= 3 * (direct - want).norm()


def test_used_only_where_it_pays_and_without_gradients():
    conv = Conv2d(128, 128, 3, padding=1)
    x = torch.randn(1, 128, 16, 16)
    with torch.no_grad():
        assert winograd_tile(x, conv.weight, torch.float32) == 4
        assert winograd_tile(x, conv.weight, torch.bfloat16) is None  # too few channels
        assert winograd_tile(x, conv.weight, torch.float64) is None
        assert winograd_tile(x[..., :15], conv.weight, torch.float32) is None
        assert winograd_tile(x[..., :8, :8], conv.weight, torch.float32) is None
    assert winograd_tile(x, conv.weight, torch.float32) is None
    conv(x).sum().backward()
    assert conv.weight.grad is not None


def test_float16_is_widened_on_a_cpu_without_it(monkeypatch):
    conv = Conv2d(128, 128, 3, padding=1).half().requires_grad_(False)
    x = torch.randn(1, 128, 16, 16)
    monkeypatch.setattr(convolution, "_cpu_has_float16", lambda: False)
    want = F.conv2d(x, conv.weight.float(), conv.bias.float(), padding=1)
    assert conv(x).dtype == torch.float32
    torch.testing.assert_close(conv(x), want, rtol=1e-4, atol=1e-4)
    monkeypatch.setattr(convolution, "_cpu_has_float16", lambda: True)
    assert conv(x.contiguous(memory_format=torch.channels_last)).dtype == torch.float16


def test_transform_follows_a_changed_weight():
    conv = Conv2d(128, 128, 3, padding=1, bias=False).requires_grad_(False)
    x = torch.randn(1, 128, 16, 16)
    before = conv(x)
    conv.weight.mul_(2)
    torch.testing.assert_close(conv(x), 2 * before, rtol=1e-5, atol=1e-5)
