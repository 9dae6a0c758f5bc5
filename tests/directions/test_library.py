"""What a model is offered, and what can be asked for."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from sfe_models.cli import main
from sfe_models.directions.base import DirectionError, DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.library import DirectionLibrary, model_library
from sfe_models.directions.published import names_of_persons, published_directions
from sfe_models.domain import CARS_512, DEMO, FFHQ_1024, PHOTO, BareGenerator, tiny_domain
from sfe_models.training.drawn_edits import drawn_edits

SPEC = tiny_domain(32, width=8)
NOBODY = replace(SPEC, name="custom-32", subject=None)
PERSONS = {"beyonce", "depp", "hilary_clinton", "taylor_swift", "trump", "zuckerberg"}


def vector(name, subject, value=1.0):
    return LinearDirection(DirectionInfo(name, "own", subject, (-1.0, 1.0)), torch.full((1, 8), value))


def offered(library):
    return [entry.info.name for entry in library.entries]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "directions").mkdir()
    np.save(tmp_path / "directions/curly.npy", np.ones(8, "float32"))
    np.save(tmp_path / "directions/faces.npy", np.ones(8, "float32"))
    (tmp_path / "directions/faces.json").write_text(json.dumps({"subject": "human faces"}))
    return tmp_path


def test_the_names_of_persons_are_those_of_likenesses():
    assert names_of_persons() == PERSONS
    assert {row.info.name for row in published_directions() if row.info.effect == "likeness"} == PERSONS


@pytest.mark.parametrize("spec", [FFHQ_1024, CARS_512, DEMO, SPEC, NOBODY], ids=lambda spec: spec.name)
def test_nothing_named_after_a_person_is_offered(spec):
    assert not PERSONS & set(offered(DirectionLibrary(spec)))


def test_nothing_named_after_a_person_is_offered_from_a_bundle_or_trained_with():
    library = DirectionLibrary(DEMO, bundled=[vector("trump", DEMO.subject), vector("age", DEMO.subject)])
    assert offered(library) == ["age"]
    assert [edit.direction.info.name for edit in drawn_edits([], library)] == ["age"]
    assert library.get("trump").info.name == "trump"


def test_a_direction_named_after_a_person_is_found_when_asked_for():
    library = DirectionLibrary(FFHQ_1024)
    assert library.entry("trump").info.family == "styleclip_mapper"
    with pytest.raises(DirectionError, match="'trump' needs the file styleclip_mappers/trump.pt"):
        library.get("trump")
    with pytest.raises(DirectionError) as error:
        library.get("zuckerbergs")
    assert "zuckerberg'" not in str(error.value)  # not even as the name that may have been meant


def test_the_command_lists_nothing_named_after_a_person(capsys):
    assert main(["directions", "--model", "random:tiny-64", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"smile", "mohawk"} <= {row["name"] for row in rows} and not PERSONS & {row["name"] for row in rows}


def test_a_model_that_says_nothing_is_offered_its_own_and_what_is_for_anything(folder):
    library = DirectionLibrary(NOBODY, [folder], [vector("its own", None), vector("its faces", "human faces")])
    assert offered(library) == ["its own", "its faces", "curly"]
    for name in ("smile", "faces"):
        with pytest.raises(DirectionError, match=f"'{name}' is for human faces; custom-32 does not say what it shows"):
            library.get(name)
    assert library.get(str(folder / "directions/faces.npy")).info.subject == "human faces"


def test_a_model_of_something_else_is_not_offered_smiles(folder):
    cats = DirectionLibrary(replace(SPEC, subject="cats"), [folder])
    assert offered(cats) == ["curly"]
    with pytest.raises(DirectionError, match="'smile' is for human faces; tiny-32 shows cats"):
        cats.get("smile")
    with pytest.raises(DirectionError, match="faces.npy is for human faces; tiny-32 shows cats"):
        cats.get(str(folder / "directions/faces.npy"))


def test_a_name_a_file_name_and_a_path_are_one_direction(folder):
    library = DirectionLibrary(SPEC, [folder])
    w, strength = torch.zeros(1, SPEC.n_styles, 8), torch.ones(1)
    for name in ("curly", "curly.npy", str(folder / "directions/curly.npy")):
        assert torch.equal(library.get(name).move(w, strength), torch.ones_like(w))


def test_a_server_reads_no_path(folder):
    library = DirectionLibrary(SPEC, [folder], paths=False)
    assert library.get("curly.npy").info.name == "curly"
    with pytest.raises(DirectionError, match="There is no direction"):
        library.get(str(folder / "directions/curly.npy"))


def test_a_bare_generator_has_a_library_too(folder):
    library = DirectionLibrary(BareGenerator("g.pkl", SPEC.generator, None), [folder])
    assert offered(library) == ["curly"] and library.get("curly").vector.shape == (1, 8)


def test_the_library_of_a_source_has_the_models_own():
    assert {"age", "smile", "glasses"} <= set(offered(model_library("demo", DEMO)))


def test_what_moves_a_stylegan2s_own_layers_is_offered_for_no_other_generator(folder):
    library = DirectionLibrary(PHOTO, [folder], bundled=[vector("gender", PHOTO.subject)])
    assert {"age", "curly", "gender"} <= set(offered(library))
    assert not {entry.info.family for entry in library.entries} & {"stylespace", "styleclip_mapper"}
    with pytest.raises(DirectionError, match="'black hair' moves a StyleGAN2's own layers; photo has others"):
        library.get("black hair")
    assert library.entry("gender").bundled is not None  # the name is free for another
