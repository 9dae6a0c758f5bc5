"""Pictures to train on: a folder of files, or the portraits that the repository renders."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from ..demo import renderer
from ..demo.attributes import latents, sample_portraits
from ..demo.renderer import render
from ..pictures.errors import ImageError
from ..pictures.files import picture_files
from ..pictures.image_io import open_image
from .errors import DataError

logger = logging.getLogger(__name__)

# The seeds of training portraits start here; evaluation draws from lower ones.
FIRST_TRAINING_SEED = 1_000_000


@dataclass(frozen=True)
class Batch:
    """Pictures and what is known of them.

    image: [B,3,H,W] in [-1,1]. Of rendered portraits also latent: [B,D], the z that the attributes were drawn
    from; feature_mask: [B,1,H,W] in [0,1], where eyes, brows and mouth are; attributes: [B,A]. Of pictures that a
    generator made also code: [B,N,D], the W+ code that they are made of.
    """

    image: Tensor
    latent: Tensor | None = None
    feature_mask: Tensor | None = None
    attributes: Tensor | None = None
    code: Tensor | None = None

    def _map(self, function) -> Batch:
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return Batch(**{name: None if v is None else function(v) for name, v in values.items()})

    def to(self, device: torch.device) -> Batch:
        """Move to a device."""
        return self._map(lambda t: t.to(device, non_blocking=True))

    def __len__(self) -> int:
        return len(self.image)

    def __getitem__(self, index) -> Batch:
        return self._map(lambda t: t[index])


class Pictures(Protocol):
    """A data set that is read a batch at a time."""

    def __len__(self) -> int: ...

    def __getitem__(self, indices: Sequence[int]) -> Batch: ...


class PictureFolder:
    """All pictures below a folder (see `picture_files`), resized to (height, width).

    cache: folder of a file that keeps them decoded, between runs too (None: they are decoded anew every time).
    Files that cannot be read are left out when they are met, another picture takes their place; `skipped` lists
    them. Raises DataError if the folder holds no picture at all.
    """

    def __init__(self, folder: Path | str, size: tuple[int, int], cache: Path | str | None = None):
        self.paths = picture_files(folder)
        self.size = size
        self._stem = self._maps = None
        if cache is not None and self.paths:
            states = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in self.paths]
            self._stem = Path(cache) / f"pictures-{hashlib.sha256(repr((size, states)).encode()).hexdigest()[:16]}"
            self._maps = self._mapped()
        # In shared memory, because files are met in the loader's processes.
        self._broken = torch.zeros(len(self.paths), dtype=torch.bool).share_memory_()
        if not self.paths:
            raise DataError(f"{folder} holds no pictures; expected PNG, JPEG or the like, in subfolders or directly.")

    @property
    def skipped(self) -> list[Path]:
        """The files that could not be read so far."""
        return [path for path, broken in zip(self.paths, self._broken.tolist(), strict=True) if broken]

    def __len__(self) -> int:
        return len(self.paths)

    def _read(self, index: int) -> Tensor:
        for offset in range(len(self.paths)):
            place = (index + offset) % len(self.paths)
            try:
                image = open_image(self.paths[place])
            except ImageError as error:
                if not self._broken[place]:
                    self._broken[place] = True
                    logger.warning("Skipped: %s", error)
                continue
            image = image.resize(self.size[::-1], Image.Resampling.BILINEAR)
            return torch.from_numpy(np.asarray(image, dtype=np.uint8).copy()).permute(2, 0, 1)
        raise DataError(f"None of the {len(self.paths)} pictures in the data folder can be read.")

    def _mapped(self) -> tuple[np.memmap, np.memmap]:
        count = len(self.paths)
        return mapped_bytes(f"{self._stem}.u8", (count, 3, *self.size)), mapped_bytes(f"{self._stem}.has", (count,))

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_maps": None}  # the loader's processes open the files themselves

    def _kept(self, index: int) -> Tensor:
        if self._stem is None:
            return self._read(index)
        self._maps = pictures, filled = self._maps or self._mapped()
        if not filled[index]:
            pictures[index] = self._read(index).numpy()
            filled[index] = 1
        return torch.from_numpy(pictures[index])

    def __getitem__(self, indices: Sequence[int]) -> Batch:
        return Batch(torch.stack([self._kept(i) for i in indices]).float() / 127.5 - 1)


class RenderedPortraits:
    """Portraits of consecutive seeds, rendered when first asked for and kept as 8-bit pictures.

    details: whether they have what a W+ code cannot hold. latent_dim: size of the latent that a portrait's
    attributes are drawn from. cache: folder of the file that keeps the pictures between runs (None: in memory).
    """

    def __init__(
        self,
        count: int,
        size: int,
        details: bool,
        latent_dim: int,
        cache: Path | str | None = None,
        first_seed: int = FIRST_TRAINING_SEED,
    ):
        self.count, self.size, self.details, self.latent_dim = count, size, details, latent_dim
        self.first_seed = first_seed
        # Four channels: RGB and the feature mask.
        shape, kind = (count, 4, size, size), np.uint8
        if cache is None:
            self._pictures, self._filled = np.zeros(shape, kind), np.zeros(count, kind)
        else:
            key = f"{count}-{size}-{details}-{latent_dim}-{first_seed}-{_renderer_version()}"
            stem = Path(cache) / f"portraits-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
            self._pictures, self._filled = (mapped_bytes(f"{stem}.{n}", s) for n, s in (("u8", shape), ("has", count)))

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, indices: Sequence[int]) -> Batch:
        indices = np.asarray(indices)
        missing = np.unique(indices[self._filled[indices] == 0])
        portraits = sample_portraits((indices + self.first_seed).tolist(), self.details, self.latent_dim)
        if len(missing):
            wanted = sample_portraits((missing + self.first_seed).tolist(), self.details, self.latent_dim)
            drawn = render(wanted, self.size)
            rgb = ((drawn.image + 1) * 127.5).round().clamp(0, 255)
            packed = torch.cat([rgb, (drawn.feature_mask * 255).round()], dim=1).to(torch.uint8)
            self._pictures[missing] = packed.numpy()
            self._filled[missing] = 1
        packed = torch.from_numpy(self._pictures[indices]).float()
        z = latents((indices + self.first_seed).tolist(), self.latent_dim)
        return Batch(packed[:, :3] / 127.5 - 1, z, packed[:, 3:] / 255, portraits.values)


def mapped_bytes(path: Path | str, shape: tuple[int, ...]) -> np.memmap:
    """Open a file as an array of bytes, zeros at first. Raises DataError if the disk has no room for a new one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    wanted, free = int(np.prod(shape, dtype=np.int64)), shutil.disk_usage(path.parent).free
    if not path.exists() and wanted > free:  # it fills little by little, and a full disk would end the process
        raise DataError(
            f"{path.parent} has {free / 1e9:.1f} GB free, but kept pictures would take {wanted / 1e9:.1f} GB. Give "
            "another --cache, or leave it out."
        )
    return np.memmap(path, np.uint8, "r+" if path.exists() else "w+", shape=shape)


