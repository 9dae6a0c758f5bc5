"""A graph makes the library's pictures, to the 8 bits that they are shown in."""

import numpy as np
import pytest
import torch
from integration.examples import FILM
from integration.parts import Trial
from safetensors import safe_open

from sfe_models.checkpoints.load import DEMO_BUNDLE, load_networks
from sfe_models.demo.attributes import sample_portraits
from sfe_models.demo.renderer import render
from sfe_models.directions.finding.pca import component_direction, w_components
from sfe_models.film.codes import smoothed_batch
from sfe_models.inversion_file import load_inversion
from sfe_models.pipeline import Pipeline
from sfe_models.tuning.optimise import Steps, optimise
from sfe_models.tuning.refine import refine


def portraits(people=1, seed=7):
    return render(sample_portraits(range(seed, seed + people)), 128)


def eight_bits(pictures):
    return ((pictures.clamp(-1, 1) + 1) / 2 * 255).movedim(1, -1).byte().numpy()


def contents(path):
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()


def assert_same(shown, pictures):
    """ComfyUI cuts to 8 bits; another order of operations may be just on the other side."""
    assert np.abs(shown.astype(int) - eight_bits(pictures).astype(int)).max() <= 1


@pytest.mark.parametrize(
    "steps",
    [[], [("smile", 1.5)], [("smile", 1.5), ("age", -1.0), ("glasses", 2.0)], [("style", 1.0), ("smile", 1.5)]],
)
def test_chained_edits(server, pipeline, directions, steps):
    graph = Trial()
    edit = graph.inversion
    for name, strength in steps:
        edit = graph.apply(name, strength, edit)
    node = graph.show(graph.finish(graph.delta(edit) if steps else None))
    result = server.run(graph.api())
    assert result.status == "success", result.error
    chain = [(directions[name], strength) for name, strength in steps]
    assert_same(server.pictures(result, node), pipeline.edit(portraits().image, chain))


def test_refined(server, pipeline, directions):
    """Within ComfyUI's inference mode, as outside of it; on the edit too."""
    graph = Trial()
    graph.nodes[graph.inversion.node]["inputs"]["refine"] = 3
    node = graph.show(graph.finish(graph.delta(graph.apply())))
    result = server.run(graph.api())
    assert result.status == "success", result.error
    image = portraits().image
    plain = pipeline.invert(image)
    refined = refine(pipeline, plain, image, 3)
    shown = server.pictures(result, node)
    expected, unrefined = (
        eight_bits(pipeline.edit(i, [(directions["smile"], 1.5)])).astype(int) for i in (refined, plain)
    )
    assert np.abs(shown - expected).mean() < 0.1 < np.abs(shown - unrefined).mean()


def test_optimised_and_edited_along_what_ganspace_finds(server, pipeline):
    """Board 11, in fewer steps and samples."""
    graph = Trial()
    graph.nodes[graph.inversion.node]["inputs"] |= {"method": "optimise", "refine": 8}
    search = {"method": "GANSpace", "index": 0, "layers": "all", "samples": 1000}
    found, _ = graph.add("SFE_DiscoverDirections", 2, sfe_model=graph.model, **search)
    edit = graph.apply(strength=-1.2, custom_direction=found)
    nodes = [graph.show(graph.finish(graph.delta(edit))), graph.show(graph.reconstruction)]
    result = server.run(graph.api())
    assert result.status == "success", result.error
    image = portraits().image
    inversion = optimise(pipeline, image, Steps.shared(8), pipeline.invert(image).w)
    components = w_components(pipeline.networks.generator, 1, 1000)
    direction = component_direction(components, 0, pipeline.spec.n_styles, pipeline.spec.subject)
    edited, plain = (eight_bits(pipeline.edit(inversion, steps)) for steps in ([(direction, -1.2)], []))
    for node, expected, other in zip(nodes, (edited, plain), (plain, edited), strict=True):
        shown = server.pictures(result, node).astype(int)
        assert np.abs(shown - expected).mean() < 0.1 < np.abs(shown - other).mean()


