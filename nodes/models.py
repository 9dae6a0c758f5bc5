"""A model on the wires, its place in ComfyUI's model management, and the device while a node runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakKeyDictionary

import comfy.model_management as management
import comfy.model_patcher
import torch
from torch import nn

from ..sfe_models.directions.base import Direction
from ..sfe_models.directions.library import DirectionLibrary
from ..sfe_models.gradual.networks import GradualNetworks
from ..sfe_models.gradual.pipeline import GradualPipeline
from ..sfe_models.memory import picture_bytes
from ..sfe_models.networks import SFENetworks
from ..sfe_models.pipeline import Pipeline
from ..sfe_models.recent import RecentInversions
from ..sfe_models.tuning.tuned import TunedGenerator

# Pictures that go through a network together; interrupts and progress come in between.
PICTURES_AT_ONCE = 4


class Managed(nn.Module):
    """The networks as ComfyUI's model management wants them: it sets `device`, which they compute."""

    def __init__(self, networks: SFENetworks | GradualNetworks):
        super().__init__()
        self.networks = networks
        self._all = (tuple(self.modules()),)  # in a tuple, so that it is no submodule

    def lies_on(self, device: torch.device) -> bool:
        """Tell whether every weight is there; `Module.to` takes ten times as long to see it."""
        return all(
            weight is None or weight.device == device
            for module in self._all[0]
            for weights in (module._parameters, module._buffers)
            for weight in weights.values()
        )


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A pipeline whose weights ComfyUI moves. folders: where directions are looked for; bundled: its own ones.

    tuned: what changed its generator, for one picture; None for a model as it was loaded. shown: the IMAGE that each
    inversion is of, which keeps the encoders' small picture alone; written: the files that show it; recent: what nodes
    that invert by themselves did last.
    """

    name: str
    pipeline: Pipeline | GradualPipeline
    patcher: comfy.model_patcher.ModelPatcher
    folders: tuple[Path, ...]
    bundled: tuple[Direction, ...]
    tuned: TunedGenerator | None = None
    shown: WeakKeyDictionary = field(default_factory=WeakKeyDictionary)
    written: WeakKeyDictionary = field(default_factory=WeakKeyDictionary)
    recent: RecentInversions = field(default_factory=RecentInversions)

    def __repr__(self) -> str:
        return f"SFE model {self.name} ({self.pipeline.spec.name})"

    def directions(self) -> DirectionLibrary:
        """Look what the model can be edited along, own files as they are now."""
        return DirectionLibrary(self.pipeline.spec, self.folders, self.bundled, paths=False)


def manage(
    name: str, pipeline: Pipeline | GradualPipeline, folders: tuple[Path, ...], bundled: tuple[Direction, ...]
) -> LoadedModel:
    """Hand a pipeline's networks to ComfyUI's model management, with stops in them when a prompt is interrupted."""
    networks = pipeline.networks
    whole = (network for name, network in networks.named_children() if name != "generator")
    for network in (*whole, *networks.generator.modules()):
        network.register_forward_pre_hook(_stop_if_interrupted)
    managed = Managed(networks)
    patcher_type = getattr(comfy.model_patcher, "CoreModelPatcher", comfy.model_patcher.ModelPatcher)
    patcher = patcher_type(
        managed,
        load_device=management.get_torch_device(),
        offload_device=management.unet_offload_device(),
        size=management.module_size(managed),
    )
    return LoadedModel(name, pipeline, patcher, folders, bundled)


def _stop_if_interrupted(module: nn.Module, inputs: tuple) -> None:
    management.throw_exception_if_processing_interrupted()


@contextmanager
def ready(model: LoadedModel, gradients: bool = False) -> Iterator[Pipeline | GradualPipeline]:
    """Give the pipeline with all weights on the computing device, for the time that one node runs.

    Plain torch modules cannot be spread over two devices, so they are loaded whole; where ComfyUI keeps nothing on
    the device (--novram), they leave it again at the end. gradients: whether they are computed, which takes memory.
    """
    patcher = model.patcher
    needed = PICTURES_AT_ONCE * picture_bytes(model.pipeline.spec, gradients)
    management.load_models_gpu([patcher], memory_required=needed, force_full_load=True)
    if not patcher.model.lies_on(patcher.load_device):
        patcher.model.to(patcher.load_device)
    try:
        yield model.pipeline
    finally:
        if management.vram_state == management.VRAMState.NO_VRAM:
            patcher.model.to(patcher.offload_device)


def kept() -> torch.device:
    """Where values on the wires lie."""
    return management.intermediate_device()
