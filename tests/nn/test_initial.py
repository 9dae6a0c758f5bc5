"""Weights to begin with: the numbers that randn draws, and none at all on the meta device."""

import json
import subprocess
import sys

import pytest
import torch
from torch import nn

from sfe_models.nn.initial import initialise, normal

_BUILDS = """
import json, sys
import torch
before = set(sys.modules)
import sfe_models.cli.editing, sfe_models.cli.inverting, sfe_models.cli.doctor
from sfe_models.cli.parsers.evaluating import JUDGE_FILE
from sfe_models.domain import DOMAINS
from sfe_models.gradual.files import load_any
from sfe_models.networks import SFENetworks
from sfe_models.perception.attribute_network import load_attribute_network
for spec in DOMAINS.values():
    SFENetworks.empty(spec, folded=True)
load_any("demo"), load_any("demo-gradual"), load_attribute_network(JUDGE_FILE)
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@pytest.mark.parametrize("factors", [{}, {"times": 0.1}, {"over": 3}, {"over": 0.01}])
def test_what_is_drawn_is_randn_bit_for_bit(factors):
    torch.manual_seed(3)
    drawn = normal(5, 7, **factors)
    torch.manual_seed(3)
    expected = torch.randn(5, 7)
    assert torch.equal(drawn, expected * factors["times"] if "times" in factors else expected / factors.get("over", 1))


def test_on_the_meta_device_nothing_is_drawn():
    state = torch.get_rng_state()
    with torch.device("meta"):
        tensor = normal(2, 3, over=2)
        initialise(tensor, nn.init.normal_, std=2.0)
    assert tensor.is_meta and tensor.shape == (2, 3) and torch.equal(torch.get_rng_state(), state)


def test_elsewhere_a_weight_is_filled():
    weight = torch.zeros(4, 4)
    initialise(weight, nn.init.constant_, val=2.0)
    assert weight.eq(2).all()


def test_commands_and_models_do_without_a_compiler_and_what_few_need():
    """A second or two of every command: torch's compiler, and half a second of others."""
    run = subprocess.run([sys.executable, "-c", _BUILDS], capture_output=True, text=True, encoding="utf-8")
    assert run.returncode == 0, run.stderr
    brought = set(json.loads(run.stdout))
    assert "sfe_models.pipeline" in brought
    slow = {"sympy", "torch._dynamo", "torch._inductor", "scipy.optimize", "scipy.sparse", "huggingface_hub", "kornia"}
    assert brought & slow == set()
