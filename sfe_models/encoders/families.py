"""The families of encoders, each by its part of a domain's description."""

from __future__ import annotations

from torch import nn

from ..domain import DomainSpec, MobileE4ESpec, MobileInverterSpec
from .e4e import E4EEncoder
from .feature_editor import FeatureDifference, FeatureEditor
from .inverter import Inverter
from .mobile import MobileE4E, MobileFeatureEditor, MobileInverter


def make_e4e(spec: DomainSpec) -> nn.Module | None:
    """Make an untrained e4e encoder of the domain; None for a generator alone."""
    if spec.e4e is None:
        return None
    return MobileE4E(spec) if isinstance(spec.e4e, MobileE4ESpec) else E4EEncoder(spec)


def make_inverter(spec: DomainSpec) -> nn.Module | None:
    """Make an untrained Inverter of the domain; None for a generator alone."""
    if spec.inverter is None:
        return None
    return MobileInverter(spec) if isinstance(spec.inverter, MobileInverterSpec) else Inverter(spec)


def make_feature_editor(spec: DomainSpec) -> nn.Module:
    """Make an untrained Feature Editor of the domain; for a generator alone, the difference F_k - delta."""
    if not spec.has_encoders:
        return FeatureDifference()
    return FeatureEditor(spec) if spec.editor_width is None else MobileFeatureEditor(spec)
