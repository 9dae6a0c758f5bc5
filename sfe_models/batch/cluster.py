"""The same work on a cluster, by Ray Data (the extra `ray`): each worker loads the model once and takes pictures.

A worker writes the lines of its pictures itself, into parts `manifest.NUMBER-of-0.jsonl`, so that nothing is done
twice when the program that started it all dies; that one counts, and joins the parts at the end.
"""

from __future__ import annotations

import json
import math
import os
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from ..inputs import InputError
from ..sharing import Share
from .find import Picture
from .manifest import Line, Part
from .run import Made, run
from .storage import store_of
from .work import Work

# Pictures that a worker takes at a time; lines are counted when it is through with them.
_AT_ONCE = 64


@dataclass(frozen=True)
class Cluster:
    """address: of Ray ("local" starts one on this machine, "auto" joins the one that `ray start` made).

    workers: how many; gpus: of each, such as 0.5, None for one where the cluster has any.
    """

    address: str = "local"
    workers: int = 1
    gpus: float | None = None


def run_on_ray(
    pictures: Sequence[Picture],
    make_work: Callable[[], Work],
    output: str,
    made: Made,
    cluster: Cluster,
    done: Callable[[Line], None] = lambda line: None,
) -> None:
    """Edit pictures on a cluster. make_work: called once by each worker; what it needs must be where the worker is.

    output: a folder that all workers see, or an fsspec address. Raises ModuleNotFoundError without Ray, InputError.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would ask, or tell its makers
    import ray

    if not ray.is_initialized():
        address = None if cluster.address == "local" else cluster.address
        local = {"include_dashboard": False} if address is None else {}
        ray.init(address=address, log_to_driver=False, logging_level="WARNING", **local)
    try:
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = context.print_on_execution_start = False
        blocks = max(cluster.workers, math.ceil(len(pictures) / _AT_ONCE))
        gpus = cluster.gpus
        if gpus is None:
            gpus = 1 if ray.cluster_resources().get("GPU") else 0
        lines = ray.data.from_items([asdict(p) for p in pictures], override_num_blocks=blocks).map_batches(
            _Worker,
            fn_constructor_args=(make_work, output, made),
            batch_size=_AT_ONCE,
            compute=ray.data.ActorPoolStrategy(size=cluster.workers),
            num_gpus=gpus,
        )
        for row in lines.iter_rows():
            done(Line(**json.loads(row["line"])))
    except ray.exceptions.RayError as error:
        said = getattr(error, "cause", None) or error
        raise InputError(f"The cluster ended the work: {said} The same command goes on.") from error
    finally:
        if cluster.address == "local":
            ray.shutdown()


class _Worker:
    """One process of the cluster."""

    def __init__(self, make_work: Callable[[], Work], output: str, made: Made):
        self.work, self.store, self.made = make_work(), store_of(output), made
        self.pace = self.work.pace()
        self.share = Share(uuid.uuid4().int % 10**12, 0)

    def __call__(self, batch: dict[str, Sequence]) -> dict[str, list[str]]:
        pictures = [Picture(*(str(batch[name][i]) for name in Picture.__slots__)) for i in range(len(batch["name"]))]
        lines: list[str] = []
        with Part(self.store, self.share) as part:
            run(pictures, self.work, part, self.made, self.pace, lambda line: lines.append(str(line)))
        return {"line": lines}
