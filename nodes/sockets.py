"""Every socket type of the pack, and what travels on it."""

from __future__ import annotations

from comfy_api.latest import io

SFEModel = io.Custom("SFE_MODEL")  # models.LoadedModel
SFEInversion = io.Custom("SFE_INVERSION")  # wires.Wire of values.Inversion or GradualInversion
SFEEdit = io.Custom("SFE_EDIT")  # wires.Wire of values.Edit or GradualEdit
SFEDelta = io.Custom("SFE_DELTA")  # wires.Wire of values.Delta
SFEFeatures = io.Custom("SFE_FEATURES")  # wires.Wire of values.Features
SFEDirection = io.Custom("SFE_DIRECTION")  # directions.base.Direction
SFEAlignment = io.Custom("SFE_ALIGNMENT")  # faces.crop.batch.AlignedFaces
FaceLandmarks = io.Custom("FACE_LANDMARKS")  # ComfyUI's own: {"frames": [[{"landmarks_xy": [n,2]}]], ...}
