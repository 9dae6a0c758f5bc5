"""Tensors computed from a weight that no longer changes, kept beside it."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import torch
from torch import Tensor


class Derived:
    """Keep one tensor that `compute` makes from a frozen weight; make it anew when the weight is another one.

    Nothing is kept while the weight requires a gradient, nor by torch.compile. In-place changes are noticed through
    the version counter, except those to tensors made in inference mode, which have none.
    """

    def __init__(self, compute: Callable[[Tensor], Tensor]):
        self._compute = compute
        self._weight: weakref.ref[Tensor] | None = None
        self._state: tuple | None = None
        self._value: Tensor | None = None

    def __call__(self, weight: Tensor) -> Tensor:
        """weight: the parameter itself, not a view of it, so that it can be told from another one."""
        if weight.requires_grad or torch.compiler.is_compiling():
            return self._compute(weight)
        version = None if weight.is_inference() else weight._version
        state = (weight.data_ptr(), version, weight.dtype, weight.device, weight.shape)
        if self._weight is None or self._weight() is not weight or state != self._state:
            # A tensor made in inference mode could not be used where gradients are taken later.
            with torch.inference_mode(False), torch.no_grad():
                self._value = self._compute(weight)
            self._weight, self._state = weakref.ref(weight), state
        return self._value

    def __deepcopy__(self, memo):
        return type(self)(self._compute)
