"""PTI and GANI, each as a generator of steps: what is optimised, and what of the weights has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import torch
from torch import Tensor, nn
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


class Early(nn.Module):
    """A generator that makes its pictures after a layer (None: the last), and runs no further.

    The parts behind it stay as they are, and cost neither time nor memory.
    """

    def __init__(self, generator: Generator, layer: int | None = None):
        super().__init__()
        self.generator, self.layer = generator, layer

    def forward(self, w_plus: Tensor) -> Tensor:
        """Make pictures [B,3,R,R], about [-1,1], from W+ codes [B,N,D]."""
        generator = self.generator
        state = generator.run(generator.start(len(w_plus)), generator.style_space(w_plus), self.layer)
        return generator.picture(state)

    def called(self, weights: dict[str, Tensor], w_plus: Tensor) -> Tensor:
        """Make pictures with other weights, by the names of `tunable`."""
        return functional_call(self, {f"generator.{name}": weight for name, weight in weights.items()}, (w_plus,))

    def tunable(self) -> dict[str, Tensor]:
        """Name the weights of the generator that move these pictures."""
        return tunable(self.generator, self.layer)


@dataclass(frozen=True, eq=False)
class Task:
    """One picture and what it is tuned with.

    base: a float32 copy of the generator, frozen, made to give pictures as `Early` does; code: [1,N,D]; image:
    [1,3,h,w] in [-1,1], as large as these pictures.
    """

    spec: DomainSpec
    base: Early
    code: Tensor
    image: Tensor
    losses: ReconstructionLoss
    config: TuningConfig

    def loss(self, generator, random: torch.Generator, number: int) -> tuple[Tensor, Tensor, Tensor]:
        """Total loss of step `number`, the picture's own part of it, and the picture.

        generator: codes [B,N,D] to squares.
        """
        made = cropped(generator(self.code), self.spec)
        own = self.losses(made, self.image)["reconstruction"]
        every = self.config.local_every
        if not self.config.local or number % every:
            return own, own, made
        z = torch.randn(1, self.spec.generator.style_dim, generator=random).to(self.code.device)
        with torch.no_grad():
            other = self.base.generator.broadcast(self.base.generator.mapping(z))
            wanted = cropped(self.base(other), self.spec)
        local = self.losses(cropped(generator(other), self.spec), wanted)["reconstruction"]
        return own + self.config.local * every * local, own, made


@dataclass(frozen=True, eq=False)
class Step:
    """loss: of the picture, a number on its device; made: [1,3,H,W].

    deltas: gives the changes of the weights by name, until the next step.
    """

    loss: Tensor
    made: Tensor
    deltas: Callable[[], dict[str, Tensor]]


def tunable(generator: Generator, layer: int | None = None) -> dict[str, Tensor]:
    """Name the weights that may change: those of convolutions on the way to the picture, or to a layer.

    Styles, biases and what makes colours stay, so that directions and fingerprints go on as they were.
    """
    wanted = {id(weight) for part in generator.layers()[:layer] for weight in part.parameters() if weight.ndim >= 4}
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
    tuned = Early(copied(task.base.generator), task.base.layer)
    weights, start = tuned.tunable(), task.base.tunable()
    groups = [{"params": [w.requires_grad_()], "lr": task.config.rate * _size(w)} for w in weights.values()]
    optimizer = torch.optim.Adam(groups)
    random = torch.Generator().manual_seed(task.config.seed)

    def deltas() -> dict[str, Tensor]:
        return {name: (weight - start[name]).detach() for name, weight in weights.items()}

    for number in count():
        total, own, made = task.loss(tuned, random, number)
        yield Step(own.detach(), made.detach(), deltas)
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        optimizer.step()


def gani(task: Task) -> Iterator[Step]:
    """Ranger on gradient modules that turn the picture's gradient, taken once, into theta' - theta (equation 2)."""
    weights = task.base.tunable()
    leaves = {name: weight.detach().clone().requires_grad_() for name, weight in weights.items()}
    made = cropped(task.base.called(leaves, task.code), task.spec)
    found = torch.autograd.grad(task.losses(made, task.image)["reconstruction"], list(leaves.values()))
    # Gradients and corrections in units of each weight's size.
    sizes = {name: _size(weight) for name, weight in weights.items()}
    gradients = {name: gradient * sizes[name] for name, gradient in zip(leaves, found, strict=True)}
    config = task.config
    modules = GradientModules(weights, config.blocks, config.normalise, config.seed).to(task.code.device)
    optimizer = Ranger(modules.parameters(), config.rate)
    random = torch.Generator().manual_seed(config.seed)
    moved: dict[str, Tensor] = {}

    def deltas() -> dict[str, Tensor]:
        return {name: (weight - weights[name]).detach() for name, weight in moved.items()}

    def tuned(w_plus: Tensor) -> Tensor:
        return task.base.called(moved, w_plus)

    for number in count():
        corrections = modules(gradients)
        moved.update({n: weights[n] + config.share * sizes[n] * delta for n, delta in corrections.items()})
        total, own, made = task.loss(tuned, random, number)
        yield Step(own.detach(), made.detach(), deltas)
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        optimizer.step()


def check_finite(step: Step, number: int) -> None:
    """Raises InputError where a run has left the numbers that there are."""
    if not step.loss.isfinite():
        raise InputError(f"The loss is not finite at step {number}; nothing is kept. Give a lower --rate.")


STEPS = {"pti": pti, "gani": gani}
