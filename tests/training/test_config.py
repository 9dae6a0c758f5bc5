"""Settings: the published numbers, files, overrides, and what is refused."""

import dataclasses
import json

import pytest
from training.tiny import Dots, e4e_config, inverter_config, make

from sfe_models.directions.published import published_directions
from sfe_models.domain import DEMO, DOMAINS
from sfe_models.training.config import EditDraw, EditorConfig, InverterConfig, RunConfig
from sfe_models.training.config_files import from_json, load_file, override, to_json
from sfe_models.training.demo_presets import demo_generator
from sfe_models.training.errors import ConfigError
from sfe_models.training.loop import train
from sfe_models.training.presets import CONFIGS, PRESETS, find_config

NAMES = ("", "-released", "-six")
ALL = [(stage, name) for stage, named in PRESETS.items() for name in named]


@pytest.mark.parametrize("stage, name", ALL)
def test_presets_survive_json(stage, name):
    config = PRESETS[stage][name]
    assert type(config) is CONFIGS[stage]
    assert from_json(CONFIGS[stage], to_json(config), "text") == config
    assert override(config, []) == config


@pytest.mark.parametrize("domain", ["ffhq-1024", "cars-512"])
def test_the_papers_settings(domain):
    inverter, editor = find_config("inverter", domain), find_config("editor", domain)
    assert (inverter.run.steps, editor.run.steps) == (37_500, 20_000)
    for config in (inverter, editor):
        assert (config.optimizer.name, config.optimizer.lr, config.run.batch) == ("ranger", 2e-4, 8)
        assert config.adversarial.weight == 0.01
        assert (config.losses.l2, config.losses.lpips) == (1.0, 0.8)
    # Phase 2 goes on with phase 1's discriminator.
    assert (inverter.adversarial.start, editor.adversarial.start) == (14_000, 0)
    assert (inverter.feature_regulariser, inverter.regulariser, inverter.feature_ramp) == ("norm", 0.01, 0)
    assert editor.inverter_statistics == "frozen"


@pytest.mark.parametrize("domain", ["ffhq-1024", "cars-512"])
def test_the_released_codes_settings(domain):
    inverter, editor = find_config("inverter", f"{domain}-released"), find_config("editor", f"{domain}-released")
    assert (inverter.run.steps, editor.run.steps) == (300_000, 200_000)
    for config in (inverter, editor):
        assert (config.optimizer.name, config.optimizer.lr, config.run.batch) == ("ranger", 1e-4, 8)
    assert (inverter.adversarial.start, editor.adversarial.start) == (45_000, 0)
    assert (inverter.feature_regulariser, inverter.feature_ramp) == ("distance", 10_000)
    assert editor.adversarial_edits == ()
    assert editor.inverter_statistics == "drifting"


@pytest.mark.parametrize("stage, name", [one for one in ALL if one[1].startswith(("ffhq", "cars"))])
def test_published_settings_say_their_number_format(stage, name):
    assert PRESETS[stage][name].run.precision == "fp32"


def test_tables_of_edits():
    paper, released, six = ({r.direction for r in find_config("editor", f"ffhq-1024{n}").edits} for n in NAMES)
    assert paper - released == {"gender", "fs_glasses"} and released - paper == {"bowlcut", "glasses"}
    assert len(released) == 13 and len(six) == 6 and six < released
    infos = {row.info.name: row.info for row in published_directions()}
    assert {infos[name].subject for name in paper | released} == {"human faces"}
    for row in find_config("editor", "ffhq-1024").edits:
        if row.direction in paper - released:  # whose strengths are ours
            low, high = infos[row.direction].strength_range
            assert all(low <= s <= high for s in row.strengths), row


@pytest.mark.parametrize("name", ["cars-512", "cars-512-released"])
def test_cars_have_a_table_of_edits(name):
    rows = {row.direction: row.strengths for row in find_config("editor", name).edits}
    assert rows == {"pose_1": (2,), "pose_2": (-2,), "cube": (25,), "color": (-8,), "grass": (-18,)}
    cars = {row.info.name for row in published_directions() if row.info.subject == "cars"}
    assert set(rows) <= cars


def test_older_configurations_are_read_as_they_were():
    for stage, added in (("inverter", ["halves"]), ("editor", ["halves", "adversarial_edits"])):
        config = PRESETS[stage]["demo"]
        values = json.loads(to_json(config))
        for name in added:
            del values[name]
        del values["domain"]["stack_start"], values["domain"]["inverter"]["content_stride"]
        assert from_json(CONFIGS[stage], json.dumps(values), "text") == config


def test_identity_networks_of_the_domains():
    for stage in ("inverter", "editor", "e4e"):
        faces, cars = (find_config(stage, name).losses for name in ("ffhq-1024", "cars-512"))
        assert (faces.identity_network, faces.identity) == ("arcface", 0.1)
        assert (cars.identity_network, cars.identity) == ("moco", 0.5)


def test_domains_of_the_presets():
    for stage, name in ALL:
        domain = PRESETS[stage][name].domain
        if not name.startswith("demo"):
            assert domain == DOMAINS[name.removesuffix("-released").removesuffix("-six").removesuffix("-gpu")]
    assert find_config("gan", "demo").domain == DEMO
    small = demo_generator(32)
    assert small.generator.resolution == 32 and small.generator.channels == DEMO.generator.channels[:4]


