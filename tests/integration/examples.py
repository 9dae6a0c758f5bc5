"""The example workflows, from which `build_workflows.py` writes the files in `workflows/`."""

from __future__ import annotations

from collections.abc import Callable

from integration.graphs import Graph, Output
from integration.notes import NOTES

# Of people whom both models draw well, and whom no training of the demo model saw.
SEED, NEIGHBOUR = 15, 21
# (direction, share of its useful range): the strength that is useful for every model that draws its own people.
Strengths = Callable[[str, float], float]
GIVEN_OR_FOUND = "landmarks, else yunet"
# What Load Video names as long as nobody has chosen a film.
FILM = "film.mp4"


def loaded_model(graph: Graph) -> Output:
    return graph.add("SFE_LoadModel", model="auto", precision="auto")[0]


def portrait(graph: Graph, model: Output, seed: int = SEED, people: int = 1, **more) -> list[Output]:
    """Somebody whom the model knows how to draw: picture, mask of the face, landmarks."""
    settings = {"attributes": "", "people": people, "size": 0, "details": True} | more
    return graph.add("SFE_DemoPortrait", 3, seed=seed, sfe_model=model, **settings)


def _start(graph: Graph, people: int = 1) -> tuple[Output, Output, Output, Output]:
    """Load SFE, Demo Portrait, Invert: (model, image, mask of the face, inversion)."""
    model = loaded_model(graph)
    image, face, _ = portrait(graph, model, people=people)
    inversion, _ = graph.add("SFE_Invert", 2, sfe_model=model, image=image)
    return model, image, face, inversion


def _apply(graph: Graph, source: Output, direction: str, strength: float, **more) -> Output:
    return graph.add("SFE_ApplyDirection", source=source, direction=direction, strength=strength, **more)[0]


def _finish(graph: Graph, inversion: Output, delta: Output) -> Output:
    (features,) = graph.add("SFE_FeatureEdit", inversion=inversion, delta=delta)
    return graph.add("SFE_Synthesize", features=features)[0]


def one_edit(strength: Strengths) -> Graph:
    graph = Graph(note=NOTES["one_edit"])
    _, _, _, inversion = _start(graph)
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=_apply(graph, inversion, "smile", strength("smile", 0.8)))
    graph.add("SaveImage", 0, images=_finish(graph, inversion, delta), filename_prefix="sfe/edit")
    return graph


def three_edits(strength: Strengths) -> Graph:
    graph = Graph(note=NOTES["three_edits"])
    _, _, _, inversion = _start(graph)
    edit = inversion
    for name, share in (("glasses", 1), ("smile", 0.8), ("age", 0.6)):
        edit = _apply(graph, edit, name, strength(name, share))
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=edit)
    _finish(graph, inversion, delta)
    return graph


def masked_edit(strength: Strengths) -> Graph:
    graph = Graph(note=NOTES["masked_edit"])
    _, _, face, inversion = _start(graph)
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=_apply(graph, inversion, "age", strength("age", 1)))
    (masked,) = graph.add("SFE_MaskDelta", delta=delta, mask=face, invert=True, feather=0.02)
    _finish(graph, inversion, masked)
    return graph


def two_regions(strength: Strengths) -> Graph:
    graph = Graph(note=NOTES["two_regions"])
    _, _, face, inversion = _start(graph)
    parts = []
    for name, share, invert in (("age", 1, True), ("smile", 0.8, False)):
        edit = _apply(graph, inversion, name, strength(name, share))
        delta, _ = graph.add("SFE_ComputeDelta", 2, folded=True, edit=edit)
        parts += graph.add("SFE_MaskDelta", delta=delta, mask=face, invert=invert, feather=0.02)
    (delta,) = graph.add("SFE_CombineDelta", first=parts[0], second=parts[1], first_weight=1.0, second_weight=1.0)
    _finish(graph, inversion, delta)
    return graph


def strength_sweep(strength: Strengths) -> Graph:
    graph = Graph(note=NOTES["strength_sweep"])
    _, _, _, inversion = _start(graph, people=2)
    ends = {"from_strength": strength("age", -0.8), "to_strength": strength("age", 0.8)}
    graph.add("SFE_Sweep", 2, inversion=inversion, direction="age", steps=5, **ends)
    return graph


def _photo(graph: Graph, model: Output) -> tuple[Output, Output]:
    """Load Photo, and two people side by side for as long as no photo is chosen: the picture, and whom to edit."""
    first, _, landmarks = portrait(graph, model, folded=True)
    second, _, _ = portrait(graph, model, NEIGHBOUR, folded=True)
    settings = {"direction": "right", "match_image_size": True, "spacing_width": 0, "spacing_color": "white"}
    (both,) = graph.add("ImageStitch", folded=True, image1=first, image2=second, **settings)
    return tuple(graph.add("SFE_LoadPhoto", 2, file="", image=both, landmarks=landmarks))


def all_in_one(strength: Strengths) -> Graph:
    graph = Graph(note=NOTES["all_in_one"])
    model = loaded_model(graph)
    picture, landmarks = _photo(graph, model)
    edited, _ = graph.add(
        "SFE_EditFace",
        2,
        sfe_model=model,
        image=picture,
        direction="age",
        strength=strength("age", 0.8),
        landmarks=landmarks,
        find_face=GIVEN_OR_FOUND,
    )
    graph.add("SaveImage", 0, images=edited, filename_prefix="sfe/photo")
    return graph


