"""What nodes show on themselves, and pictures at a reduced size."""

from dataclasses import replace

import numpy as np
import pytest
from integration.parts import Trial

from sfe_models.demo.attributes import sample_portraits
from sfe_models.demo.renderer import render


def shown(server, result, output, key="images"):
    """The pictures that a node shows under a key of its output."""
    entries = result.outputs[output.node][key]
    assert all(set(entry) == {"filename", "subfolder", "type"} and entry["type"] == "temp" for entry in entries)
    return server.pictures(replace(result, outputs={output.node: {"images": entries}}), output.node)


def test_the_stages_show_what_they_do(server):
    server.forget()
    graph = Trial(people=2)
    graph.nodes[graph.inversion.node]["inputs"]["show"] = True
    delta = graph.delta(graph.apply())
    (masked,) = graph.add("SFE_MaskDelta", delta=delta, mask=graph.face, invert=False, feather=0.0)
    image = graph.finish(masked)
    node = graph.show(image)
    result = server.run(graph.api())
    assert result.status == "success", result.error
    assert shown(server, result, graph.inversion).shape == (2, 128, 256, 3)  # the picture and its reconstruction
    assert shown(server, result, delta).shape == shown(server, result, masked).shape == (2, 128, 128, 3)
    before, after = (shown(server, result, image, key) for key in ("a_images", "b_images"))
    assert np.array_equal(after, server.pictures(result, node))
    person = (render(sample_portraits([7]), 128).image[0].movedim(0, -1).numpy() + 1) * 127.5
    assert np.abs(before[0].astype(float) - person).mean() < 2


def test_without_show_invert_makes_no_picture(server):
    server.forget()
    graph = Trial()
    graph.show(graph.finish(graph.delta(graph.apply())))
    result = server.run(graph.api())
    assert graph.inversion.node not in result.outputs


def test_a_sweep_shows_its_sheet(server):
    server.forget()
    graph = Trial()
    images, sheet = graph.add(
        "SFE_Sweep", 2, inversion=graph.inversion, direction="age", from_strength=-1.0, to_strength=1.0, steps=3
    )
    node = graph.show(sheet)
    result = server.run(graph.api())
    assert np.array_equal(shown(server, result, images), server.pictures(result, node))


def test_half_size_is_the_library_s(server, pipeline, directions):
    graph = Trial()
    image = graph.finish(graph.delta(graph.apply()))
    graph.nodes[image.node]["inputs"]["size"] = "1/2"
    node = graph.show(image)
    result = server.run(graph.api())
    assert result.status == "success", result.error
    inversion = pipeline.invert(render(sample_portraits([7]), 128).image)
    edit = pipeline.apply_direction(inversion, directions["smile"], 1.5)
    expected = pipeline.synthesize(pipeline.feature_edit(pipeline.compute_delta(edit)), 64)
    expected = ((expected.clamp(-1, 1) + 1) / 2 * 255).movedim(1, -1).byte().numpy()
    assert np.abs(server.pictures(result, node).astype(int) - expected.astype(int)).max() <= 1


@pytest.mark.parametrize(("size", "words"), [("1/8", "can be stopped at 64, 128"), ("1/3", "expected one of")])
def test_sizes_that_the_model_cannot_make_are_refused(server, size, words):
    graph = Trial()
    image = graph.finish(graph.delta(graph.apply()))
    graph.nodes[image.node]["inputs"]["size"] = size
    graph.show(image)
    result = server.run(graph.api())
    said = result.error.get("exception_message", "") or str(result.node_errors)
    assert words in said or "not in list" in said
