"""Put the tensors of a file into a network without a copy, or say exactly what does not fit."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from torch import Tensor, nn

from ..domain import SpecError, StyleGAN2Spec
from ..generators.stylegan2.filters import filter_4x4
from ..generators.stylegan2.generator import StyleGAN2
from .errors import CheckpointError

logger = logging.getLogger(__name__)

# Constant filters that the published files carry: name of the buffer and the sum of its entries.
_FILTERS = {"kernel": 4.0, "resample_filter": 1.0}
_SHOWN = 3


def without_filters(state: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Drop the constant resampling filters; raises CheckpointError if one is not StyleGAN2's [1, 3, 3, 1]."""
    kept = {}
    for key, tensor in state.items():
        total = _FILTERS.get(key.rsplit(".", 1)[-1])
        if total is None:
            kept[key] = tensor
        elif tensor.shape != (4, 4) or not torch.allclose(tensor.float(), filter_4x4(total, tensor.float())):
            raise CheckpointError(
                f"{path}: {key} is not the [1, 3, 3, 1] filter; expected a StyleGAN2 network with the usual filters."
            )
    return kept


def assign(network: nn.Module, state: dict[str, Tensor], path: Path, what: str) -> None:
    """Make the state's tensors the network's own. Raises CheckpointError naming what is missing or too much.

    BatchNorm's step counters may be absent.
    """
    own = network.state_dict()
    counters = {k: torch.zeros((), dtype=torch.int64) for k in own if k.endswith("num_batches_tracked")}
    state = {**counters, **state}
    problems = []
    for label, keys in (("missing", own.keys() - state.keys()), ("unknown", state.keys() - own.keys())):
        if keys:
            names = sorted(keys)[:_SHOWN]
            more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
            problems.append(f"{label}: {', '.join(names)}{more}")
    wrong = [k for k in own.keys() & state.keys() if own[k].shape != state[k].shape]
    for key in sorted(wrong)[:_SHOWN]:
        problems.append(f"{key} has shape {tuple(state[key].shape)}, expected {tuple(own[key].shape)}")
    if problems:
        raise CheckpointError(f"{path} does not hold the expected {what}; {'; '.join(problems)}.")
    network.load_state_dict(state, assign=True)


def generator_spec(state: dict[str, Tensor], path: Path, conv_clamp: float | None = None) -> StyleGAN2Spec:
    """Read a generator's resolution and widths off its weights."""
    try:
        channels = [state["conv1.conv.weight"].shape[1]]
        while (key := f"convs.{2 * len(channels) - 2}.conv.weight") in state:
            channels.append(state[key].shape[1])
        layers = sum(k.startswith("style.") and k.endswith(".weight") for k in state)
        dim = state["style.1.weight"].shape[0]
        return StyleGAN2Spec(4 * 2 ** (len(channels) - 1), tuple(channels), dim, layers, conv_clamp)
    except (KeyError, IndexError, SpecError) as error:
        raise CheckpointError(f"{path} does not hold a whole StyleGAN2 generator ({error}).") from error


def complete_generator(
    state: dict[str, Tensor], latent_avg: Tensor | None, spec: StyleGAN2Spec, path: Path
) -> dict[str, Tensor]:
    """Add what generator files may leave out: `latent_avg` (measured) and the noise pictures (seeded)."""
    state = without_filters(state, path)
    random = torch.Generator().manual_seed(0)
    for i in range(spec.n_layers):
        side = spec.layer_resolution(i + 1)
        if f"noises.noise_{i}" not in state:
            logger.warning("%s has no stored noise %d; a seeded one takes its place.", path, i)
            state[f"noises.noise_{i}"] = torch.randn(1, 1, side, side, generator=random)
    if latent_avg is not None:
        if latent_avg.ndim == 2 and (latent_avg == latent_avg[:1]).all():
            latent_avg = latent_avg[0]  # repeated for every layer
        state["latent_avg"] = latent_avg.reshape(-1).float()
    elif "latent_avg" not in state:
        logger.info("%s has no latent_avg; measuring the mean of w.", path)
        generator = StyleGAN2(spec)
        generator.style.load_state_dict(
            {k.removeprefix("style."): v for k, v in state.items() if k.startswith("style.")}
        )
        state["latent_avg"] = generator.mean_latent()
    return state
