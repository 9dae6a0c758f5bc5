"""The packaged draft of the photographic model: which generator it is of, in a file of its own."""

from __future__ import annotations

from pathlib import Path

from ..atomic import save_tensors
from ..checkpoints.errors import CheckpointError
from ..checkpoints.reading import read_safetensors
from ..drafts import Drafts
from ..generators.base import Generator
from ..generators.mobilestylegan.draft import Draft
from ..generators.mobilestylegan.generator import MobileStyleGAN

DRAFT = Path(__file__).parent / "draft.safetensors"
_FORMAT = "sfe-draft"


def save_draft(draft: Draft, generator: Generator, path: Path | str) -> Path:
    """Write a draft with the name of the generator that it was trained on."""
    metadata = {"format": _FORMAT, "generator": generator.fingerprint(), "layer": str(draft.layer)}
    return save_tensors(draft.state_dict(), path, metadata)


def draft_of(generator: Generator, path: Path | str = DRAFT) -> Draft | None:
    """Read a draft; None for another generator than it was trained on. Raises CheckpointError for another file."""
    if not isinstance(generator, MobileStyleGAN):
        return None
    file = read_safetensors(path)
    if file.metadata.get("format") != _FORMAT:
        raise CheckpointError(f"{path} is no draft of a generator; benchmarks/draft.py writes one.")
    if file.metadata["generator"] != generator.fingerprint():
        return None
    tensors = file.tensors(list(file.header))
    draft = Draft(generator.spec, int(file.metadata["layer"]), len(tensors["first.bias"]))
    draft.load_state_dict(tensors)
    return draft.eval().requires_grad_(False)


def drafts_of(generator: Generator) -> Drafts | None:
    """Make the packaged drafts of a generator; None where there are none of it."""
    draft = draft_of(generator)
    return None if draft is None else Drafts(draft)
