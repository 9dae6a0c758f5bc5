"""ONNX files as data: what is read, and what is refused."""

import pytest
import torch
from perception.measuring_files import message, onnx

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.perception.onnx_weights import read_onnx


@pytest.fixture
def nodes():
    random = torch.Generator().manual_seed(1)
    weight, bias = torch.randn(3, 2, 1, 1, generator=random), torch.randn(3, generator=random)
    return [("Conv", (weight, bias)), ("Relu", ()), ("Mul", (torch.tensor([2.0]),))]


@pytest.mark.parametrize("raw", [True, False])
def test_tensors_come_back_by_node_in_both_layouts(tmp_path, nodes, raw):
    (tmp_path / "a.onnx").write_bytes(onnx(nodes, raw))
    read = read_onnx(tmp_path / "a.onnx")
    assert [operation for operation, _ in read.nodes] == ["Conv", "Mul"]
    assert all(torch.equal(a, b) for a, b in zip(read.of("Conv")[0], nodes[0][1], strict=True))
    assert torch.equal(read.of("Mul", "Relu")[0][0], torch.tensor([2.0]))


def test_every_shorter_file_is_refused_or_holds_less(tmp_path, nodes):
    whole, path = onnx(nodes), tmp_path / "a.onnx"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match="damaged or no ONNX file"):
            read_onnx(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a zip file", b"\xff" * 40, message(7, message(5, b"\x12\x07"))])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(CheckpointError, match="a.onnx"):
        read_onnx(tmp_path / "a.onnx")


def test_tensors_in_a_second_file_are_refused(tmp_path, nodes):
    (tmp_path / "a.onnx").write_bytes(onnx(nodes, external=True))
    with pytest.raises(CheckpointError, match="second file"):
        read_onnx(tmp_path / "a.onnx")


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"none\.onnx cannot be read"):
        read_onnx(tmp_path / "none.onnx")
