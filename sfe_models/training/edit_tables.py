"""The tables of directions and strengths that phase 2 of the published models draws its edits from."""

from __future__ import annotations

from .config import EditDraw


def _table(rows: dict[str, tuple[float, ...]]) -> tuple[EditDraw, ...]:
    return tuple(EditDraw(name, strengths) for name, strengths in rows.items())


_SHARED = {
    "age": (-7.0, -5.0, 5.0, 7.0, 10.0),
    "fs_makeup": (5.0, 8.0, 12.0),
    "afro": (0.03, 0.07),
    "angry": (0.06, 0.1),
    "purple_hair": (0.07, 0.1, 0.12),
    "face_roundness": (-13.0, -7.0, 7.0, 13.0),
    "rotation": (-5.0, -3.0, -1.0, 1.0, 3.0, 5.0),
    "bobcut": (0.07, 0.12, 0.18),
    "mohawk": (0.07, 0.1),
    "blond hair": (-8.0, -4.0, 4.0, 8.0),
    "fs_smiling": (-6.0, -3.0, 3.0, 6.0, 9.0),
}

# The released code's: Bowlcut, and glasses by StyleSpace.
RELEASED_FACES = _table(_SHARED | {"glasses": (-10.0, -7.0), "bowlcut": (0.07, 0.14)})

# The paper's: Gender in the place of Bowlcut, and glasses by a boundary, as InterFaceGAN finds it. That boundary is
# published as fs_glasses; InterFaceGAN's gender is not, so StyleSpace's stands for it (put your own into the directions
# folder and name it in `edits`). Strengths of these two are ours, inside their useful ranges.
PAPER_FACES = _table(_SHARED | {"fs_glasses": (10.0, 20.0), "gender": (-8.0, -4.0, 4.0, 7.0)})

# One direction for each kind of change (age, expression, make-up, pose, shape, hair), for training on few and measuring
# on the others, as the ablation of directions does. Which they are is our choice.
SIX_FACES = tuple(
    row
    for row in RELEASED_FACES
    if row.direction in ("age", "fs_smiling", "fs_makeup", "rotation", "face_roundness", "bobcut")
)

# The released code's GANSpace rows; it has one strength for each, the coordinate that the edit is set to.
CARS = _table({"pose_1": (2.0,), "pose_2": (-2.0,), "cube": (25.0,), "color": (-8.0,), "grass": (-18.0,)})
