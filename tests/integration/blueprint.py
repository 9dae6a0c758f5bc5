"""The subgraph blueprint that people drop into graphs of their own: the chain of one edit as a single node."""

from __future__ import annotations

import uuid

from integration.graphs import Graph
from integration.layout import COLUMN, WIDTH

NAME = "Edit Face (SFE)"
# For ever: graphs of users refer to it.
_ID = "5f0e7a52-8c1d-4b3e-9a64-2d7c1f9e5b10"
_INPUT, _OUTPUT = -10, -20


def edit_face(direction: str, strength: float) -> tuple[Graph, list, list]:
    """The graph inside; what of it is led outside: (node, input or output, type, name)."""
    graph = Graph()
    inversion, _ = graph.add("SFE_Invert", 2)
    (edit,) = graph.add("SFE_ApplyDirection", source=inversion, direction=direction, strength=strength)
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=edit)
    (features,) = graph.add("SFE_FeatureEdit", inversion=inversion, delta=delta)
    (image,) = graph.add("SFE_Synthesize", features=features)
    inputs = [
        (inversion.node, "sfe_model", "SFE_MODEL", "model"),
        (inversion.node, "image", "IMAGE", "image"),
        (edit.node, "direction", "COMBO", "direction"),
        (edit.node, "strength", "FLOAT", "strength"),
    ]
    return graph, inputs, [(image, "IMAGE", "image"), (inversion, "SFE_INVERSION", "inversion")]


def blueprint(info: dict, direction: str, strength: float) -> dict:
    """What ComfyUI serves from `subgraphs/`: a workflow of one subgraph node. info: of GET /object_info."""
    graph, inputs, outputs = edit_face(direction, strength)
    inside = graph.ui(info)
    nodes = {str(node["id"]): node for node in inside["nodes"] if node["type"] != "MarkdownNote"}
    for i, node in enumerate(nodes.values()):
        node["pos"] = [i * COLUMN, 0]
    links = [_link(*link) for link in inside["links"]]
    ports_in, ports_out = [], []
    for slot, (number, name, kind, shown) in enumerate(inputs):
        node, link = nodes[number], len(links) + 1
        socket = next((s for s in node["inputs"] if s["name"] == name), None)
        if socket is None:
            socket = {"name": name, "type": kind, "widget": {"name": name}}
            node["inputs"].append(socket)
        socket["link"] = link
        links.append(_link(link, _INPUT, slot, int(number), node["inputs"].index(socket), kind))
        ports_in.append(_port(slot, shown, kind, link, -COLUMN // 2))
    for slot, (output, kind, shown) in enumerate(outputs):
        link = len(links) + 1
        nodes[output.node]["outputs"][output.slot]["links"].append(link)
        links.append(_link(link, int(output.node), output.slot, _OUTPUT, slot, kind))
        ports_out.append(_port(slot, shown, kind, link, len(nodes) * COLUMN))
    definition = {
        "id": _ID,
        "version": 1,
        "state": {"lastGroupId": 0, "lastNodeId": len(nodes), "lastLinkId": len(links), "lastRerouteId": 0},
        "revision": 0,
        "config": {},
        "name": NAME,
        "inputNode": {"id": _INPUT, "bounding": [-COLUMN // 2 - 100, 0, 120, 40 + 20 * len(ports_in)]},
        "outputNode": {"id": _OUTPUT, "bounding": [len(nodes) * COLUMN, 0, 120, 40 + 20 * len(ports_out)]},
        "inputs": ports_in,
        "outputs": ports_out,
        "widgets": [],
        "nodes": list(nodes.values()),
        "groups": [],
        "links": links,
        "extra": {},
    }
    return {
        "revision": 0,
        "last_node_id": 1,
        "last_link_id": 0,
        "nodes": [_instance(inputs, outputs, direction, strength)],
        "links": [],
        "groups": [],
        "definitions": {"subgraphs": [definition]},
        "config": {},
        "extra": {},
        "version": 0.4,
    }


def _instance(inputs: list, outputs: list, direction: str, strength: float) -> dict:
    sockets = []
    for _, _, kind, name in inputs:
        widget = {"widget": {"name": name}} if kind in ("COMBO", "FLOAT") else {}
        sockets.append({"name": name, "type": kind, "link": None, **widget})
    return {
        "id": 1,
        "type": _ID,
        "pos": [0, 0],
        "size": [WIDTH, 200],
        "flags": {},
        "order": 0,
        "mode": 0,
        "inputs": sockets,
        "outputs": [{"name": name, "type": kind, "links": []} for _, kind, name in outputs],
        "title": NAME,
        "properties": {},
        "widgets_values": [direction, strength],
    }


def _link(number: int, source: int, source_slot: int, target: int, target_slot: int, kind: str) -> dict:
    """A link in the form that subgraphs have."""
    ends = {"origin_id": source, "origin_slot": source_slot, "target_id": target, "target_slot": target_slot}
    return {"id": number, **ends, "type": kind}


def _port(slot: int, name: str, kind: str, link: int, x: int) -> dict:
    """An input (left, x < 0) or output of the subgraph; its id is made of its name, so that it stays."""
    return {
        "id": str(uuid.uuid5(uuid.UUID(_ID), f"{'in' if x < 0 else 'out'} {name}")),
        "name": name,
        "type": kind,
        "linkIds": [link],
        "pos": [x, 20 + 20 * slot],
    }
