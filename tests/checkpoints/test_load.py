"""Published files, bundles and random weights become the same networks; wrong files become sentences."""

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from sfe_models.checkpoints import load as load_module
from sfe_models.checkpoints import recognise
from sfe_models.checkpoints.bundle import load_bundle, save_bundle
from sfe_models.checkpoints.convert import convert
from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.load import load_generator, load_networks, read_spec
from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.checkpoints.recognise import read_contents
from sfe_models.checkpoints.unpickling.network_pickle import NetworkPickle
from sfe_models.directions.families.deltaedit import DeltaMapper, read_delta_mapper
from sfe_models.domain import FFHQ_1024, tiny_domain
from sfe_models.inputs import InputError
from sfe_models.pipeline import Pipeline

SPEC = tiny_domain(64)
ROOT = Path(__file__).resolve().parents[2]


def prefixed(prefix, network):
    return {f"{prefix}.{key}": tensor for key, tensor in network.state_dict().items()}


@pytest.fixture(scope="module")
def plain():
    return random_networks(SPEC, folded=False)


@pytest.fixture
def folder(tmp_path, plain, monkeypatch):
    """The published layout, with small networks."""
    monkeypatch.setattr(load_module, "_domain", lambda generator, path: SPEC)
    state = plain.generator.state_dict()
    latent_avg = state.pop("latent_avg")
    state["convs.0.conv.blur.kernel"] = torch.outer(*[torch.tensor([1.0, 3, 3, 1])] * 2) / 16
    torch.save({"g_ema": state, "latent_avg": latent_avg}, tmp_path / "stylegan2-ffhq-config-f.pt")
    e4e = prefixed("encoder", plain.e4e_encoder)
    opts = {"stylegan_size": 64, "encoder_type": "Encoder4Editing"}
    torch.save({"state_dict": e4e, "opts": opts, "latent_avg": torch.zeros(10, 16)}, tmp_path / "e4e_ffhq_encode.pt")
    inverter = prefixed("inverter", plain.inverter)
    editor = prefixed("encoder", plain.feature_editor) | inverter
    torch.save({"state_dict": editor}, tmp_path / "sfe_editor_light.pt")
    torch.save({"state_dict": prefixed("encoder", plain.inverter)}, tmp_path / "sfe_inverter_light.pt")
    torch.save({"state_dict": e4e, "opts": {"encoder_type": "GradualStyleEncoder"}}, tmp_path / "psp_ffhq_encode.pt")
    (tmp_path / "shape_predictor_68_face_landmarks.dat").write_bytes(b"dlib")
    return tmp_path


@pytest.fixture
def want(plain):
    return copy.deepcopy(plain).fold()


def assert_same(networks, want):
    got, expected = networks.state_dict(), want.state_dict()
    assert got.keys() == expected.keys()
    assert all(torch.equal(got[key], expected[key]) for key in expected)


def test_published_folder(folder, want):
    assert_same(load_networks(folder), want)
    assert read_spec(folder) == SPEC


def test_inverter_alone_is_phase_1(folder, want):
    (folder / "sfe_editor_light.pt").unlink()
    networks = load_networks(folder)
    assert networks.feature_editor is None
    want.feature_editor = None
    assert_same(networks, want)


def test_full_training_checkpoint(tmp_path, plain, want, folder):
    names = {"e4e_encoder": "e4e_encoder", "generator": "decoder", "inverter": "inverter", "feature_editor": "encoder"}
    state = {}
    for name, prefix in names.items():
        state |= prefixed(prefix, getattr(plain, name))
    latent_avg = state.pop("decoder.latent_avg")
    path = tmp_path / "full.pt"
    torch.save({"state_dict": state, "latent_avg": latent_avg, "encoder_opt": {"state": {}}}, path)
    assert set(read_contents(path).components) == set(names)
    assert_same(load_networks(path), want)


