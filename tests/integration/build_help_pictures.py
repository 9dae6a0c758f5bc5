"""Run a graph for every node on a real server, and write what it makes to `web/docs/pictures/NODE_ID.jpg`.

    COMFYUI_PATH=... PYTHONPATH=.:tests python tests/integration/build_help_pictures.py [NODE_ID ...]

The help pages in `web/docs` show these. Without node ids all are made anew. They are of people whom the photographic
model draws, which has to be on this machine (`python -m sfe_models download photo`).
"""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from integration.build_thumbnails import run_whole, thumbnail
from integration.build_workflows import own_directions
from integration.examples import NEIGHBOUR, SEED, photo
from integration.graphs import Graph, Output
from integration.parts import Trial
from integration.server import ROOT, Server, base_with_photo

FOLDER = ROOT / "web/docs/pictures"
_NUMBERS = itertools.count()


def strength(name: str, share: float) -> float:
    """A strength at this share of the useful range that the photographic model's direction has."""
    low, high = own_directions()[1][name].strength_range
    return round(share * (high if share > 0 else -low), 1)


class Kit(Trial):
    """A graph of the photographic model that collects what it shows."""

    def __init__(self, people: int = 1):
        super().__init__(people, SEED, "photo", drawn=True)
        self.shown: list[str] = []

    def show(self, *images: Output) -> Kit:
        for image in images:  # saved under a name of its own, so that ComfyUI's cache has none of them
            self.add("SaveImage", 0, images=image, filename_prefix=f"help/{next(_NUMBERS)}")
            self.shown.append(str(len(self.nodes)))
        return self

    def look(self, output: Output) -> Kit:
        """Show what a node draws on itself."""
        self.shown.append(output.node)
        return self

    def edit(self, name: str = "smile", share: float = 0.8, **more) -> Output:
        return self.apply(name, strength(name, share), **more)


def load_model() -> Kit:
    kit = Kit()
    return kit.show(kit.image, kit.reconstruction, kit.finish(kit.delta(kit.edit("glasses"))))


def demo_portrait() -> Kit:
    kit = Kit(4)
    return kit.show(kit.image)


def align_face() -> Kit:
    kit = _of_example(photo(strength))
    return kit.show(_output(kit, "SFE_LoadPhoto"), _output(kit, "SFE_AlignFace"))


def load_photo() -> Kit:
    kit = _of_example(photo(strength))
    return kit.show(_output(kit, "SFE_LoadPhoto"))


def invert() -> Kit:
    kit = Kit()
    kit.nodes[kit.inversion.node]["inputs"]["show"] = True
    kit.finish(kit.delta(kit.edit()))
    super(Kit, kit).show(kit.reconstruction)
    return kit.look(kit.inversion)


def apply_direction() -> Kit:
    kit = Kit()
    strengths = ", ".join(f"{strength('age', share):g}" for share in (-0.8, 0, 0.5, 1))
    return kit.show(kit.finish(kit.delta(kit.apply("age", 0.0, strengths=strengths))))


def found_direction() -> Kit:
    """For Text Direction, whose own needs CLIP: an edit by a direction that is connected."""
    kit = Kit()
    (found,) = kit.add("SFE_DiscoverDirections", 1, sfe_model=kit.model, method="GANSpace", index=3, layers="all")
    return kit.show(kit.image, kit.finish(kit.delta(kit.apply("smile", 2.0, custom_direction=found))))


def direction_from_images() -> Kit:
    kit = Kit()
    settings = {"attributes": "", "people": 1, "size": 0, "details": True, "sfe_model": kit.model}
    image, _, _ = kit.add("SFE_DemoPortrait", 3, seed=NEIGHBOUR, **settings)
    after, _ = kit.add("SFE_Invert", 2, sfe_model=kit.model, image=image)
    (way,) = kit.add("SFE_DirectionFromImages", before=kit.inversion, after=after, space="W+")
    return kit.show(kit.image, image, kit.finish(kit.delta(kit.apply("smile", 0.6, custom_direction=way))))


