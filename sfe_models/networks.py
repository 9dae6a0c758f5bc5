"""The four networks of one SFE model, together."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .domain import DomainSpec
from .encoders.families import make_e4e, make_feature_editor, make_inverter
from .generators.base import Generator
from .generators.families import make_generator
from .nn.casting import cast_floats
from .nn.folding import fold_batchnorm

COMPONENTS = ("generator", "e4e_encoder", "inverter", "feature_editor")


class SFENetworks(nn.Module):
    """Generator G, e4e encoder E, Inverter I and Feature Editor H of one domain.

    Without a Feature Editor this is the model of training phase 1: F_k itself is synthesized, in edits too. A generator
    alone has no encoders, and F_k - delta in the place of H.
    `e4e_styles` is the number of style heads that the e4e encoder has; fewer than all if a bundle left out
    those that delta does not need.
    """

    def __init__(self, spec: DomainSpec, feature_editor: bool = True):
        super().__init__()
        self.spec = spec
        self.generator = make_generator(spec.generator)
        self.e4e_encoder = make_e4e(spec)
        self.inverter = make_inverter(spec)
        self.feature_editor = make_feature_editor(spec) if feature_editor else None

    @staticmethod
    def empty(
        spec: DomainSpec, feature_editor: bool = True, folded: bool = False, e4e_styles: int | None = None
    ) -> SFENetworks:
        """Build the structure on the meta device, without numbers, to load weights into by assignment."""
        with torch.device("meta"):
            networks = SFENetworks(spec, feature_editor)
            if e4e_styles is not None:
                networks.keep_e4e_styles(e4e_styles)
            if folded:
                networks.fold()
        return networks.eval().requires_grad_(False)

    @staticmethod
    def alone(generator: Generator, spec: DomainSpec) -> SFENetworks:
        """Make the model of a generator without encoders. spec: one without them."""
        networks = SFENetworks.empty(spec, folded=True)
        networks.generator = generator
        return networks.eval().requires_grad_(False)

    @property
    def e4e_styles(self) -> int:
        return 0 if self.e4e_encoder is None else len(self.e4e_encoder.styles)

    @property
    def device(self) -> torch.device:
        return self.generator.latent_avg.device

    @property
    def dtype(self) -> torch.dtype:
        """The type that the model was cast to; see `stored_dtype` for what stays float32."""
        if self.e4e_encoder is None:  # the generator's last layer, which no type keeps wider
            return next(weight.dtype for weight in self.generator.layers()[-1].parameters() if weight.ndim >= 4)
        return next(weight.dtype for weight in self.e4e_encoder.parameters() if weight.ndim >= 2)

    @property
    def folded(self) -> bool:
        """Whether BatchNorm has been folded into the convolutions."""
        return not any(isinstance(m, nn.BatchNorm2d) for m in self.modules())

    def keep_e4e_styles(self, count: int) -> None:
        """Drop the e4e encoder's style heads beyond the first `count`; delta needs `spec.delta_styles`."""
        if not self.spec.delta_styles <= count <= self.spec.n_styles:
            raise ValueError(
                f"Cannot keep {count} e4e styles; {self.spec.name} needs {self.spec.delta_styles} for delta and "
                f"has {self.spec.n_styles}."
            )
        self.e4e_encoder.keep_styles(count)

    def fold(self) -> SFENetworks:
        """Fold BatchNorm in all encoders, in place."""
        for network in (self.e4e_encoder, self.inverter, self.feature_editor):
            if network is not None:
                fold_batchnorm(network)
        return self

    def stored_dtype(self, name: str, tensor: Tensor, dtype: torch.dtype) -> torch.dtype:
        """Say in which type a tensor stands in a model of type `dtype`.

        Weights of convolutions and heads take `dtype`; biases and slopes, which are small and act on whole channels,
        stay float32. In bfloat16 so do the convolutions whose errors show most, the Inverter's, which w and F_k come
        from. The generator decides for itself.
        """
        if not tensor.is_floating_point():
            return tensor.dtype
        network, _, rest = name.partition(".")
        if network == "generator":
            return self.generator.stored_dtype(rest, tensor, dtype, self.spec.feature_layer)
        exact = network == "inverter" and dtype == torch.bfloat16 and tensor.ndim >= 4
        return dtype if tensor.ndim >= 2 and not exact else torch.float32

    def cast(self, dtype: torch.dtype) -> SFENetworks:
        """Give convolutions and activations another type, in place."""
        cast_floats(self, lambda name, tensor: self.stored_dtype(name, tensor, dtype))
        return self
