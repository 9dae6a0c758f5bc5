"""The nodes as a real server described them: ids are for ever, and nothing goes unexplained."""

import pytest

# Identifiers, display names, inputs and outputs that workflows in the world rely on.
NODES = {
    "SFE_LoadModel": ("Load SFE", "model precision", "SFE_MODEL"),
    "SFE_DemoPortrait": ("Demo Portrait", "seed attributes people size details sfe_model", "IMAGE MASK STRING"),
    "SFE_LoadPhoto": ("Load Photo (SFE)", "file image landmarks", "IMAGE STRING"),
    "SFE_AlignFace": (
        "Align Face (SFE)",
        "photo method face order size landmarks face_landmarks no_face smoothing sfe_model",
        "IMAGE SFE_ALIGNMENT MASK",
    ),
    "SFE_Invert": ("Invert (SFE)", "sfe_model image show refine method smoothing", "SFE_INVERSION IMAGE"),
    "SFE_ApplyDirection": (
        "Apply Direction",
        "source direction strength strengths layers custom_direction",
        "SFE_EDIT",
    ),
    "SFE_TextDirection": ("Text Direction (SFE)", "sfe_model neutral target disentanglement", "SFE_DIRECTION"),
    "SFE_DirectionFromImages": ("Direction from Images", "before after space layers", "SFE_DIRECTION"),
    "SFE_DiscoverDirections": (
        "Discover Directions",
        "sfe_model method index layers samples",
        "SFE_DIRECTION IMAGE",
    ),
    "SFE_MixStyles": ("Mix Styles (SFE)", "source other layers alpha", "SFE_EDIT"),
    "SFE_ComputeDelta": ("Compute Δ", "edit", "SFE_DELTA IMAGE"),
    "SFE_MaskDelta": ("Mask Δ", "delta mask invert feather acts_on", "SFE_DELTA"),
    "SFE_CombineDelta": ("Combine Δ", "first second first_weight second_weight", "SFE_DELTA"),
    "SFE_FeatureEdit": ("Feature Edit", "inversion delta", "SFE_FEATURES"),
    "SFE_Synthesize": ("Synthesize (SFE)", "features size", "IMAGE"),
    "SFE_PasteBack": (
        "Paste Back (SFE)",
        "photo crop alignment feather colour_match mask region blend",
        "IMAGE MASK",
    ),
    "SFE_FaceMask": ("Face Mask (SFE)", "alignment region source feather invert crop threshold", "MASK"),
    "SFE_Sweep": (
        "Strength Sweep",
        "inversion direction from_strength to_strength steps custom_direction mask",
        "IMAGE IMAGE",
    ),
    "SFE_EditFace": (
        "Edit Face (all in one)",
        "sfe_model image direction strength strengths mask landmarks face_landmarks custom_direction find_face no_face",
        "IMAGE IMAGE",
    ),
    "SFE_SaveInversion": ("Save Inversion", "inversion filename overwrite", "STRING"),
    "SFE_LoadInversion": ("Load Inversion", "sfe_model file", "SFE_INVERSION"),
    "SFE_TuneGenerator": ("Tune Generator", "sfe_model image method steps locality seed", "SFE_MODEL IMAGE"),
    "SFE_SaveTuned": ("Save Tuned Generator", "sfe_model filename overwrite", "STRING"),
    "SFE_LoadTuned": ("Load Tuned Generator", "sfe_model file", "SFE_MODEL"),
}


def inputs(node):
    return {**node["input"].get("required", {}), **node["input"].get("optional", {})}


def test_these_are_all(own):
    assert set(own) == set(NODES)


@pytest.mark.parametrize("name", NODES)
def test_names_and_sockets(own, name):
    title, names, outputs = NODES[name]
    node = own[name]
    assert node["display_name"] == title
    assert [n for group in ("required", "optional") for n in node["input_order"].get(group, [])] == names.split()
    assert node["output"] == outputs.split()


@pytest.mark.parametrize("name", NODES)
def test_everything_has_a_tooltip(own, name):
    node = own[name]
    assert node["description"]
    assert all(options[0].get("tooltip") for _, *options in inputs(node).values())
    assert all(node["output_tooltips"])


def test_apply_direction_takes_inversions_and_edits(own):
    assert inputs(own["SFE_ApplyDirection"])["source"][0] == "SFE_INVERSION,SFE_EDIT"


def test_the_menu_offers_each_direction_once_and_tells_the_picker_about_it(own):
    _, options = inputs(own["SFE_ApplyDirection"])["direction"]
    assert {"smile", "glasses", "age"} <= set(options["options"])
    assert len(options["options"]) == len(set(options["options"]))
    age = [one for one in options["sfe_directions"]["directions"] if one["name"] == "age"]
    assert age and all(one["family"] and one["effect"] and one["range"][0] < one["range"][1] for one in age)


@pytest.mark.parametrize("name", ["SFE_ApplyDirection", "SFE_EditFace", "SFE_Sweep"])
def test_the_tooltip_of_directions_is_no_list(own, name):
    assert len(inputs(own[name])["direction"][1]["tooltip"]) < 300


@pytest.mark.parametrize("name", NODES)
def test_every_socket_has_a_name_of_its_own(own, name):
    """The front end shows what the node says; without a name it would show an id or the socket's type."""
    node = own[name]
    labels = [options[0].get("display_name") for _, *options in inputs(node).values()]
    assert all(labels) and len(set(labels)) == len(labels)
    assert not [label for label in (*labels, *node["output_name"]) if "_" in label]
    assert len(set(node["output_name"])) == len(node["output_name"])
    assert not set(node["output_name"]) & set(node["output"])


def test_what_few_need_is_advanced(own):
    def advanced(name):
        return {key for key, (_, *options) in inputs(own[name]).items() if options[0].get("advanced")}

    assert advanced("SFE_ApplyDirection") == {"strengths", "layers"} and advanced("SFE_MaskDelta") == {"acts_on"}
