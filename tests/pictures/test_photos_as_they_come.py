"""Photos and masks as people have them: odd EXIF, transparency that is none, masks drawn on nothing."""

import logging
import struct

import numpy as np
import pytest
import torch
from PIL import Image

from sfe_models.pictures.errors import ImageError
from sfe_models.pictures.image_io import load_mask, load_photo, open_image, save_photo

FORMATS = ("jpg", "png", "webp", "tif")
ORIENTATION, MAKER, X_RESOLUTION, SHUTTER, GPS = 0x0112, 0x010F, 0x011A, 0x9201, 0x8825


def noise(mode="RGB", size=(40, 30)):
    bands = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], bands), dtype=np.uint8)
    return Image.fromarray(pixels.squeeze(), mode)


def write_with_tag(path, tag, kind):
    """Write a JPEG with one EXIF tag of a type of TIFF (0: none that there is) and bytes that fit no type well."""
    value = struct.pack("<I", 26) if kind in (5, 10, 12) else b"\xff\xff\x01\x80"  # eight bytes lie behind the table
    entry = struct.pack("<HHI4s", tag, kind, 1, value)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 1) + entry + bytes(4) + struct.pack("<ii", -72, 0)
    noise().save(path, exif=exif)


@pytest.mark.filterwarnings("ignore:Truncated:UserWarning", "ignore:Corrupt EXIF:UserWarning")
@pytest.mark.parametrize("tag", [ORIENTATION, MAKER, X_RESOLUTION, 0x0100, 0x0111, 0x8769, GPS, SHUTTER, 0x927C])
def test_exif_of_any_kind_never_stops_a_photo(tmp_path, tag):
    for kind in range(14):
        write_with_tag(tmp_path / "a.jpg", tag, kind)
        photo = load_photo(tmp_path / "a.jpg")
        assert photo.size == (30, 40) and open_image(tmp_path / "a.jpg").size == (40, 30)
        for suffix in ("jpg", "tif"):
            assert load_photo(save_photo(photo, tmp_path / f"b.{suffix}")).size == photo.size


@pytest.mark.parametrize(("tag", "kind"), [(X_RESOLUTION, 10), (ORIENTATION, 2)])
def test_exif_that_cannot_be_kept_is_dropped_with_a_warning(tmp_path, caplog, tag, kind):
    write_with_tag(tmp_path / "a.jpg", tag, kind)
    with caplog.at_level(logging.WARNING):
        assert load_photo(tmp_path / "a.jpg").exif is None
    assert "a.jpg: EXIF that cannot be kept is left out" in caplog.text


def test_exif_that_is_too_long_for_a_jpeg_is_dropped_with_a_warning(tmp_path, caplog):
    exif = Image.Exif()
    exif[MAKER], exif[0x927C] = "Camera", b"x" * 70_000
    noise().save(tmp_path / "a.png", exif=exif)
    with caplog.at_level(logging.WARNING):
        path = save_photo(load_photo(tmp_path / "a.png"), tmp_path / "b.jpg")
    assert "too long" in caplog.text and not Image.open(path).getexif()


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_turned_tiff_stays_upright_in_every_format(tmp_path, suffix):
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKER] = 6, "Camera"
    noise().save(tmp_path / "a.tif", exif=exif)
    photo = load_photo(tmp_path / "a.tif")
    again = load_photo(save_photo(photo, tmp_path / f"b.{suffix}"))
    assert photo.size == again.size == (40, 30)
    assert suffix == "jpg" or torch.equal(photo.pixels, again.pixels)
    assert Image.open(tmp_path / f"b.{suffix}").getexif()[MAKER] == "Camera"


@pytest.mark.parametrize(("mode", "suffix"), [("RGBA", "png"), ("LA", "png"), ("LAB", "tif")])
def test_alpha_that_is_opaque_is_none(tmp_path, mode, suffix):
    image = noise("RGB" if mode == "LAB" else mode)
    if mode == "LAB":
        image = Image.frombytes("LAB", image.size, image.tobytes())
    else:
        image.putalpha(255)
    image.save(tmp_path / f"a.{suffix}")
    photo = load_photo(tmp_path / f"a.{suffix}")
    assert photo.alpha is None
    assert save_photo(photo, tmp_path / "b.jpg").is_file()


def test_transparent_means_protected(tmp_path):
    grey = Image.linear_gradient("L").resize((64, 64))
    grey.save(tmp_path / "grey.png")
    white = Image.new("RGBA", (64, 64), "white")
    white.putalpha(grey)
    white.save(tmp_path / "on_nothing.png")
    assert torch.equal(load_mask(tmp_path / "on_nothing.png"), load_mask(tmp_path / "grey.png"))


@pytest.mark.parametrize(("top", "warned"), [(0, True), (1, True), (20, True), (128, False), (255, False)])
def test_a_mask_that_is_nearly_black_everywhere_is_warned_of(tmp_path, caplog, top, warned):
    Image.fromarray(np.tri(64, dtype=np.uint8) * top).save(tmp_path / "m.png")
    with caplog.at_level(logging.WARNING):
        load_mask(tmp_path / "m.png")
    assert ("nearly black everywhere" in caplog.text) == warned


@pytest.mark.parametrize("mode", ["F", "I"])
@pytest.mark.parametrize(("white", "beyond"), [(1.0, 1.05), (255.0, 255.0), (65535.0, 65535.0)])
def test_pictures_of_large_numbers_are_as_bright_as_they_look(tmp_path, mode, white, beyond):
    if mode == "I" and white == 1:
        pytest.skip("whole numbers from 0 to 1 are no picture")
    values = np.array([[0, white / 2, white, beyond]], dtype=np.float64).repeat(16, 0)
    Image.fromarray(values.astype(np.float32 if mode == "F" else np.int32)).save(tmp_path / "p.tif")
    shown = np.asarray(open_image(tmp_path / "p.tif"))[0, :, 0]
    assert np.abs(shown.astype(int) - [0, 128, 255, 255]).max() <= 1


@pytest.mark.parametrize("values", [(0, 5), (-1, 1), (0, 1e6), (0, float("nan"))])
def test_numbers_that_no_picture_has_are_refused(tmp_path, values):
    Image.fromarray(np.array([values] * 16, dtype=np.float32)).save(tmp_path / "p.tif")
    with pytest.raises(ImageError, match="expected"):
        open_image(tmp_path / "p.tif")
