"""The report of an evaluation: tables as text and Markdown, and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..atomic import replaced
from .metrics import ROWS
from .score_edits import FOLLOWED
from .ssim import SCALE_WEIGHTS, scales_of
from .summary import Summary

_NOTHING = "-"


@dataclass(frozen=True)
class Table:
    """A caption, a head line and rows of cells; a row of two cells speaks over all columns."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        """Align the columns with spaces."""
        whole = [self.head, *(row for row in self.rows if len(row) == len(self.head))]
        widths = [max(len(row[i]) for row in whole) for i in range(len(self.head))]
        widths[0] = max(widths[0], *(len(row[0]) for row in self.rows)) if self.rows else widths[0]
        lines = [self.caption]
        for row in (self.head, *self.rows):
            cells = [row[0].ljust(widths[0])]
            cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=False)]
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)

    def markdown(self) -> str:
        """Write a Markdown table."""
        lines = [self.caption, "", _row(self.head), _row(["---"] * len(self.head))]
        lines += [_row([*row, *[""] * (len(self.head) - len(row))]) for row in self.rows]
        return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


@dataclass(frozen=True)
class Report:
    """What was measured, of what, and what is missing.

    methods: columns; picture_size: (height, width) in px; unavailable: method -> why the model cannot run it; needs:
    metric or section -> what is missing; settings: how it was measured; ablations: rows of `ablations.AblationRow`,
    empty if none were asked for.
    """

    summary: Summary
    methods: tuple[str, ...]
    picture_size: tuple[int, int]
    unavailable: dict[str, str]
    needs: dict[str, str]
    settings: dict
    ablations: tuple = field(default=())

    def to_json(self) -> dict:
        """Return the whole as plain values; a number that is not there is None."""
        summary = self.summary
        return {
            "inversion": summary.inversion,
            "editing": summary.editing,
            "rejected": summary.rejected,
            "pictures": summary.pictures,
            "skipped": summary.skipped,
            "unavailable": self.unavailable,
            "needs": self.needs,
            "settings": self.settings,
            "ablations": {row.name: row.to_json() for row in self.ablations},
        }

    def save(self, path: Path | str) -> Path:
        """Write JSON, whole or not at all."""
        with replaced(path) as temporary:
            temporary.write_text(json.dumps(self.to_json(), indent=1, allow_nan=False) + "\n", encoding="utf-8")
        return Path(path)

    def tables(self) -> list[Table]:
        """Return all tables in reading order."""
        tables = [self._inversion()]
        if self.summary.editing:
            cells = [row for rows in self.summary.editing.values() for row in rows.values()]
            if any("nearer" in row for row in cells):
                tables.append(self._score_edits())
            else:
                tables.append(self._editing_fid() if any("fid" in row for row in cells) else self._editing())
        if self.ablations:
            tables.append(self._ablations())
        return tables

    def _inversion(self) -> Table:
        columns = [name for name in self.methods if name != "unedited"]
        rows = []
        for info in ROWS:
            numbers = [self.summary.inversion[name].get(info.key) for name in columns]
            if info.key in self.needs:
                rows.append((info.name, self.needs[info.key]))
            elif any(number is not None for number in numbers):
                rows.append((info.name, *map(number_text, numbers)))
        return Table(f"Inversion of {self.summary.pictures} pictures", ("", *columns), tuple(rows))

    def _editing(self) -> Table:
        rows = []
        for attribute, cells in self.summary.editing.items():
            people = max((cell.get("people", 0) for cell in cells.values()), default=0)
            row = [attribute, str(people)]
            for name in self.methods:
                error, reached = cells[name]["error"], cells[name]["reached"]
                share = "" if name == "unedited" or reached is None else f" ({reached:.0%})"
                row.append(number_text(error) + share)
            rows.append(tuple(row))
        caption = (
            "Edits at matched change: L2 to the true picture over the people whom all methods brought there "
            "(share of people whom the method brought there)"
        )
        return Table(caption, ("attribute", "people", *self.methods), tuple(rows))

    def _editing_fid(self) -> Table:
        rows = []
        for label, cells in self.summary.editing.items():
            first = next(iter(cells.values()))
            sizes = f"{first['edited']} to {first['real']}"
            if "fid" in self.needs:
                rows.append((label, self.needs["fid"]))
            else:
                rows.append((label, sizes, *(number_text(cells[name]["fid"]) for name in self.methods)))
        caption = "FID of edited pictures to the real ones that have the attribute"
        return Table(caption, ("edit", "pictures", *self.methods), tuple(rows))

    def _score_edits(self) -> Table:
        columns = [name for name in self.methods if name != "unedited"]
        names = {info.key: info.name for info in ROWS}
        rows = []
        for label, cells in self.summary.editing.items():
            people = str(cells[columns[0]]["people"])
            for key in FOLLOWED:
                if key in self.needs:
                    rows.append((f"{label}: {names[key]}", self.needs[key]))
                else:
                    numbers = [number_text(cells[name].get(key)) for name in columns]
                    rows.append((f"{label}: {names[key]}", people, *numbers))
            for key, what in (("nearer", "nearer than e4e"), ("reached", "reached")):
                shares = [cells[name].get(key) for name in columns]
                texts = [_NOTHING if share is None else f"{share:.0%}" for share in shares]
                rows.append((f"{label}: {what}", "", *texts))
        caption = (
            "Edits at matched change of a score, against the photograph, over the people whom all methods brought "
            "there that bring anybody there"
        )
        return Table(caption, ("edit", "people", *columns), tuple(rows))

    def _ablations(self) -> Table:
        rows = []
        for row in self.ablations:
            if row.needs:
                rows.append((row.name, row.needs))
                continue
            numbers = (row.l2, row.ms_ssim, row.edit_error, row.reached)
            rows.append((row.name, *map(number_text, numbers), str(row.people), str(row.attributes)))
        head = ("row", "inversion L2", "MS-SSIM", "edit L2", "reached", "edits", "attributes")
        caption = "Ablations; edits over the people whom all rows, or all rows on held-out directions, brought there"
        return Table(caption, head, tuple(rows))

    def notes(self) -> list[str]:
        """Say what the tables leave out, and what they show in a sentence."""
        notes = [f"{name} cannot be run: {why}." for name, why in self.unavailable.items()]
        scales = scales_of(*self.picture_size)
        if scales < len(SCALE_WEIGHTS):
            notes.append(
                f"MS-SSIM is of the {scales} finest of its {len(SCALE_WEIGHTS)} scales: the coarser ones have no room "
                f"in {self.picture_size[1]} x {self.picture_size[0]} px."
            )
        if {"inverter", "f_minus_delta"}.isdisjoint(self.unavailable):
            notes.append("f_minus_delta inverts as inverter does: without an edit delta is 0.")
        shown = {info.key for info in ROWS}
        notes += [f"{what} {text}." for what, text in self.needs.items() if what not in shown]
        notes += [f"{name} is rejected: {why}." for name, why in self.summary.rejected.items()]
        if self.summary.skipped:
            notes.append(f"Skipped {len(self.summary.skipped)} pictures: {', '.join(list(self.summary.skipped)[:20])}.")
        return notes + self.verdicts()

    def verdicts(self) -> list[str]:
        """Compare SFE with the other methods in sentences, as far as both were measured."""
        lines, inversion, editing = [], self.summary.inversion, self.summary.editing
        l2 = {name: inversion.get(name, {}).get("l2") for name in ("e4e", "sfe")}
        if l2["e4e"] is not None and l2["sfe"]:
            lines.append(f"Inversion: the L2 of e4e is {l2['e4e'] / l2['sfe']:.1f} times that of sfe.")
        lines += self._of_photographs()
        pairs = {
            name: [
                (cells["sfe"]["error"], cells[name]["error"])
                for cells in editing.values()
                if None not in (cells.get("sfe", {}).get("error"), cells.get(name, {}).get("error"))
            ]
            for name in self.methods
            if name != "sfe"
        }
        if pairs.get("e4e"):
            half = sum(sfe <= other / 2 for sfe, other in pairs["e4e"])
            lines.append(
                f"Edits: the error of sfe is at most half of e4e's on {half} of {len(pairs['e4e'])} attributes."
            )
        for name, both in pairs.items():
            if both and name != "e4e":
                below = sum(sfe < other for sfe, other in both)
                lines.append(f"Edits: the error of sfe is below that of {name} on {below} of {len(both)} attributes.")
        return lines

    def _of_photographs(self) -> list[str]:
        """Compare every method with e4e on photographs: who is still seen after the inversion, and after edits."""
        lines, inversion = [], self.summary.inversion
        e4e = inversion.get("e4e", {})
        for name in self.methods:
            own = inversion.get(name, {})
            if name != "e4e" and None not in (own.get("dlib"), e4e.get("dlib")):
                lines.append(
                    f"Inversion by {name}: dlib's distance {own['dlib']:.3f}, e4e's is {e4e['dlib'] - own['dlib']:.2f} "
                    f"more; L2 {own['l2']:.4f}, e4e's is {e4e['l2'] / own['l2']:.1f} times that."
                )
            shares = [
                c[name]["nearer"] for c in self.summary.editing.values() if c.get(name, {}).get("nearer") is not None
            ]
            if shares:
                lines.append(f"Edits by {name}: nearer to the photograph than e4e's on {min(shares):.0%} at least.")
        return lines

    def text(self) -> str:
        """Write everything for a terminal."""
        return "\n\n".join([*(table.text() for table in self.tables()), *(["\n".join(self.notes())] or [])]).rstrip()

    def markdown(self) -> str:
        """Write everything as Markdown."""
        notes = "\n".join(f"- {note}" for note in self.notes())
        return "\n\n".join([*(table.markdown() for table in self.tables()), notes]).rstrip() + "\n"


def number_text(value: float | None) -> str:
    """Write a number with four significant figures; "-" for none."""
    return _NOTHING if value is None else f"{value:.4g}" if abs(value) >= 1e-4 or not value else f"{value:.1e}"
