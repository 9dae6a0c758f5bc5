"""Networks saved whole, and settings wherever a repository keeps them: the same generator as from the usual pickle."""

import os

import pytest
import torch
from checkpoints.unpickling.ada import KWARGS, Call, Persistent, ada_state, flat

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.load import load_generator
from sfe_models.checkpoints.recognise import read_contents
from sfe_models.checkpoints.unpickling.network_pickle import read_network_pickle
from sfe_models.checkpoints.unpickling.torch_file import read_torch

BASIC = {name: value for name, value in KWARGS.items() if name != "synthesis_kwargs"}


def network(**kwargs):
    return Persistent("Generator", ada_state(), BASIC | kwargs)


USUAL = {"synthesis_kwargs": {"conv_clamp": 256}}


def picture(path):
    generator = load_generator(path)
    w = torch.randn(1, generator.spec.n_styles, 4, generator=torch.Generator().manual_seed(1))
    return generator.spec.conv_clamp, generator(w)


@pytest.mark.parametrize("form", ["bare pickle", "torch.save of the network", "torch.save of the usual dictionary"])
def test_a_network_saved_whole_is_the_same_generator(dump, torch_dump, form):
    usual = picture(dump({"G_ema": network(**USUAL)}))
    if form == "bare pickle":
        path = dump(network(**USUAL), "bare.pkl")
    else:
        path = torch_dump({"G_ema": network(**USUAL)} if "dictionary" in form else network(**USUAL))
    clamp, made = picture(path)
    assert clamp == usual[0] == 256 and torch.equal(made, usual[1])
    read = read_network_pickle(path)
    assert {name: t.tolist() for name, t in read.generator.items()} == {
        name: t.tolist() for name, t in flat(ada_state()).items()
    }


def test_where_weights_alone_are_expected_a_whole_network_is_named(torch_dump):
    with pytest.raises(CheckpointError, match="holds a whole StyleGAN2-ADA network; expected weights alone"):
        read_torch(torch_dump(network()))


def test_modules_saved_whole_get_the_cure_and_no_suspicion(torch_dump, dump):
    module = torch.nn.Sequential(torch.nn.Linear(2, 2))
    for path in (torch_dump(module), torch_dump(module, zipped=False), torch_dump(network(), zipped=False)):
        with pytest.raises(CheckpointError, match=r"Nothing of it was run.*state_dict\(\)") as error:
            read_contents(path)
        assert "malicious" not in str(error.value)
    with pytest.raises(CheckpointError, match="it names torch.nn.modules.linear.Linear"):
        read_network_pickle(dump({"G_ema": module[0]}))


@pytest.mark.parametrize("place", ["beside", "inside"])
def test_a_whole_network_that_would_run_something_is_refused(torch_dump, tmp_path, place):
    hostile, whole = Call(os.system, f"touch {tmp_path / 'ran'}"), network()
    if place == "inside":
        whole.meta["state"]["act_gain"] = hostile
    path = torch_dump({"G_ema": whole, "extra": hostile if place == "beside" else None})
    with pytest.raises(CheckpointError, match=r"would run (posix|nt)\.system, refused.*malicious"):
        read_contents(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("kwargs", "expected"),
    [
        ({"synthesis_kwargs": {"conv_clamp": 256}}, 256),  # stylegan2-ada-pytorch
        ({"synthesis_kwargs": {}}, None),
        ({"fused_modconv_default": "inference_only"}, 256),  # stylegan3: its default
        ({"conv_clamp": 256}, 256),
        ({"conv_clamp": 128, "channel_base": 64}, 128),
        ({"conv_clamp": None, "channel_base": 64}, None),
    ],
)
def test_the_limit_of_convolutions_is_found_where_either_repository_keeps_it(dump, kwargs, expected):
    clamp, made = picture(dump({"G_ema": network(**kwargs)}))
    assert clamp == expected
    assert torch.equal(made, picture(dump({"G_ema": network(synthesis_kwargs={"conv_clamp": expected})}, "b.pkl"))[1])


@pytest.mark.parametrize(("name", "value"), [("activation", "relu"), ("architecture", "resnet")])
def test_other_settings_are_refused_wherever_they_stand(dump, name, value):
    for kwargs in ({name: value}, {"synthesis_kwargs": {name: value}}):
        with pytest.raises(CheckpointError, match=f"{name} {value}; expected an unconditional"):
            load_generator(dump({"G_ema": network(**kwargs)}))


def test_what_layers_say_counts_more_than_arguments(dump):
    whole = network(synthesis_kwargs={})
    synthesis = whole.meta["state"]["_modules"]["synthesis"]
    layers = [
        layer
        for block in synthesis.meta["state"]["_modules"].values()
        for name, layer in block.meta["state"]["_modules"].items()
        if name.startswith("conv")
    ]
    for layer in layers:
        layer.meta["state"]["conv_clamp"] = 64
    assert picture(dump({"G_ema": whole}))[0] == 64
    layers[0].meta["state"]["conv_clamp"] = 32
    with pytest.raises(CheckpointError, match="layers of different conv_clamp"):
        load_generator(dump({"G_ema": whole}))
    for layer in layers:
        layer.meta["state"] |= {"conv_clamp": 64, "activation": "relu"}
    with pytest.raises(CheckpointError, match="activation relu"):
        load_generator(dump({"G_ema": whole}))
