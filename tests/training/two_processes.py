"""What `test_distributed` runs: alone in its own process, and as one of two that `torchrun` might have started."""

import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from training.tiny import CPU, Dots, e4e_config, editor_config, gan_config, inverter_config, make

from sfe_models.training.config import AdversarialConfig
from sfe_models.training.distributed import Processes
from sfe_models.training.loop import train

DOTS = Dots(24)
_CALM = {"adversarial": AdversarialConfig(weight=0.0), "ema_halflife": 0}
# Nothing here is drawn at random, and with BatchNorm in evaluation mode no picture meets another.
EXACT = {
    "inverter": (inverter_config(2, batch=8, feature_ramp=3, **_CALM), "inverter"),
    "e4e": (e4e_config(2, batch=8, discriminator_weight=0.0, progressive_start=0, ema_halflife=0), "e4e_encoder"),
    "editor": (editor_config(2, batch=8, feature_ramp=0, **_CALM), "feature_editor"),
}


def primitives(processes):
    """Each function of Processes on numbers that differ by rank."""
    rank = processes.rank
    weights, module = nn.Linear(2, 2), nn.BatchNorm2d(3)
    module.running_mean.fill_(rank)
    module.num_batches_tracked.fill_(rank)
    weights.weight.grad = torch.full((2, 2), float(rank))  # the bias has none
    processes.average_gradients(weights.parameters())
    gradient = weights.weight.grad.clone()
    processes.average_buffers([module])
    buffers = {key: tensor.clone() for key, tensor in module.named_buffers()}
    nn.init.constant_(weights.weight, rank + 5.0)
    processes.broadcast([weights])
    return {
        "part": [processes.part(6).start, processes.part(6).stop],
        "gradient": gradient,
        "buffers": buffers,
        "broadcast": weights.weight.detach().clone(),
        "mean": processes.mean(torch.tensor(float(rank))),
        "gather": processes.gather(torch.tensor([[rank, 10.0 + rank]])),
    }


def exact(name, processes, folder):
    """Two steps: the gradients of each, the trained network, the last logged numbers' file."""
    config, trained = EXACT[name]
    stage, gradients = make(config, seed=processes.rank), []
    stage.processes = processes
    stage.networks[trained].eval()
    if name == "editor":
        stage.edits = [replace(stage.edits[0], strengths=(1.5,), range=None)]
    parameters = list(stage.networks[trained].parameters())
    stage.optimizers[trained].register_step_pre_hook(
        lambda *_: gradients.append([p.grad.clone() for p in parameters if p.grad is not None])
    )
    train(stage, config, DOTS, folder / name, processes)
    return {"gradients": gradients, "weights": stage.networks[trained].state_dict()}


def common(name, config, processes, folder):
    """A run with everything that is random: what both processes must agree on at its end."""
    stage = make(config, seed=processes.rank)
    stage.processes = processes
    train(stage, config, DOTS, folder / name, processes)
    state = {"networks": {key: network.state_dict() for key, network in stage.networks.items()}}
    if name == "gan":
        state["augmentation"] = stage.augment.p
    return state


def everything(processes, folder):
    """All of the above."""
    result = {"primitives": primitives(processes)} if processes.world > 1 else {}
    result |= {name: exact(name, processes, folder) for name in EXACT}
    if processes.world > 1:
        result["gan"] = common("gan", gan_config(9, batch=4, ema_halflife=0), processes, folder)
        result["batchnorm"] = common("batchnorm", inverter_config(4, batch=4), processes, folder)
    return result


if __name__ == "__main__":
    group, output = Processes.start(CPU), Path(sys.argv[1])
    torch.save(everything(group, output), output / f"rank{group.rank}.pt")
    group.stop()
