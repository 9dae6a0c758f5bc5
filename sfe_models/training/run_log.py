"""The numbers of a run: means since the last line, in log.jsonl and log/ (TensorBoard)."""

from __future__ import annotations

import json
from pathlib import Path

from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from ..atomic import replaced
from ..text_files import read_text
from .distributed import Processes


class Means:
    """Means of the steps' numbers, each over the steps that had it."""

    def __init__(self):
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, numbers: dict[str, Tensor]) -> None:
        """Take a step's numbers."""
        for name, value in numbers.items():
            self._sums[name] = self._sums.get(name, 0) + value.detach().float()
            self._counts[name] = self._counts.get(name, 0) + 1

    def over(self, processes: Processes) -> dict[str, float]:
        """Compute the means over all processes."""
        return {name: float(processes.mean(total / self._counts[name])) for name, total in self._sums.items()}


class RunLog:
    """What the first process of a run writes; `first` steps are done. What was logged after those goes."""

    def __init__(self, output: Path, first: int):
        self._path = output / "log.jsonl"
        self._drop_after(first)
        self.writer = SummaryWriter(output / "log", purge_step=first + 1)

    def write(self, numbers: dict[str, float], step: int) -> None:
        """Add a line: the numbers after so many steps."""
        for name, value in numbers.items():
            self.writer.add_scalar(name, value, step)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **{k: round(v, 6) for k, v in numbers.items()}}) + "\n")

    def _drop_after(self, step: int) -> None:
        """Drop lines after a step, which will come again, and one that was not written whole."""
        lines = read_text(self._path).splitlines(keepends=True) if self._path.is_file() else []
        kept = [line for line in lines if _is_until(line, step)]
        if kept != lines:
            with replaced(self._path) as temporary:
                temporary.write_text("".join(kept), encoding="utf-8")


def _is_until(line: str, step: int) -> bool:
    try:
        return json.loads(line)["step"] <= step
    except ValueError:
        return False
