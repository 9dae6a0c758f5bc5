"""The command `mix` on a small random model."""

import numpy as np
import pytest
from PIL import Image

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.cli import main
from sfe_models.domain import tiny_domain
from sfe_models.pictures.image_io import load_crop, to_pil
from sfe_models.pipeline import Pipeline

MODEL = ["--no-align", "--model", "random:tiny-64", "--dtype", "float32", "--device", "cpu"]


@pytest.fixture
def other(tmp_path):
    path = tmp_path / "other.png"
    pixels = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return str(path)


def pixels(path):
    return np.asarray(Image.open(path))


def test_it_is_the_library_s_mix(tmp_path, crop, other, capsys):
    out = tmp_path / "out.png"
    assert main(["mix", crop, other, "--layers", "coarse, 4", "--alpha", "0.5", "--output", str(out), *MODEL]) == 0
    assert str(out) in capsys.readouterr().out
    pipeline = Pipeline(random_networks(tiny_domain(64)))
    a, b = (pipeline.invert(load_crop(path, pipeline.spec)) for path in (crop, other))
    delta = pipeline.compute_delta(pipeline.mix_styles(a, b, (0, 1, 2, 3, 4), 0.5))
    assert np.array_equal(pixels(out), np.asarray(to_pil(pipeline.synthesize(pipeline.feature_edit(delta))[0])))


def test_kept_inversions_are_mixed_as_the_pictures_are(tmp_path, crop, other):
    for name, path in (("a", crop), ("b", other)):
        assert main(["invert", path, *MODEL, "--save-inversion", str(tmp_path / f"{name}.safetensors")]) == 0
    first, second = (tmp_path / name for name in ("first.png", "second.png"))
    assert main(["mix", crop, other, "--output", str(first), *MODEL]) == 0
    kept = [str(tmp_path / f"{name}.safetensors") for name in "ab"]
    assert main(["mix", *kept, "--output", str(second), *MODEL]) == 0
    assert np.array_equal(pixels(first), pixels(second))


def test_bad_layers_and_missing_pictures_are_told(tmp_path, crop, capsys):
    out = ["--output", str(tmp_path / "out.png"), *MODEL]
    assert main(["mix", crop, crop, "--layers", "upper", *out]) == 1
    assert "cannot be read at 'upper'" in capsys.readouterr().err
    assert main(["mix", crop, str(tmp_path / "nobody.png"), *out]) == 1
    assert "There is no picture" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()
    for alpha in ("1.5", "half", "nan"):
        with pytest.raises(SystemExit):
            main(["mix", crop, crop, "--alpha", alpha, *out])
        assert "expected a number from 0 to 1" in capsys.readouterr().err
