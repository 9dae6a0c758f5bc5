"""Whether an output of a node is used by the graph that runs."""

from __future__ import annotations

from server import PromptServer


def output_is_used(node_id: str, slot: int) -> bool:
    """Whether any node of this id (all of them, so that fingerprint and run agree) has this output connected.

    ComfyUI tells a node nothing of its outputs, and its fingerprint not even which node it is; the graph stands in
    the queue. Where it is not known, the output counts as used.
    """
    graphs = [item[2] for item in list(PromptServer.instance.prompt_queue.currently_running.values())]
    own = [(graph, number) for graph in graphs for number, node in graph.items() if node.get("class_type") == node_id]
    return not own or any(
        isinstance(value, list) and len(value) == 2 and str(value[0]) == number and value[1] == slot
        for graph, number in own
        for node in graph.values()
        for value in node.get("inputs", {}).values()
    )
