"""Does a crop look aligned? Pictures with steps where faces have them, and where they have none."""

import logging

import torch

from sfe_models.cli import main
from sfe_models.faces.crop.appearance import LEAST_LIKENESS, likeness, warn_if_not_aligned


def drawn(shift=0.0):
    """A crop with dark eyes, brows and mouth on a bright face, moved down by a share of its side."""
    y, x = torch.meshgrid((torch.arange(256) + 0.5) / 256, (torch.arange(256) + 0.5) / 256, indexing="ij")
    picture = torch.full((256, 256), 0.6)
    for u, v, across, along in (
        (0.385, 0.475, 0.05, 0.02), (0.615, 0.475, 0.05, 0.02), (0.375, 0.41, 0.07, 0.012),
        (0.625, 0.41, 0.07, 0.012), (0.5, 0.74, 0.09, 0.02), (0.5, 0.65, 0.05, 0.01),
    ):  # fmt: skip
        picture[((x - u) / across) ** 2 + ((y - v - shift) / along) ** 2 < 1] = -0.5
    return picture.expand(3, -1, -1)


def test_a_face_in_its_place_looks_aligned_and_elsewhere_not():
    found = likeness(torch.stack([drawn(), drawn(0.14), drawn().rot90(1, (1, 2)), drawn().flip(1)]))
    assert found[0] > 0.6
    assert (found[1:] < LEAST_LIKENESS).all()


def test_it_does_not_depend_on_brightness_and_size():
    one = likeness(drawn()[None])
    assert torch.allclose(likeness(drawn()[None] * 50 + 100), one, atol=1e-3)
    assert torch.allclose(likeness(torch.nn.functional.interpolate(drawn()[None], size=1024)), one, atol=0.1)


def test_nothing_and_noise_are_no_face():
    random = torch.Generator().manual_seed(0)
    crops = torch.cat([torch.zeros(1, 3, 128, 128), torch.rand(8, 3, 128, 128, generator=random)])
    found = likeness(crops)
    assert found.isfinite().all() and (found.abs() < LEAST_LIKENESS).all()


def test_only_human_faces_are_judged(caplog):
    with caplog.at_level(logging.WARNING):
        assert not warn_if_not_aligned(torch.zeros(2, 3, 64, 64), "cars")
        assert not warn_if_not_aligned(drawn()[None], "human faces")
        assert not caplog.text
        assert warn_if_not_aligned(torch.stack([drawn(), drawn(0.14)]), "human faces")
    assert "Picture 2 does not look" in caplog.text


def test_the_command_warns(tmp_path, crop, caplog):
    arguments = ["edit", crop, "--output", str(tmp_path / "o.png"), "--model", "random:tiny-64", "--device", "cpu"]
    with caplog.at_level(logging.WARNING):
        assert main([*arguments, "--no-align"]) == 0
    assert "does not look like an aligned face" in caplog.text
