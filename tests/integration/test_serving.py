"""How the pack lives in a server: import, caching, interrupts, memory, errors."""

import json
import time

import numpy as np
import pytest
import torch
from integration.parts import Trial
from integration.server import PACK
from PIL import Image

NODES = 24


def edited(strength=1.0, **more):
    """A graph with one edit; the number of the node that shows it."""
    graph = Trial()
    node = graph.show(graph.finish(graph.delta(graph.apply(strength=strength, **more))))
    return graph.api(), node


def ran(graph, result):
    """The types of the nodes that were computed."""
    return sorted({node["class_type"] for number, node in graph.items() if number not in result.cached})


def test_the_pack_imports_without_a_word(server):
    starting, served, _ = server.log.read_text().partition("Starting server")
    assert served
    lines = [line for line in starting.splitlines() if PACK in line]
    assert len(lines) == 1 and "seconds" in lines[0], lines
    info = server.get("/object_info")
    own = [name for name, node in info.items() if node["python_module"] == f"custom_nodes.{PACK}"]
    assert len(own) == NODES and all(name.startswith("SFE_") for name in own)


def test_every_example_runs(server, base, example):
    name, graph = example
    result = server.run(graph)
    assert result.status == "success", (name, result.error, result.node_errors)
    assert not result.node_errors
    last = {
        number
        for number in graph
        if not any([number, slot] in n["inputs"].values() for n in graph.values() for slot in range(3))
    }
    shown = last & {number for number, output in result.outputs.items() if {"images", "b_images"} & set(output)}
    assert shown or last & set(result.cached)  # the history has no pictures of cached nodes
    for number in shown:
        if graph[number]["class_type"] == "SaveVideo":
            assert_film(base / "output", *result.outputs[number]["images"])
        else:
            assert server.pictures(result, number).std() > 1


def assert_film(output, saved):
    """As many frames as went in, each with something on it, and sound."""
    from film.films import read_film, sound_packets
    from integration.clip import FRAMES

    path = output / saved["subfolder"] / saved["filename"]
    times, pictures = read_film(path)
    assert len(times) == FRAMES and pictures.float().std(dim=(1, 2, 3)).min() > 1
    assert sound_packets(path)


def test_without_photo_auto_is_the_demo_model(server):
    options = server.get("/object_info/SFE_Sweep")["SFE_Sweep"]["input"]["required"]["direction"][1]
    assert options["sfe_directions"]["stands_for"] == {"auto": "demo"}
    nodes = [Trial(model=name, drawn=True) for name in ("auto", "demo")]
    shown = [graph.show(graph.reconstruction) for graph in nodes]
    first, second = (server.pictures(server.run(g.api()), n) for g, n in zip(nodes, shown, strict=True))
    assert np.array_equal(first, second)


def test_a_photo_takes_the_place_of_the_connected_picture(server, base):
    graph = Trial()
    photo, points = graph.add("SFE_LoadPhoto", 2, file="", image=graph.image, landmarks=graph.landmarks)
    node, text = graph.show(photo), str(len(graph.nodes) + 1)
    graph.add("PreviewAny", 0, source=points)
    result = server.run(graph.api())
    assert server.pictures(result, node).shape[1:] == (128, 128, 3) and result.outputs[text]["text"][0].count(",") == 4
    graph.nodes[photo.node]["inputs"]["file"] = "example.png"
    result = server.run(graph.api())
    with Image.open(base / "input/example.png") as own:
        assert np.array_equal(server.pictures(result, node)[0], np.asarray(own.convert("RGB")))
    assert result.outputs[text]["text"][0] == ""
    for name in ("gone.png", "../../x.png"):
        graph.nodes[photo.node]["inputs"]["file"] = name
        assert "your photo" in json.dumps(server.run(graph.api()).node_errors)


def test_templates_are_served_and_api_graphs_are_none(server):
    names = server.get("/workflow_templates")[PACK]
    assert "01 One edit" in names and len(names) == len(set(names)) == 12


