"""CLIP (Radford et al. 2021) as text directions use it: unit embeddings of prompts and of pictures.

A single sentence carries its own accident of wording into the embedding. A prompt is therefore put into every
sentence of a template set, and the unit embeddings are averaged and brought to unit length again (section
3.1.4 of the CLIP paper; StyleCLIP, section 6). The published code uses 79 of CLIP's ImageNet templates;
`read_templates` reads such a file, `TEMPLATES` is a set of our own of the same size and role. The two give
nearly, not exactly, the same direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from ...choices import VIT_B_32
from ...text_files import read_text
from ..base import DirectionError

# Mean and deviation of CLIP's training pictures, RGB in [0,1].
_PIXEL_MEAN = (0.48145466, 0.4578275, 0.40821073)
_PIXEL_STD = (0.26862954, 0.26130258, 0.27577711)
_SAME_TEXT = 1e-6

_KINDS = ("photograph", "portrait", "snapshot", "painting", "drawing", "sketch", "print", "video still")
_LOOKS = ("", "sharp ", "soft ", "faded ", "colourful ", "grainy ", "small ", "large ", "dim ")
TEMPLATES = (
    "{}",
    "the {}",
    "a {}",
    "one {} seen up close",
    "one {} seen from afar",
    "this is how a {} looks",
    "look at this {}",
    *(f"a {look}{kind} of {{}}" for look in _LOOKS for kind in _KINDS),
)


class Embedder(Protocol):
    """What text directions need of CLIP. All embeddings are float32 of norm 1."""

    name: str

    def embed_text(self, prompt: str) -> Tensor:
        """Embed a prompt, averaged over the templates: [D]."""

    def embed_images(self, images: Tensor) -> Tensor:
        """images: [B,3,H,W] in [-1,1]. Returns [B,D]."""

    def embed_pixels(self, pixels: Tensor) -> Tensor:
        """pixels: [B,3,S,S] as they enter the network. Returns [B,D]."""


def check_templates(templates: Sequence[str], where: str) -> tuple[str, ...]:
    """Require at least one template and exactly one `{}` in each; `where` names them in the error."""
    bad = [t for t in templates if t.count("{}") != 1]
    if bad or not templates:
        found = f"the template {bad[0]!r}" if bad else "no template"
        raise DirectionError(f"{where}: {found}; expected sentences with one {{}} each, where the prompt goes.")
    return tuple(templates)


def read_templates(path: Path | str) -> tuple[str, ...]:
    """Read a template file such as the published `templates.txt`: one sentence with `{}` a line, UTF-8."""
    try:
        lines = read_text(path).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DirectionError(f"{path} cannot be read as a text file of templates: {error}.") from error
    return check_templates([line.strip() for line in lines if line.strip()], str(path))


def text_difference(embedder: Embedder, neutral: str, target: str) -> Tensor:
    """Subtract the neutral prompt's embedding from the target's: [D], not normalised.

    Raises DirectionError for empty prompts and for prompts that CLIP cannot tell apart.
    """
    for kind, prompt in (("neutral", neutral), ("target", target)):
        if not isinstance(prompt, str) or not prompt.strip():
            raise DirectionError(f"The {kind} prompt is empty; expected a few words, for example 'a face'.")
    difference = embedder.embed_text(target) - embedder.embed_text(neutral)
    if not difference.isfinite().all():
        raise DirectionError(f"The embedder {embedder.name} gives numbers that are not finite; load it again.")
    if difference.norm() <= _SAME_TEXT:
        raise DirectionError(
            f"Neutral prompt {neutral!r} and target prompt {target!r} mean the same to {embedder.name}; "
            "there is no direction between them. Say in the target what should differ."
        )
    return difference


class ClipEmbedder:
    """A CLIP model of `transformers` with its tokenizer."""

    def __init__(self, model, tokenizer, name: str, templates: Sequence[str] = TEMPLATES):
        self.model, self.tokenizer, self.name = model.eval().requires_grad_(False), tokenizer, name
        self.templates = check_templates(templates, f"Templates for {name}")

    @staticmethod
    def load(
        source: Path | str = VIT_B_32,
        device: torch.device | str = "cpu",
        templates: Sequence[str] = TEMPLATES,
    ) -> ClipEmbedder:
        """Load CLIP from a folder or by its id on the Hugging Face hub.

        Raises DirectionError when `transformers` is not installed or the model is not to be had.
        """
        try:
            from transformers import CLIPModel, CLIPTokenizer
        except ImportError as error:
            raise DirectionError(
                "Text directions need the package `transformers`, which is not installed: `pip install transformers`."
            ) from error
        try:
            model = CLIPModel.from_pretrained(source, weights_only=True).float()
            tokenizer = CLIPTokenizer.from_pretrained(source)
        except Exception as error:  # hub, file and format errors differ between releases
            reason = (str(error).splitlines() or [""])[0]
            raise DirectionError(
                f"Cannot load CLIP from {source}: {reason.rstrip('.')}. Give a folder with a CLIP model and "
                f"its tokenizer as `transformers` saves them, or the hub's id {VIT_B_32}."
            ) from error
        name = Path(source).name if Path(source).is_dir() else str(source)
        return ClipEmbedder(model.to(device), tokenizer, name, templates)

    @property
    def device(self) -> torch.device:
        return self.model.device

    @torch.no_grad()
    def embed_text(self, prompt: str) -> Tensor:
        """Embed a prompt, averaged over the templates: [D] of norm 1."""
        sentences = [template.replace("{}", prompt.strip()) for template in self.templates]
        tokens = self.tokenizer(sentences, padding=True, return_tensors="pt")
        length, limit = tokens["input_ids"].shape[1], self.model.config.text_config.max_position_embeddings
        if length > limit:
            raise DirectionError(
                f"The prompt {prompt[:60]!r} takes {length} tokens with its template; {self.name} reads "
                f"{limit}. Shorten it."
            )
        # Not get_text_features, whose result changed between releases.
        pooled = self.model.text_model(
            input_ids=tokens["input_ids"].to(self.device),
            attention_mask=tokens["attention_mask"].to(self.device),
        ).pooler_output
        unit = F.normalize(self.model.text_projection(pooled).float(), dim=-1)
        return F.normalize(unit.mean(dim=0), dim=0)

    @torch.no_grad()
    def embed_images(self, images: Tensor) -> Tensor:
        """images: [B,3,H,W], clamped to [-1,1]. Returns [B,D] of norm 1.

        CLIP's preprocessing: the short side to the network's size (bicubic, antialiased), the middle square
        cut out, mean and deviation of CLIP's training pictures.
        """
        side = self.model.config.vision_config.image_size
        height, width = images.shape[2:]
        scale = side / min(height, width)
        size = (max(side, round(height * scale)), max(side, round(width * scale)))
        small = images.to(self.device, torch.float32).clamp(-1, 1)
        small = F.interpolate(small, size=size, mode="bicubic", align_corners=False, antialias=True)
        top, left = (size[0] - side) // 2, (size[1] - side) // 2
        small = (small[:, :, top : top + side, left : left + side].clamp(-1, 1) + 1) / 2
        mean, std = (small.new_tensor(v)[:, None, None] for v in (_PIXEL_MEAN, _PIXEL_STD))
        return self.embed_pixels((small - mean) / std)

    @torch.no_grad()
    def embed_pixels(self, pixels: Tensor) -> Tensor:
        """pixels: [B,3,S,S], S the network's size, as they enter the network. Returns [B,D] of norm 1."""
        pooled = self.model.vision_model(pixel_values=pixels.to(self.device, torch.float32)).pooler_output
        return F.normalize(self.model.visual_projection(pooled).float(), dim=-1)


def check_threshold(threshold: float) -> float:
    """Require a finite threshold of 0 or more."""
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold < float("inf"):
        raise DirectionError(f"The disentanglement threshold is {threshold!r}; expected a number from 0 on.")
    return float(threshold)
