"""Pictures and masks between files and tensors."""

from __future__ import annotations

import logging
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..atomic import replaced
from ..domain import DomainSpec
from .errors import ImageError

logger = logging.getLogger(__name__)

# Where the first pixel of a file belongs, by the EXIF tag that says so.
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Tags of TIFF that tell how the pixels lie in the file (sizes, compression, strips, tiles, tables, the colour profile),
# and XMP, which may tell the rotation again.
_OF_THE_FILE = (
    *(0x00FE, 0x00FF, 0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x010A, 0x0111, 0x0115, 0x0116, 0x0117, 0x011C),
    *(0x0124, 0x0125, 0x013D, 0x0140, 0x0142, 0x0143, 0x0144, 0x0145, 0x014A, 0x0152, 0x0153, 0x015B, 0x0200),
    *(0x0201, 0x0202, 0x0211, 0x0212, 0x0213, 0x0214, 0x02BC, 0x8773),
)
# Formats without transparency, as Pillow calls them.
_OPAQUE = ("JPEG", "PPM")
# Of pictures of floating point or 32-bit numbers: what white is, by the largest value (None: too little to tell); none
# says it itself, and sharpening leaves values a little beyond black and white.
_WHITE = ((1.5, 1.0), (16.0, None), (382.0, 255.0), (72089.0, 65535.0))
_BELOW_BLACK = 0.5
# A mask whose brightest point is darker than this is taken for a mistake, such as 0 and 1 of 255.
_ALMOST_BLACK = 0.1


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo as it is in its file, upright.

    pixels: [3,H,W], uint8, RGB; alpha: [H,W], uint8; icc_profile, exif: the file's own, None where it has none.
    """

    pixels: Tensor
    alpha: Tensor | None = None
    icc_profile: bytes | None = None
    exif: bytes | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return tuple(self.pixels.shape[1:])

    def with_pixels(self, pixels: Tensor) -> Photo:
        """The same photo with other colours."""
        return replace(self, pixels=pixels)


def load_photo(path: Path | str) -> Photo:
    """Read a photo for pasting: nothing but the colours of a face may change on the way from file to file.

    EXIF rotation is applied, transparency and colour profile are kept, grey, CMYK and LAB pictures become RGB (the
    latter two with a warning). EXIF that cannot be written again is dropped with a warning, and so is, without one, an
    alpha channel that is opaque. Raises ImageError naming the file, also for more than 8 bits a channel, which would
    be lost.
    """
    image = _decoded(path)
    if image.mode.startswith("I") or image.mode == "F" or _is_deep_png(path):
        raise ImageError(
            f"{path} has more than 8 bits a channel, which pasting would lose. Save it with 8 bits a channel first."
        )
    icc_profile = image.info.get("icc_profile")
    image, exif = _upright(image, path)
    exif = _kept(exif, path)
    alpha = None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        opaque = image.getchannel("A").getextrema()[0] == 255
        alpha = None if opaque else torch.from_numpy(np.array(image.getchannel("A")))
    elif image.mode not in ("RGB", "L", "1", "P"):
        logger.warning("%s is in %s; the result is in RGB, without its colour profile.", path, image.mode)
        icc_profile = None
    elif image.mode in ("L", "1"):
        icc_profile = None  # of grey
    pixels = np.array(image.convert("RGB"))
    return Photo(torch.from_numpy(pixels).movedim(-1, 0), alpha, icc_profile, exif)


def save_photo(photo: Photo, path: Path | str) -> Path:
    """Write a photo with its transparency, colour profile and EXIF data; see `save_image`.

    PNG, TIFF and WebP keep pixels that were not edited as they were; JPEG cannot. Raises ImageError.
    """
    path = Path(path)
    picture = Image.fromarray(photo.pixels.movedim(0, -1).contiguous().numpy())
    if photo.alpha is not None:
        _check_holds_alpha(path)
        picture.putalpha(Image.fromarray(photo.alpha.numpy()))
    profile = {} if photo.icc_profile is None else {"icc_profile": photo.icc_profile}
    if photo.exif is not None:
        try:
            return save_image(picture, path, lossless=True, exif=photo.exif, **profile)
        except (ValueError, TypeError, SyntaxError, ArithmeticError, LookupError, struct.error) as error:
            if isinstance(error, ImageError):
                raise
            _warn_of_exif(path, error)
    return save_image(picture, path, lossless=True, **profile)


def check_photo_fits(photo: Path | str, output: Path | str) -> None:
    """Raise ImageError if a photo is transparent and the format of its output cannot hold that."""
    if picture_format(output) in _OPAQUE:
        with _opened(photo) as image:
            transparent = image.has_transparency_data
        if transparent and load_photo(photo).alpha is not None:
            _check_holds_alpha(output)


def _check_holds_alpha(path: Path | str) -> None:
    if picture_format(path) in _OPAQUE:
        raise ImageError(f"{path} cannot hold the photo's transparency; use .png or .webp.")


def _upright(image: Image.Image, path: Path | str) -> tuple[Image.Image, Image.Exif]:
    """Apply a picture's EXIF rotation; the picture, and its EXIF without the rotation."""
    try:
        exif = image.getexif()
        orientation = exif.pop(_ORIENTATION, 1)
    except Exception as error:  # Pillow lets through whatever its parsers of EXIF and XMP raise
        _warn_of_exif(path, error)
        return image, Image.Exif()
    if orientation not in (0, 1, *_TURNS):
        _warn_of_exif(path, f"its orientation is {orientation!r}; expected 1 to 8")
    return (image.transpose(_TURNS[orientation]) if orientation in _TURNS else image), exif