def test_a_second_run_computes_nothing(server):
    graph, _ = edited(0.7)
    server.run(graph)
    assert ran(graph, server.run(graph)) == []


def test_another_strength_computes_what_depends_on_it(server):
    server.run(edited(0.7)[0])
    graph, _ = edited(0.9)
    names = ["PreviewImage", "SFE_ApplyDirection", "SFE_ComputeDelta", "SFE_FeatureEdit", "SFE_Synthesize"]
    assert ran(graph, server.run(graph)) == names


def test_the_reconstruction_is_there_when_it_is_asked_for_later(server):
    server.run(edited(0.7)[0])
    graph = Trial()
    graph.show(graph.finish(graph.delta(graph.apply(strength=0.7))))
    node = graph.show(graph.reconstruction)
    result = server.run(graph.api())
    assert result.status == "success", result.error
    assert server.pictures(result, node).std() > 1
    assert ran(graph.api(), result) == ["PreviewImage"]  # nothing is inverted again


def test_interrupt(server):
    graph = Trial(people=16)
    images, _ = graph.add(
        "SFE_Sweep", 2, inversion=graph.inversion, direction="age", from_strength=-3.0, to_strength=3.0, steps=64
    )
    graph.show(images)
    prompt = server.queue(graph.api())
    time.sleep(3)
    start = time.monotonic()
    server.post("/interrupt", {})
    result = server.wait_for(prompt)
    assert result.status == "interrupted"
    assert time.monotonic() - start < 5
    assert server.run(edited(0.4)[0]).status == "success"


def test_models_of_extra_paths_and_own_directions_are_offered(server, base):
    folder = base / "models/sfe/directions"
    folder.mkdir(exist_ok=True)
    vector = torch.randn(64, generator=torch.Generator().manual_seed(0)).numpy()
    np.save(folder / "my_own.npy", vector)
    (folder / "my_own.json").write_text('{"subject": "rendered portraits", "range": [-2, 2], "effect": "mine"}')
    info = server.get("/object_info/SFE_LoadModel")["SFE_LoadModel"]["input"]["required"]["model"][1]["options"]
    assert {"demo", "trial.safetensors", "extra.safetensors"} <= set(info)
    assert not [name for name in info if "my_own" in name]
    _, options = server.get("/object_info/SFE_Sweep")["SFE_Sweep"]["input"]["required"]["direction"]
    own = next(one for one in options["sfe_directions"]["directions"] if one["name"] == "my_own")
    assert "my_own" in options["options"] and own["range"] == [-2, 2] and own["effect"] == "mine"
    graph = Trial(model="extra.safetensors")
    graph.show(graph.finish(graph.delta(graph.apply("my_own"))))
    assert server.run(graph.api()).status == "success"
    np.save(folder / "my_own.npy", vector * 2)
    result = server.run(graph.api())
    assert "SFE_ApplyDirection" in ran(graph.api(), result) and "SFE_Invert" not in ran(graph.api(), result)


def test_a_model_is_loaded_once_for_all_graphs(server):
    server.run(edited(0.61)[0])
    loads = server.log.read_text().count("Requested to load Managed")
    other = Trial(seed=8)
    other.show(other.reconstruction)
    assert "SFE_LoadModel" not in ran(other.api(), server.run(other.api()))
    server.run(edited(0.62)[0])
    assert server.log.read_text().count("Requested to load Managed") == loads


def test_two_graphs_at_once(server):
    graphs = [edited(1.1)[0], edited(1.2)[0]]
    prompts = [server.queue(graph) for graph in graphs]
    assert [server.wait_for(prompt).status for prompt in prompts] == ["success", "success"]


def test_memory_does_not_grow(server):
    for i in range(5):
        server.run(edited(2 + i / 10)[0])
    before = server.memory()
    for i in range(10):
        server.run(edited(3 + i / 10)[0])
    assert server.memory() - before < 40


