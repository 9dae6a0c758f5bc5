"""What all nodes share: schemas that older versions take, and errors that name the node."""

from __future__ import annotations

import dataclasses

import torch
from comfy_api.latest import io

CATEGORY = "StyleFeatureEditor"
# Arguments of io.Schema that came after ComfyUI 0.3.64; left out where they are not known.
_KNOWN = {field.name for field in dataclasses.fields(io.Schema)}


def advanced(socket: io.Input) -> io.Input:
    """Mark an input as one that few need; ComfyUI 0.3.64 knows no argument for it, its front end knows the word."""
    socket.extra_dict = {**socket.extra_dict, "advanced": True}
    return socket


class NodeError(ValueError):
    """What a node cannot do, beginning with its name."""


class Node(io.ComfyNode):
    """A node whose `run` does the work. TITLE is its display name."""

    TITLE = ""

    @classmethod
    def schema(cls, node_id: str, description: str, inputs: list, outputs: list, group: str = "", **more) -> io.Schema:
        """Make the schema; group: sub-menu."""
        more = {key: value for key, value in more.items() if key in _KNOWN}
        for socket in (*inputs, *outputs):  # older versions would show an output's type
            socket.display_name = socket.display_name or socket.id.replace("_", " ")
        return io.Schema(
            node_id=node_id,
            display_name=cls.TITLE,
            category=f"{CATEGORY}/{group}" if group else CATEGORY,
            description=description,
            inputs=inputs,
            outputs=outputs,
            **more,
        )

    @classmethod
    def execute(cls, **inputs) -> io.NodeOutput:
        try:
            with torch.no_grad():
                return cls.run(**inputs)
        except (ValueError, OSError) as error:
            raise NodeError(f"{cls.TITLE}: {error}") from error
