"""Pictures in and out."""

import logging
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from sfe_models.domain import tiny_domain
from sfe_models.pictures.errors import ImageError
from sfe_models.pictures.image_io import load_crop, load_mask, load_photo, open_image, save_image, save_photo, to_pil

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


def noise(mode="RGB", size=(40, 30)):
    bands = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], bands), dtype=np.uint8)
    return Image.fromarray(pixels.squeeze(), mode)


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [(mode, suffix) for mode in ("RGB", "RGBA", "LA", "L") for suffix in ("png", "tiff")]
    + [("RGB", "webp"), ("RGBA", "webp")],
)
def test_a_photo_goes_from_file_to_file_bit_by_bit(tmp_path, mode, suffix):
    noise(mode).save(tmp_path / f"a.{suffix}", **({"lossless": True, "exact": True} if suffix == "webp" else {}))
    path = save_photo(load_photo(tmp_path / f"a.{suffix}"), tmp_path / "b.png")
    kept = "RGBA" if "A" in mode else "RGB"
    before, after = (Image.open(p).convert(kept) for p in (tmp_path / f"a.{suffix}", path))
    assert np.array_equal(np.asarray(before), np.asarray(after))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_upright_and_says_so_afterwards(tmp_path, orientation):
    image, exif = noise(), Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Camera"
    image.save(tmp_path / "a.png", exif=exif)
    photo = load_photo(tmp_path / "a.png")
    with Image.open(save_photo(photo, tmp_path / "b.png")) as saved:
        assert saved.getexif().get(0x0112, 1) == 1 and saved.getexif()[0x010F] == "Camera"
        assert np.array_equal(np.asarray(saved), np.asarray(open_image(tmp_path / "a.png")))
    assert photo.size == ((30, 40) if orientation < 5 else (40, 30))


def test_the_colour_profile_is_kept(tmp_path):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    noise().save(tmp_path / "a.png", icc_profile=profile)
    save_photo(load_photo(tmp_path / "a.png"), tmp_path / "b.jpg")
    assert Image.open(tmp_path / "b.jpg").info["icc_profile"] == profile


def test_cmyk_becomes_rgb_with_a_warning(tmp_path, caplog):
    noise("CMYK").save(tmp_path / "a.jpg")
    with caplog.at_level(logging.WARNING):
        assert load_photo(tmp_path / "a.jpg").pixels.shape == (3, 30, 40)
    assert "CMYK" in caplog.text


def test_more_than_eight_bits_are_refused_for_pasting(tmp_path):
    Image.fromarray(np.zeros((8, 8), dtype=np.uint16)).save(tmp_path / "grey.png")
    Image.fromarray(np.zeros((8, 8), dtype=np.float32)).save(tmp_path / "float.tiff")
    (tmp_path / "colour.png").write_bytes(deep_colour_png())
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(ImageError, match="8 bits"):
            load_photo(path)


def deep_colour_png():
    """A PNG of 2 x 2 px with 16 bits in each of three channels, which Pillow does not write."""

    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(range(12)) for _ in range(2)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_photo_of_a_hundred_megapixels_is_read_without_a_warning(tmp_path, recwarn):
    Image.new("1", (12500, 8000)).save(tmp_path / "large.png")
    assert load_photo(tmp_path / "large.png").size == (8000, 12500)
    assert not [w for w in recwarn if "bomb" in str(w.message).lower()]


def test_transparency_does_not_fit_into_jpeg(tmp_path):
    noise("RGBA").save(tmp_path / "a.png")
    with pytest.raises(ImageError, match="transparency"):
        save_photo(load_photo(tmp_path / "a.png"), tmp_path / "b.jpg")
