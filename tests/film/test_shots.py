"""Cuts are found, motion and light are none."""

import torch

from sfe_models.film.shots import cells, change, cuts


def scene(seed, frames, speed=2.0, noise=3.0, light=0.0):
    """A textured wall that moves by `speed` px a frame: [T,3,90,160] of 0 to 255."""
    random = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 12, 60, generator=random) * 255
    wall = torch.nn.functional.interpolate(coarse, (90, 900), mode="bicubic", align_corners=False)[0]
    shown = [wall[:, :, int(speed * i) : int(speed * i) + 160] + light * i for i in range(frames)]
    return (torch.stack(shown) + noise * torch.randn(frames, 3, 90, 160, generator=random)).clamp(0, 255)


def found(film):
    small = [cells(picture) for picture in film]
    return cuts([change(*pair) for pair in zip(small, small[1:], strict=False)])


def test_cuts_between_shots_are_found():
    assert found(torch.cat([scene(1, 12), scene(2, 9), scene(3, 15)])) == [12, 21]


def test_a_cut_in_the_middle_of_fast_motion_is_found():
    assert found(torch.cat([scene(1, 12, speed=5), scene(2, 12, speed=5)])) == [12]


def test_a_pan_noise_and_a_light_that_is_dimmed_are_no_cuts():
    assert found(scene(1, 20, speed=10)) == []
    assert found(scene(1, 20, noise=25.0)) == []
    assert found(scene(1, 20, light=-6.0)) == []


def test_a_flash_is_no_cut():
    film = scene(4, 14)
    film[7] = (film[7] + 35).clamp(0, 255)
    assert found(film) == []


def test_films_of_one_frame_or_two_have_no_cut():
    assert found(scene(1, 1)) == found(scene(1, 2)) == []