def discover_directions() -> Kit:
    """By GANSpace: the ends of SeFa's range are too far for a generator without demodulation."""
    kit = Kit()
    _, traversal = kit.add("SFE_DiscoverDirections", 2, sfe_model=kit.model, method="GANSpace", index=1, layers="all")
    return kit.show(traversal)


def mix_styles() -> Kit:
    kit = Kit()
    settings = {"attributes": "", "people": 1, "size": 0, "details": True, "sfe_model": kit.model}
    other, _, _ = kit.add("SFE_DemoPortrait", 3, seed=NEIGHBOUR, **settings)
    inversion, _ = kit.add("SFE_Invert", 2, sfe_model=kit.model, image=other)
    mixed = [
        kit.add("SFE_MixStyles", source=kit.inversion, other=inversion, layers=layers, alpha=1.0)[0]
        for layers in ("coarse", "middle")
    ]
    return kit.show(kit.image, other, *(kit.finish(kit.delta(edit)) for edit in mixed))


def compute_delta() -> Kit:
    kit = Kit()
    delta = kit.delta(kit.edit())
    edited = kit.finish(delta)
    return kit.look(delta).show(edited)


def mask_delta() -> Kit:
    kit = Kit()
    (black,) = kit.add("SolidMask", value=0.0, width=1024, height=1024)
    (white,) = kit.add("SolidMask", value=1.0, width=400, height=256)
    (mouth,) = kit.add("MaskComposite", destination=black, source=white, x=312, y=656, operation="add")
    (masked,) = kit.add("SFE_MaskDelta", delta=kit.delta(kit.edit("lipstick")), mask=mouth, invert=False, feather=0.05)
    edited = kit.finish(masked)
    return kit.look(masked).show(edited)


def face_mask() -> Kit:
    kit = Kit()
    _, alignment, _ = kit.add(
        "SFE_AlignFace",
        3,
        photo=kit.image,
        method="landmarks",
        face=0,
        order="largest first",
        size=1024,
        landmarks=kit.landmarks,
    )
    (mask,) = kit.add(
        "SFE_FaceMask", alignment=alignment, region="mouth", source="landmarks", feather=0.02, invert=False
    )
    (masked,) = kit.add("SFE_MaskDelta", delta=kit.delta(kit.edit("mouth_open")), mask=mask, invert=False, feather=0.02)
    (as_image,) = kit.add("MaskToImage", mask=mask)
    super(Kit, kit).show(kit.finish(masked))
    return kit.show(as_image).look(masked)


def combine_delta() -> Kit:
    kit = Kit()
    first, second = kit.delta(kit.edit("glasses")), kit.delta(kit.edit("smile"))
    (both,) = kit.add("SFE_CombineDelta", first=first, second=second, first_weight=1.0, second_weight=1.0)
    return kit.show(kit.image, kit.finish(both))


def feature_edit() -> Kit:
    kit = Kit()
    return kit.show(kit.image, kit.finish(kit.delta(kit.edit("age"))))


def synthesize() -> Kit:
    kit = Kit()
    edited = kit.finish(kit.delta(kit.edit("hair_light")))
    super(Kit, kit).show(edited)
    return kit.look(edited)


def paste_back() -> Kit:
    kit = _of_example(photo(strength))
    return kit.show(_output(kit, "SFE_LoadPhoto"), _output(kit, "SFE_PasteBack"))


def sweep() -> Kit:
    kit = Kit(2)
    ends = {"from_strength": strength("age", -0.8), "to_strength": strength("age", 0.8)}
    images, sheet = kit.add("SFE_Sweep", 2, inversion=kit.inversion, direction="age", steps=5, **ends)
    super(Kit, kit).show(sheet)
    return kit.look(images)


def edit_face() -> Kit:
    kit = Kit()
    amount = strength("age", 0.8)
    edited, _ = kit.add("SFE_EditFace", 2, sfe_model=kit.model, image=kit.image, direction="age", strength=amount)
    return kit.show(kit.image, edited)


def save_inversion() -> Kit:
    kit = Kit(4)
    kit.add("SFE_SaveInversion", inversion=kit.inversion, filename="sfe/people", overwrite=True)
    return kit.show(kit.reconstruction)


