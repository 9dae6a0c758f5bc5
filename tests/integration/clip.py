"""The film of the example workflow, for servers that have none: a portrait before a camera that moves."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from film.films import make_film
from integration.examples import FILM, loaded_model, portrait
from integration.graphs import Graph
from integration.server import Server
from PIL import Image
from torch import Tensor

from sfe_models.faces.landmarks import format_landmarks

FRAMES = 6


def put_film(base: Path, portrait: np.ndarray, points: Tensor | None = None) -> str:
    """Write the film that Load Video names into a server's input.

    portrait: [H,W,3] of 8 bits, of even sides; points: landmarks on it [n,2] in px. Returns where they are in each
    frame, as Align Face takes it.
    """
    picture, (height, width) = Image.fromarray(portrait), portrait.shape[:2]
    frames, found = [], []
    for number in range(FRAMES):
        turn = math.radians(3) * math.sin(0.7 * number)
        rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
        middle, shift = np.array([width, height]) / 2, np.array([0.01 * width, 0.004 * height]) * number
        offset = middle - rotation @ middle + shift
        matrix = np.column_stack([rotation, offset]).ravel().tolist()
        moved = picture.transform(picture.size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
        frames.append(np.asarray(moved))
        if points is not None:
            found.append([torch.from_numpy((points.numpy() - offset) @ rotation)])  # the inverse of a rotation
    (base / "input").mkdir(exist_ok=True)
    make_film(base / "input" / FILM, frames, codec="libx264", pixels="yuv420p", sound=True)
    return format_landmarks(found) if found else ""


def drawn_portrait(server: Server) -> np.ndarray:
    """Somebody whom the server's model draws, of whom the film shall be: [H,W,3] of 8 bits."""
    graph = Graph()
    image, _, _ = portrait(graph, loaded_model(graph))
    graph.add("PreviewImage", 0, images=image)
    return server.pictures(server.run(graph.api()), str(len(graph.nodes)))[0]
