"""Tables that say which pictures have which attributes: CelebAMask-HQ's text format, and CSV.

CelebAMask-HQ (`CelebAMask-HQ-attribute-anno.txt`): the number of pictures, then the attributes' names, then a line
`FILE v1 v2 ...` for each picture, 1 for has and -1 for has not. CSV: a head line `file,NAME,...`, then a line for each
picture with 1 for has, 0 or -1 for has not.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from ..text_files import read_text
from .errors import EvaluationError

_CSV_HEAD = "file"


@dataclass(frozen=True)
class AttributeTable:
    """Which pictures have which attributes. rows: by file name, one truth value for each of `names`."""

    path: Path
    names: tuple[str, ...]
    rows: dict[str, tuple[bool, ...]]

    def has(self, picture: str, attribute: str) -> bool | None:
        """Say whether a picture (its file name counts, not its folder) has an attribute; None if it is not listed."""
        if attribute not in self.names:
            raise EvaluationError(f"{self.path} has no attribute {attribute!r}; expected {', '.join(self.names)}.")
        row = self.rows.get(Path(picture).name)
        return None if row is None else row[self.names.index(attribute)]


def read_attribute_table(path: Path | str) -> AttributeTable:
    """Read a table of either format, recognised by its first line. Raises EvaluationError naming file and line."""
    path = Path(path)
    try:
        lines = read_text(path).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"The attribute table {path} cannot be read ({error}).") from error
    first = lines[0].strip() if lines else ""
    if first.isdecimal():
        return _read_celeba(path, lines)
    if first.split(",")[0].strip() == _CSV_HEAD:
        return _read_csv(path, lines)
    raise EvaluationError(
        f"{path} begins with {first[:40]!r}; expected the number of pictures (CelebAMask-HQ's format) or "
        f"'{_CSV_HEAD},NAME,...' (CSV)."
    )


def _read_celeba(path: Path, lines: list[str]) -> AttributeTable:
    names = _names(path, lines[1].split() if len(lines) > 1 else [])
    rows: dict[str, tuple[bool, ...]] = {}
    for number, line in enumerate(lines[2:], 3):
        if line.strip():
            file, *values = line.split()
            _add(rows, path, number, file, values, names, {"1": True, "-1": False})
    if len(rows) != int(lines[0]):
        raise EvaluationError(f"{path} announces {int(lines[0])} pictures and lists {len(rows)}; fetch it again.")
    return AttributeTable(path, names, rows)


def _read_csv(path: Path, lines: list[str]) -> AttributeTable:
    reader = csv.reader(lines)
    names = _names(path, [name.strip() for name in next(reader)[1:]])
    rows: dict[str, tuple[bool, ...]] = {}
    for cells in reader:
        if any(cell.strip() for cell in cells):
            file, *values = (cell.strip() for cell in cells)
            _add(rows, path, reader.line_num, file, values, names, {"1": True, "0": False, "-1": False})
    if not rows:
        raise EvaluationError(f"{path} lists no picture below its head line.")
    return AttributeTable(path, names, rows)


def _names(path: Path, names: list[str]) -> tuple[str, ...]:
    if not names or "" in names or len(set(names)) != len(names):
        raise EvaluationError(f"{path} names the attributes {names}; expected at least one, each once.")
    return tuple(names)


def _add(
    rows: dict, path: Path, number: int, file: str, values: list[str], names: tuple[str, ...], meaning: dict[str, bool]
) -> None:
    if len(values) != len(names):
        raise EvaluationError(f"{path}, line {number}: {len(values)} values for {len(names)} attributes.")
    wrong = [value for value in values if value not in meaning]
    if wrong:
        raise EvaluationError(f"{path}, line {number}: the value {wrong[0]!r}; expected {' or '.join(meaning)}.")
    if file in rows:
        raise EvaluationError(f"{path}, line {number}: {file} is listed twice.")
    rows[file] = tuple(meaning[value] for value in values)
