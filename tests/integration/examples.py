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
_PHOTO, _PORTRAIT, _PLACE = 768, 256, (256, 110)
_HOW = "Everything runs with the built-in demo model, without a download. For real faces choose another model."


def _start(graph: Graph, people: int = 1) -> tuple[Output, Output, Output, Output]:
    """Load SFE, Demo Portrait, Invert: (model, image, inversion, reconstruction)."""
    (model,) = graph.add("SFE_LoadModel", model="demo", precision="auto")
    image, _, _ = graph.add("SFE_DemoPortrait", 3, seed=SEED, attributes="", people=people, size=128, details=True)
    inversion, reconstruction = graph.add("SFE_Invert", 2, sfe_model=model, image=image)
    return model, image, inversion, reconstruction


def _apply(graph: Graph, source: Output, direction: str, strength: float, **more) -> Output:
    return graph.add("SFE_ApplyDirection", source=source, direction=direction, strength=strength, **more)[0]


def _finish(graph: Graph, inversion: Output, delta: Output) -> Output:
    (features,) = graph.add("SFE_FeatureEdit", inversion=inversion, delta=delta)
    return graph.add("SFE_Synthesize", features=features)[0]


def _show(graph: Graph, *images: Output) -> None:
    for image in images:
        graph.add("PreviewImage", 0, images=image)


def one_edit(strength: Strengths) -> Graph:
    graph = Graph(notes=[f"**One edit, before and after.** Move the strength and run again. {_HOW}"])
    _, _, inversion, before = _start(graph)
    edit = _apply(graph, inversion, "smile", strength("smile", 1))
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=edit)
    _show(graph, before, _finish(graph, inversion, delta))
    return graph


def three_edits(strength: Strengths) -> Graph:
    graph = Graph(notes=["**Three edits chained.** Each Apply Direction goes on from the one before."])
    _, image, inversion, _ = _start(graph)
    edit = inversion
    for name, share in (("glasses", 1), ("smile", 0.8), ("hair_colour", 0.8)):
        edit = _apply(graph, edit, name, strength(name, share))
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=edit)
    _show(graph, image, _finish(graph, inversion, delta))
    return graph


def _rectangle(graph: Graph, x: int, y: int, width: int, height: int) -> Output:
    """A white rectangle on a black mask of 128 px, of ComfyUI's own nodes."""
    (black,) = graph.add("SolidMask", value=0.0, width=128, height=128)
    (white,) = graph.add("SolidMask", value=1.0, width=width, height=height)
    return graph.add("MaskComposite", destination=black, source=white, x=x, y=y, operation="add")[0]


def masked_edit(strength: Strengths) -> Graph:
    graph = Graph(notes=["**A masked edit.** Only the mouth may change, not the hair. Draw masks of your own."])
    _, image, inversion, _ = _start(graph)
    edit = _apply(graph, inversion, "makeup", strength("makeup", 1))
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=edit)
    mouth = _rectangle(graph, 40, 82, 48, 32)
    (masked,) = graph.add("SFE_MaskDelta", delta=delta, mask=mouth, invert=False, feather=0.05)
    _show(graph, image, _finish(graph, inversion, delta), _finish(graph, inversion, masked))
    return graph


def two_regions(strength: Strengths) -> Graph:
    graph = Graph(notes=["**Two edits in two regions.** Glasses above, a smile below, added by Combine Δ."])
    _, image, inversion, _ = _start(graph)
    upper = _rectangle(graph, 0, 0, 128, 72)
    parts = []
    for name, invert in (("glasses", False), ("smile", True)):
        delta, _ = graph.add("SFE_ComputeDelta", 2, edit=_apply(graph, inversion, name, strength(name, 1)))
        parts += graph.add("SFE_MaskDelta", delta=delta, mask=upper, invert=invert, feather=0.05)
    (delta,) = graph.add("SFE_CombineDelta", first=parts[0], second=parts[1], first_weight=1.0, second_weight=1.0)
    _show(graph, image, _finish(graph, inversion, delta))
    return graph


def strength_sweep(strength: Strengths) -> Graph:
    graph = Graph(notes=["**A strength sweep.** One direction from one end of its useful range to the other."])
    _, _, inversion, _ = _start(graph, people=2)
    ends = {"from_strength": strength("smile", -1), "to_strength": strength("smile", 1)}
    _, sheet = graph.add("SFE_Sweep", 2, inversion=inversion, direction="smile", steps=7, **ends)
    _show(graph, sheet)
    return graph


def photo(strength: Strengths) -> Graph:
    graph = Graph(
        notes=[
            "**A photo: aligned, edited, pasted back.** A portrait is put into ComfyUI's example picture, so that the "
            "demo model has a face to edit. For a photo of your own: load another model, connect LoadImage to Align "
            "Face and Paste Back directly, and give the face's landmarks (or connect a face landmark node)."
        ]
    )
    (model,) = graph.add("SFE_LoadModel", model="demo", precision="auto")
    loaded, _ = graph.add("LoadImage", 2, image="example.png")
    (large,) = graph.add(
        "ImageScale", image=loaded, upscale_method="bilinear", width=_PHOTO, height=_PHOTO, crop="disabled"
    )
    portrait, _, _ = graph.add("SFE_DemoPortrait", 3, seed=SEED, attributes="", people=1, size=_PORTRAIT, details=True)
    (scene,) = graph.add(
        "ImageCompositeMasked", destination=large, source=portrait, x=_PLACE[0], y=_PLACE[1], resize_source=False
    )
    points = render(sample_portraits([SEED]), _PORTRAIT).landmarks[0] + torch.tensor(_PLACE)
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
    _show(graph, scene, crop, pasted)
    return graph


