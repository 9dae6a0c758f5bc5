"""The example workflows, from which `build_workflows.py` writes the files in `workflows/`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from integration.graphs import Graph, Output

from sfe_models.demo.attributes import sample_portraits
from sfe_models.demo.renderer import render
from sfe_models.faces.landmarks import format_landmarks

# People that the training of the demo model never saw.
SEED = 100_081
# (strength share) of a direction's useful range; see sfe_models.cli.showcase.strength_at.
Strengths = Callable[[str, float], float]
# Side of the portrait in the photo, and what lies around it, in px.
_PORTRAIT, _AROUND = 256, {"left": 256, "top": 112, "right": 256, "bottom": 400}


def _note(title: str, title_zh: str, about: str, *steps: str) -> str:
    """A workflow's one note: what it shows, in both languages, and what to do."""
    # Headings, because the front end's plain text is too small to be read at the zoom that a board opens with.
    lines = [f"# {title}", f"## {title_zh}", f"### {about}"]
    lines += [f"### {number}. {step}" for number, step in enumerate(steps, 1)]
    lines += ["### *demo* draws its own people and needs no download. For photos choose *photo* in Load SFE."]
    return "\n".join(lines)


def _start(graph: Graph, people: int = 1) -> tuple[Output, Output, Output, Output]:
    """Load SFE, Demo Portrait, Invert: (model, image, mask of the face, inversion)."""
    (model,) = graph.add("SFE_LoadModel", model="demo", precision="auto")
    image, face, _ = graph.add("SFE_DemoPortrait", 3, seed=SEED, attributes="", people=people, size=128, details=True)
    inversion, _ = graph.add("SFE_Invert", 2, sfe_model=model, image=image)
    return model, image, face, inversion


def _apply(graph: Graph, source: Output, direction: str, strength: float, **more) -> Output:
    return graph.add("SFE_ApplyDirection", source=source, direction=direction, strength=strength, **more)[0]


def _finish(graph: Graph, inversion: Output, delta: Output) -> Output:
    (features,) = graph.add("SFE_FeatureEdit", inversion=inversion, delta=delta)
    return graph.add("SFE_Synthesize", features=features)[0]


def one_edit(strength: Strengths) -> Graph:
    graph = Graph(
        note=_note(
            "One edit",
            "一次编辑：前后对比",
            "A face, one change, before and after.",
            "Press **Run**.",
            "Move the slider of *Apply Direction* and run again; with *Run (On Change)* it is followed at once.",
            "Drag the line on *Synthesize*. Choose another direction. *Save Image* keeps what you made.",
        )
    )
    _, _, _, inversion = _start(graph)
    edit = _apply(graph, inversion, "smile", strength("smile", 1))
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=edit)
    graph.add("SaveImage", 0, images=_finish(graph, inversion, delta), filename_prefix="sfe/edit")
    return graph


def three_edits(strength: Strengths) -> Graph:
    graph = Graph(
        note=_note(
            "Three edits in a row",
            "连续三次编辑",
            "Each *Apply Direction* goes on from the one before.",
            "Press **Run**.",
            "Change any of the three sliders: what comes before it is not computed again.",
        )
    )
    _, _, _, inversion = _start(graph)
    edit = inversion
    for name, share in (("glasses", 1), ("smile", 0.8), ("hair_colour", 0.8)):
        edit = _apply(graph, edit, name, strength(name, share))
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=edit)
    _finish(graph, inversion, delta)
    return graph


def masked_edit(strength: Strengths) -> Graph:
    graph = Graph(
        note=_note(
            "An edit of one place",
            "只改一处：蒙版",
            "Blond hair, but the face stays: where the mask protects, no pixel changes.",
            "Press **Run**. *Mask Δ* shows in dark grey what is protected.",
            "Connect any MASK, such as one that you draw. *invert* swaps black and white.",
        )
    )
    _, _, face, inversion = _start(graph)
    edit = _apply(graph, inversion, "hair_colour", strength("hair_colour", 1))
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=edit)
    (masked,) = graph.add("SFE_MaskDelta", delta=delta, mask=face, invert=True, feather=0.02)
    _finish(graph, inversion, masked)
    return graph


