"""Network pickles: the tensors come back bit by bit under NVlabs' names, and nothing runs."""

import io
import os
import pickle
import subprocess

import numpy as np
import pytest
import torch
from checkpoints.unpickling.ada import (
    KWARGS,
    Call,
    EasyDict,
    Persistent,
    ada_state,
    assert_same_state,
    flat,
    linear,
    reconstruct_persistent_obj,
)

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.unpickling.network_pickle import read_network_pickle


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
    with pytest.raises(CheckpointError, match="refused|damaged|Nothing of it was run") as error:
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
    "reconstructor without meta": Call(reconstruct_persistent_obj),
    "reconstructor of a number": Call(reconstruct_persistent_obj, 3),
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
    np.savez(path.with_suffix(".npz"), a=np.zeros(1))
    path.with_suffix(".npz").rename(path)
    with pytest.raises(CheckpointError, match="is .*; expected a StyleGAN2-ADA"):
        read_network_pickle(path)


def test_tensorflow_pickles_are_named(tmp_path):
    path = tmp_path / "network.pkl"
    path.write_bytes(b"\x80\x03cdnnlib.tflib.network\nNetwork\n.")
    with pytest.raises(CheckpointError, match="TensorFlow.*legacy.py"):
        read_network_pickle(path)
