"""The published implementation's numbers, under deterministic weights: every output within 1e-4 (relative).

The fast cases come from `fixtures/golden.safetensors`; the whole kit runs where it is present.
"""

import json
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import golden_adapters
import pytest
import torch
from safetensors import safe_open
from stand_in import StandInWeights, normal

HERE = Path(__file__).parent
TOLERANCE = 1e-4
FIXTURE = safe_open(HERE / "fixtures/golden.safetensors", "pt")
CASES = {case["id"]: case for case in json.loads(FIXTURE.metadata()["cases"])}


@lru_cache(1)
def small_model():
    return golden_adapters.load(StandInWeights(102))


def inputs_of(case):
    inputs = {}
    for name, recipe in case["inputs"].items():
        if recipe["recipe"] == "styles":
            for key, channels in recipe["channels"].items():
                shape = [recipe["n"], channels]
                inputs[key] = normal(f"input/{key}", recipe["seed"], shape) * recipe["scale"] + 1
        else:
            values = normal(f"input/{recipe.get('tag', 'x')}", recipe["seed"], recipe["shape"])
            inputs[name] = values * recipe.get("scale", 1.0) + recipe.get("shift", 0.0)
    return inputs


def stored(case, part):
    prefix = f"{case['id']}|{part}|"
    return {key.removeprefix(prefix): FIXTURE.get_tensor(key) for key in FIXTURE.keys() if key.startswith(prefix)}


def compare(case, name, got):
    output = case["outputs"][name]
    assert list(got.shape) == output["shape"]
    for view, slices in output["views"].items():
        want = FIXTURE.get_tensor(f"{case['id']}|{name}|{view}").double()
        part = got[tuple(slice(*s) for s in slices)].double()
        assert (part - want).norm() <= TOLERANCE * want.norm(), (case["id"], name)
    assert got.double().square().mean().sqrt().item() == pytest.approx(output["stats"]["rms"], rel=TOLERANCE)


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_fast_cases(case):
    with torch.no_grad():
        if case["kind"] == "unit":
            params = case["params"]
            out = golden_adapters.unit(params["unit"], stored(case, "weight"), stored(case, "input"), params)
        else:
            out = getattr(golden_adapters, case["kind"])(small_model(), inputs_of(case), case["params"])
    for name in case["outputs"]:
        compare(case, name, out[name])


@pytest.mark.parametrize("only", ["^unit/", "^small/", "^align/", "^full/"])
def test_whole_kit(shared, only):
    done = subprocess.run(
        [sys.executable, shared / "golden/check.py", "--adapters", HERE / "golden_adapters.py", "--only", only]
        + ["--strict"],
        capture_output=True,
        text=True,
        env=os.environ | {"SFE_SHARED": str(shared)},
    )
    failures = [line for line in done.stdout.splitlines() if line.startswith(("FAIL", "SKIP"))]
    assert done.returncode == 0, "\n".join([*failures, done.stdout[-2000:], done.stderr[-2000:]])