def test_smoothed_over_the_frames_of_a_film(server, film):
    pipeline, graph = Pipeline(load_networks(DEMO_BUNDLE, torch.float32)), Trial(model="demo")
    (clip,) = graph.add("LoadVideo", file=FILM)
    frames, _, _ = graph.add("GetVideoComponents", 3, video=clip)
    shown = []
    for smoothing in (0.0, 2.0):
        inversion, _ = graph.add("SFE_Invert", 2, sfe_model=graph.model, image=frames, smoothing=smoothing)
        shown.append(graph.show(graph.finish(inversion=inversion)))
    first = graph.show(frames)
    result = server.run(graph.api())
    assert result.status == "success", result.error
    plain, calm = (server.pictures(result, node) for node in shown)
    seen = torch.from_numpy(server.pictures(result, first)).movedim(-1, 1) / 127.5 - 1
    assert_same(calm, pipeline.reconstruct(smoothed_batch(pipeline, pipeline.invert(seen), 2.0)))
    assert np.abs(calm.astype(int) - plain.astype(int)).max() > 1


def test_mask(server, pipeline, directions):
    graph = Trial()
    (masked,) = graph.add("SFE_MaskDelta", delta=graph.delta(graph.apply()), mask=graph.face, invert=False, feather=0.0)
    node = graph.show(graph.finish(masked))
    seen = portraits()
    expected = pipeline.edit(seen.image, [(directions["smile"], 1.5)], seen.face_mask[:, 0])
    assert_same(server.pictures(server.run(graph.api()), node), expected)


@pytest.mark.parametrize("acts_on", ["picture", "delta"])
def test_zero_mask_is_the_inversion_or_the_unmasked_codes_with_no_delta(server, pipeline, directions, acts_on):
    graph = Trial()
    (nothing,) = graph.add("SolidMask", value=0.0, width=128, height=128)
    masked = {"mask": nothing, "invert": False, "feather": 0.02, "acts_on": acts_on}
    (masked,) = graph.add("SFE_MaskDelta", delta=graph.delta(graph.apply()), **masked)
    node = graph.show(graph.finish(masked))
    seen, steps = portraits().image, [(directions["smile"], 1.5)]
    nothing = torch.zeros(128, 128)
    expected = pipeline.edit(seen) if acts_on == "picture" else pipeline.edit(seen, steps, nothing, "delta")
    assert_same(server.pictures(server.run(graph.api()), node), expected)


@pytest.mark.parametrize("layers", ["coarse", "middle, 9"])
def test_mixed(server, pipeline, layers):
    graph = Trial(people=2)
    image, _, _ = graph.add("SFE_DemoPortrait", 3, seed=11, attributes="", people=1, size=128, details=True)
    other, _ = graph.add("SFE_Invert", 2, sfe_model=graph.model, image=image)
    (edit,) = graph.add("SFE_MixStyles", source=graph.inversion, other=other, layers=layers, alpha=0.75)
    node = graph.show(graph.finish(graph.delta(edit)))
    a, b = pipeline.invert(portraits(2).image), pipeline.invert(portraits(1, 11).image)
    delta = pipeline.compute_delta(pipeline.mix_styles(a, b, layers, 0.75))
    assert_same(server.pictures(server.run(graph.api()), node), pipeline.synthesize(pipeline.feature_edit(delta)))


def test_combined(server, pipeline, directions):
    graph = Trial()
    first, second = graph.delta(graph.apply("glasses", 2.0)), graph.delta(graph.apply("smile", -1.0))
    (both,) = graph.add("SFE_CombineDelta", first=first, second=second, first_weight=1.0, second_weight=0.5)
    node = graph.show(graph.finish(both))
    inversion = pipeline.invert(portraits().image)
    parts = [("glasses", 2.0), ("smile", -1.0)]
    deltas = [pipeline.compute_delta(pipeline.apply_direction(inversion, directions[n], s)) for n, s in parts]
    expected = pipeline.synthesize(pipeline.feature_edit(pipeline.combine_deltas(deltas, [1.0, 0.5])))
    assert_same(server.pictures(server.run(graph.api()), node), expected)