def photo(strength: Strengths) -> Graph:
    graph = Graph(note=NOTES["photo"])
    model = loaded_model(graph)
    picture, landmarks = _photo(graph, model)
    crop, alignment, _ = graph.add(
        "SFE_AlignFace",
        3,
        photo=picture,
        method=GIVEN_OR_FOUND,
        face=0,
        order="largest first",
        size=0,
        landmarks=landmarks,
        sfe_model=model,
    )
    inversion, _ = graph.add("SFE_Invert", 2, sfe_model=model, image=crop)
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=_apply(graph, inversion, "glasses", strength("glasses", 1)))
    edited = _finish(graph, inversion, delta)
    pasted, _ = graph.add(
        "SFE_PasteBack", 2, photo=picture, crop=edited, alignment=alignment, feather=0.1, colour_match=True
    )
    graph.add("SaveImage", 0, images=pasted, filename_prefix="sfe/photo")
    return graph


def batch(strength: Strengths) -> Graph:
    graph = Graph(note=NOTES["batch"])
    _, _, _, inversion = _start(graph, people=6)
    graph.add("SFE_SaveInversion", inversion=inversion, filename="sfe/people", overwrite=True)
    strengths = ", ".join(f"{strength('smile', share):g}" for share in (-1, -0.5, 0, 0.5, 0.8, 1))
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=_apply(graph, inversion, "smile", 0.0, strengths=strengths))
    graph.add("SaveImage", 0, images=_finish(graph, inversion, delta), filename_prefix="sfe/smiles")
    return graph


def film(strength: Strengths) -> Graph:
    graph = Graph(note=NOTES["film"])
    model = loaded_model(graph)
    (clip,) = graph.add("LoadVideo", file=FILM)
    frames, sound, rate = graph.add("GetVideoComponents", 3, folded=True, video=clip)
    crop, alignment, _ = graph.add(
        "SFE_AlignFace",
        3,
        photo=frames,
        method=GIVEN_OR_FOUND,
        face=0,
        order="largest first",
        size=0,
        no_face="pass the photo through",
        smoothing=6.0,
        sfe_model=model,
    )
    inversion, _ = graph.add("SFE_Invert", 2, sfe_model=model, image=crop, smoothing=2.0)
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=_apply(graph, inversion, "smile", strength("smile", 0.8)))
    pasted, _ = graph.add(
        "SFE_PasteBack",
        2,
        photo=frames,
        crop=_finish(graph, inversion, delta),
        alignment=alignment,
        feather=0.1,
        colour_match=True,
    )
    (edited,) = graph.add("CreateVideo", images=pasted, fps=rate, audio=sound)
    graph.add("SaveVideo", 0, video=edited, filename_prefix="sfe/film", format="auto", codec="auto")
    return graph


def found_directions(strength: Strengths) -> Graph:
    graph = Graph(note=NOTES["found_directions"])
    model, _, _, inversion = _start(graph)
    found, _ = graph.add("SFE_DiscoverDirections", 2, sfe_model=model, method="GANSpace", index=0, layers="all")
    other, _, _ = portrait(graph, model, NEIGHBOUR)
    after, _ = graph.add("SFE_Invert", 2, sfe_model=model, image=other)
    (difference,) = graph.add("SFE_DirectionFromImages", before=inversion, after=after, space="W+")
    edit = inversion
    for direction, amount in ((found, 1.5), (difference, 0.4)):
        edit = _apply(graph, edit, "smile", amount, custom_direction=direction)
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=edit)
    _finish(graph, inversion, delta)
    graph.add(
        "SFE_TextDirection", 1, True, sfe_model=model, neutral="a face", target="a smiling face", disentanglement=0.15
    )
    return graph


def hard_photo(strength: Strengths) -> Graph:
    graph = Graph(note=NOTES["hard_photo"])
    model = loaded_model(graph)
    image, _, _ = portrait(graph, model)
    tuned, _ = graph.add(
        "SFE_TuneGenerator", 2, sfe_model=model, image=image, method="pti", steps=20, locality=0.1, seed=0
    )
    inversion, _ = graph.add("SFE_Invert", 2, sfe_model=tuned, image=image)
    delta, _ = graph.add("SFE_ComputeDelta", 2, edit=_apply(graph, inversion, "smile", strength("smile", 0.8)))
    _finish(graph, inversion, delta)
    return graph


def own_generator(strength: Strengths) -> Graph:
    graph = Graph(note=NOTES["own_generator"])
    model = loaded_model(graph)
    image, _, _ = portrait(graph, model)
    inversion, _ = graph.add("SFE_Invert", 2, sfe_model=model, image=image, refine=40, method="optimise")
    found, _ = graph.add("SFE_DiscoverDirections", 2, sfe_model=model, method="GANSpace", index=0, layers="all")
    edit = _apply(graph, inversion, "smile", -1.2, custom_direction=found)
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
    ("A film", film),
)
