"""Inversion by optimisation and tuned generators in a real server: what nodes do is what the library does."""

import numpy as np
import pytest
from integration.parts import Trial

from sfe_models.demo.attributes import sample_portraits
from sfe_models.demo.renderer import render


def tuned(graph, **more):
    settings = {"method": "pti", "steps": 3, "locality": 0.1, "seed": 0} | more
    return graph.add("SFE_TuneGenerator", 2, sfe_model=graph.model, image=graph.image, **settings)


def error(server, result, node):
    person = ((render(sample_portraits([7]), 128).image + 1) * 127.5).movedim(1, -1).numpy()
    return np.square(server.pictures(result, node) - person).mean()


def run(server, graph):
    result = server.run(graph.api())
    assert result.status == "success", result.error or result.node_errors
    return result


def test_a_tuned_generator_is_kept_and_brought_back(server):
    graph = Trial()
    model, made = tuned(graph)
    (file,) = graph.add("SFE_SaveTuned", sfe_model=model, filename="sfe/a", overwrite=True)
    (again,) = graph.add("SFE_LoadTuned", sfe_model=graph.model, file=file)
    own, _ = graph.add("SFE_Invert", 2, sfe_model=again, image=graph.image)
    nodes = [graph.show(image) for image in (made, graph.finish(inversion=own))]
    nodes.append(graph.show(graph.finish(graph.delta(graph.apply(source=own)), own)))
    result = run(server, graph)
    first, second, edited = (server.pictures(result, node) for node in nodes)
    assert np.array_equal(first, second) and not np.array_equal(first, edited)


@pytest.mark.parametrize("method", ["encoder + refine", "optimise"])
def test_invert_by_its_other_methods(server, method):
    graph = Trial()
    graph.nodes[graph.inversion.node]["inputs"] |= {"method": method, "refine": 12}
    other, _ = graph.add("SFE_Invert", 2, sfe_model=graph.model, image=graph.image)
    nodes = [graph.show(graph.finish(inversion=inversion)) for inversion in (graph.inversion, other)]
    result = run(server, graph)
    ours, encoders = (error(server, result, node) for node in nodes)
    assert ours != encoders and (method == "optimise" or ours < encoders)


def test_what_cannot_be_is_one_sentence(server):
    graph = Trial(people=2)
    graph.show(tuned(graph)[1])
    assert "one generator a picture" in server.run(graph.api()).error["exception_message"]
    graph = Trial()
    graph.add("SFE_SaveTuned", sfe_model=graph.model, filename="sfe/b", overwrite=True)
    assert "is not tuned" in server.run(graph.api()).error["exception_message"]
    graph = Trial()
    model, _ = tuned(graph)
    other, _, _ = graph.add("SFE_DemoPortrait", 3, seed=8, attributes="", people=1, size=128, details=True)
    own, _ = graph.add("SFE_Invert", 2, sfe_model=model, image=other)
    graph.show(graph.finish(inversion=own))
    assert "tuned to one picture" in server.run(graph.api()).error["exception_message"]
