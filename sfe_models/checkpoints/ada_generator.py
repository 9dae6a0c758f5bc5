"""Rename StyleGAN2-ADA generators (NVlabs `training/networks.py`) to the published StyleGAN2 keys."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from .errors import CheckpointError


@dataclass(frozen=True)
class AdaGenerator:
    """Hold a StyleGAN2-ADA generator under the names of the published StyleGAN2 checkpoints.

    state: without `kernel` buffers. latent_avg: [w_dim]. conv_clamp: limit on the outputs of all
    convolutions and RGB layers, None for none.
    """

    state: dict[str, Tensor]
    latent_avg: Tensor
    conv_clamp: float | None


# The settings that the published generator has built in, with NVlabs' defaults.
_SETTINGS = (
    ("synthesis_kwargs", "architecture", "skip"),
    ("synthesis_kwargs", "activation", "lrelu"),
    ("mapping_kwargs", "activation", "lrelu"),
    ("mapping_kwargs", "lr_multiplier", 0.01),
)
_FILTER = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64

# NVlabs' name in a layer, published name, index that adds the dimensions which only the latter has.
_STYLED = (
    ("weight", "conv.weight", (None,)),
    ("affine.weight", "conv.modulation.weight", ()),
    ("affine.bias", "conv.modulation.bias", ()),
)
_CONVOLUTION = _STYLED + (("noise_strength", "noise.weight", (None,)), ("bias", "activate.bias", ()))
_TO_RGB = _STYLED + (("bias", "bias", (None, slice(None), None, None)),)


def ada_generator_to_rosinality(state: dict[str, Tensor], kwargs: dict[str, object], path: str | Path) -> AdaGenerator:
    """Rename a StyleGAN2-ADA generator to the keys of the published StyleGAN2 checkpoints.

    state, kwargs: of `read_network_pickle`; path: only for the errors. Weights are copied as they
    are: both conventions store equalised weights, and the upsampling ones in the orientation of
    `conv_transpose2d`. Raises CheckpointError for what the published architecture cannot express.
    """
    conv_clamp = _check_architecture(state, kwargs, path)
    blocks = sum(key.startswith("synthesis.b") and key.endswith(".conv0.weight") for key in state)
    mapping_layers = sum(key.startswith("mapping.fc") and key.endswith(".weight") for key in state)
    rows = _renaming(blocks, mapping_layers)
    try:
        renamed = {new: state[old][index].clone() for old, new, index in rows}
        latent_avg = state["mapping.w_avg"].clone()
    except (KeyError, IndexError) as error:
        raise CheckpointError(
            f"{path} lacks a tensor or has it in another shape ({error}); expected the tensors of a "
            "StyleGAN2-ADA generator with noise inputs. Export it again with the original training code."
        ) from error
    unknown = state.keys() - {old for old, _, _ in rows} - {"mapping.w_avg"}
    unknown = sorted(key for key in unknown if not key.endswith("resample_filter"))
    if unknown:
        raise CheckpointError(
            f"{path} has {len(unknown)} tensors that StyleGAN2-ADA generators do not have, such as "
            f"{unknown[0]}; expected the published architecture. Use unchanged stylegan2-ada-pytorch."
        )
    return AdaGenerator(renamed, latent_avg, conv_clamp)


def _check_architecture(state: dict[str, Tensor], kwargs: dict[str, object], path: str | Path) -> float | None:
    # Returns conv_clamp, the one setting that may differ.
    def refuse(what: str) -> CheckpointError:
        return CheckpointError(
            f"{path} holds {what}; expected an unconditional StyleGAN2 generator of RGB images with skip "
            "architecture, leaky ReLU and filter [1, 3, 3, 1]. Train or export one with these settings."
        )

    if any(key.startswith("synthesis.L0_") for key in state):
        raise refuse("a StyleGAN3 generator")
    if kwargs.get("c_dim", 0) != 0 or any(key.startswith("mapping.embed.") for key in state):
        raise refuse("a conditional generator")
    if kwargs.get("img_channels") != 3:
        raise refuse(f"a generator of {kwargs.get('img_channels')} image channels")
    options = {group: kwargs.get(group, {}) for group in ("mapping_kwargs", "synthesis_kwargs")}
    for group, values in options.items():
        if not isinstance(values, dict):
            raise refuse(f"a generator whose {group} are a {type(values).__name__}")
    for group, name, expected in _SETTINGS:
        value = options[group].get(name, expected)
        if not isinstance(value, type(expected)) or value != expected:
            raise refuse(f"a generator with {group}: {name} {value}")
    for key, kernel in state.items():
        if key.endswith("resample_filter") and not np.array_equal(kernel.float().numpy(), _FILTER):
            raise refuse(f"a generator with another filter in {key}")
    conv_clamp = options["synthesis_kwargs"].get("conv_clamp")
    if not isinstance(conv_clamp, int | float | None):
        raise refuse(f"a generator with conv_clamp {conv_clamp}")
    return conv_clamp


def _renaming(blocks: int, mapping_layers: int) -> list[tuple[str, str, tuple]]:
    # Rows (NVlabs' name, published name, index that adds dimensions). blocks: after the one of 4 x 4.
    rows: list[tuple[str, str, tuple]] = [("synthesis.b4.const", "input.input", (None,))]
    for i in range(mapping_layers):
        rows += [(f"mapping.fc{i}.{part}", f"style.{i + 1}.{part}", ()) for part in ("weight", "bias")]
    convolutions, to_rgbs = [("b4.conv1", "conv1")], [("b4.torgb", "to_rgb1")]
    for j in range(blocks):
        block = f"b{8 << j}"
        convolutions += [(f"{block}.conv0", f"convs.{2 * j}"), (f"{block}.conv1", f"convs.{2 * j + 1}")]
        to_rgbs.append((f"{block}.torgb", f"to_rgbs.{j}"))
    for i, (old, _) in enumerate(convolutions):
        rows.append((f"synthesis.{old}.noise_const", f"noises.noise_{i}", (None, None)))
    for layers, table in ((convolutions, _CONVOLUTION), (to_rgbs, _TO_RGB)):
        for old, new in layers:
            rows += [(f"synthesis.{old}.{part}", f"{new}.{name}", index) for part, name, index in table]
    return rows
