"""The list of all nodes."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from .align_face import AlignFace
from .apply_direction import ApplyDirection
from .combine_delta import CombineDelta
from .compute_delta import ComputeDelta
from .demo_portrait import DemoPortrait
from .direction_from_images import DirectionFromImages
from .discover_directions import DiscoverDirections
from .edit_face import EditFace
from .face_mask import FaceMask
from .feature_edit import FeatureEdit
from .found_models import register_folder
from .inversion_files import LoadInversion, SaveInversion
from .invert import Invert
from .load_model import LoadModel
from .load_photo import LoadPhoto
from .mask_delta import MaskDelta
from .mix_styles import MixStyles
from .paste_back import PasteBack
from .sweep import Sweep
from .synthesize import Synthesize
from .text_direction import TextDirection
from .tune_generator import TuneGenerator
from .tuned_files import LoadTuned, SaveTuned


class StyleFeatureEditor(ComfyExtension):
    """All nodes, in the order of a graph."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        register_folder()
        return [
            LoadModel,
            DemoPortrait,
            LoadPhoto,
            AlignFace,
            FaceMask,
            Invert,
            ApplyDirection,
            TextDirection,
            DirectionFromImages,
            DiscoverDirections,
            MixStyles,
            ComputeDelta,
            MaskDelta,
            CombineDelta,
            FeatureEdit,
            Synthesize,
            PasteBack,
            Sweep,
            EditFace,
            SaveInversion,
            LoadInversion,
            TuneGenerator,
            SaveTuned,
            LoadTuned,
        ]
