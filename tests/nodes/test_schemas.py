"""The nodes as a real server described them: ids are for ever, and nothing goes unexplained."""

import pytest

# Identifiers, display names, inputs and outputs that workflows in the world rely on.
NODES = {
    "SFE_LoadModel": ("Load SFE", "model precision", "SFE_MODEL"),
    "SFE_DemoPortrait": ("Demo Portrait", "seed attributes people size details", "IMAGE MASK STRING"),
    "SFE_AlignFace": (
        "Align Face",
        "photo method face order size landmarks face_landmarks no_face smoothing",
        "IMAGE SFE_ALIGNMENT MASK",
    ),
    "SFE_Invert": ("Invert", "sfe_model image show refine method", "SFE_INVERSION IMAGE"),
    "SFE_ApplyDirection": (
        "Apply Direction",
        "source direction strength strengths layers custom_direction",
        "SFE_EDIT",
    ),
    "SFE_TextDirection": ("Text Direction", "sfe_model neutral target disentanglement", "SFE_DIRECTION"),
    "SFE_DirectionFromImages": ("Direction from Images", "before after space layers", "SFE_DIRECTION"),
    "SFE_DiscoverDirections": (
        "Discover Directions",
        "sfe_model method index layers samples",
        "SFE_DIRECTION IMAGE",
    ),
    "SFE_ComputeDelta": ("Compute Δ", "edit", "SFE_DELTA IMAGE"),
    "SFE_MaskDelta": ("Mask Δ", "delta mask invert feather acts_on", "SFE_DELTA"),
    "SFE_CombineDelta": ("Combine Δ", "first second first_weight second_weight", "SFE_DELTA"),
    "SFE_FeatureEdit": ("Feature Edit", "inversion delta", "SFE_FEATURES"),
    "SFE_Synthesize": ("Synthesize", "features size", "IMAGE"),
    "SFE_PasteBack": (
        "Paste Back",
        "photo crop alignment feather colour_match mask region blend",
        "IMAGE MASK",
    ),
    "SFE_FaceMask": ("Face Mask", "alignment region source feather invert crop threshold", "MASK"),
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


def test_the_menu_groups_directions_by_family_with_effects_and_ranges(own):
    _, options = inputs(own["SFE_ApplyDirection"])["direction"]
    assert {"smile", "glasses", "age"} <= set(options["options"])
    assert len(options["options"]) == len(set(options["options"]))
    assert "interfacegan (human faces):" in options["tooltip"]
    assert any(line.startswith("  age -") for line in options["tooltip"].splitlines())