def _kept(exif: Image.Exif, path: Path | str) -> bytes | None:
    """Write EXIF without what describes the file that it was in; None if there is none, or none that can be written."""
    for tag in _OF_THE_FILE:
        exif.pop(tag, None)
    try:
        return exif.tobytes() if len(exif) else None
    except Exception as error:  # Pillow lets through whatever its writers of single values raise
        _warn_of_exif(path, error)
        return None


def _warn_of_exif(path: Path | str, error: Exception | str) -> None:
    logger.warning("%s: EXIF that cannot be kept is left out (%s).", path, error)


def _is_deep_png(path: Path | str) -> bool:
    """Whether a file is a PNG of 16 bits a channel, which Pillow reads as 8 without a word."""
    with open(path, "rb") as file:
        head = file.read(26)
    return head.startswith(b"\x89PNG\r\n\x1a\n") and len(head) == 26 and head[24] == 16


@contextmanager
def _opened(path: Path | str) -> Iterator[Image.Image]:
    """Open a picture. Pillow refuses those of over 179 megapixels; its warning from half of that on is left out."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                yield image
    except FileNotFoundError as error:
        raise ImageError(f"There is no picture {path}.") from error
    except Exception as error:  # Pillow lets through whatever its readers of damaged files raise
        if Path(path).is_dir():
            raise ImageError(f"{path} is a folder; expected a picture. `batch` edits folders.") from error
        raise ImageError(f"{path} cannot be read as a picture ({error}); expected PNG, JPEG or the like.") from error


def check_picture(path: Path | str) -> None:
    """Raise the ImageError of a file that is not there or begins as no picture does."""
    with _opened(path):
        pass


def _decoded(path: Path | str) -> Image.Image:
    with _opened(path) as image:  # a PNG's checksums, which are not compared while it is decoded
        image.verify()
    with _opened(path) as image:
        image.load()
        return image


def open_image(path: Path | str) -> Image.Image:
    """Open a picture as 8-bit RGB, upright.

    Grey pictures become RGB, 16-bit ones are scaled, transparency is laid over white (with a warning), EXIF
    rotation is applied. Raises ImageError naming the file.
    """
    image, transparent = _laid_over(_decoded(path), "white", path)
    if transparent:
        logger.warning("%s has transparent parts; they are laid over white.", path)
    return image


def _laid_over(image: Image.Image, colour: str, path: Path | str) -> tuple[Image.Image, bool]:
    """Make a picture upright 8-bit RGB, transparency over a colour; and whether there was some."""
    image, _ = _upright(image, path)
    if image.mode.startswith("I") or image.mode == "F":
        return _from_deep(image, path).convert("RGB"), False
    if not image.has_transparency_data:
        return image.convert("RGB"), False
    image = image.convert("RGBA")
    transparent = image.getchannel("A").getextrema()[0] < 255
    return Image.alpha_composite(Image.new("RGBA", image.size, colour), image).convert("RGB"), transparent


def _from_deep(image: Image.Image, path: Path | str) -> Image.Image:
    """Bring a picture of more than 8 bits (grey) down to 8."""
    values = np.asarray(image, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ImageError(f"{path} has values that are not finite; expected a picture.")
    least, most = values.min(), values.max()
    white = 65535.0 if image.mode.startswith("I;16") else next((w for up_to, w in _WHITE if most <= up_to), None)
    if white is None or least < -_BELOW_BLACK * white:
        raise ImageError(f"{path} has values from {least:g} to {most:g}; expected 0 to 1, 255 or 65535.")
    return Image.fromarray(np.rint(np.clip(values / white, 0, 1) * 255).astype(np.uint8))


def load_crop(path: Path | str, spec: DomainSpec) -> Tensor:
    """Read an aligned crop: [1,3,H,W] in [-1,1], at the size of the domain's pictures.

    Resized as the published code does (Pillow, bilinear, which antialiases). Raises ImageError if it is tiny or
    does not have the crop's aspect ratio.
    """
    image = open_image(path)
    problem = spec.crop_problem(*image.size)
    if problem:
        raise ImageError(f"{path} {problem}. Crop it to the face first.")
    height, width = spec.picture_size
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    values = torch.from_numpy(np.asarray(image, dtype=np.float32).copy())
    return (values.permute(2, 0, 1)[None] / 255.0 - 0.5) / 0.5


def load_mask(path: Path | str) -> Tensor:
    """Read a mask: [1,H,W] in [0,1], from a picture's brightness; white is 1, black and transparent are 0.

    Warns of one that is nearly black everywhere.
    """
    image, _ = _laid_over(_decoded(path), "black", path)
    mask = torch.from_numpy(np.asarray(image.convert("L"), dtype=np.float32) / 255.0)[None]
    if mask.max() < _ALMOST_BLACK:
        logger.warning(
            "The mask %s is black or nearly black everywhere, so that nothing changes; white (255) is where the "
            "picture may change.",
            path,
        )
    return mask


def to_pil(image: Tensor) -> Image.Image:
    """Convert one picture [3,H,W], about [-1,1], to 8-bit RGB, rounded and clipped."""
    values = ((image.detach().float().cpu() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return Image.fromarray(values.permute(1, 2, 0).numpy())


def save_image(image: Image.Image | Tensor, path: Path | str, **more) -> Path:
    """Write a picture (a Pillow one, or [3,H,W] in [-1,1]) through a temporary file.

    The format follows the suffix (`.png`, `.jpg`, `.webp`); more: what Pillow takes. Raises ImageError for another
    suffix, OSError if it cannot be written; then nothing is left behind and an older file of that name is as it was.
    """
    path = Path(path)
    picture = to_pil(image) if isinstance(image, Tensor) else image
    format = picture_format(path)
    options = {"quality": 95, "subsampling": 0} if format == "JPEG" else {}
    with replaced(path) as temporary:
        picture.save(temporary, format, **options, **more)
    return path


def picture_format(path: Path | str) -> str:
    """Tell the format, as Pillow calls it, that a picture is written in by its suffix. Raises ImageError."""
    format = Image.registered_extensions().get(Path(path).suffix.lower())
    if format is None or format not in Image.SAVE:
        raise ImageError(f"{path} does not end in a picture format's suffix; use .png, .jpg or .webp.")
    return format
