"""The pack in the real front end, in a headless Chromium: what check.mjs saw."""

import json
import re

import pytest
from integration.examples import EXAMPLES
from integration.server import ROOT

NAMES = sorted(path.stem for path in (ROOT / "workflows").glob("*.json"))
API = {f"{i:02} {title}": make.__name__ for i, (title, make) in enumerate(EXAMPLES, 1)}


# Before this one, Nodes 2.0 was a hidden trial that draws plain widgets only.
FIRST_WITH_VIEWS = (1, 28)
# The one that ComfyUI 0.8.0 asks for, the first server here that serves blueprints.
FIRST_WITH_BLUEPRINTS = (1, 35)
VIEWS = ("range", "favourites", "vanished", "compare", "language", "live")


def version(report):
    return tuple(map(int, report["frontend"].split(".")[:2]))


def assert_quiet(seen):
    """No dialog, toast or complaint; ComfyUI's own word on a front end too old for it does not count."""
    assert not seen["dialogs"] and not seen["complaints"]
    assert not [text for text in seen["toasts"] if "Version Compatibility Warning" not in text]


def got(report, name):
    """What a check returned."""
    if name in VIEWS and report["nodes2"] and version(report) < FIRST_WITH_VIEWS and report["views"] is False:
        pytest.skip(f"Nodes 2.0 of front end {report['frontend']} draws plain widgets only")
    assert name in report, report["failed"].get(name, f"{name} did not run")
    return report[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_loads_without_a_word(report, name):
    seen = got(report, f"workflow {name}")
    assert_quiet(seen)


@pytest.mark.parametrize("name", NAMES)
def test_loading_and_saving_keeps_every_value(report, name):
    seen = got(report, f"workflow {name}")
    assert seen["first"] == seen["again"] and seen["sent"] == seen["sentAgain"]
    graph = json.loads((ROOT / f"workflows/api/{API[name]}.json").read_text(encoding="utf-8"))
    assert set(seen["sent"]) == set(graph)
    for number, node in graph.items():  # the front end also sends what the example leaves at its default
        sent = seen["sent"][number]
        assert sent["class_type"] == node["class_type"]
        assert {key: sent["inputs"][key] for key in node["inputs"]} == node["inputs"]


def test_the_range_follows_the_direction(report):
    seen = got(report, "range")
    info = json.loads((ROOT / "tests/nodes/object_info.json").read_text(encoding="utf-8"))
    offer = info["SFE_ApplyDirection"]["input"]["required"]["direction"][1]["sfe_directions"]["directions"]
    for name, shown in seen["found"].items():
        direction = next(d for d in offer if d["name"] == name and d["model"] == "demo")
        assert [shown["min"], shown["max"]] == direction["range"]
        assert direction["effect"] in shown["text"] and direction["source"] in shown["title"]
        assert direction["source"] not in shown["text"]
    assert seen["chosen"] == "age"
    assert seen["after"]["value"] == pytest.approx(seen["dragged"]) and 0 < seen["dragged"] < seen["after"]["max"]


def test_a_strength_beyond_the_range_is_kept_and_said(report):
    beyond = got(report, "range")["beyond"]
    assert beyond["kept"] == 40 and beyond["value"] == beyond["max"] and "is beyond" in beyond["text"]


def test_favourites_stand_first_and_are_remembered(report):
    seen = got(report, "favourites")
    assert seen["marked"][0].startswith("★") and seen["stored"] == ["own/age"]
    assert seen["before"] == seen["after"] and not seen["before"][0].startswith("★")


def test_choices_that_a_model_does_not_have_are_marked_and_kept(report):
    seen = got(report, "vanished")
    assert seen["fits"] == "fits"
    assert seen["other"]["state"] == "other" and seen["other"]["value"] == "yaw"
    assert "is not a direction of ffhq-1024" in seen["other"]["text"]
    assert seen["gone"]["state"] == "gone" and "not there any more" in seen["gone"]["text"]
    assert seen["gone"]["value"] == seen["sent"] == seen["refreshed"] == "wings"


def test_the_slider_between_before_and_after_moves(report):
    seen = got(report, "compare")
    assert seen["run"] == "execution_success"
    assert seen["start"]["position"] == 0.5 and seen["moved"]["position"] == pytest.approx(0.25, abs=0.02)
    assert seen["start"]["clip"] != seen["moved"]["clip"]
    assert all(width > 0 for width in seen["loaded"])
    assert_quiet(seen)


def test_nodes_show_their_pictures(report):
    shown = got(report, "compare")["shown"]
    assert shown["SFE_ComputeDelta"] == shown["SFE_MaskDelta"] == ["images"]
    assert shown["SFE_Synthesize"] == ["a_images", "b_images"]


def test_a_node_with_a_picture_of_its_own_sends_no_previews(report):
    """Nodes 2.0 would keep the last one in the place of the result."""
    seen = got(report, "working")
    assert seen["run"] == "execution_success" and seen["previews"] == 0
    assert seen["seconds"] > 1.5, "too short for the previews that must not come"


def test_help_opens_with_its_picture(report):
    seen = got(report, "help")
    assert "Makes the edited picture" in seen["text"] and "When it looks wrong" in seen["text"]
    assert [picture["width"] > 0 for picture in seen["pictures"]] == [True]
    # The front end asks for a page in the user's language first.
    others = [text for text in seen["complaints"] if not re.search(r"404 .*/docs/SFE_\w+/\w+\.md", text)]
    assert not others


def test_the_blueprint_is_there_and_runs(report):
    seen = got(report, "blueprint")
    if seen["served"] is None:
        pytest.skip("this ComfyUI serves no blueprints of packs (0.8.0 does)")
    if version(report) < FIRST_WITH_BLUEPRINTS:
        pytest.skip(f"front end {report['frontend']} is older than the one that ComfyUI 0.8.0 asks for")
    assert seen["served"] == ["Edit Face (SFE)"]
    assert seen["added"]["inputs"] == ["model", "image", "direction", "strength"]
    assert seen["run"] == "execution_success"


def test_the_nodes_speak_chinese(report):
    seen = got(report, "language")
    assert {"应用方向", "方向", "强度"} <= set(seen["labels"]) and "有用范围" in seen["picker"]


def test_a_slider_in_the_hand_shows_pictures_and_saves_none(report):
    seen = got(report, "live")
    assert "SFE_Synthesize" in seen["held"] and "SaveImage" not in seen["held"]
    assert "SaveImage" in seen["released"]


def test_nothing_else_complains(report):
    assert not report["failed"]
    assert not [text for text in report["complaints"] if not re.search(r"404 .*/docs/SFE_\w+/\w+\.md", text)]