def test_missing_batchnorm_counters_and_missing_noise(folder, want, caplog):
    path = folder / "sfe_editor_light.pt"
    state = torch.load(path)["state_dict"]
    torch.save({"state_dict": {k: v for k, v in state.items() if "num_batches" not in k}}, path)
    assert_same(load_networks(folder), want)
    path = folder / "stylegan2-ffhq-config-f.pt"
    content = torch.load(path)
    content["g_ema"] = {k: v for k, v in content["g_ema"].items() if not k.startswith("noises")}
    torch.save(content, path)
    one, two = load_networks(folder), load_networks(folder)
    assert torch.equal(one.generator.noises.noise_3, two.generator.noises.noise_3) and "no stored noise" in caplog.text


def test_missing_parts_are_named(folder):
    (folder / "e4e_ffhq_encode.pt").unlink()
    with pytest.raises(CheckpointError, match=r"lacks: e4e_encoder.*pSp"):
        load_networks(folder)


def test_two_of_a_kind_are_named(folder):
    (folder / "other.pt").write_bytes((folder / "e4e_ffhq_encode.pt").read_bytes())
    with pytest.raises(CheckpointError, match=r"e4e_ffhq_encode\.pt and .*other\.pt both hold a e4e_encoder"):
        load_networks(folder)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda s: s.pop("encoder.conv.weight"), "missing: conv.weight"),
        (lambda s: s.update({"encoder.extra": torch.zeros(1)}), "unknown: extra"),
        (lambda s: s.update({"encoder.conv.weight": torch.zeros(2, 2)}), r"conv.weight has shape \(2, 2\)"),
    ],
)
def test_wrong_tensors_are_named(folder, change, message):
    path = folder / "sfe_editor_light.pt"
    state = torch.load(path)["state_dict"]
    change(state)
    torch.save({"state_dict": state}, path)
    with pytest.raises(CheckpointError, match=rf"sfe_editor_light\.pt.*{message}"):
        load_networks(folder)


def test_another_filter_is_refused(folder):
    path = folder / "stylegan2-ffhq-config-f.pt"
    content = torch.load(path)
    content["g_ema"]["convs.0.conv.blur.kernel"] += 0.1
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=r"convs\.0\.conv\.blur\.kernel is not the \[1, 3, 3, 1\] filter"):
        load_networks(folder)


def test_damaged_and_malicious_files_in_a_folder_end_in_sentences(folder, tmp_path):
    whole = (folder / "e4e_ffhq_encode.pt").read_bytes()
    (folder / "e4e_ffhq_encode.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match=r"e4e_ffhq_encode\.pt is damaged or incomplete"):
        load_networks(folder)

    class Attack:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'pwned'}",)

    torch.save({"state_dict": {"encoder.latlayer1.weight": Attack()}}, folder / "e4e_ffhq_encode.pt")
    with pytest.raises(CheckpointError, match="would run"):
        load_networks(folder)
    (folder / "one.pkl").write_bytes(pickle.dumps({"G_ema": Attack()}))
    with pytest.raises(CheckpointError, match="would run"):
        load_generator(folder / "one.pkl")
    assert not (tmp_path / "pwned").exists()


def test_generator_alone(folder, plain):
    generator = load_generator(folder / "stylegan2-ffhq-config-f.pt")
    w = torch.randn(1, 10, 16)
    assert torch.equal(generator(w), plain.generator(w))
    content = torch.load(folder / "stylegan2-ffhq-config-f.pt")
    torch.save({"g_ema": content["g_ema"]}, folder / "bare.pt")
    measured = load_generator(folder / "bare.pt").latent_avg
    torch.testing.assert_close(measured, plain.generator.mean_latent())
    with pytest.raises(CheckpointError, match="holds e4e_encoder; expected a StyleGAN2 generator"):
        load_generator(folder / "e4e_ffhq_encode.pt")


