"""The networks of one gradual model, together."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..domain import DomainSpec
from ..encoders.families import make_e4e
from ..generators.families import make_generator
from ..nn.casting import cast_floats
from ..nn.folding import fold_batchnorm
from .spec import GradualSpec
from .streams import GradualParts


class GradualNetworks(nn.Module):
    """Generator G, e4e encoder E, and what is trained around them, of one domain."""

    def __init__(self, spec: DomainSpec, gradual: GradualSpec):
        super().__init__()
        self.spec, self.gradual = spec, gradual
        self.generator = make_generator(spec.generator)
        self.e4e_encoder = make_e4e(spec)
        self.parts = GradualParts(spec, gradual)

    @property
    def device(self) -> torch.device:
        return self.generator.latent_avg.device

    @property
    def dtype(self) -> torch.dtype:
        """The type that the model was cast to; see `stored_dtype` for what stays float32."""
        return next(weight.dtype for weight in self.e4e_encoder.parameters() if weight.ndim >= 2)

    @property
    def folded(self) -> bool:
        """Whether BatchNorm has been folded into the convolutions."""
        return not any(isinstance(m, nn.BatchNorm2d) for m in self.modules())

    def fold(self) -> GradualNetworks:
        """Fold BatchNorm in the encoders and the stages, in place."""
        fold_batchnorm(self.e4e_encoder)
        fold_batchnorm(self.parts)
        return self

    def stored_dtype(self, name: str, tensor: Tensor, dtype: torch.dtype) -> torch.dtype:
        """Say in which type a floating point tensor stands in a model of type `dtype`.

        As in `SFENetworks`: weights of convolutions and heads take it, biases, slopes and single numbers stay float32,
        and so do in bfloat16 all that details come from.
        """
        network, _, rest = name.partition(".")
        if network == "generator":
            return self.generator.stored_dtype(rest, tensor, dtype, self.gradual.stages[-1])
        exact = network == "parts" and dtype == torch.bfloat16
        return dtype if tensor.ndim >= 2 and not exact else torch.float32

    def cast(self, dtype: torch.dtype) -> GradualNetworks:
        """Give convolutions and activations another type, in place."""
        cast_floats(self, lambda name, tensor: self.stored_dtype(name, tensor, dtype))
        return self
