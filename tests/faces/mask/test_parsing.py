"""Face parsers: read without running anything, and what their classes mean."""

import pickle
import zipfile

import pytest
import torch
from torch import nn

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.unpickling.torchscript import read_torchscript_weights
from sfe_models.choices import BACKGROUND, HEAD, MOUTH, OVAL
from sfe_models.faces.crop.alignment import FaceAlignment
from sfe_models.faces.errors import FaceError
from sfe_models.faces.mask.bisenet import LABELS, BiSeNet
from sfe_models.faces.mask.farl import FaRLParser, inverse_warp_grid, warp_grid
from sfe_models.faces.mask.parsing import background_mask, load_parser, parse_faces, parsed_mask, read_parser

CROP = FaceAlignment.identity((64, 64))
# TorchScript is old, but the published file is of its kind.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
]


def small_farl(seed=0):
    """FaRL's parser with two narrow layers, as a stand-in."""
    torch.manual_seed(seed)
    network = FaRLParser(width=64, layers=2, grid=4, channels=8, classes=11)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    nn.init.uniform_(network.backbone.image_std, 0.2, 0.3)
    return network.eval()


def archive(network, path):
    """A TorchScript archive, as the published file is one."""
    with torch.no_grad():
        torch.jit.trace(network, torch.rand(1, 3, network.side, network.side)).save(str(path))
    return path


def test_weights_come_out_of_a_torchscript_archive(tmp_path):
    network = small_farl()
    weights = read_torchscript_weights(archive(network, tmp_path / "farl.pt"))
    state = network.state_dict()
    assert {key for key in state if not key.endswith("num_batches_tracked")} <= set(weights)
    assert all(torch.equal(weights[key], value) for key, value in state.items() if key in weights)


def test_the_archive_s_program_and_the_network_here_agree(tmp_path):
    path, picture = archive(small_farl(), tmp_path / "farl.pt"), torch.rand(2, 3, 64, 64)
    here = read_parser(path)
    assert isinstance(here, FaRLParser)
    with torch.no_grad():
        assert torch.allclose(here(picture), torch.jit.load(str(path))(picture), atol=1e-5)


class Bomb:
    def __reduce__(self):
        return (exec, ("raise SystemExit('it ran')",))


@pytest.mark.parametrize("content", [Bomb(), {"a": Bomb()}])
def test_nothing_of_an_archive_ever_runs(tmp_path, content):
    path = tmp_path / "evil.pt"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("evil/data.pkl", pickle.dumps(content, protocol=2))
        file.writestr("evil/constants.pkl", b"")
        file.writestr("evil/code/__torch__.py", "raise SystemExit('it ran')")
    with pytest.raises(CheckpointError, match="refused"):
        read_parser(path)


def test_the_archive_is_never_given_to_torch(tmp_path, monkeypatch):
    path = archive(small_farl(), tmp_path / "farl.pt")
    monkeypatch.setattr(torch.jit, "load", lambda *_: pytest.fail("torch.jit.load runs what is in the file"))
    read_parser(path)


@pytest.mark.parametrize("keep", [100, 2000])
def test_cut_archives_are_refused(tmp_path, keep):
    path = archive(small_farl(), tmp_path / "farl.pt")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError):
        read_parser(path)


def test_bisenet_is_read_from_its_state_dict(tmp_path):
    torch.manual_seed(0)
    network = BiSeNet().eval()
    extra = {"conv_out16.conv.conv.weight": torch.zeros(1), "cp.resnet.fc.weight": torch.zeros(1)}
    torch.save({**network.state_dict(), **extra}, tmp_path / "79999_iter.pth")
    here = load_parser("bisenet", [tmp_path])
    crops = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    logits = parse_faces(here, crops, [CROP, CROP])
    assert logits.shape == (2, 19, 64, 64)
    assert torch.allclose(logits[1:], parse_faces(here, crops[1:], [CROP]), atol=1e-4)


def test_a_lost_or_a_foreign_weight_is_named(tmp_path):
    state = BiSeNet().state_dict()
    torch.save({key: value for key, value in state.items() if key != "ffm.conv1.weight"}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"ffm\.conv1\.weight"):
        read_parser(tmp_path / "a.pth")
    torch.save({"something": torch.zeros(1)}, tmp_path / "b.pth")
    with pytest.raises(CheckpointError, match="something"):
        read_parser(tmp_path / "b.pth")


def test_a_missing_file_says_where_to_get_it(tmp_path):
    with pytest.raises(FaceError, match=r"79999_iter\.pth"):
        load_parser("bisenet", [tmp_path])
    with pytest.raises(FaceError, match="expected one of farl, bisenet"):
        load_parser("sam", [tmp_path])


def test_the_tanh_warp_and_back_is_the_identity():
    matrix = torch.tensor([[[1.2, -0.1, -0.5], [0.1, 1.2, -0.6]]])
    forth, back = warp_grid(matrix, 96), inverse_warp_grid(matrix, (64, 64))
    # A grid is a picture of positions: looked up at where a crop's pixel went, it gives that pixel's own position.
    looked_up = nn.functional.grid_sample(forth.movedim(-1, 1), back, "bilinear", "border", align_corners=False)
    own = nn.functional.affine_grid(torch.eye(2, 3)[None], (1, 1, 64, 64), align_corners=False)
    inside = (back.abs() < 0.7).all(dim=-1)
    assert inside.float().mean() > 0.3
    assert (looked_up.movedim(1, -1) - own)[inside].abs().max() < 0.01


def test_classes_become_regions():
    logits = torch.zeros(1, len(LABELS), 1, len(LABELS))
    logits[0, range(len(LABELS)), 0, range(len(LABELS))] = 1  # one pixel of each class
    named = dict(zip(LABELS, parsed_mask(logits, LABELS, HEAD)[0, 0].tolist(), strict=True))
    assert named["hair"] == named["skin"] == 1 and named["background"] == named["cloth"] == 0
    assert parsed_mask(logits, LABELS, MOUTH).sum() == 3
    assert torch.equal(parsed_mask(logits, LABELS, BACKGROUND), 1 - parsed_mask(logits, LABELS, OVAL))
    with pytest.raises(FaceError, match="unknown"):
        parsed_mask(logits, LABELS, "beard")


def test_the_published_threshold():
    logits = torch.zeros(1, 11, 1, 4)
    logits[0, 0, 0] = torch.tensor([0.0, -2.0, 5.0, 6.0])  # sigmoid: 0.5, 0.12, 0.9933, 0.9975
    assert background_mask(logits)[0, 0].tolist() == [0, 0, 0, 1]
    assert background_mask(logits, 0.095)[0, 0].tolist() == [1, 1, 1, 1]
    assert background_mask(logits, 0.2)[0, 0].tolist() == [1, 0, 1, 1]