def load_inversion() -> Kit:
    """After `save_inversion`."""
    kit = Kit(4)
    (loaded,) = kit.add("SFE_LoadInversion", sfe_model=kit.model, file="sfe/people.safetensors [output]")
    return kit.show(kit.finish(kit.delta(kit.edit("glasses", source=loaded)), loaded))


def _tuned(kit: Kit) -> tuple[Output, Output]:
    """A tuned model and what it makes, after a few steps."""
    settings = {"method": "pti", "steps": 8, "locality": 0.1, "seed": 0}
    return tuple(kit.add("SFE_TuneGenerator", 2, sfe_model=kit.model, image=kit.image, **settings))


def tune_generator() -> Kit:
    kit = Kit()
    return kit.show(kit.image, kit.reconstruction, _tuned(kit)[1])


def save_tuned() -> Kit:
    kit = Kit()
    model, made = _tuned(kit)
    kit.add("SFE_SaveTuned", sfe_model=model, filename="sfe/tuned", overwrite=True)
    return kit.show(made)


def load_tuned() -> Kit:
    """After `save_tuned`."""
    kit = Kit()
    (model,) = kit.add("SFE_LoadTuned", sfe_model=kit.model, file="sfe/tuned.safetensors [output]")
    own, before = kit.add("SFE_Invert", 2, sfe_model=model, image=kit.image)
    return kit.show(before, kit.finish(kit.delta(kit.edit(source=own)), own))


def _of_example(graph: Graph) -> Kit:
    """An example without the nodes at its end that show pictures: of two equal ones ComfyUI runs one."""
    kit = Kit.__new__(Kit)
    Graph.__init__(kit, nodes={n: node for n, node in graph.nodes.items() if node["class_type"] != "SaveImage"})
    kit.shown = []
    return kit


def _output(graph: Graph, kind: str) -> Output:
    return next(Output(number, 0) for number, node in graph.nodes.items() if node["class_type"] == kind)


PICTURES: dict[str, Callable[[], Kit]] = {
    "SFE_LoadModel": load_model,
    "SFE_DemoPortrait": demo_portrait,
    "SFE_LoadPhoto": load_photo,
    "SFE_AlignFace": align_face,
    "SFE_Invert": invert,
    "SFE_ApplyDirection": apply_direction,
    "SFE_TextDirection": found_direction,
    "SFE_DirectionFromImages": direction_from_images,
    "SFE_DiscoverDirections": discover_directions,
    "SFE_MixStyles": mix_styles,
    "SFE_ComputeDelta": compute_delta,
    "SFE_MaskDelta": mask_delta,
    "SFE_FaceMask": face_mask,
    "SFE_CombineDelta": combine_delta,
    "SFE_FeatureEdit": feature_edit,
    "SFE_Synthesize": synthesize,
    "SFE_PasteBack": paste_back,
    "SFE_Sweep": sweep,
    "SFE_EditFace": edit_face,
    "SFE_SaveInversion": save_inversion,
    "SFE_LoadInversion": load_inversion,
    "SFE_TuneGenerator": tune_generator,
    "SFE_SaveTuned": save_tuned,
    "SFE_LoadTuned": load_tuned,
}


def main(*names: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    base = base_with_photo()
    server = None
    try:
        server = Server(os.environ["COMFYUI_PATH"], base)
        for name in names or PICTURES:
            kit = PICTURES[name]()
            result = run_whole(server, kit.api(), kit.shown)
            if result.status != "success":
                raise RuntimeError(f"{name}: {result.error or result.node_errors}")
            pictures = [picture for node in kit.shown for picture in _pictures(server, result, node)]
            thumbnail(pictures).save(FOLDER / f"{name}.jpg", quality=82)
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(base, ignore_errors=True)


def _pictures(server: Server, result, node: str) -> list[np.ndarray]:
    """What a node shows, as pictures or under a slider; they may be of different sizes."""
    shown = result.outputs[node]
    images = [entry for key in ("images", "a_images", "b_images") for entry in shown.get(key, [])]
    return [server.pictures(replace(result, outputs={node: {"images": [one]}}), node)[0] for one in images]


if __name__ == "__main__":
    main(*sys.argv[1:])