def test_a_file_is_a_configuration(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(to_json(inverter_config(7)))
    assert find_config("inverter", str(path)) == load_file(InverterConfig, path) == inverter_config(7)


def test_what_a_file_leaves_out_takes_its_default(tmp_path):
    values = json.loads(to_json(find_config("inverter", "demo")))
    short = {"domain": values["domain"], "run": {"steps": 5}}
    config = from_json(InverterConfig, json.dumps(short), "text")
    assert config == InverterConfig(DEMO, RunConfig(5))


def test_override():
    config = find_config("editor", "ffhq-1024")
    changed = override(
        config,
        [
            "run.steps=100",
            "optimizer.lr=1",
            "inverter_statistics=drifting",
            "losses.size=null",
            "optimizer.betas=[0.5, 0.9]",
            'edits=[{"direction": "age", "range": [-1, 2]}]',
        ],
    )
    assert changed.run.steps == 100 and changed.optimizer.lr == 1.0 and isinstance(changed.optimizer.lr, float)
    assert changed.inverter_statistics == "drifting" and changed.losses.size is None
    assert changed.optimizer.betas == (0.5, 0.9)
    assert changed.edits == (EditDraw("age", range=(-1.0, 2.0)),)
    same = dataclasses.replace(
        changed,
        run=config.run,
        optimizer=config.optimizer,
        inverter_statistics="frozen",
        losses=config.losses,
        edits=config.edits,
    )
    assert same == config


@pytest.mark.parametrize(
    "assignment, message",
    [
        ("run.step=5", "run.step=5"),
        ("speed=5", "speed=5"),
        ("run.steps.more=5", "run.steps.more"),
        ("run.steps", "run.steps=100"),
        ("run.steps=many", "run.steps is 'many'; expected int"),
        ("run.steps=1.5", "run.steps is 1.5; expected int"),
        ("run.steps=true", "run.steps is True; expected int"),
        ("run.steps=0", "run.steps is 0; expected 1 or more"),
        ("run.batch=-1", "run.batch is -1"),
        ("run.mirror=1", "run.mirror is 1; expected bool"),
        ("run.precision=fp16", "run.precision is 'fp16'"),
        ("run=5", "run. is 5; expected an object"),
        ("optimizer.lr=fast", "optimizer.lr is 'fast'; expected float"),
        ("optimizer.betas=[0.5]", "optimizer.betas has 1 entries; expected 2"),
        ("optimizer.betas=0.5", "optimizer.betas is 0.5; expected a list"),
        ('optimizer.betas=[0.5, "x"]', r"optimizer.betas\[1\] is 'x'"),
        ("losses.size=big", "losses.size is 'big'; expected int"),
        ('edits=[{"direction": "age"}]', "'age' needs either `strengths` or a `range`"),
        ('edits=[{"direction": "age", "strengths": [1], "range": [0, 1]}]', "'age' needs either"),
        ('edits=[{"direction": "age", "strength": [1]}]', "'strength'"),
        ('edits=[{"strengths": [1]}]', r"edits\[0\]. is incomplete"),
        ("inverter_statistics=moving", "inverter_statistics is 'moving'"),
        ("halves=product", "halves is 'product'"),
    ],
)
def test_wrong_settings_are_named(assignment, message):
    with pytest.raises(ConfigError, match=message):
        override(find_config("editor", "ffhq-1024"), [assignment])


def test_wrong_regulariser():
    with pytest.raises(ConfigError, match="feature_regulariser is 'l1'"):
        override(find_config("inverter", "demo"), ["feature_regulariser=l1"])


@pytest.mark.parametrize(
    "text, message",
    [
        ("{", "mine.json is no JSON"),
        ("[]", "expected an object"),
        ("{}", "mine.json: EditorConfig is incomplete"),
        ('{"pace": 3}', "mine.json: unknown setting 'pace'"),
    ],
)
def test_wrong_files(tmp_path, text, message):
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_file(EditorConfig, path)


def test_configurations_that_are_not_there(tmp_path):
    with pytest.raises(ConfigError, match="no gan configuration 'faces'; expected ffhq-1024, cars-512"):
        find_config("gan", "faces")
    with pytest.raises(ConfigError, match="none.json cannot be read"):
        find_config("gan", str(tmp_path / "none.json"))


def test_a_run_goes_on_only_with_its_own_settings(tmp_path):
    dots, config = Dots(8), inverter_config(4)
    train(make(config), config, dots, tmp_path, stop_after=1)
    other = override(config, ["regulariser=0.5"])
    with pytest.raises(ConfigError, match=r"holds a run with other settings \(regulariser differ\)"):
        train(make(other), other, dots, tmp_path)
    other = override(config, ["run.batch=2"])
    with pytest.raises(ConfigError, match="run.batch differ"):
        train(make(other), other, dots, tmp_path)
    other = e4e_config(4)
    with pytest.raises(ConfigError, match="other settings"):
        train(make(other), other, dots, tmp_path)
    longer = override(config, ["run.steps=6", "run.log_every=2", "run.save_every=3", "run.sample_every=4"])
    train(make(longer), longer, dots, tmp_path)
    assert (tmp_path / "samples-0000006.png").is_file()


def test_a_run_keeps_its_settings(tmp_path):
    config = inverter_config(1)
    train(make(config), config, Dots(4), tmp_path)
    assert load_file(InverterConfig, tmp_path / "config.json") == config
