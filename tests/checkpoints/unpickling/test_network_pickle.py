"""Network pickles: the tensors come back bit by bit under NVlabs' names, and nothing runs."""

import collections
import io
import os
import pickle
import subprocess
import sys
import types

import numpy as np
import pytest
import torch

from sfe_models.checkpoints.ada_generator import ada_generator_to_rosinality
from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.unpickling.network_pickle import read_network_pickle

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


def _reconstruct_persistent_obj(meta):
    raise AssertionError("only named in pickles, never called")


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
        return _reconstruct_persistent_obj, (self.meta,), None


class Call:
    """Run a function where an unrestricted unpickler reads it."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.fixture
def dump(monkeypatch, tmp_path):
    """Write a pickle in which the stand-ins carry NVlabs' module names."""

    def dump(content, name="network.pkl", protocol=None):
        with monkeypatch.context() as patch:
            for module, member in (
                ("torch_utils.persistence", _reconstruct_persistent_obj),
                ("dnnlib.util", EasyDict),
            ):
                patch.setitem(sys.modules, module.partition(".")[0], types.ModuleType("package"))
                fake = types.ModuleType(module)
                setattr(fake, member.__name__, member)
                patch.setitem(sys.modules, module, fake)
                patch.setattr(member, "__module__", module)
            path = tmp_path / name
            path.write_bytes(pickle.dumps(content, protocol))
            return path

    return dump


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


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_what_was_pickled_comes_back(dump, protocol):
    discriminator = {"b4": {"fc": linear(torch.Generator()), "skip": None}}
    content = {
        "G": Persistent("Generator", ada_state(1), KWARGS),
        "D": Persistent("Discriminator", discriminator, {"c_dim": 0}),
        "G_ema": Persistent("Generator", ada_state(), KWARGS),
        "training_set_kwargs": EasyDict(path="x"),
        "augment_pipe": None,
    }
    read = read_network_pickle(dump(content, protocol=protocol))
    assert_same_state(read.generator, flat(ada_state()))
    assert read.generator_kwargs == KWARGS
    assert_same_state(read.discriminator, flat({"b4": {"fc": discriminator["b4"]["fc"]}}))
    assert read.discriminator_kwargs == {"c_dim": 0}


def test_without_moving_average_and_discriminator(dump):
    network = Persistent("Generator", ada_state(), {"img_channels": 3}, args=(4, 0, 4, 16))
    read = read_network_pickle(dump({"G": network, "G_ema": None}))
    assert_same_state(read.generator, flat(ada_state()))
    expected = {"z_dim": 4, "c_dim": 0, "w_dim": 4, "img_resolution": 16, "img_channels": 3}
    assert read.generator_kwargs == expected
    assert read.discriminator is None and read.discriminator_kwargs is None


def hostile_calls(marker):
    command = f"touch {marker}"
    storage = io.BytesIO()
    torch.save(Call(os.system, command), storage, _use_new_zipfile_serialization=False)
    zipped = io.BytesIO()
    torch.save(Call(os.system, command), zipped)
    return {
        "os.system": Call(os.system, command),
        "eval": Call(eval, f"open({str(marker)!r}, 'w')"),
        "getattr": Call(getattr, [], "append"),
        "subprocess": Call(subprocess.check_call, ["touch", str(marker)]),
        "in a storage": Call(torch.storage._load_from_bytes, storage.getvalue()),
        "in a zipped storage": Call(torch.storage._load_from_bytes, zipped.getvalue()),
        "in a pickle in a storage": Call(
            torch.storage._load_from_bytes, pickle.dumps(Call(os.system, command), protocol=2)
        ),
        "torch.load": Call(torch.load, "x.pt"),
        "class": pytest.Item,
    }


@pytest.mark.parametrize("name", hostile_calls("marker"))
@pytest.mark.parametrize("place", ["top", "attribute", "state"])
def test_nothing_in_a_network_pickle_runs(dump, tmp_path, name, place):
    marker = tmp_path / "marker"
    hostile = hostile_calls(marker)[name]
    network = Persistent("Generator", ada_state(), KWARGS)
    if place == "attribute":
        network.meta["state"]["act_gain"] = hostile
    if place == "state":
        network.meta["state"] = hostile
    path = dump({"G_ema": network, "extra": hostile if place == "top" else None})
    with pytest.raises(CheckpointError, match="refused|damaged") as error:
        read_network_pickle(path)
    assert str(path) in str(error.value)
    assert not marker.exists()


def test_the_refused_global_is_named(dump):
    with pytest.raises(CheckpointError, match=r"would run (posix|nt)\.system, refused"):
        read_network_pickle(dump({"G_ema": Call(os.system, "true")}))
    nested = hostile_calls("marker")["in a storage"]
    with pytest.raises(CheckpointError, match=r"would run (posix|nt)\.system, refused"):
        read_network_pickle(dump({"G_ema": nested}))


