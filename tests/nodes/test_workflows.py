"""The example workflows against the nodes as a real server described them."""

import json
from pathlib import Path

import pytest
from integration.examples import EXAMPLES
from integration.graphs import WIDGETS, declared_inputs
from integration.layout import MOST

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.stem for path in (ROOT / "workflows").glob("*.json"))
API = {f"{i:02} {title}": make.__name__ for i, (title, make) in enumerate(EXAMPLES, 1)}
# Drawn by the front end alone.
NOTES = {"MarkdownNote", "Note"}
# Menus whose choices are files of the user.
FILES = {("SFE_LoadPhoto", "file"), ("LoadVideo", "file")}


def read(path):
    return json.loads((ROOT / "workflows" / path).read_text(encoding="utf-8"))


def specs(node):
    return {**node["input"].get("required", {}), **node["input"].get("optional", {})}


def check_value(kind, options, value):
    if isinstance(kind, list) or kind == "COMBO":
        assert value in (kind if isinstance(kind, list) else options["options"])
    elif kind in ("INT", "FLOAT"):
        assert isinstance(value, int if kind == "INT" else int | float) and not isinstance(value, bool)
        assert options.get("min", value) <= value <= options.get("max", value)
    else:
        assert isinstance(value, {"BOOLEAN": bool, "STRING": str}[kind])


def test_there_is_one_for_each_thing_to_show():
    assert len(NAMES) == 12 and list(API) == NAMES
    assert sorted(path.stem for path in (ROOT / "workflows/api").glob("*.json")) == sorted(API.values())
    assert sorted(path.stem for path in (ROOT / "workflows").glob("*.jpg")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_api_format(info, name):
    graph = read(f"api/{API[name]}.json")
    for node in graph.values():
        known = info[node["class_type"]]
        assert set(known["input_order"]["required"]) <= set(node["inputs"]) <= set(specs(known))
        for input_name, value in node["inputs"].items():
            kind, *options = specs(known)[input_name]
            if isinstance(value, list):
                source = info[graph[value[0]]["class_type"]]["output"][value[1]]
                assert source in kind.split(",")
            elif (node["class_type"], input_name) not in FILES:
                check_value(kind, options[0] if options else {}, value)
    assert any(info[node["class_type"]]["output_node"] for node in graph.values())


@pytest.mark.parametrize("name", NAMES)
def test_ui_format_is_the_same_graph(info, name):
    graph, workflow = read(f"api/{API[name]}.json"), read(f"{name}.json")
    links = {link[0]: link for link in workflow["links"]}
    nodes = [node for node in workflow["nodes"] if node["type"] not in NOTES]
    assert {str(node["id"]) for node in nodes if node["mode"] == 0} == set(graph)
    for node in nodes:
        known = info[node["type"]]
        declared = declared_inputs(known)
        widgets = [entry for entry in declared if entry[1] in WIDGETS]
        assert len(widgets) == len(node["widgets_values"])
        values = {widget[0]: value for widget, value in zip(widgets, node["widgets_values"], strict=True)}
        for slot, socket in enumerate(node["inputs"]):
            if socket["link"] is not None:
                _, source, source_slot, target, target_slot, kind = links[socket["link"]]
                assert (target, target_slot) == (node["id"], slot)
                assert kind in socket["type"].split(",")
                values[socket["name"]] = [str(source), source_slot]
        if node["mode"] == 0:
            wanted = graph[str(node["id"])]["inputs"]
            assert {key: values[key] for key in wanted} == wanted
        for slot, output in enumerate(node["outputs"]):
            assert sorted(output["links"]) == sorted(k for k, v in links.items() if (v[1], v[2]) == (node["id"], slot))


def box(one):
    """(left, top, right, bottom) of a node with its title, or of a group."""
    x, y, width, height = one["bounding"] if "bounding" in one else (*one["pos"], *one["size"])
    height = 0 if one["flags"].get("collapsed") else height
    return x, y - (0 if "bounding" in one else 30), x + width, y + height


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@pytest.mark.parametrize("name", NAMES)
def test_a_board_opens_so_that_it_can_be_read(name):
    """One note, and groups numbered in order that hold their nodes; nothing lies on anything else."""
    workflow = read(f"{name}.json")
    groups, nodes = workflow["groups"], workflow["nodes"]
    assert len([node for node in nodes if node["type"] in NOTES]) == 1
    assert [group["title"].split()[0] for group in groups] == [str(i + 1) for i in range(len(groups))]
    boxes = [box(one) for one in (*nodes, *groups)]
    size = [max(b[i + 2] for b in boxes) - min(b[i] for b in boxes) for i in range(2)]
    assert size[0] <= MOST[0] and size[1] <= MOST[1]
    for some in (nodes, groups):
        found = [box(one) for one in some]
        assert not [(i, j) for i, a in enumerate(found) for j, b in enumerate(found[:i]) if overlap(a, b)]
    for node in nodes:
        around = [g for g in map(box, groups) if overlap(g, box(node))]
        left, top, right, bottom = box(node)
        if node["type"] not in NOTES:
            assert len(around) == 1
            assert around[0][0] <= left and around[0][1] <= top and right <= around[0][2] and bottom <= around[0][3]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_shown_twice(name):
    """Synthesize and Paste Back compare on themselves; a Preview Image behind them would show it again."""
    workflow = read(f"{name}.json")
    types = {node["id"]: node["type"] for node in workflow["nodes"]}
    shown = {types[source] for _, source, _, target, *_ in workflow["links"] if types[target] == "PreviewImage"}
    assert not shown & {"SFE_Synthesize", "SFE_PasteBack", "SFE_Sweep"}
