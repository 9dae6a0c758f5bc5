"""Masks by a face parser, when its file is there: FaRL's of the published set, or BiSeNet with 19 classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from ...checkpoints.containers import sniff
from ...checkpoints.errors import CheckpointError
from ...checkpoints.reading import read_safetensors, tensors_of
from ...checkpoints.unpickling.torch_file import read_torch
from ...checkpoints.unpickling.torchscript import read_torchscript_weights
from ...checkpoints.weights import BISENET, FARL, WeightFile
from ...choices import BACKGROUND, EYES, HEAD, MOUTH, NO_HAIR, NOSE, OVAL
from ..crop.alignment import FaceAlignment
from ..errors import FaceError
from ..files import face_file
from .bisenet import UNUSED, BiSeNet
from .farl import FaRLParser
from .regions import five_points

FARL_PARSER, BISENET_PARSER = "farl", "bisenet"
PARSERS: dict[str, WeightFile] = {FARL_PARSER: FARL, BISENET_PARSER: BISENET}

# The published runner's threshold for what is background; its command line gave 0.095.
BACKGROUND_THRESHOLD = 0.995

_FACE = (
    "skin",
    "left brow",
    "right brow",
    "left eye",
    "right eye",
    "glasses",
    "nose",
    "mouth",
    "upper lip",
    "lower lip",
)
_PARTS = {
    OVAL: _FACE,
    NO_HAIR: _FACE,
    HEAD: (*_FACE, "hair", "hat", "left ear", "right ear", "earring"),
    MOUTH: ("mouth", "upper lip", "lower lip"),
    EYES: ("left eye", "right eye", "glasses"),
    NOSE: ("nose",),
}

# What FaRL's transformer has for its pretraining alone.
_PRETRAINING = tuple(
    f"backbone.visual.{name}"
    for name in ("ln_post", "proj", "lm_transformer", "ln_lm", "lm_head", "mask_token", "conv_pool")
)


def load_parser(name: str, folders: Sequence[Path | str], device: torch.device | str = "cpu") -> nn.Module:
    """Load one of PARSERS with its file from one of the folders. Raises FaceError or CheckpointError."""
    if name not in PARSERS:
        raise FaceError(f"Face parser {name!r} is unknown; expected one of {', '.join(PARSERS)}.")
    return read_parser(face_file(PARSERS[name], folders)).to(device)


def read_parser(path: Path | str) -> nn.Module:
    """Read a face parser, recognised from its weights' names; nothing in the file is run. Raises CheckpointError.

    A TorchScript archive, a file of torch.save or safetensors.
    """
    file = sniff(path)
    if file.kind == "torchscript":
        state = read_torchscript_weights(file)
    elif file.kind == "safetensors":
        state = read_safetensors(file).tensors()
    else:
        state = tensors_of(read_torch(file), path)
    if "cp.resnet.conv1.weight" in state:
        network = BiSeNet()
        state = {key: value for key, value in state.items() if not key.startswith(UNUSED)}
    elif "backbone.visual.conv1.weight" in state and "head.head.conv_seg.weight" in state:
        network = FaRLParser.like(state)
        state = {key: value for key, value in state.items() if not key.startswith(_PRETRAINING)}
    else:
        raise CheckpointError(
            f"{path} holds {', '.join(sorted(state)[:3])}, ...; expected weights of FaRL's face parser or BiSeNet's."
        )
    try:
        missing, unknown = network.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise CheckpointError(f"{path} does not fit its network: {error}") from error
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or unknown:
        raise CheckpointError(
            f"{path} lacks {missing[:3]} and has {unknown[:3]}, which its network does not know; get the original file."
        )
    return network.eval().requires_grad_(False)


@torch.no_grad()
def parse_faces(parser: nn.Module, crops: Tensor, faces: Sequence[FaceAlignment]) -> Tensor:
    """Give the logits [F,classes,h,w] of crops [F,3,h,w] in [-1,1]; `parser.labels` names the classes."""
    device = next(parser.parameters()).device
    points = torch.stack([five_points(face) for face in faces]).to(device, torch.float32)
    return parser.parse(crops.to(device, torch.float32), points)


def parsed_mask(logits: Tensor, labels: Sequence[str], region: str) -> Tensor:
    """Say where a region is, by the likeliest class of each pixel: [F,h,w], 0 or 1; regions as in `regions`."""
    if region == BACKGROUND:
        return 1 - parsed_mask(logits, labels, OVAL)
    if region not in _PARTS:
        raise FaceError(f"Region {region!r} is unknown; expected one of {', '.join((*_PARTS, BACKGROUND))}.")
    classes = torch.tensor([i for i, label in enumerate(labels) if label in _PARTS[region]], device=logits.device)
    return torch.isin(logits.argmax(dim=1), classes).float()


def background_mask(logits: Tensor, threshold: float = BACKGROUND_THRESHOLD) -> Tensor:
    """Say what is background the published way: 1 where the sigmoid of class 0's logit reaches the threshold: [F,h,w].

    The published code protects where this is 1; Mask Δ changes where its mask is 1, so invert it there.
    """
    return (logits[:, 0].sigmoid() >= threshold).float()