def two_regions(strength: Strengths) -> Graph:
    graph = Graph(
        note=_note(
            "Two edits in two places",
            "两处各改一样",
            "Blond hair around the face, a smile in it: each edit keeps to its own place.",
            "Press **Run**.",
            "The same mask goes to both *Mask Δ*; the first has *invert* switched on.",
        )
    )
    _, _, face, inversion = _start(graph)
    parts = []
    for name, invert in (("hair_colour", True), ("smile", False)):
        delta, _ = graph.add("SFE_ComputeDelta", 2, edit=_apply(graph, inversion, name, strength(name, 1)))
        parts += graph.add("SFE_MaskDelta", delta=delta, mask=face, invert=invert, feather=0.02)
    (delta,) = graph.add("SFE_CombineDelta", first=parts[0], second=parts[1], first_weight=1.0, second_weight=1.0)
    _finish(graph, inversion, delta)
    return graph


def strength_sweep(strength: Strengths) -> Graph:
    graph = Graph(
        note=_note(
            "A strength sweep",
            "强度序列",
            "One direction from one end of its useful range to the other, for two people.",
            "Press **Run**.",
            "Choose another direction; the button on *Strength Sweep* takes its useful strengths.",
        )
    )
    _, _, _, inversion = _start(graph, people=2)
    ends = {"from_strength": strength("smile", -1), "to_strength": strength("smile", 1)}
    graph.add("SFE_Sweep", 2, inversion=inversion, direction="smile", steps=7, **ends)
    return graph


def photo(strength: Strengths) -> Graph:
    graph = Graph(
        note=_note(
            "A photo",
            "照片：对齐、编辑、贴回",
            "A face is cut out of a larger picture, edited and put back; everything else stays as it was.",
            "Press **Run**: the picture is drawn here, so that the demo model has a face to edit.",
            "For a photo of your own put *Load Image* in the place of the two nodes that draw it, choose another "
            "model, and set *method* of *Align Face* to a detector.",
            "*Save Image* keeps the result in the output folder.",
        )
    )
    (model,) = graph.add("SFE_LoadModel", model="demo", precision="auto")
    portrait, _, _ = graph.add("SFE_DemoPortrait", 3, seed=SEED, attributes="", people=1, size=_PORTRAIT, details=True)
    scene, _ = graph.add("ImagePadForOutpaint", 2, image=portrait, **_AROUND, feathering=0)
    points = render(sample_portraits([SEED]), _PORTRAIT).landmarks[0] + torch.tensor([_AROUND["left"], _AROUND["top"]])
    crop, alignment, _ = graph.add(
        "SFE_AlignFace",
        3,
        photo=scene,
        method="landmarks",
        face=0,
        order="largest first",
        size=128,
        landmarks=format_landmarks([[points]]),
    )
    inversion, _ = graph.add("SFE_Invert", 2, sfe_model=model, image=crop)
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=_apply(graph, inversion, "glasses", strength("glasses", 1)))
    edited = _finish(graph, inversion, delta)
    pasted, _ = graph.add(
        "SFE_PasteBack", 2, photo=scene, crop=edited, alignment=alignment, feather=0.1, colour_match=True
    )
    graph.add("SaveImage", 0, images=pasted, filename_prefix="sfe/photo")
    return graph


def batch(strength: Strengths) -> Graph:
    graph = Graph(
        note=_note(
            "Many people at once",
            "批量处理",
            "Eight people, a strength for each.",
            "Press **Run**. The strengths stand in *strengths* of *Apply Direction*, an advanced input.",
            "The inversions are kept in one file: *Load Inversion* goes on from there without inverting again.",
            "For a folder of pictures put a node that loads an image batch in the place of *Demo Portrait*.",
        )
    )
    _, _, _, inversion = _start(graph, people=8)
    graph.add("SFE_SaveInversion", inversion=inversion, filename="sfe/people", overwrite=True)
    strengths = ", ".join(f"{strength('smile', share):g}" for share in (-1, -0.5, 0, 0.25, 0.5, 0.75, 1, 1))
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=_apply(graph, inversion, "smile", 0.0, strengths=strengths))
    graph.add("SaveImage", 0, images=_finish(graph, inversion, delta), filename_prefix="sfe/smiles")
    return graph


