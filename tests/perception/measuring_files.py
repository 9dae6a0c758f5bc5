"""The files that measure photographs, with random weights, in the layouts of the published ones; and the real ones."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from sfe_models.perception import face_api
from sfe_models.perception.age_gender import AffineConvolution, AgeNetwork, GenderNetwork
from sfe_models.perception.face_classes import FaceClasses
from sfe_models.perception.mobilefacenet import MobileFaceNet
from sfe_models.perception.stlpips import STLPIPS

FACE_API = {
    "face_expression_model": face_api.ExpressionNetwork,
    "face_landmark_68_model": face_api.LandmarkNetwork,
    "age_gender_model": face_api.XceptionAge,
}
STLPIPS_PLACES = ("slice1.0", "slice2.5", "slice3.9", "slice4.11", "slice5.13")


@pytest.fixture(scope="session")
def real_weights() -> Path:
    """The folder with the real files."""
    folder = os.environ.get("SFE_WEIGHTS", "")
    if not Path(folder).is_dir() or not folder:
        pytest.skip("needs the real files; set SFE_WEIGHTS to a folder that holds them")
    return Path(folder)


def ramps(side: int) -> torch.Tensor:
    """A picture [1,3,S,S] that anybody can make again: ramps down and across, and the sine of thrice their product."""
    ramp = torch.linspace(-1, 1, side)
    return torch.stack([ramp[:, None].expand(side, side), ramp.expand(side, side), (3 * ramp[:, None] * ramp).sin()])[
        None
    ]


def seeded(network: nn.Module, seed: int = 0) -> nn.Module:
    """Fill a network with numbers that keep what goes through it at about its size."""
    random = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        fan = parameter[0].numel() if parameter.ndim > 1 else 0
        values = torch.randn(parameter.shape, generator=random)
        parameter.data = values * (2 / fan) ** 0.5 if fan > 1 else values.abs() * 0.1 + (0.5 if fan == 1 else 0.0)
    return network.eval().requires_grad_(False)


def varint(value: int) -> bytes:
    found = b""
    while value > 0x7F:
        found, value = found + bytes([value & 0x7F | 0x80]), value >> 7
    return found + bytes([value])


def message(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def onnx(nodes, raw: bool = True, external: bool = False) -> bytes:
    """Write a model of nodes (operation, tensors) in protobuf's wire format."""
    graph, tensors = b"", b""
    for i, (operation, parts) in enumerate(nodes):
        node = message(1, b"picture")
        for j, part in enumerate(parts):
            name = f"t{i}.{j}".encode()
            node += message(1, name)
            values = part.contiguous().numpy().astype("<f4").tobytes()
            tensor = b"".join(varint(1 << 3) + varint(side) for side in part.shape) + varint(2 << 3) + varint(1)
            tensor += message(8, name) + (message(9, values) if raw else message(4, values))
            tensors += message(5, tensor + (message(13, b"") if external else b""))
        graph += message(1, node + message(4, operation.encode()))
    return varint(1 << 3) + varint(10) + message(7, graph + tensors)


def mobilefacenet_nodes(network: MobileFaceNet):
    return [("Conv", (m.weight, m.bias)) for m in network.modules() if isinstance(m, nn.Conv2d)]


def age_gender_nodes(network: AgeNetwork | GenderNetwork):
    nodes = []
    for module in network.modules():
        if isinstance(module, AffineConvolution):
            nodes.append(("Conv", (module.convolution.weight, module.convolution.bias)))
            nodes += [("Mul", (module.scale,)), ("Add", (module.offset,)), ("Relu", ())]
        elif isinstance(module, nn.Linear):
            if isinstance(network, GenderNetwork):
                nodes.append(("Mul", (network.first_factor if module is network.hidden else network.second_factor,)))
            nodes.append(("Gemm", (module.weight.T, module.bias)))
    return nodes


def stlpips_state(network: STLPIPS) -> dict:
    state = {"scaling_layer.shift": torch.zeros(1, 3, 1, 1), "net.slice1.1.filt": torch.zeros(64, 1, 3, 3)}
    for place, convolution in zip(STLPIPS_PLACES, network.convolutions, strict=True):
        state |= {f"net.{place}.weight": convolution.weight.data, f"net.{place}.bias": convolution.bias.data}
    return state | {f"lin{i}.model.1.weight": head.weight.data.abs() for i, head in enumerate(network.heads)}


def write_quantised(network: nn.Module, folder: Path, name: str) -> None:
    """Write a network as face-api's files: matrices in 8 bits, biases in float32, in TensorFlow's order of axes."""
    content, entries = b"", []
    for key, tensor in network.state_dict().items():
        if tensor.ndim == 4:
            tensor = tensor.permute((2, 3, 0, 1) if key.endswith("depthwise_filter") else (2, 3, 1, 0))
        values = (tensor.T if tensor.ndim == 2 else tensor).numpy()
        entry = {"name": key.replace(".", "/"), "shape": list(values.shape), "dtype": "float32"}
        if values.ndim > 1:
            low, scale = float(values.min()), float(np.ptp(values)) / 255 or 1.0
            entry["quantization"] = {"dtype": "uint8", "scale": scale, "min": low}
            content += np.round((values - low) / scale).astype("<u1").tobytes()
        else:
            content += values.astype("<f4").tobytes()
        entries.append(entry)
    manifest = [{"paths": [f"{name}.bin"], "weights": entries}]
    (folder / f"{name}.bin").write_bytes(content)
    (folder / f"{name}-weights_manifest.json").write_text(json.dumps(manifest))


def write_measuring_files(folder: Path) -> Path:
    """Write every file but dlib's, with seeded weights."""
    torch.save(stlpips_state(seeded(STLPIPS())), folder / "alex_shift_tolerant.pth")
    torch.save(seeded(FaceClasses()).state_dict(), folder / "model_best.pth")
    (folder / "MobileFaceNet.onnx").write_bytes(onnx(mobilefacenet_nodes(seeded(MobileFaceNet()))))
    (folder / "age-v1.onnx").write_bytes(onnx(age_gender_nodes(seeded(AgeNetwork()))))
    (folder / "gender-v1.onnx").write_bytes(onnx(age_gender_nodes(seeded(GenderNetwork()))))
    for name, kind in FACE_API.items():
        write_quantised(seeded(kind()), folder, name)
    return folder
