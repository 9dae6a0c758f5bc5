"""Graphs as they are written here, and the two formats that ComfyUI reads."""

from __future__ import annotations

from dataclasses import dataclass, field

# Widgets of these types stand in `widgets_values`; all other inputs are sockets.
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
_COLUMN, _ROW, _WIDTH, _GAP = 380, 40, 320, 60


@dataclass(frozen=True)
class Output:
    """One output of a node of a graph."""

    node: str
    slot: int


@dataclass
class Graph:
    """Nodes by number, in the order in which they were added; notes are shown in the front end only."""

    nodes: dict[str, dict] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    muted: dict[str, dict] = field(default_factory=dict)

    def add(self, class_type: str, outputs: int = 1, muted: bool = False, **inputs) -> list[Output]:
        """Add a node; returns its outputs."""
        number = str(len(self.nodes) + len(self.muted) + 1)
        (self.muted if muted else self.nodes)[number] = {"class_type": class_type, "inputs": inputs}
        return [Output(number, slot) for slot in range(outputs)]

    def api(self) -> dict:
        """API format: what POST /prompt takes."""
        return {
            number: {
                "class_type": node["class_type"],
                "inputs": {k: [v.node, v.slot] if isinstance(v, Output) else v for k, v in node["inputs"].items()},
            }
            for number, node in self.nodes.items()
        }

    def ui(self, info: dict) -> dict:
        """UI format: what the front end opens. info: of GET /object_info."""
        everything = {**self.nodes, **self.muted}
        links, nodes, rows = [], [], {}
        for order, (number, node) in enumerate(sorted(everything.items(), key=lambda item: int(item[0]))):
            declared = declared_inputs(info[node["class_type"]])
            inputs, widgets, values = [], [], []
            for name, kind, default in declared:
                value = node["inputs"].get(name, default)
                linked = isinstance(value, Output)
                link = None
                if linked:
                    link = len(links) + 1
                    kind_out = info[everything[value.node]["class_type"]]["output"][value.slot]
                    links.append([link, int(value.node), value.slot, int(number), len(inputs), kind_out])
                if kind in WIDGETS:
                    widgets.append(name)
                    values.append(default if linked else value)
                    if linked:
                        inputs.append({"name": name, "type": kind, "link": link, "widget": {"name": name}})
                else:
                    inputs.append({"name": name, "type": kind, "link": link})
            column = self._depth(number)
            height = 60 + 26 * len(values) + 22 * max(len(inputs), 1)
            height += 240 if node["class_type"].startswith("Preview") else 0
            top = rows.get(column, _ROW)
            rows[column] = top + height + _GAP
            outputs = info[node["class_type"]]
            nodes.append(
                {
                    "id": int(number),
                    "type": node["class_type"],
                    "pos": [40 + column * _COLUMN, top],
                    "size": [_WIDTH, height],
                    "flags": {},
                    "order": order,
                    "mode": 2 if number in self.muted else 0,
                    "inputs": inputs,
                    "outputs": [
                        {"name": n, "type": t, "links": [k[0] for k in links if k[1] == int(number) and k[2] == s]}
                        for s, (n, t) in enumerate(zip(outputs["output_name"], outputs["output"], strict=True))
                    ],
                    "properties": {"Node name for S&R": node["class_type"]},
                    "widgets_values": values,
                }
            )
        by_number = {node["id"]: node for node in nodes}
        for link, source, slot, *_ in links:
            out = by_number[source]["outputs"][slot]["links"]
            if link not in out:
                out.append(link)
        last = len(everything)
        for i, text in enumerate(self.notes, 1):
            nodes.append(_note(last + i, text, [40 + (i - 1) * _COLUMN, -300]))
        return {
            "last_node_id": last + len(self.notes),
            "last_link_id": len(links),
            "nodes": nodes,
            "links": links,
            "groups": [],
            "config": {},
            "extra": {},
            "version": 0.4,
        }

    def _depth(self, number: str) -> int:
        node = {**self.nodes, **self.muted}[number]
        before = [self._depth(v.node) for v in node["inputs"].values() if isinstance(v, Output)]
        return 1 + max(before) if before else 0


def declared_inputs(info: dict) -> list[tuple[str, str, object]]:
    """(name, type, default) of every input of a node, in the order of its widgets."""
    found = []
    for group in ("required", "optional"):
        for name in info["input_order"].get(group, []):
            kind, *options = info["input"][group][name]
            options = options[0] if options else {}
            if isinstance(kind, list):
                found.append((name, "COMBO", options.get("default", kind[0] if kind else None)))
            else:
                first = options["options"][0] if kind == "COMBO" and options.get("options") else None
                found.append((name, "SOCKET" if options.get("forceInput") else kind, options.get("default", first)))
    return found


def _note(number: int, text: str, place: list[int]) -> dict:
    return {
        "id": number,
        "type": "MarkdownNote",
        "pos": place,
        "size": [_WIDTH, 240],
        "flags": {},
        "order": 0,
        "mode": 0,
        "inputs": [],
        "outputs": [],
        "properties": {},
        "widgets_values": [text],
    }