def nvlabs_state(generator):
    """The generator's tensors under NVIDIA's names."""
    state = {"mapping.w_avg": generator.latent_avg, "synthesis.b4.const": generator.input.input[0]}
    for i, layer in enumerate(list(generator.style)[1:]):
        state |= {f"mapping.fc{i}.weight": layer.weight, f"mapping.fc{i}.bias": layer.bias}

    def styled(name, layer):
        state[f"{name}.weight"] = layer.conv.weight[0]
        state[f"{name}.affine.weight"], state[f"{name}.affine.bias"] = layer.conv.modulation.parameters()

    for i in range(generator.spec.n_layers):
        block = f"synthesis.b{generator.spec.layer_resolution(i + 1)}"
        name, layer = f"{block}.conv{0 if i % 2 else 1}", generator.conv(i)
        styled(name, layer)
        state[f"{name}.bias"], state[f"{name}.noise_strength"] = layer.activate.bias, layer.noise.weight[0]
        state[f"{name}.noise_const"] = getattr(generator.noises, f"noise_{i}")[0, 0]
    for i in range(generator.spec.n_resolutions):
        name, layer = f"synthesis.b{4 * 2**i}.torgb", generator.to_rgb(i)
        styled(name, layer)
        state[f"{name}.bias"] = layer.bias.flatten()
    return state


def test_network_pickle_makes_the_same_picture(plain, tmp_path, monkeypatch):
    (tmp_path / "ada.pkl").write_bytes(pickle.dumps({}))
    arguments = {"z_dim": 16, "c_dim": 0, "w_dim": 16, "img_resolution": 64, "img_channels": 3}
    pickled = NetworkPickle(nvlabs_state(plain.generator), arguments, None, None)
    monkeypatch.setattr(recognise, "read_network_pickle", lambda path: pickled)
    w = torch.randn(1, 10, 16)
    assert torch.equal(load_generator(tmp_path / "ada.pkl")(w), plain.generator(w))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_bundle_written_and_read_is_bit_identical(tmp_path, want, dtype):
    want.cast(dtype)
    path = save_bundle(want, tmp_path / "deep" / "b.safetensors", "tests")
    got = load_bundle(path)
    assert got.dtype == dtype and got.spec == SPEC and read_spec(path) == SPEC
    assert_same(got, want)
    for other in (torch.float32, torch.bfloat16, torch.float16):
        assert_same(load_bundle(path, other), copy.deepcopy(want).cast(other))


def test_convert_with_first_styles(folder, tmp_path, image, directions, want):
    path = convert(folder, tmp_path / "b.safetensors", torch.float32, first_styles=True)
    small, whole = Pipeline(load_networks(path)), Pipeline(want)
    steps = [(directions[0], 2.0)]
    assert torch.equal(small.edit(image, steps), whole.edit(image, steps))
    assert path.stat().st_size < convert(folder, tmp_path / "c.safetensors", torch.float32).stat().st_size
    with pytest.raises(InputError, match="first 5 only"):
        small.invert(image, all_styles=True)


def test_unfolded_networks_and_unwritable_places_are_refused(tmp_path, plain, want):
    with pytest.raises(ValueError, match="fold"):
        save_bundle(plain, tmp_path / "b.safetensors")
    broken = copy.deepcopy(want)
    next(broken.inverter.parameters()).view(-1)[0] = float("nan")
    with pytest.raises(CheckpointError, match="is not written: the weights of inverter.* are not finite"):
        save_bundle(broken, tmp_path / "b.safetensors")
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Cannot write"):
        save_bundle(want, tmp_path / "file" / "b.safetensors")
    (tmp_path / "dir").mkdir()
    with pytest.raises(OSError, match="Cannot write"):
        save_bundle(want, tmp_path / "dir")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dir", "file"]


