"""Graphs as they are written here, and the two formats that ComfyUI reads."""

from __future__ import annotations

from dataclasses import dataclass, field

from integration.layout import note, place

# Widgets of these types stand in `widgets_values`; all other inputs are sockets.
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
# Before the type of an input that has no widget though others of its type have.
SOCKET = "socket of "


@dataclass(frozen=True)
class Output:
    """One output of a node of a graph."""

    node: str
    slot: int


@dataclass
class Graph:
    """Nodes by number, in the order in which they were added; the note is shown in the front end only."""

    nodes: dict[str, dict] = field(default_factory=dict)
    note: str = ""
    muted: dict[str, dict] = field(default_factory=dict)
    folded: set[str] = field(default_factory=set)

    def add(self, class_type: str, outputs: int = 1, muted=False, folded=False, **inputs) -> list[Output]:
        """Add a node; returns its outputs. folded: shown as its title alone."""
        number = str(len(self.nodes) + len(self.muted) + 1)
        (self.muted if muted else self.nodes)[number] = {"class_type": class_type, "inputs": inputs}
        self.folded |= {number} if folded else set()
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
        links, nodes = [], []
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
                    inputs.append({"name": name, "type": kind.removeprefix(SOCKET), "link": link})
            outputs = info[node["class_type"]]
            nodes.append(
                {
                    "id": int(number),
                    "type": node["class_type"],
                    "flags": {"collapsed": True} if number in self.folded else {},
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

        def widgets(node: dict) -> list[str]:
            return [name for name, kind, _ in declared_inputs(info[node["type"]]) if kind in WIDGETS]

        groups, box = place(nodes, self._before, widgets, self.note)
        nodes.append(note(last + 1, self.note, box))
        return {
            "last_node_id": last + 1,
            "last_link_id": len(links),
            "nodes": nodes,
            "links": links,
            "groups": groups,
            "config": {},
            "extra": {},
            "version": 0.4,
        }

    def _before(self, number: str) -> list[str]:
        """Numbers of the nodes that lead into one."""
        node = {**self.nodes, **self.muted}[number]
        return [value.node for value in node["inputs"].values() if isinstance(value, Output)]


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
                found.append((name, SOCKET * bool(options.get("forceInput")) + kind, options.get("default", first)))
    return found
