"""PTI and GANI, each as a generator of steps: what is optimised, and what of the weights has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import functional_call

from ..domain import DomainSpec
from ..equations import cropped
from ..generators.base import Generator
from ..generators.families import make_generator
from ..inputs import InputError
from ..training.losses import ReconstructionLoss
from .config import TuningConfig
from .gradient_modules import GradientModules
from .ranger import Ranger


@dataclass(frozen=True, eq=False)
class Task:
    """One picture and what it is tuned with.

    base: a float32 copy of the generator, frozen; code: [1,N,D]; image: [1,3,H,W] in [-1,1].
    """

    spec: DomainSpec
    base: Generator
    code: Tensor
    image: Tensor
    losses: ReconstructionLoss
    config: TuningConfig

    def loss(self, generator, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Total loss, the picture's own part of it, and the picture. generator: codes [B,N,D] to squares."""
        made = cropped(generator(self.code), self.spec)
        own = self.losses(made, self.image)["reconstruction"]
        if not self.config.local:
            return own, own, made
        z = torch.randn(1, self.spec.generator.style_dim, generator=random).to(self.code.device)
        with torch.no_grad():
            other = self.base.broadcast(self.base.mapping(z))
            wanted = cropped(self.base(other), self.spec)
        local = self.losses(cropped(generator(other), self.spec), wanted)["reconstruction"]
        return own + self.config.local * local, own, made


@dataclass(frozen=True, eq=False)
class Step:
    """loss: of the picture; made: [1,3,H,W]; deltas: gives the changes of the weights by name, until the next step."""

    loss: float
    made: Tensor
    deltas: Callable[[], dict[str, Tensor]]


def tunable(generator: Generator) -> dict[str, Tensor]:
    """Name the weights that may change: those of convolutions on the way to the picture.

    Styles, biases and what makes colours stay, so that directions and fingerprints go on as they were.
    """
    wanted = {id(weight) for layer in generator.layers() for weight in layer.parameters() if weight.ndim >= 4}
    return {name: weight for name, weight in generator.named_parameters() if id(weight) in wanted}


def copied(generator: Generator) -> Generator:
    """Copy a generator in float32, without hooks; to be called outside of inference mode."""
    with torch.device("meta"):
        copy = make_generator(generator.spec)
    state = {name: tensor.detach().clone() for name, tensor in generator.state_dict().items()}
    copy.load_state_dict({name: t.float() if t.is_floating_point() else t for name, t in state.items()}, assign=True)
    return copy.eval().requires_grad_(False)


def _size(weight: Tensor) -> float:
    """Root mean square: about 1 throughout StyleGAN2, from 0.04 to 6 in MobileStyleGAN, which rates must follow."""
    return weight.detach().square().mean().sqrt().item()


def pti(task: Task) -> Iterator[Step]:
    """Adam on the weights themselves. The public code moves all of G; here, those of `tunable`."""
    tuned = copied(task.base)
    weights, start = tunable(tuned), tunable(task.base)
    groups = [{"params": [w.requires_grad_()], "lr": task.config.rate * _size(w)} for w in weights.values()]
    optimizer = torch.optim.Adam(groups)
    random = torch.Generator().manual_seed(task.config.seed)

    def deltas() -> dict[str, Tensor]:
        return {name: (weight - start[name]).detach() for name, weight in weights.items()}

    while True:
        total, own, made = task.loss(tuned, random)
        yield Step(own.item(), made.detach(), deltas)
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        optimizer.step()


def gani(task: Task) -> Iterator[Step]:
    """Ranger on gradient modules that turn the picture's gradient, taken once, into theta' - theta (equation 2)."""
    weights = tunable(task.base)
    leaves = {name: weight.detach().clone().requires_grad_() for name, weight in weights.items()}
    made = cropped(functional_call(task.base, leaves, (task.code,)), task.spec)
    found = torch.autograd.grad(task.losses(made, task.image)["reconstruction"], list(leaves.values()))
    sizes = {name: _size(weight) for name, weight in weights.items()}
    gradients = {name: gradient / sizes[name] for name, gradient in zip(leaves, found, strict=True)}
    config = task.config
    modules = GradientModules(weights, config.blocks, config.normalise, config.seed).to(task.code.device)
    optimizer = Ranger(modules.parameters(), config.rate)
    random = torch.Generator().manual_seed(config.seed)
    moved: dict[str, Tensor] = {}

    def deltas() -> dict[str, Tensor]:
        return {name: (weight - weights[name]).detach() for name, weight in moved.items()}

    def tuned(w_plus: Tensor) -> Tensor:
        return functional_call(task.base, moved, (w_plus,))

    while True:
        moved.update({name: weights[name] + sizes[name] * delta for name, delta in modules(gradients).items()})
        total, own, made = task.loss(tuned, random)
        yield Step(own.item(), made.detach(), deltas)
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        optimizer.step()


def check_finite(step: Step, number: int) -> None:
    """Raises InputError where a run has left the numbers that there are."""
    if not torch.tensor(step.loss).isfinite():
        raise InputError(f"The loss is not finite at step {number}; nothing is kept. Give a lower --rate.")


STEPS = {"pti": pti, "gani": gani}
