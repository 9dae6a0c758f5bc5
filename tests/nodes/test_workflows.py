"""The example workflows against the nodes as a real server described them."""

import json
from pathlib import Path

import pytest
from integration.graphs import WIDGETS, declared_inputs

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.stem for path in (ROOT / "workflows").glob("*.json"))
# Drawn by the front end alone.
NOTES = {"MarkdownNote", "Note"}
# Menus whose choices are files of the user.
FILES = {("LoadImage", "image")}


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
    assert len(NAMES) == 11
    assert sorted(path.stem for path in (ROOT / "workflows/api").glob("*.json")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_api_format(info, name):
    graph = read(f"api/{name}.json")
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
    graph, workflow = read(f"api/{name}.json"), read(f"{name}.json")
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


@pytest.mark.parametrize("name", NAMES)
def test_every_workflow_says_what_it_is(name):
    assert [node for node in read(f"{name}.json")["nodes"] if node["type"] in NOTES]
