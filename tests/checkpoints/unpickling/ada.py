"""Stand-ins for what StyleGAN2-ADA's training code pickles."""

import collections

import numpy as np
import torch

KWARGS = {
    "z_dim": 4,
    "c_dim": 0,
    "w_dim": 4,
    "img_resolution": 16,
    "img_channels": 3,
    "mapping_kwargs": {"num_layers": 2},
    "synthesis_kwargs": {"channel_base": 64, "num_fp16_res": 1, "conv_clamp": 256},
}


class EasyDict(dict):
    """Stand in for dnnlib's class while pickling."""


def reconstruct_persistent_obj(meta):
    raise AssertionError("only named in pickles, never called")


reconstruct_persistent_obj.__name__ = reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"


class Persistent:
    """Pickle as NVlabs' persistent modules do. state: nested dicts, whose leaves are tensors."""

    def __init__(self, class_name, state, kwargs=None, args=()):
        attributes = EasyDict(_init_args=args, _init_kwargs=EasyDict(kwargs or {}), training=False)
        attributes |= {name: collections.OrderedDict() for name in ("_parameters", "_buffers", "_modules")}
        attributes |= {"_non_persistent_buffers_set": set(), "act_gain": np.sqrt(2), "bias_gain": 1}
        for name, value in state.items():
            if isinstance(value, dict):
                attributes["_modules"][name] = Persistent("Layer", value)
            elif name in ("noise_const", "resample_filter", "w_avg"):
                attributes["_buffers"][name] = value
            else:
                attributes["_parameters"][name] = value if value is None else torch.nn.Parameter(value)
        self.meta = {
            "type": "class",
            "version": 6,
            "module_src": "raise SystemExit('the embedded source was run')",
            "class_name": class_name,
            "state": attributes,
        }

    def __reduce__(self):
        return reconstruct_persistent_obj, (self.meta,), None


class Call:
    """Run a function where an unrestricted unpickler reads it."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def convolution(generator, resolution):
    return {
        "weight": torch.randn(4, 4, 3, 3, generator=generator).to(memory_format=torch.channels_last),
        "bias": torch.randn(4, generator=generator),
        "noise_strength": torch.randn([], generator=generator),
        "noise_const": torch.randn(resolution, resolution, generator=generator),
        "resample_filter": torch.tensor([1.0, 3, 3, 1]).outer(torch.tensor([1.0, 3, 3, 1])) / 64,
        "affine": linear(generator),
    }


def linear(generator):
    return {"weight": torch.randn(4, 4, generator=generator), "bias": torch.randn(4, generator=generator)}


def to_rgb(generator):
    return {
        "weight": torch.randn(3, 4, 1, 1, generator=generator),
        "bias": torch.randn(3, generator=generator),
        "affine": linear(generator),
    }


def ada_state(seed=0):
    """Return a StyleGAN2-ADA generator of 16 x 16 pixels with 4 channels, as nested dicts."""
    generator = torch.Generator().manual_seed(seed)
    synthesis = {
        "b4": {"const": torch.randn(4, 4, 4, generator=generator), "conv1": convolution(generator, 4)},
        "b8": {"conv0": convolution(generator, 8), "conv1": convolution(generator, 8)},
        "b16": {"conv0": convolution(generator, 16), "conv1": convolution(generator, 16)},
    }
    for block in synthesis.values():
        block["torgb"] = to_rgb(generator)
    mapping = {"fc0": linear(generator), "fc1": linear(generator)}
    mapping["w_avg"] = torch.randn(4, generator=generator)
    return {"synthesis": synthesis, "mapping": mapping}


def flat(nested, prefix=""):
    tensors = {}
    for name, value in nested.items():
        tensors |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return tensors


def assert_same_state(actual, expected):
    assert actual.keys() == expected.keys()
    for key in expected:
        assert torch.equal(actual[key], expected[key])
        assert actual[key].dtype == expected[key].dtype and not actual[key].requires_grad