def batch(strength: Strengths) -> Graph:
    graph = Graph(
        notes=[
            "**Many pictures at once.** Eight people, a strength for each; the inversions are kept in one file, so "
            "that Load Inversion can go on without inverting again. For a folder of pictures of one size, put a node "
            "that loads an image batch in the place of Demo Portrait."
        ]
    )
    _, _, inversion, _ = _start(graph, people=8)
    graph.add("SFE_SaveInversion", inversion=inversion, filename="sfe/people", overwrite=True)
    strengths = ", ".join(f"{strength('smile', share):g}" for share in (-1, -0.5, 0, 0.25, 0.5, 0.75, 1, 1))
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=_apply(graph, inversion, "smile", 0.0, strengths=strengths))
    graph.add("SaveImage", 0, images=_finish(graph, inversion, delta), filename_prefix="sfe/smiles")
    return graph


def found_directions(strength: Strengths) -> Graph:
    graph = Graph(
        notes=[
            "**Directions of your own.** Above: what the generator itself varies (SeFa). Middle: the way from one "
            "picture to another. Below, muted: from words; it needs CLIP and a relevance file, see the node's help."
        ]
    )
    model, image, inversion, _ = _start(graph)
    found, traversal = graph.add("SFE_DiscoverDirections", 2, sfe_model=model, method="SeFa", index=0, layers="all")
    other, _, _ = graph.add(
        "SFE_DemoPortrait", 3, seed=SEED, attributes="glasses=1, beard=0.9", people=1, size=128, details=True
    )
    after, _ = graph.add("SFE_Invert", 2, sfe_model=model, image=other)
    (difference,) = graph.add("SFE_DirectionFromImages", before=inversion, after=after, space="W+")
    _show(graph, image, traversal)
    for direction, amount in ((found, 2.0), (difference, 1.0)):
        edit = _apply(graph, inversion, "smile", amount, custom_direction=direction)
        delta, _ = graph.add("SFE_ComputeDelta", 2, edit=edit)
        _show(graph, _finish(graph, inversion, delta))
    graph.add(
        "SFE_TextDirection", 1, True, sfe_model=model, neutral="a face", target="a smiling face", disentanglement=0.15
    )
    return graph


def all_in_one(strength: Strengths) -> Graph:
    graph = Graph(notes=["**All in one.** Align, invert, edit and paste back in a single node."])
    (model,) = graph.add("SFE_LoadModel", model="demo", precision="auto")
    image, _, _ = graph.add("SFE_DemoPortrait", 3, seed=SEED, attributes="", people=1, size=128, details=True)
    amount = strength("age", 1)
    edited, _ = graph.add("SFE_EditFace", 2, sfe_model=model, image=image, direction="age", strength=amount)
    _show(graph, image, edited)
    return graph


def hard_photo(strength: Strengths) -> Graph:
    graph = Graph(
        notes=[
            "**My photo is hard.** A hat or a hand that the encoders never saw: Tune Generator changes the generator "
            "for this one picture, then every edit is the generator's own. First try Invert's method "
            "'encoder + refine', which takes seconds. 40 steps are for trying; 0 takes the usual number."
        ]
    )
    (model,) = graph.add("SFE_LoadModel", model="demo", precision="auto")
    image, _, _ = graph.add("SFE_DemoPortrait", 3, seed=SEED, attributes="", people=1, size=128, details=True)
    tuned, made = graph.add(
        "SFE_TuneGenerator", 2, sfe_model=model, image=image, method="pti", steps=40, locality=0.1, seed=0
    )
    inversion, _ = graph.add("SFE_Invert", 2, sfe_model=tuned, image=image)
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=_apply(graph, inversion, "smile", strength("smile", 1)))
    _show(graph, image, made, _finish(graph, inversion, delta))
    return graph


def own_generator(strength: Strengths) -> Graph:
    graph = Graph(
        notes=[
            "**My own generator.** No encoders are needed: Invert finds a picture by optimisation, and Discover "
            "Directions finds what the generator varies. Put a StyleGAN2 .pkl or .pt alone into a folder in models/"
            "sfe, and choose that folder in Load SFE; here the demo model stands for it."
        ]
    )
    (model,) = graph.add("SFE_LoadModel", model="demo", precision="auto")
    image, _, _ = graph.add("SFE_DemoPortrait", 3, seed=SEED, attributes="", people=1, size=128, details=True)
    inversion, before = graph.add("SFE_Invert", 2, sfe_model=model, image=image, refine=60, method="optimise")
    found, traversal = graph.add("SFE_DiscoverDirections", 2, sfe_model=model, method="SeFa", index=0, layers="all")
    edit = _apply(graph, inversion, "smile", 2.0, custom_direction=found)
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=edit)
    _show(graph, image, before, _finish(graph, inversion, delta), traversal)
    return graph


EXAMPLES = {
    function.__name__: function
    for function in (
        one_edit,
        three_edits,
        masked_edit,
        two_regions,
        strength_sweep,
        photo,
        batch,
        found_directions,
        all_in_one,
        hard_photo,
        own_generator,
    )
}
