"""The loop around every stage: data, checkpoints, resuming, numbers and sample grids."""

from __future__ import annotations

import json
import logging
import math
from dataclasses import replace
from pathlib import Path

import torch
from einops import rearrange
from torch import Tensor
from tqdm import tqdm

from ..atomic import replaced
from ..domain import DomainSpec
from ..pictures.image_io import save_image
from .checkpoint import LAST, load_checkpoint, save_checkpoint
from .config import RunConfig
from .config_files import from_json, to_json
from .data import Batch, PictureFolder, Pictures, StepOrder, batches
from .distributed import Processes
from .errors import ConfigError, TrainingError
from .jitter import jittered
from .run_log import Means, RunLog
from .stage import Stage
from .stopping import stop_request

logger = logging.getLogger(__name__)

_SAMPLES = 16


def train(
    stage: Stage,
    config,
    pictures: Pictures,
    output: Path | str,
    processes: Processes | None = None,
    stop_after: int | None = None,
) -> Path:
    """Train a stage to its configuration's last step; go on where an earlier run in `output` was stopped.

    Writes config.json, last.pt, log/ (TensorBoard), log.jsonl and samples-*.png into `output`. stop_after: leave
    with a checkpoint after so many steps of this call. Ctrl-C leaves with a checkpoint after the step in progress (one
    process only). Returns the checkpoint. Raises TrainingError when a loss becomes NaN or infinite, and ConfigError if
    `output` holds a run with other settings.
    """
    output, run, processes = Path(output), config.run, processes or Processes()
    first = _resume(stage, config, output)
    last = run.steps if stop_after is None else min(run.steps, first + stop_after)
    processes.broadcast([*stage.networks.values(), *stage.averages.values()])
    part = processes.part(run.batch)
    order = StepOrder(len(pictures), run.batch, part, run.seed, first, last)
    shown = pictures[list(range(min(_SAMPLES, len(pictures))))].to(stage.device)
    leader = processes.rank == 0
    log = RunLog(output, first) if leader else None
    bar = tqdm(total=run.steps, initial=first, desc=type(stage).__name__, disable=not leader, mininterval=5)
    means = Means()
    with bar, stop_request(processes.world) as request:
        for step, batch in enumerate(batches(pictures, order, run.workers), first):
            torch.manual_seed(_step_seed(run.seed, step, processes.rank))
            means.add(stage.step(step, _varied(batch.to(stage.device), run)))
            stage.update_averages(step)
            done = step + 1
            ends = done == last or request.asked
            if done % run.log_every == 0 or done % run.save_every == 0 or ends:
                numbers = means.over(processes)
                _require_finite([name for name, value in numbers.items() if not math.isfinite(value)], done, output)
                if done % run.log_every == 0 or ends:
                    if leader:
                        log.write(numbers, done)
                        bar.set_postfix({k: f"{v:.3g}" for k, v in numbers.items()}, refresh=False)
                    means = Means()
            bar.update()
            if done % run.save_every == 0 or ends:
                processes.average_buffers(stage.networks.values())
                _require_finite(_spoilt(stage), done, output)  # the last update may have followed a finite loss
                if leader:
                    _save(stage, config, done, output)
            if leader and (done % run.sample_every == 0 or ends):
                samples = stage.samples(shown)
                save_grid(samples, output / f"samples-{done:07d}.png")
                log.writer.add_image("samples", (_grid(samples) / 2 + 0.5).clamp(0, 1), done)
            if request.asked and done != last:
                logger.warning("Stopped at step %d; the same command goes on from %s.", done, output / LAST)
                raise KeyboardInterrupt
    if leader:
        log.writer.close()
    if leader and isinstance(pictures, PictureFolder) and pictures.skipped:
        (output / "skipped.txt").write_text("\n".join(map(str, pictures.skipped)) + "\n", encoding="utf-8")
    return output / LAST


def _resume(stage: Stage, config, output: Path) -> int:
    """Load the last checkpoint of `output`, if there is one; return the next step."""
    path = output / LAST
    if not path.is_file():
        with replaced(output / "config.json") as temporary:
            temporary.write_text(to_json(config) + "\n", encoding="utf-8")
        return 0
    state = load_checkpoint(path)
    try:
        before = from_json(type(config), state["config"], str(path))  # settings that came since have their defaults
    except ConfigError as error:
        raise ConfigError(f"{output} holds a run with other settings; give another --output. {error}") from error
    old, new = json.loads(to_json(before)), json.loads(to_json(config))
    for settings in (old, new):  # these may change between the parts of one run
        for name in ("steps", "log_every", "sample_every", "save_every", "keep_every", "workers", "compile"):
            settings["run"].pop(name)
    if old != new:
        differing = sorted(name for name, value in _flat(new).items() if value != _flat(old).get(name))
        raise ConfigError(
            f"{output} holds a run with other settings ({', '.join(differing)} differ); give another --output, or "
            "the settings of its config.json to go on."
        )
    stage.load_state(state)
    logger.info("Going on from step %d of %s.", state["step"], path)
    return state["step"]


def _flat(settings: dict, prefix: str = "") -> dict:
    """Name nested settings as --set does: run.batch."""
    flat = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def _save(stage: Stage, config, step: int, output: Path) -> None:
    domain: DomainSpec = config.domain
    state = {"step": step, "config": to_json(config), "domain": domain.to_json(), **stage.state()}
    save_checkpoint(state, output / LAST)
    if config.run.keep_every and step % config.run.keep_every == 0:
        save_checkpoint(state, output / f"step-{step:07d}.pt")


def _step_seed(seed: int, step: int, rank: int) -> int:
    """Seed everything random within a step, so that a resumed run repeats nothing and misses nothing."""
    return (seed * 1_000_003 + step) * 4096 + rank


def _varied(batch: Batch, run: RunConfig) -> Batch:
    """Mirror and jitter as the run says."""
    batch = mirrored(batch) if run.mirror else batch
    return jittered(batch) if run.jitter else batch


def mirrored(batch: Batch) -> Batch:
    """Flip every other picture by chance. A flipped picture no longer belongs to its latent, so those stay."""
    if batch.latent is not None:
        return batch
    flip = torch.rand(len(batch), device=batch.image.device) < 0.5
    if batch.code is not None:
        flip[: len(batch.code)] = False
    return replace(batch, image=torch.where(flip[:, None, None, None], batch.image.flip(3), batch.image))


def _spoilt(stage: Stage) -> list[str]:
    """Name the networks that hold NaN or infinite numbers."""
    tensors = {name: network.state_dict().values() for name, network in stage.networks.items()}
    return [name for name, values in tensors.items() if not all(bool(t.isfinite().all()) for t in values)]


def _require_finite(bad: list[str], step: int, output: Path) -> None:
    if bad:
        kept = output / LAST
        last = f"the last good checkpoint is {kept}" if kept.is_file() else "there is no checkpoint yet"
        raise TrainingError(
            f"{', '.join(bad)} became NaN or infinite before step {step}; {last}. Lower the learning rate, or use "
            "--set run.precision=fp32, and go on."
        )


def _grid(pictures: Tensor) -> Tensor:
    return rearrange(pictures.float().cpu(), "r c d h w -> d (r h) (c w)")


def save_grid(pictures: Tensor, path: Path | str) -> Path:
    """Write [rows,columns,3,H,W] in [-1,1] as one picture."""
    return save_image(_grid(pictures), path)