def test_wrong_bundles(tmp_path, want):
    path = save_bundle(want, tmp_path / "b.safetensors")
    tensors = load_file(path)
    good = {"format": "sfe-bundle", "version": "1", "domain": SPEC.to_json(), "dtype": "float32"}
    good |= {"e4e_styles": "10", "feature_editor": "true"}

    def check(message, tensors=tensors, **metadata):
        save_file(tensors, path, {k: v for k, v in (good | metadata).items() if v is not None})
        with pytest.raises(CheckpointError, match=message):
            load_networks(path)

    check("no SFE bundle", format=None)
    check("version 9", version="9")
    check("damaged description", domain="{}")
    check("damaged description", domain=SPEC.to_json().replace("mapping_layers", "wrong"))
    check("damaged description", domain=SPEC.to_json().replace('"resolution": 64', '"resolution": 63'))
    check("damaged description", domain=SPEC.to_json().replace('"style_dim": 16', '"style_dim": "16"'))
    check("damaged metadata", dtype="nonsense")
    check("damaged metadata", dtype="int8")
    check("damaged metadata", e4e_styles="many")
    check("damaged metadata", e4e_styles="1")
    check("missing: generator.conv1.conv.weight", {k: v for k, v in tensors.items() if "r.conv1.conv.w" not in k})
    check("expected", domain=tiny_domain(32).to_json(), e4e_styles="8")
    for value in (float("nan"), float("inf")):
        damaged = tensors["generator.convs.2.conv.weight"].clone()
        damaged.view(-1)[7] = value
        check("generator.convs.2.conv.weight that are not finite", tensors | {"generator.convs.2.conv.weight": damaged})
    save_file(tensors, path, good)
    whole = path.read_bytes()
    for size in (0, 5, 100, len(whole) - 10):
        path.write_bytes(whole[:size])
        with pytest.raises(CheckpointError, match="b.safetensors"):
            load_networks(path)


def test_a_link_to_nowhere_is_named_and_hidden_files_are_passed_over(folder, tmp_path):
    (folder / "._sfe_editor_light.pt").write_bytes(b"\x00\x05\x16\x07")
    load_networks(folder)
    (folder / "stylegan2-ffhq-config-f.pt").unlink()
    (folder / "stylegan2-ffhq-config-f.pt").symlink_to(tmp_path / "moved" / "gen.pt")
    with pytest.raises(CheckpointError, match="lacks: generator.*a link to .*gen.pt, which is not there"):
        load_networks(folder)


def test_what_is_no_model(tmp_path):
    with pytest.raises(CheckpointError, match="does not exist"):
        load_networks(tmp_path / "nothing.pt")
    with pytest.raises(CheckpointError, match="no domain 'ffhq'"):
        load_networks("random:ffhq")
    with pytest.raises(CheckpointError, match="lacks: generator, e4e_encoder, inverter"):
        load_networks(tmp_path)
    assert read_spec("random:ffhq-1024") == FFHQ_1024


def test_delta_mapper_file(tmp_path):
    with torch.device("meta"):
        state = DeltaMapper().state_dict()
    state = {key: torch.zeros(tensor.shape) for key, tensor in state.items()}
    path = tmp_path / "delta_mapper.pt"
    torch.save(state, path)
    assert read_delta_mapper(path).state_dict().keys() == state.keys()
    torch.save({k: v for k, v in state.items() if k != "fm_fine.mapping.3.bias"}, path)
    with pytest.raises(CheckpointError, match=r"missing: fm_fine\.mapping\.3\.bias"):
        read_delta_mapper(path)


MEASURE = """
import resource, sys, torch
sys.path.insert(0, sys.argv[1])
from sfe_models.checkpoints.load import load_networks
import sfe_models.pipeline
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
networks = load_networks(sys.argv[2], getattr(torch, sys.argv[3]))
total = sum(float(t.float().sum()) for t in networks.state_dict().values())  # touch everything
print(peak() - before)
"""


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A bundle of which most are weights."""
    networks = random_networks(tiny_domain(64, width=512, name="wide"))
    return save_bundle(networks, tmp_path_factory.mktemp("wide") / "b.safetensors")


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak memory as Linux reports it")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_loading_takes_the_size_of_the_file(wide, dtype):
    command = [sys.executable, "-c", MEASURE, ROOT, wide, dtype]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    allowance = 40e6  # torch's own first allocations
    assert int(done.stdout) <= 1.2 * wide.stat().st_size + allowance