def test_sweep_is_the_single_edits(server, pipeline, directions):
    graph = Trial(people=2)
    images, sheet = graph.add(
        "SFE_Sweep", 2, inversion=graph.inversion, direction="age", from_strength=-2.0, to_strength=2.0, steps=5
    )
    shown, sheet = graph.show(images), graph.show(sheet)
    result = server.run(graph.api())
    singles = [
        pipeline.edit(portraits(1, 7 + person).image, [(directions["age"], strength)])
        for person in range(2)
        for strength in (-2.0, -1.0, 0.0, 1.0, 2.0)
    ]
    assert_same(server.pictures(result, shown), torch.cat(singles))
    assert len(server.pictures(result, sheet)) == 1


def test_a_batch_of_people_and_strengths_is_the_loop(server, pipeline, directions):
    """Six people are more than go through a network at once."""
    strengths = [0.0, 1.0, -1.0, 2.0, 0.5, 3.0]
    graph = Trial(people=6)
    edit = graph.apply(strengths=", ".join(map(str, strengths)))
    node = graph.show(graph.finish(graph.delta(edit)))
    shown = server.pictures(server.run(graph.api()), node)
    loop = [pipeline.edit(portraits(1, 7 + i).image, [(directions["smile"], s)]) for i, s in enumerate(strengths)]
    assert_same(shown, torch.cat(loop))


def test_one_person_and_several_strengths_give_a_batch(server, pipeline, directions):
    graph = Trial()
    node = graph.show(graph.finish(graph.delta(graph.apply(strengths="0 1 2"))))
    shown = server.pictures(server.run(graph.api()), node)
    expected = pipeline.edit(portraits().image.expand(3, -1, -1, -1), [(directions["smile"], torch.arange(3.0))])
    assert_same(shown, expected)


def test_strength_0_is_the_inversion(server):
    graph = Trial()
    edited, plain = graph.show(graph.finish(graph.delta(graph.apply(strength=0.0)))), graph.show(graph.reconstruction)
    result = server.run(graph.api())
    assert np.array_equal(server.pictures(result, edited), server.pictures(result, plain))


def test_a_saved_inversion_is_bit_identical(server, base, pipeline):
    graph = Trial(people=2)
    graph.add("SFE_SaveInversion", inversion=graph.inversion, filename="people/two", overwrite=True)
    assert server.run(graph.api()).status == "success"
    path = base / "output/people/two.safetensors"
    again = Trial(people=2)
    (loaded,) = again.add("SFE_LoadInversion", sfe_model=again.model, file="people/two.safetensors [output]")
    again.add("SFE_SaveInversion", inversion=loaded, filename="people/copy", overwrite=True)
    node = again.show(again.finish(inversion=loaded))
    result = server.run(again.api())
    (first, about), (second, about_second) = (
        contents(base / f"output/people/{n}.safetensors") for n in ("two", "copy")
    )
    assert about == about_second and first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert_same(server.pictures(result, node), pipeline.edit(load_inversion(path)))


def test_edit_face_is_the_chain_of_nodes(server, pipeline, directions):
    graph = Trial()
    edited, crop = graph.add(
        "SFE_EditFace", 2, sfe_model=graph.model, image=graph.image, direction="age", strength=1.0, mask=graph.face
    )
    node = graph.show(edited)
    seen = portraits()
    expected = pipeline.edit(seen.image, [(directions["age"], 1.0)], seen.face_mask[:, 0])
    assert_same(server.pictures(server.run(graph.api()), node), expected)


def test_align_then_paste_back_is_the_photo(server):
    graph = Trial(people=2)
    crop, alignment, _ = graph.add(
        "SFE_AlignFace", 3, photo=graph.image, method="landmarks", face=0, order="largest first", size=256,
        landmarks=graph.landmarks,
    )  # fmt: skip
    pasted, changed = graph.add(
        "SFE_PasteBack", 2, photo=graph.image, crop=crop, alignment=alignment, feather=0.1, colour_match=False
    )
    before, after = graph.show(graph.image), graph.show(pasted)
    (mask,) = graph.add("MaskToImage", mask=changed)
    mask = graph.show(mask)
    result = server.run(graph.api())
    before, after, mask = (server.pictures(result, node) for node in (before, after, mask))
    difference = np.abs(before.astype(int) - after.astype(int))
    outside = mask[..., 0] == 0  # in 8 bits; tests/faces look at the mask itself
    assert outside.any() and difference[outside].max() <= 1
    assert difference.mean() < 3
