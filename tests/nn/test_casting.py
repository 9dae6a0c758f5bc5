"""A network's tensors stand in the types that are said, and work on in them."""

import torch
from torch import nn

from sfe_models.nn.casting import cast_floats


def test_each_tensor_takes_its_type():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).requires_grad_(False)
    network[0].bias.requires_grad_(True)
    bias, before = network[0].bias, network[0].weight.clone()
    cast_floats(network, lambda name, tensor: torch.float16 if tensor.ndim == 4 else torch.float32)
    assert network[0].weight.dtype == torch.float16 and not network[0].weight.requires_grad
    assert torch.equal(network[0].weight, before.half())
    assert network[0].bias is bias and bias.requires_grad
    assert network[1].num_batches_tracked.dtype == torch.int64


def test_buffers_are_cast_and_names_are_whole():
    network, names = nn.Sequential(nn.BatchNorm2d(4)), []
    cast_floats(network, lambda name, tensor: names.append(name) or torch.float64)
    assert set(names) == {"0.weight", "0.bias", "0.running_mean", "0.running_var"}
    assert {tensor.dtype for tensor in network.state_dict().values()} == {torch.float64, torch.int64}