class Built:
    """Call a function, then set a state on what stands on the stack."""

    def __init__(self, function, args, state):
        self.fields = function, args, state

    def __reduce__(self):
        return self.fields


def odd_tensor(offset, size, stride):
    storage = torch.zeros(2).__reduce_ex__(2)[1][0]
    return Call(torch._utils._rebuild_tensor_v2, storage, offset, size, stride, False, None)


ODD_CALLS = {
    "reconstructor without meta": Call(_reconstruct_persistent_obj),
    "reconstructor of a number": Call(_reconstruct_persistent_obj, 3),
    "storage of a number": Call(torch.storage._load_from_bytes, 3),
    "storage of rubbish": Call(torch.storage._load_from_bytes, b"rubbish"),
    "tensor without storage": Call(torch._utils._rebuild_tensor_v2, None, 0, (2,), (1,), False, None),
    "tensor beyond its storage": odd_tensor(0, (3,), (1,)),
    "tensor with an offset": odd_tensor(2, (1,), (1,)),
    "tensor before its storage": odd_tensor(-1, (1,), (1,)),
    "tensor with long strides": odd_tensor(0, (2,), (1 << 20,)),
    "large tensor of few values": odd_tensor(0, (1 << 40,), (0,)),
    "set of a number": Call(set, 3),
    "numpy objects": Call(np.dtype, "O", False, True),
    "numpy fields": Built(np.dtype, ("f4", False, True), (3, "<", None, ("a",), {"a": 1}, -1, -1, 0)),
    "scalar of few bytes": Call(np.float64(0).__reduce__()[0], np.dtype("f8"), b"123"),
    "state for an EasyDict": Built(EasyDict, (), {"keys": 3}),
}


@pytest.mark.parametrize("name", ODD_CALLS)
def test_odd_arguments_to_allowed_names_just_fail(dump, name):
    with pytest.raises(CheckpointError, match="damaged"):
        read_network_pickle(dump({"G_ema": ODD_CALLS[name]}))


def set_state_on(name, state):
    """Return a pickle that sets a state on an allowed global itself (no Python object pickles so)."""
    module, _, member = name.rpartition(".")
    return b"\x80\x03c" + f"{module}\n{member}\n".encode() + pickle.dumps(state, 3)[2:-1] + b"b."


@pytest.mark.parametrize("state", [{"x": 1}, (None, {"_call": len, "__setstate__": 1})])
@pytest.mark.parametrize(
    "name",
    [
        "collections.OrderedDict",
        "dnnlib.util.EasyDict",
        "torch_utils.persistence._reconstruct_persistent_obj",
        "torch._utils._rebuild_tensor_v2",
        "torch.storage._load_from_bytes",
        "torch.float32",
    ],
)
def test_allowed_names_cannot_be_changed(tmp_path, name, state):
    path = tmp_path / "network.pkl"
    path.write_bytes(set_state_on(name, state))
    with pytest.raises(CheckpointError):
        read_network_pickle(path)


def test_modules_that_contain_themselves_are_refused(dump):
    network = Persistent("Generator", ada_state(), KWARGS)
    network.meta["state"]["_modules"]["again"] = network.meta["state"]["_modules"]["mapping"]
    with pytest.raises(CheckpointError, match="'again' occurs twice"):
        read_network_pickle(dump({"G_ema": network}))


@pytest.mark.parametrize("table", ["_parameters", "_buffers", "_modules"])
@pytest.mark.parametrize("value", [3, "text", [torch.zeros(1)]])
def test_modules_with_odd_contents_are_refused(dump, table, value):
    network = Persistent("Generator", ada_state(), KWARGS)
    network.meta["state"][table]["odd"] = value
    with pytest.raises(CheckpointError, match="damaged"):
        read_network_pickle(dump({"G_ema": network}))


@pytest.mark.parametrize("part", [0.01, 0.5, 0.999])
def test_truncated_pickles_are_reported(dump, part):
    path = dump({"G_ema": Persistent("Generator", ada_state(), KWARGS)})
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(CheckpointError, match="damaged or incomplete") as error:
        read_network_pickle(path)
    assert str(path) in str(error.value)


def test_corrupt_pickles_are_reported(dump):
    path = dump({"G_ema": Persistent("Generator", ada_state(), KWARGS)})
    content = bytearray(path.read_bytes())
    content[20:60] = b"\xff" * 40
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        read_network_pickle(path)


@pytest.mark.parametrize("content", [[1, 2], {"D": None}, {"G_ema": {"weight": 1}}, "text", {}])
def test_other_pickles_are_named(dump, content):
    with pytest.raises(CheckpointError, match="holds .*expected a StyleGAN2-ADA network pickle"):
        read_network_pickle(dump(content))