def _renderer_version() -> str:
    """Hash the renderer's sources, so that a cache of another version is not taken for this one's."""
    sources = sorted(p for p in Path(renderer.__file__).parent.glob("*.py") if p.stem not in ("__init__", "painted"))
    return hashlib.sha256(b"".join(p.read_bytes() for p in sources)).hexdigest()


def open_pictures(
    data: str, size: tuple[int, int], pictures: int, details: bool, latent_dim: int, cache: Path | str | None = None
) -> Pictures:
    """Open --data: a folder, or "demo" for rendered portraits."""
    if data == "demo":
        if size[0] != size[1]:
            raise DataError(f"Rendered portraits are square; this domain's pictures are {size[1]} x {size[0]} px.")
        return RenderedPortraits(pictures, size[0], details, latent_dim, cache)
    if not Path(data).is_dir():
        raise DataError(f"There is no folder {data}; give a folder of pictures, or demo for rendered portraits.")
    return PictureFolder(data, size, cache)


class Interleaved:
    """Batches whose first pictures, a share of all, come from one data set with codes, the others from another.

    The first are enlarged by repeating their pixels where the others are larger.
    """

    def __init__(self, made: Pictures, real: Pictures, share: float):
        self.made, self.real, self.share = made, real, share

    def __len__(self) -> int:
        return max(len(self.made), len(self.real))

    def __getitem__(self, indices: Sequence[int]) -> Batch:
        indices = np.asarray(indices)
        count = round(len(indices) * self.share)
        made = self.made[indices[:count] % len(self.made)]
        real = self.real[indices[count:] % len(self.real)]
        image = made.image if len(made.image) == 0 else F.interpolate(made.image, real.image.shape[2:], mode="nearest")
        return Batch(torch.cat([image, real.image]), code=made.code)


class StepOrder(Sampler):
    """The pictures of every step: a seeded permutation per epoch, a function of the step alone.

    Yields this process's part of each step's batch from `first_step` on, so that a resumed run sees exactly what
    one without a break would have.
    """

    def __init__(self, count: int, batch: int, part: slice, seed: int, first_step: int, steps: int):
        self.count, self.batch, self.part, self.seed = count, batch, part, seed
        self.first_step, self.steps = first_step, steps

    def __len__(self) -> int:
        return self.steps - self.first_step

    def _epoch(self, epoch: int) -> np.ndarray:
        return np.random.default_rng((self.seed, epoch)).permutation(self.count)

    def __iter__(self) -> Iterator[list[int]]:
        epoch, order = -1, None
        for step in range(self.first_step, self.steps):
            indices = []
            for position in range(step * self.batch + self.part.start, step * self.batch + self.part.stop):
                if position // self.count != epoch:
                    epoch = position // self.count
                    order = self._epoch(epoch)
                indices.append(int(order[position % self.count]))
            yield indices


def batches(pictures: Pictures, order: StepOrder, workers: int) -> Iterator[Batch]:
    """Read the batches of an order, ahead of time in `workers` processes."""
    return iter(DataLoader(pictures, sampler=order, batch_size=None, num_workers=workers))
