"""Where the nodes of a UI-format workflow stand: one note, then a coloured group for each stage, in rows.

ComfyUI's classic canvas leaves text out below a zoom of 60 %. Opened on a screen of 1600 x 950, a board is fitted into
three quarters of the canvas: only what fits into MOST has titles that can be read.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MOST = 1910, 1108
COLUMN, WIDTH, WIDE = 330, 290, 370
# Above a node's title ComfyUI writes the name of its pack: it covers neither the node above nor the group's title.
_LEFT, _TOP, _GAP, _BETWEEN, _MARGIN, _TITLE = 40, 40, 30, 50, 16, 82
_COLUMN_HEIGHTS = 340, 500, 720
_NOTE_WIDTH, _NOTE_LINE, _NOTE_LETTERS = 440, 24, 50


@dataclass(frozen=True)
class Stage:
    """Nodes that belong together, by their type."""

    title: str
    colour: str
    types: tuple[str, ...]


# In the order of a graph; what no stage names belongs to the first.
STAGES = (
    Stage("Start · 开始", "#8fb0c0", ()),
    Stage("Inversion · 反演", "#5aa0d0", ("SFE_TuneGenerator", "SFE_Invert", "SFE_SaveInversion", "SFE_LoadInversion")),
    Stage(
        "What · 改什么",
        "#c9a15a",
        (
            "SFE_ApplyDirection",
            "SFE_TextDirection",
            "SFE_DirectionFromImages",
            "SFE_DiscoverDirections",
            "SFE_MixStyles",
            "SFE_EditFace",
            "SFE_Sweep",
        ),
    ),
    Stage(
        "Features · 特征",
        "#c76bc2",
        ("SFE_ComputeDelta", "SFE_MaskDelta", "SFE_CombineDelta", "SFE_FeatureEdit"),
    ),
    Stage(
        "Result · 结果",
        "#6bbf80",
        ("SFE_Synthesize", "SFE_PasteBack", "PreviewImage", "SaveImage", "CreateVideo", "SaveVideo"),
    ),
)
# Height in px of the pictures (front ends of 2026 give them 220 at least, and a line for their size) and of the pack's
# own widgets; nodes that show a result are WIDE, and so is its picture.
_PICKER = 142
_ROOM = {
    "SFE_ApplyDirection": _PICKER,
    "SFE_EditFace": _PICKER + 230,
    "SFE_Sweep": _PICKER + 200,
    "SFE_ComputeDelta": 200,
    "SFE_MaskDelta": 236,
    "SFE_DiscoverDirections": 200,
    "SFE_DemoPortrait": 28,
    "SFE_Synthesize": 300,
    "SFE_PasteBack": 210,
    "SFE_LoadPhoto": 240,
    "PreviewImage": 300,
    "SaveImage": 300,
    "SFE_TuneGenerator": 230,
    "LoadVideo": 168,
    "SaveVideo": 230,
}
# Of the pictures that Invert shows while it works for long.
_OPTIMISING = 230
# Front ends make Load Video as high as its film: narrow, a square one covers no other group.
_NARROW = {"LoadVideo": 190}
_RESULTS = {"SFE_Synthesize", "SFE_PasteBack", "SFE_EditFace", "PreviewImage", "SaveImage", "SaveVideo", "SFE_Sweep"}
_FOLDING = {"SFE_ApplyDirection", "SFE_EditFace", "SFE_MaskDelta"}
# Widgets that the picker stands for, or that are shown only when asked for.
_HIDDEN = {"direction", "strength", "strengths", "layers", "acts_on"}


def place(
    nodes: list[dict], before: Callable[[str], list[str]], widgets: Callable[[dict], Sequence[str]], note: str
) -> tuple[list[dict], list[int]]:
    """Set `pos` and `size` of UI-format nodes; returns the groups, and (x, y, width, height) of the note.

    before: the nodes that lead into one, by number; widgets: the names of a node's widgets.
    """
    lines = sum(1 + _letters(line) // _NOTE_LETTERS for line in note.split("\n"))
    box = [_LEFT, _TOP, _NOTE_WIDTH, 60 + _NOTE_LINE * lines]
    stages = [stage for stage in STAGES if any(_stage(node["type"]) is stage for node in nodes)]
    choices = [[_block(stage, nodes, before, widgets, most) for most in _COLUMN_HEIGHTS] for stage in stages]
    tried = [
        (*_in_rows([(_NOTE_WIDTH, box[3]), *(block.size for block in blocks)]), blocks)
        for blocks in itertools.product(*choices)
    ]
    _, corners, blocks = min(tried, key=lambda one: one[0])
    groups = []
    for number, (block, (x, y)) in enumerate(zip(blocks, corners[1:], strict=True), 1):
        block.put(x, y, widgets)
        title, box_of = f"{number} {block.stage.title}", [x, y, *block.size]
        groups.append(
            {
                "id": number,
                "title": title,
                "bounding": box_of,
                "color": block.stage.colour,
                "font_size": 24,
                "flags": {},
            }
        )
    return groups, box


def _letters(line: str) -> int:
    """The width of a line in Latin letters; Chinese ones are twice as wide."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)


