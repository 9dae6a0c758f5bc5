"""Files of channel statistics and relevance: StyleCLIP's published ones, and our own single file."""

from __future__ import annotations

from pathlib import Path

import torch

from ...atomic import save_tensors
from ...checkpoints.reading import read_numpy, read_safetensors
from ...checkpoints.unpickling.array_pickle import read_array_lists
from ...generators.base import StyleSpace
from ..base import DirectionError
from .relevance import ChannelRelevance
from .statistics import ChannelStatistics

FORMAT = "sfe-channel-relevance"
VERSION = "1"


def read_published_statistics(path: Path | str) -> ChannelStatistics:
    """Read StyleCLIP's `S_mean_std`: a pickle of two lists, means and deviations, one array a style vector.

    The vectors stand in the generator's order, RGB layers included: the 4 x 4 convolution and its RGB layer,
    then for each resolution both convolutions and the RGB layer (26 vectors at 1024 px, 9088 channels).
    """
    expected = "StyleCLIP's S_mean_std, a pickle of two lists of arrays"
    lists = read_array_lists(path, expected)
    if (
        len(lists) != 2
        or len(lists[0]) < 2
        or len(lists[0]) % 3 != 2
        or [a.shape for a in lists[0]] != [a.shape for a in lists[1]]
        or any(a.ndim != 1 or a.dtype.kind != "f" for a in lists[0] + lists[1])
    ):
        shapes = [[a.shape for a in part[:3]] for part in lists[:3]]
        raise DirectionError(f"{path} holds {len(lists)} lists, of arrays {shapes}...; expected {expected}.")
    vectors = [[torch.from_numpy(a.astype("float32"))[None] for a in part] for part in lists]
    split = [StyleSpace(tuple(v for i, v in enumerate(p) if i % 3 != 1), tuple(p[1::3])) for p in vectors]
    return ChannelStatistics(*split)


def read_published_relevance(matrix: Path | str, statistics: Path | str) -> ChannelRelevance:
    """Read the published `delta_i_c.npy` (StyleCLIP's `fs3.npy`), [n,512], and `S_mean_std`."""
    values = read_numpy(matrix)
    if values.ndim != 2 or values.dtype.kind != "f":
        raise DirectionError(f"{matrix} holds {values.dtype} of shape {values.shape}; expected numbers [n,512].")
    table = read_published_statistics(statistics)
    return ChannelRelevance(
        table, torch.from_numpy(values.astype("float32")), "human faces", f"published {Path(matrix).name}"
    )


def save_relevance(relevance: ChannelRelevance, path: Path | str) -> Path:
    """Write statistics and relevance to one safetensors file, through a temporary file. Raises OSError."""
    # Statistics are views of one tensor, which safetensors does not take: hence the copies.
    tensors = {"relevance": relevance.matrix.clone()}
    for kind in ("mean", "std"):
        styles = getattr(relevance.statistics, kind)
        tensors |= {f"{kind}.conv.{i}": v[0].clone() for i, v in enumerate(styles.convs)}
        tensors |= {f"{kind}.rgb.{i}": v[0].clone() for i, v in enumerate(styles.rgbs)}
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "settings": relevance.settings,
    }
    if relevance.subject is not None:
        metadata["subject"] = relevance.subject
    if relevance.statistics.generator is not None:
        metadata["generator"] = relevance.statistics.generator
    return save_tensors(tensors, path, metadata)


def load_relevance(path: Path | str) -> ChannelRelevance:
    """Read what `save_relevance` wrote. Raises CheckpointError or DirectionError."""
    file = read_safetensors(path)
    metadata, header = file.metadata, file.header
    if metadata.get("format") != FORMAT:
        raise DirectionError(f"{path} is a safetensors file, but not one of channel relevance; compute one.")
    if metadata.get("version") != VERSION:
        raise DirectionError(
            f"{path} is of version {metadata.get('version')}; this library reads version {VERSION}. Compute it anew."
        )
    try:
        tensors = {name: tensor.float() for name, tensor in file.copies().items()}
        kinds = {}
        for kind in ("mean", "std"):
            counts = {layer: sum(n.startswith(f"{kind}.{layer}.") for n in header) for layer in ("conv", "rgb")}
            vectors = {k: tuple(tensors[f"{kind}.{k}.{i}"][None] for i in range(n)) for k, n in counts.items()}
            kinds[kind] = StyleSpace(vectors["conv"], vectors["rgb"])
        statistics = ChannelStatistics(**kinds, generator=metadata.get("generator"))
        return ChannelRelevance(statistics, tensors["relevance"], metadata.get("subject"), metadata["settings"])
    except KeyError as error:
        raise DirectionError(f"{path} lacks {error}; expected a whole file of channel relevance.") from error
