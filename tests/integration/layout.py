"""Where the nodes of a UI-format workflow stand: one coloured group for each stage, with a note in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

COLUMN, TOP, LEFT, WIDTH, GAP = 380, 40, 40, 320, 60
_NOTE_HEIGHT, _TITLE, _MARGIN = 170, 70, 30


@dataclass(frozen=True)
class Stage:
    """Nodes that belong together, by their type or its beginning. note: Markdown."""

    title: str
    colour: str
    types: tuple[str, ...]
    note: str


# In the order of a graph; what no stage names belongs to the first.
STAGES = (
    Stage(
        "1 Model and picture",
        "#3f5159",
        (),
        "**The model and the picture.** *demo* edits the people that Demo Portrait draws. For photos take another "
        "model in Load SFE, and the workflow *photo*.",
    ),
    Stage(
        "2 Inversion",
        "#3f789e",
        ("SFE_Invert", "SFE_SaveInversion", "SFE_LoadInversion"),
        "**Once a picture.** The model finds its own drawing of this person. Turn on *show* to see how much it keeps.",
    ),
    Stage(
        "3 What to change",
        "#8a6d3b",
        (
            "SFE_ApplyDirection",
            "SFE_TextDirection",
            "SFE_DirectionFromImages",
            "SFE_DiscoverDirections",
            "SFE_EditFace",
            "SFE_Sweep",
        ),
        "**What to change, and how far.** The slider covers the useful strengths; 0 changes nothing. A star keeps a "
        "direction among your favourites.",
    ),
    Stage(
        "4 Where it changes",
        "#a1309b",
        ("SFE_ComputeDelta", "SFE_MaskDelta", "SFE_CombineDelta", "SolidMask", "MaskComposite"),
        "**Δ: which features change.** Bright places change most. A mask keeps the change to its white part; what is "
        "dark grey on Mask Δ is protected.",
    ),
    Stage(
        "5 The picture",
        "#3b8a4f",
        ("SFE_FeatureEdit", "SFE_Synthesize", "SFE_PasteBack", "PreviewImage", "SaveImage"),
        "**The edited picture.** Drag the line on the node: before and after. With *Run (On Change)* beside the Run "
        "button, a moved slider is followed at once.",
    ),
)
# Height in px of what the pack's own widgets and pictures add to a node once it has run.
_ROOM = {
    "SFE_ApplyDirection": 130,
    "SFE_EditFace": 130,
    "SFE_Sweep": 390,
    "SFE_ComputeDelta": 260,
    "SFE_MaskDelta": 260,
    "SFE_Synthesize": 270,
    "SFE_PasteBack": 270,
    "PreviewImage": 250,
    "SaveImage": 250,
}


def place(nodes: list[dict], before: Callable[[str], list[str]]) -> list[dict]:
    """Set `pos` and `size` of UI-format nodes; returns the groups. before: the nodes that lead into one, by number."""
    groups, left = [], LEFT
    for number, stage in enumerate(STAGES, 1):
        own = [node for node in nodes if _stage(node["type"]) is stage]
        if not own:
            continue
        columns = _columns(own, before)
        bottoms = [TOP + _TITLE + _NOTE_HEIGHT + GAP] * (max(columns.values()) + 1)
        for node in own:
            column = columns[node["id"]]
            height = _height(node)
            node["pos"], node["size"] = [left + column * COLUMN, bottoms[column]], [WIDTH, height]
            bottoms[column] += height + GAP
        width = (len(bottoms) - 1) * COLUMN + WIDTH
        box = [left - _MARGIN, TOP, width + 2 * _MARGIN, max(bottoms) - TOP - GAP + _MARGIN]
        groups.append(
            {"id": number, "title": stage.title, "bounding": box, "color": stage.colour, "font_size": 24, "flags": {}}
        )
        left += width + 2 * _MARGIN + 40
    return groups


def _columns(own: list[dict], before: Callable[[str], list[str]]) -> dict[int, int]:
    """The column of each node of a stage: how many of the same stage lead into it; what shows pictures comes last."""
    inside = {str(node["id"]) for node in own}

    def depth(number: str) -> int:
        return max([0, *(1 + depth(b) for b in before(number) if b in inside)])

    found = {node["id"]: depth(str(node["id"])) for node in own}
    shows = [node["id"] for node in own if node["type"] in ("PreviewImage", "SaveImage")]
    last = max([0, *(1 + column for number, column in found.items() if number not in shows)])
    return found | dict.fromkeys(shows, last)


def notes(groups: list[dict], about: list[str], first_id: int) -> list[dict]:
    """The workflow's own notes above the groups, and the stage's in each group."""
    texts = [(text, [LEFT + i * COLUMN, TOP - 250]) for i, text in enumerate(about)]
    by_title = {stage.title: stage.note for stage in STAGES}
    texts += [(by_title[g["title"]], [g["bounding"][0] + _MARGIN, g["bounding"][1] + _TITLE]) for g in groups]
    return [note(first_id + i, text, where, i < len(about)) for i, (text, where) in enumerate(texts)]


def note(number: int, text: str, where: list[int], wide: bool = False) -> dict:
    return {
        "id": number,
        "type": "MarkdownNote",
        "pos": where,
        "size": [WIDTH + (160 if wide else 0), 200 if wide else _NOTE_HEIGHT],
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


def _height(node: dict) -> int:
    sockets = max(len([i for i in node["inputs"] if "widget" not in i]), len(node["outputs"]), 1)
    lines = sum(60 if isinstance(value, str) and not value else 26 for value in node["widgets_values"])
    return 50 + 22 * sockets + lines + _ROOM.get(node["type"], 0)