def test_unloaded_weights_come_back(server):
    server.run(edited(0.3)[0])
    server.post("/free", {"unload_models": True, "free_memory": False})
    time.sleep(1.5)
    assert server.run(edited(0.35)[0]).status == "success"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"SFE_ApplyDirection": {"strengths": "1, two"}}, "'strengths' is '1, two'"),
        ({"SFE_ApplyDirection": {"strengths": "1, nan"}}, "Strength is nan; expected a number"),
        ({"SFE_ApplyDirection": {"layers": "coarse, 99"}}, "99"),
        ({"SFE_ApplyDirection": {"direction": "smle"}}, "smle"),
        ({"SFE_ApplyDirection": {"direction": "pose"}}, "pose"),
        ({"SFE_LoadModel": {"model": "../../secret.safetensors"}}, "secret"),
        ({"SFE_LoadModel": {"model": "/etc/passwd"}}, "passwd"),
        ({"SFE_LoadModel": {"model": "photo"}}, "install.py"),
        ({"SFE_LoadModel": {"precision": "float1"}}, "float1"),
        ({"SFE_DemoPortrait": {"attributes": "smile"}}, "expected name=value"),
        ({"SFE_DemoPortrait": {"attributes": "wings=1"}}, "no attribute 'wings'"),
        ({"SFE_DemoPortrait": {"attributes": "smile=9"}}, "must lie in"),
    ],
)
def test_bad_inputs_get_a_sentence_and_the_server_lives(server, change, words):
    graph, _ = edited(0.2)
    for node in graph.values():
        node["inputs"].update(change.get(node["class_type"], {}))
    result = server.run(graph)
    assert result.status in ("error", "rejected"), result.status
    said = result.error.get("exception_message", "") if result.status == "error" else json.dumps(result.node_errors)
    assert words in said
    if result.status == "error":
        assert said.startswith(("Apply Direction: ", "Load SFE: ", "Demo Portrait: "))
        assert max(map(len, map(str, result.error["current_inputs"].values()))) < 600
    assert server.run(edited(0.25)[0]).status == "success"


@pytest.mark.parametrize(
    ("name", "words"),
    [("../../x", "expected the name of a file below"), ("/tmp/x", "expected"), ("link/x", "through a link")],
)
def test_saving_stays_in_the_output_folder(server, base, tmp_path, name, words):
    link = base / "output/link"
    if not link.exists():
        link.symlink_to(tmp_path, target_is_directory=True)
    graph = Trial()
    graph.add("SFE_SaveInversion", inversion=graph.inversion, filename=name, overwrite=True)
    result = server.run(graph.api())
    assert result.status == "error" and words in result.error["exception_message"]
    graph = Trial()
    graph.show(
        graph.finish(inversion=graph.add("SFE_LoadInversion", sfe_model=graph.model, file=f"{name} [output]")[0])
    )
    result = server.run(graph.api())
    assert result.status == "error" and words in result.error["exception_message"]


def test_a_delta_of_another_picture_is_refused(server):
    graph = Trial()
    other, _, _ = graph.add("SFE_DemoPortrait", 3, seed=99, attributes="", people=1, size=128, details=True)
    inversion, _ = graph.add("SFE_Invert", 2, sfe_model=graph.model, image=other)
    graph.show(graph.finish(graph.delta(graph.apply()), inversion))
    result = server.run(graph.api())
    assert "does not belong to this inversion" in result.error["exception_message"]


def test_text_without_its_files_says_what_to_make(server):
    graph = Trial()
    (direction,) = graph.add("SFE_TextDirection", sfe_model=graph.model, neutral="a", target="b", disentanglement=0.1)
    graph.show(graph.finish(graph.delta(graph.apply(custom_direction=direction))))
    assert "relevance" in server.run(graph.api()).error["exception_message"]