def test_other_containers_are_named(tmp_path):
    path = tmp_path / "network.pkl"
    torch.save({"g_ema": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match="is a torch.save file; expected a StyleGAN2-ADA"):
        read_network_pickle(path)


def test_tensorflow_pickles_are_named(tmp_path):
    path = tmp_path / "network.pkl"
    path.write_bytes(b"\x80\x03cdnnlib.tflib.network\nNetwork\n.")
    with pytest.raises(CheckpointError, match="TensorFlow.*legacy.py"):
        read_network_pickle(path)


def convert(change=None, **kwargs):
    state = flat(ada_state()) | (change or {})
    return ada_generator_to_rosinality(state, KWARGS | kwargs, "network.pkl")


def test_renaming_keeps_every_value():
    state, generator = flat(ada_state()), convert()
    sources = [t for key, t in state.items() if not key.endswith(("resample_filter", "w_avg"))]
    assert len(generator.state) == len(sources)
    left = sorted(tensor.flatten().tolist() for tensor in sources)
    assert sorted(tensor.flatten().tolist() for tensor in generator.state.values()) == left
    assert torch.equal(generator.latent_avg, state["mapping.w_avg"])
    assert generator.conv_clamp == 256
    assert convert(synthesis_kwargs={}).conv_clamp is None


@pytest.mark.parametrize(
    ("published", "nvlabs", "shape"),
    [
        ("style.1.weight", "mapping.fc0.weight", (4, 4)),
        ("style.2.bias", "mapping.fc1.bias", (4,)),
        ("input.input", "synthesis.b4.const", (1, 4, 4, 4)),
        ("conv1.conv.weight", "synthesis.b4.conv1.weight", (1, 4, 4, 3, 3)),
        ("conv1.conv.modulation.bias", "synthesis.b4.conv1.affine.bias", (4,)),
        ("conv1.noise.weight", "synthesis.b4.conv1.noise_strength", (1,)),
        ("convs.0.conv.weight", "synthesis.b8.conv0.weight", (1, 4, 4, 3, 3)),
        ("convs.1.activate.bias", "synthesis.b8.conv1.bias", (4,)),
        ("convs.2.conv.modulation.weight", "synthesis.b16.conv0.affine.weight", (4, 4)),
        ("to_rgb1.bias", "synthesis.b4.torgb.bias", (1, 3, 1, 1)),
        ("to_rgbs.1.conv.weight", "synthesis.b16.torgb.weight", (1, 3, 4, 1, 1)),
        ("noises.noise_0", "synthesis.b4.conv1.noise_const", (1, 1, 4, 4)),
        ("noises.noise_3", "synthesis.b16.conv0.noise_const", (1, 1, 16, 16)),
    ],
)
def test_renamed_tensors_are_the_same(published, nvlabs, shape):
    tensor = convert().state[published]
    assert tensor.shape == shape
    assert torch.equal(tensor.flatten(), flat(ada_state())[nvlabs].flatten())


@pytest.mark.parametrize(
    ("kwargs", "named"),
    [
        ({"c_dim": 10}, "conditional"),
        ({"img_channels": 1}, "1 image channels"),
        ({"synthesis_kwargs": {"architecture": "resnet"}}, "architecture resnet"),
        ({"synthesis_kwargs": {"activation": "relu"}}, "activation relu"),
        ({"synthesis_kwargs": {"conv_clamp": "x"}}, "conv_clamp x"),
        ({"synthesis_kwargs": None}, "synthesis_kwargs"),
        ({"mapping_kwargs": {"lr_multiplier": 0.1}}, "lr_multiplier 0.1"),
    ],
)
def test_other_settings_are_refused(kwargs, named):
    with pytest.raises(CheckpointError, match=f"^network.pkl holds .*{named}.*expected an unconditional"):
        convert(**kwargs)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"synthesis.L0_36_512.weight": torch.zeros(1)}, "StyleGAN3"),
        ({"mapping.embed.weight": torch.zeros(1)}, "conditional"),
        ({"synthesis.b8.conv0.resample_filter": torch.ones(2, 2) / 4}, "another filter"),
        ({"synthesis.b8.skip.weight": torch.zeros(1)}, "synthesis.b8.skip.weight"),
        ({"synthesis.b4.torgb.bias": torch.zeros([])}, "another shape"),
    ],
)
def test_other_networks_are_refused(change, named):
    with pytest.raises(CheckpointError, match=named):
        convert(change)


def test_a_missing_tensor_is_named():
    state = flat(ada_state())
    del state["synthesis.b8.conv1.noise_const"]
    with pytest.raises(CheckpointError, match="synthesis.b8.conv1.noise_const"):
        ada_generator_to_rosinality(state, KWARGS, "network.pkl")
