"""The equations on the networks of one model, as many pictures at a time as pays."""

from __future__ import annotations

import torch
from torch import Tensor

from . import equations
from .domain import DomainSpec
from .generators.base import Generator, StyleSpace, SynthesisState
from .inputs import InputError
from .networks import SFENetworks
from .values import Edit

# Codes or feature tensors that a CPU works on at once.
_CPU_BATCH = 2


class NetworkRuns:
    """What the pipeline runs networks for."""

    def __init__(self, networks: SFENetworks):
        self.networks, self.spec = networks, networks.spec

    def e4e_code(self, picture: Tensor, n_styles: int | None = None) -> Tensor:
        """w_E of pictures at the encoders' size: the first `n_styles` styles (InputError without them), or all."""
        available = self.networks.e4e_styles
        n = self.spec.n_styles if n_styles is None else n_styles
        if n > available:
            raise InputError(
                f"All {n} e4e styles are asked for, but this bundle was made with the first {available} only. "
                "Convert the checkpoint again without --first-styles."
            )
        return equations.e4e_code(self.networks.e4e_encoder, self.networks.generator, picture, n)

    def invert(self, picture: Tensor, beside: StyleSpace) -> tuple[equations.Inverted, SynthesisState]:
        """Invert pictures at the encoders' size; other codes' style vectors `beside` are run to k with them."""
        networks = self.networks
        return equations.invert(networks.inverter, networks.generator, self.spec, picture, beside, self._run_to_k)

    def styles(self, w_plus: Tensor, layers: int) -> StyleSpace:
        """Style vectors of codes [B,N,D] for a run up to outs[layers]."""
        return self.networks.generator.style_space(w_plus[:, : layers + 1], layers)

    def edited_styles(self, edit: Edit) -> tuple[StyleSpace, StyleSpace]:
        """All style vectors of the edited w, and those of the edited w_E as far as delta needs them."""
        device = self.networks.device
        if edit.styles is not None:
            return edit.styles.map(lambda s: s.to(device)), edit.styles_e.map(lambda s: s.to(device))
        layers = self.spec.n_styles - 1 if edit.w_e.shape[1] == self.spec.n_styles else self.spec.delta_layer
        return self.networks.generator.style_space(edit.w.to(device)), self.styles(edit.w_e.to(device), layers)

    def to_k(self, styles: StyleSpace) -> SynthesisState:
        """G(w_0:k)."""
        return self._run_to_k(self.networks.generator, self.spec, styles)

    def delta_features(self, state: SynthesisState, code: Tensor | StyleSpace) -> Tensor:
        """F(w) from the state at k of codes [B,N,D] or style vectors."""
        layer = self.spec.delta_layer
        styles = code if isinstance(code, StyleSpace) or layer == state.layer else self.styles(code, layer)
        return equations.delta_features(self.networks.generator, self.spec, state, styles)

    def feature_edit(self, F_k: Tensor, delta: Tensor) -> Tensor:
        """H(F_k, delta); F_k itself without an editor, as in training phase 1."""
        if self.networks.feature_editor is None:
            return F_k
        parts = zip(self._parts(F_k), self._parts(delta), strict=True)
        edited = [equations.feature_edit(self.networks.feature_editor, *part) for part in parts]
        return torch.cat(edited) if len(edited) > 1 else edited[0]

    def _run_to_k(self, generator: Generator, domain: DomainSpec, styles: StyleSpace) -> SynthesisState:
        return SynthesisState.cat([equations.run_to_k(generator, domain, part) for part in self._parts(styles)])

    def _parts(self, value: Tensor | StyleSpace) -> list:
        """Split a batch so that on a CPU what is worked on stays in the cache; elsewhere all at once."""
        if self.networks.device.type != "cpu":
            return [value]
        return [value[first : first + _CPU_BATCH] for first in range(0, len(value), _CPU_BATCH)]
