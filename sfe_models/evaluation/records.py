"""Results of single pictures, kept as they come, so that a stopped evaluation goes on and several processes share one.

Each process appends to its own file beside the report, `NAME.part0.jsonl` and so on: first a line with the settings,
then a line for each picture. Feature vectors for FID, too long for text, stand in `NAME.part0.f32` and are numbered
there. All parts together are the result; which process wrote which does not matter.
"""

from __future__ import annotations

import glob
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ..sharing import Share
from .errors import EvaluationError

logger = logging.getLogger(__name__)

_POLL_SECONDS = 1.0
# After so long without a result of another process it is said what is missing.
_PATIENCE_SECONDS = 300.0
_ROWS_AT_ONCE = 1024


class Records:
    """The parts of one evaluation. report: the file beside which they stand; settings: what every line depends on.

    Raises EvaluationError if a part of other settings is there.
    """

    def __init__(self, report: Path | str, settings: dict, share: Share | None = None, dimensions: int = 2048):
        self.report, self.settings = Path(report), json.loads(json.dumps(settings))
        self.dimensions = dimensions
        self._own = self._part(share.rank if share else 0)
        self.report.parent.mkdir(parents=True, exist_ok=True)
        for path in self._parts():
            self._check(path)
        self._repair()

    def _part(self, rank: int) -> Path:
        return self.report.with_name(f"{self.report.stem}.part{rank}.jsonl")

    def _parts(self) -> list[Path]:
        return sorted(self.report.parent.glob(f"{glob.escape(self.report.stem)}.part[0-9]*.jsonl"))

    def _check(self, path: Path) -> None:
        lines = _whole_lines(path)
        if lines and lines[0].get("settings") != self.settings:
            found = lines[0].get("settings", {})
            changed = [key for key in self.settings if found.get(key) != self.settings[key]] or ["settings"]
            raise EvaluationError(
                f"{path} holds results of another evaluation ({', '.join(changed)} differ). Delete it together with "
                f"its neighbours {self.report.stem}.part*, or give another --json."
            )

    def _repair(self) -> None:
        """Cut off what a killed process left half written, and write the first line if it is missing."""
        lines = _whole_lines(self._own) if self._own.exists() else []
        if not lines:
            self._own.write_text(json.dumps({"settings": self.settings}) + "\n", encoding="utf-8")
            return
        content = self._own.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            os.truncate(self._own, whole)
        features = self._own.with_suffix(".f32")
        if features.exists():
            os.truncate(features, features.stat().st_size // self._row_bytes * self._row_bytes)

    @property
    def _row_bytes(self) -> int:
        return 4 * self.dimensions

    def read(self) -> dict[str, dict]:
        """Return the results by key, of all parts; where a picture was measured more than once, the last counts."""
        found: dict[str, dict] = {}
        for path in self._parts():
            for line in _whole_lines(path)[1:]:
                found[line["key"]] = {**line, "part": path.stem}
        return found

    def append(self, key: str, result: dict, features: dict[str, np.ndarray] | None = None) -> None:
        """Add one picture's result, and vectors [D] by name."""
        rows = {}
        if features:
            path = self._own.with_suffix(".f32")
            first = path.stat().st_size // self._row_bytes if path.exists() else 0
            with path.open("ab") as file:
                for number, (name, vector) in enumerate(features.items()):
                    file.write(np.asarray(vector, dtype="<f4").tobytes())
                    rows[name] = first + number
        with self._own.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, **result, "features": rows}) + "\n")

    def features(self, name: str, results: Sequence[dict]) -> Iterator[np.ndarray]:
        """Yield the vectors of that name of results that `read` returned, [at most 1024, D] at a time."""
        parts: dict[str, list[int]] = {}
        for result in results:
            if name in result.get("features", {}):
                parts.setdefault(result["part"], []).append(result["features"][name])
        for part, rows in parts.items():
            path = self.report.with_name(f"{part}.f32")
            stored = np.memmap(path, "<f4", "r").reshape(-1, self.dimensions)
            for first in range(0, len(rows), _ROWS_AT_ONCE):
                yield np.asarray(stored[rows[first : first + _ROWS_AT_ONCE]])

    def wait_for(self, keys: Sequence[str], complete: Callable[[str, dict | None], bool]) -> dict[str, dict]:
        """Return all results once every key has a complete one; the other processes' come through their files.

        complete: whether a key's result (None: none yet) is all that is wanted of it. Nobody can tell a slow process
        from one that ended, so a log says from time to time what is missing.
        """
        missing, since = len(keys), time.monotonic()
        while True:
            found, before = self.read(), missing
            missing = sum(not complete(key, found.get(key)) for key in keys)
            if not missing:
                return found
            if missing != before:
                since = time.monotonic()
            elif time.monotonic() - since >= _PATIENCE_SECONDS:
                logger.warning(
                    "%d of %d pictures are other processes', and none came for %.0f s. Should one of them have ended, "
                    "start all of them again by the same commands: what is measured stays.",
                    missing,
                    len(keys),
                    _PATIENCE_SECONDS,
                )
                since = time.monotonic()
            time.sleep(_POLL_SECONDS)


def _whole_lines(path: Path) -> list[dict]:
    """Read the lines of a part; one without its end is still being written, or never will be."""
    text = path.read_text(encoding="utf-8")
    try:
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
    except json.JSONDecodeError as error:
        raise EvaluationError(
            f"{path} is damaged ({error}); delete it, and its pictures are measured again."
        ) from error
