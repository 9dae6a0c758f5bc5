"""Pictures in and out."""

import logging

import numpy as np
import pytest
import torch
from PIL import Image

from sfe_models.domain import tiny_domain
from sfe_models.image_io import ImageError, load_crop, load_mask, open_image, save_image, to_pil

SPEC = tiny_domain(64)


def ramp(mode="RGB", size=(64, 64)):
    values = np.linspace(0, 255, size[0] * size[1]).reshape(size[1], size[0])
    return Image.fromarray(values.astype(np.uint8)).convert(mode)


def test_written_and_read_is_the_same(tmp_path):
    image = torch.randint(0, 256, (3, 64, 64), generator=torch.Generator().manual_seed(0)) / 127.5 - 1
    path = save_image(image, tmp_path / "new" / "picture.png")
    torch.testing.assert_close(load_crop(path, SPEC)[0], image, atol=1e-6, rtol=0)


def test_out_of_range_is_clipped():
    pixels = np.asarray(to_pil(torch.tensor([-9.0, 0.0, 9.0]).view(3, 1, 1)))
    assert pixels.tolist() == [[[0, 128, 255]]]


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "RGBA", "LA"])
def test_modes_become_rgb(tmp_path, mode):
    ramp(mode).save(tmp_path / ("a.tiff" if mode == "CMYK" else "a.png"))
    assert open_image(next(tmp_path.iterdir())).mode == "RGB"


def test_sixteen_bits_are_scaled(tmp_path):
    values = np.linspace(0, 65535, 64 * 64).reshape(64, 64)
    Image.fromarray(values.astype(np.uint16)).save(tmp_path / "deep.png")
    got = np.asarray(open_image(tmp_path / "deep.png"))[..., 0]
    assert np.abs(got - values / 257).max() <= 0.51


def test_transparency_is_laid_over_white_with_a_warning(tmp_path, caplog):
    Image.new("RGBA", (64, 64), (10, 20, 30, 0)).save(tmp_path / "clear.png")
    with caplog.at_level(logging.WARNING):
        assert open_image(tmp_path / "clear.png").getpixel((0, 0)) == (255, 255, 255)
    assert "transparent" in caplog.text


def test_exif_rotation_is_applied(tmp_path):
    image = ramp()
    exif = Image.Exif()
    exif[0x0112] = 3
    image.save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(np.asarray(open_image(tmp_path / "turned.png")), np.asarray(image)[::-1, ::-1])


def test_crop_is_resized_as_the_published_code_does(tmp_path):
    image = ramp(size=(200, 200))
    image.save(tmp_path / "a.png")
    want = np.asarray(image.resize((64, 64), Image.Resampling.BILINEAR), dtype=np.float32)
    want = (torch.from_numpy(want).permute(2, 0, 1) / 255 - 0.5) / 0.5
    assert torch.equal(load_crop(tmp_path / "a.png", SPEC)[0], want)


@pytest.mark.parametrize("size, message", [((64, 80), "square"), ((1, 1), "1 x 1 px")])
def test_wrong_sizes(tmp_path, size, message):
    ramp(size=size).save(tmp_path / "a.png")
    with pytest.raises(ImageError, match=message):
        load_crop(tmp_path / "a.png", SPEC)


def test_unreadable_files(tmp_path):
    (tmp_path / "a.png").write_bytes(b"not a picture")
    ramp().save(tmp_path / "b.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "b.png").read_bytes()[:100])
    for name, message in (("a.png", "cannot be read"), ("b.png", "cannot be read"), ("c.png", "no picture")):
        with pytest.raises(ImageError, match=message):
            open_image(tmp_path / name)


def test_mask_is_brightness(tmp_path):
    ramp("L").save(tmp_path / "m.png")
    mask = load_mask(tmp_path / "m.png")
    assert mask.shape == (1, 64, 64) and mask.min() == 0 and mask.max() == 1


def test_nothing_is_half_written(tmp_path):
    target = tmp_path / "a.png"
    target.write_text("old")
    with pytest.raises(ImageError, match="suffix"):
        save_image(ramp(), tmp_path / "a.xyz")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OSError, match=r"folder\.png"):
        save_image(ramp(), tmp_path / "folder.png")
    with pytest.raises(OSError, match="b.png"):
        save_image(ramp(), target / "b.png")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "folder.png"] and target.read_text() == "old"
