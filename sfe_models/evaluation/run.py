"""Measure a model on all pictures of a source: one inversion each, every method, every edit."""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from tqdm import tqdm

from ..equations import resized
from ..faces.errors import FaceError
from ..pictures.errors import ImageError
from ..pipeline import Pipeline
from ..sharing import Share
from .comparison import as_saved
from .methods import METHODS, Method, People, invert
from .metrics import Metrics
from .one_picture import OnePictureMethod
from .records import Records
from .sampled import SAMPLED
from .sources import Source

logger = logging.getLogger(__name__)

# Pictures that the seconds of an inversion are the median of, and after how many seconds one is enough.
_TIMED, _SLOW = 8, 5.0
# Without an edit delta is 0: these methods invert as others do.
_TWINS = {"f_minus_delta": "inverter"}


class Editing(Protocol):
    """What is edited besides the inversion, and what is kept of it; see `true_edits` and `editing_fid`."""

    def wanted(self, key: str) -> tuple[str, ...]:
        """Name the edits of one picture."""
        ...

    def measure(
        self, people: People, keys: Sequence[str], methods: Sequence[Method], inverted: dict[str, Tensor]
    ) -> list[tuple[dict, dict]]:
        """Edit a batch: results by edit and feature vectors by name, for each picture."""
        ...


@dataclass(frozen=True)
class Evaluation:
    """All that an evaluation needs. methods: rows, without "unedited"; batch: pictures worked on together."""

    pipeline: Pipeline
    source: Source
    methods: tuple[Method, ...]
    metrics: Metrics
    editing: Editing | None = None
    batch: int = 8

    @property
    def columns(self) -> tuple[str, ...]:
        """Name the columns of tables: the usual methods, whether the model can run them or not, then further ones."""
        return (*METHODS, *(method.name for method in self.methods if method.name not in METHODS))

    def wanted(self, key: str) -> tuple[str, ...]:
        """Name the edits of one picture."""
        return self.editing.wanted(key) if self.editing is not None else ()

    def complete(self, key: str, result: dict | None) -> bool:
        """Whether a picture's result has all that is wanted; one that could not be read has."""
        if result is None:
            return False
        return "skipped" in result or set(self.wanted(key)) <= set(result["editing"])

    def run(self, records: Records, share: Share | None = None, quiet: bool = False) -> dict[str, dict]:
        """Measure this process's part of what is not there yet; return the results of all processes, by key.

        Pictures that cannot be read, are no aligned crops or show no face are skipped with {"skipped": reason}.
        """
        share, known = share or Share(), records.read()
        keys = [key for key in share.every_nth(self.source.keys) if not self.complete(key, known.get(key))]
        with tqdm(total=len(keys), desc="evaluating", unit="picture", disable=quiet or share.rank > 0) as progress:
            for first in range(0, len(keys), self.batch):
                part = keys[first : first + self.batch]
                self._measure(part, records)
                progress.update(len(part))
        if share.rank:
            return {}
        found = records.wait_for(self.source.keys, self.complete)
        return {key: found[key] for key in self.source.keys}

    def _measure(self, keys: Sequence[str], records: Records) -> None:
        readable, pictures = [], []
        for key in keys:
            try:
                pictures.append(self.source.read(key))
                readable.append(key)
            except (ImageError, FaceError) as error:
                logger.warning("Skipped: %s", error)
                records.append(key, {"skipped": str(error)})
        if not readable:
            return
        people = self.people(readable, torch.stack(pictures))
        inverted, inversion = {}, {}
        for method in self.methods:
            name, twin = method.name, _TWINS.get(method.name)
            if twin in inverted:
                inverted[name], inversion[name] = inverted[twin], inversion[twin]
                continue
            inverted[name] = as_saved(method.inverted(people))
            paired = name != SAMPLED  # another person than the picture's
            inversion[name] = self.metrics.compare(inverted[name], people.image) if paired else [{} for _ in readable]
        features = self._features(people.image, inverted)
        edits = [({}, {}) for _ in readable]
        if self.editing is not None:
            edits = self.editing.measure(people, readable, self.methods, inverted)
        for i, key in enumerate(readable):
            result = {"inversion": {name: rows[i] for name, rows in inversion.items()}, "editing": edits[i][0]}
            vectors = {name: vector[i] for name, vector in features.items()}
            records.append(key, result, vectors | edits[i][1])

    def people(self, keys: Sequence[str], pictures: Tensor) -> People:
        """Invert pictures [B,3,H,W] once for all methods."""
        portraits = self.source.portraits(list(keys))
        return invert(self.pipeline, pictures.to(self.pipeline.networks.device), portraits)

    @torch.no_grad()
    def _features(self, real: Tensor, inverted: dict[str, Tensor]) -> dict:
        if self.metrics.features is None:
            return {}
        named = {"real": real, **{f"inverted/{name}": made for name, made in inverted.items()}}
        return {name: self.metrics.features(pictures).cpu().numpy() for name, pictures in named.items()}

    def seconds(self, keys: Sequence[str]) -> dict[str, float]:
        """Time each method's inversion of single pictures, the median of up to 8 after a first, or one if it is slow.

        Everything that the pipeline does for the picture counts: SFE's inversion computes the e4e code too, which edits
        need; e4e runs its encoder and the generator alone. What is found one picture at a time is not found again: its
        seconds are those of this process's part.
        """
        pictures = []
        for key in keys[:_TIMED]:
            pictures.append(self.source.read(key)[None].to(self.pipeline.networks.device))
        if not pictures:
            return {}
        seconds = {}
        for method in self.methods:
            if not isinstance(method, OnePictureMethod):
                seconds[method.name] = self._median_seconds(method, pictures)
            elif method.taken:
                seconds[method.name] = statistics.median(method.taken)
        return seconds

    def _median_seconds(self, method: Method, pictures: list[Tensor]) -> float:
        taken = []
        for picture in [pictures[0], *pictures]:
            started = time.perf_counter()
            if method.name == "e4e":
                e4e_inversion(self.pipeline, picture)
            else:
                method.inverted(invert(self.pipeline, picture))
            if picture.is_cuda:
                torch.cuda.synchronize()
            taken.append(time.perf_counter() - started)
            if len(taken) > 1 and taken[-1] > _SLOW:
                break
        return statistics.median(taken[1:])


@torch.no_grad()
def e4e_inversion(pipeline: Pipeline, picture: Tensor) -> Tensor:
    """G(E(X)) without anything else of the pipeline; picture: [B,3,H,W] in [-1,1]."""
    networks = pipeline.networks
    seen = resized(picture, pipeline.spec.encoder_size)
    code = networks.e4e_encoder(seen.contiguous(memory_format=torch.channels_last), pipeline.spec.n_styles)
    return pipeline.generate_from(code.float() + networks.generator.latent_avg)