@dataclass(frozen=True)
class _Block:
    """A stage's nodes in columns, and the size of its group."""

    stage: Stage
    columns: list[list[dict]]
    size: tuple[int, int]

    def put(self, left: int, top: int, widgets) -> None:
        """Set the nodes' places, from the group's corner on."""
        x = left + _MARGIN
        for column in self.columns:
            y = top + _TITLE
            for node in column:
                width = _NARROW.get(node["type"], _width(column))
                node["pos"], node["size"] = [x, y], [width, _height(node, widgets(node))]
                y += node["size"][1] + _BETWEEN
            x += _width(column) + _GAP


def _block(stage: Stage, nodes, before, widgets, most: int) -> _Block:
    own = [node for node in nodes if _stage(node["type"]) is stage]
    columns = _columns(own, before, widgets, most)
    width = sum(_width(column) + _GAP for column in columns) - _GAP + 2 * _MARGIN
    height = max([0, *(sum(_height(node, widgets(node)) + _BETWEEN for node in column) for column in columns)])
    return _Block(stage, columns, (width, _TITLE + height - _BETWEEN + _MARGIN))


def _width(column: list[dict]) -> int:
    return max(WIDE if node["type"] in _RESULTS else WIDTH for node in column)


def _in_rows(sizes: list[tuple[int, int]]) -> tuple[float, list[tuple[int, int]]]:
    """How much of MOST blocks take up in reading order, broken into at most three rows where that is least; corners."""

    def tried(*cuts: int) -> tuple[float, list[tuple[int, int]]]:
        corners, y, right = [], _TOP, 0
        for row in filter(None, (sizes[a:b] for a, b in zip((0, *cuts), (*cuts, len(sizes)), strict=True))):
            x = _LEFT
            for width, _ in row:
                corners.append((x, y))
                x += width + _GAP
            right, y = max(right, x), y + max(height for _, height in row) + _GAP
        return max((right - _GAP - _LEFT) / MOST[0], (y - _GAP - _TOP) / MOST[1]), corners

    places = range(1, len(sizes) + 1)
    return min((tried(a, b) for a in places for b in places if a <= b), key=lambda one: one[0])


def _columns(own: list[dict], before: Callable[[str], list[str]], widgets, most: int) -> list[list[dict]]:
    """Fill columns from top to bottom, what leads into a node before it: no wire runs to the left; muted ones last."""
    inside = {str(node["id"]) for node in own}

    def depth(number: str) -> int:
        return max([0, *(1 + depth(b) for b in before(number) if b in inside)])

    columns, room = [], 0
    for node in sorted(own, key=lambda node: (node["mode"] != 0, depth(str(node["id"])), node["id"])):
        needed = _height(node, widgets(node)) + _BETWEEN
        if needed > room:
            columns.append([])
            room = most
        columns[-1].append(node)
        room -= needed
    return columns


def note(number: int, text: str, box: list[int]) -> dict:
    """The workflow's one note, as a UI-format node."""
    return {
        "id": number,
        "type": "MarkdownNote",
        "title": "Read me · 说明",
        "pos": box[:2],
        "size": box[2:],
        "flags": {},
        "order": 0,
        "mode": 0,
        "inputs": [],
        "outputs": [],
        "properties": {},
        "widgets_values": [text],
        "color": "#432",
        "bgcolor": "#653",
    }


def _stage(node_type: str) -> Stage:
    return next((stage for stage in STAGES if node_type in stage.types), STAGES[0])


def _height(node: dict, widgets: Sequence[str]) -> int:
    if node["flags"].get("collapsed"):
        return 0
    sockets = max(len([i for i in node["inputs"] if "widget" not in i]), len(node["outputs"]), 1)
    hidden = _HIDDEN if node["type"] in _FOLDING else set()
    values = [value for name, value in zip(widgets, node["widgets_values"], strict=True) if name not in hidden]
    lines = sum(70 if isinstance(value, str) and ("\n" in value or len(value) > 60) else 26 for value in values)
    room = _ROOM.get(node["type"], 0) + _OPTIMISING * ("optimise" in values)
    return 36 + 22 * sockets + lines + room