def found_directions(strength: Strengths) -> Graph:
    graph = Graph(
        note=_note(
            "Directions of your own",
            "自己找方向",
            "Three ways to a new direction; two are applied one after the other, through *custom direction*.",
            "*Discover Directions*: what the generator itself varies most.",
            "*Direction from Images*: the way from one picture to another.",
            "*Text Direction*, muted: from words. It needs CLIP and a relevance file, see the node's help.",
        )
    )
    model, _, _, inversion = _start(graph)
    found, _ = graph.add("SFE_DiscoverDirections", 2, sfe_model=model, method="SeFa", index=0, layers="all")
    other, _, _ = graph.add(
        "SFE_DemoPortrait", 3, seed=SEED, attributes="glasses=1, beard=0.9", people=1, size=128, details=True
    )
    after, _ = graph.add("SFE_Invert", 2, sfe_model=model, image=other)
    (difference,) = graph.add("SFE_DirectionFromImages", before=inversion, after=after, space="W+")
    edit = inversion
    for direction, amount in ((found, 2.0), (difference, 1.0)):
        edit = _apply(graph, edit, "smile", amount, custom_direction=direction)
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=edit)
    _finish(graph, inversion, delta)
    graph.add(
        "SFE_TextDirection", 1, True, sfe_model=model, neutral="a face", target="a smiling face", disentanglement=0.15
    )
    return graph


def all_in_one(strength: Strengths) -> Graph:
    graph = Graph(
        note=_note(
            "All in one node",
            "一个节点完成全部",
            "Align, invert, edit and paste back in a single node.",
            "Press **Run**, move the slider, run again.",
        )
    )
    (model,) = graph.add("SFE_LoadModel", model="demo", precision="auto")
    image, _, _ = graph.add("SFE_DemoPortrait", 3, seed=SEED, attributes="", people=1, size=128, details=True)
    amount = strength("age", 1)
    edited, _ = graph.add("SFE_EditFace", 2, sfe_model=model, image=image, direction="age", strength=amount)
    graph.add("PreviewImage", 0, images=edited)
    return graph


def hard_photo(strength: Strengths) -> Graph:
    graph = Graph(
        note=_note(
            "My photo is hard",
            "难处理的照片",
            "A hat or a hand that the encoders never saw: the generator is changed for this one picture.",
            "First try the method *encoder + refine* of *Invert*, which takes seconds.",
            "If that is not enough, **Run**: *Tune Generator*, then edits as always. 40 steps are for trying; 0 takes "
            "the usual number.",
        )
    )
    (model,) = graph.add("SFE_LoadModel", model="demo", precision="auto")
    image, _, _ = graph.add("SFE_DemoPortrait", 3, seed=SEED, attributes="", people=1, size=128, details=True)
    tuned, _ = graph.add(
        "SFE_TuneGenerator", 2, sfe_model=model, image=image, method="pti", steps=40, locality=0.1, seed=0
    )
    inversion, _ = graph.add("SFE_Invert", 2, sfe_model=tuned, image=image)
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=_apply(graph, inversion, "smile", strength("smile", 1)))
    _finish(graph, inversion, delta)
    return graph


def own_generator(strength: Strengths) -> Graph:
    graph = Graph(
        note=_note(
            "My own generator",
            "自己的生成器",
            "No encoders are needed: *Invert* finds a picture by optimisation, *Discover Directions* what varies.",
            "Put a StyleGAN2 .pkl or .pt alone into a folder in models/sfe.",
            "Choose that folder in *Load SFE*; here the demo model stands for it.",
        )
    )
    (model,) = graph.add("SFE_LoadModel", model="demo", precision="auto")
    image, _, _ = graph.add("SFE_DemoPortrait", 3, seed=SEED, attributes="", people=1, size=128, details=True)
    inversion, _ = graph.add("SFE_Invert", 2, sfe_model=model, image=image, refine=60, method="optimise")
    found, _ = graph.add("SFE_DiscoverDirections", 2, sfe_model=model, method="SeFa", index=0, layers="all")
    edit = _apply(graph, inversion, "smile", 2.0, custom_direction=found)
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=edit)
    _finish(graph, inversion, delta)
    return graph


# In the order in which a person would try them, and with the titles that ComfyUI's template browser shows.
EXAMPLES = (
    ("One edit", one_edit),
    ("All in one node", all_in_one),
    ("A photo", photo),
    ("Three edits in a row", three_edits),
    ("Strength sweep", strength_sweep),
    ("Edit one place", masked_edit),
    ("Two edits in two places", two_regions),
    ("Many people at once", batch),
    ("Directions of your own", found_directions),
    ("My photo is hard", hard_photo),
    ("My own generator", own_generator),
)
