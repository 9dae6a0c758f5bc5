"""What travels between nodes: a value of the library with the model that it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..sfe_models.inputs import InputError
from ..sfe_models.pipeline import Pipeline
from ..sfe_models.values import Delta, Edit, Features, GradualEdit, GradualInversion, Inversion
from .models import LoadedModel, kept


@dataclass(frozen=True, eq=False)
class Wire:
    """A batch-first value and its model."""

    model: LoadedModel
    value: Inversion | Edit | Delta | Features | GradualInversion | GradualEdit

    @classmethod
    def of(cls, model: LoadedModel, value: Any) -> Wire:
        """Put what the pipeline made on the wire: its own tensors go to where wires keep them."""
        return cls(model, value.map_own(lambda tensor: tensor.to(kept())))

    def __len__(self) -> int:
        return len(self.value)

    @property
    def is_live(self) -> bool:
        """Whether its work is that of a moment: one picture of a model that makes drafts, on a CPU."""
        pipeline = self.model.pipeline
        drafts = isinstance(pipeline, Pipeline) and pipeline.drafts is not None
        return drafts and len(self) == 1 and pipeline.networks.device.type == "cpu"

    def __repr__(self) -> str:
        edit = self.value if isinstance(self.value, Edit | GradualEdit) else getattr(self.value, "edit", None)
        steps = "" if edit is None or not edit.steps else f", {edit.steps!r}"
        return f"{type(self.value).__name__} of {len(self)} pictures by {self.model.name}{steps}"[:300]


def one_model(wires: Sequence[Wire]) -> LoadedModel:
    """The model that all wires belong to; raises InputError where there are several."""
    models = {id(wire.model): wire.model for wire in wires}
    if len(models) > 1:
        raise InputError(f"The inputs were made by {' and '.join(map(repr, models.values()))}; use one model for all.")
    return wires[0].model
