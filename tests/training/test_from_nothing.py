"""A domain of 16 px, trained from nothing through all stages: what F_k is for."""

from dataclasses import replace

import pytest
import torch
from training.tiny import ALONE, CPU, ONLY_L2, Dots, short

from sfe_models.directions.base import DirectionInfo
from sfe_models.directions.linear import LinearDirection
from sfe_models.domain import tiny_domain
from sfe_models.pipeline import Pipeline
from sfe_models.training.assemble import assemble
from sfe_models.training.config import (
    AdversarialConfig,
    E4EConfig,
    EditDraw,
    EditorConfig,
    GANConfig,
    InverterConfig,
    OptimizerConfig,
)
from sfe_models.training.data import open_pictures
from sfe_models.training.losses import ReconstructionLoss
from sfe_models.training.loop import train
from sfe_models.training.presets import PRESETS
from sfe_models.directions.library import DirectionLibrary
import time
SPEC = replace(tiny_domain(16, 32, "dots-16"), subject="dots")
def go():
    pass
