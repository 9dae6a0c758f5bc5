"""Pictures and masks between files and tensors."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from ..atomic import replaced
from ..domain import DomainSpec
from .errors import ImageError

logger = logging.getLogger(__name__)


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

    EXIF rotation is applied, transparency and colour profile are kept, grey and CMYK pictures become RGB (the latter
    with a warning). Raises ImageError naming the file, also for more than 8 bits a channel, which would be lost.
    """
    image = _decoded(path)
    if image.mode.startswith("I") or image.mode == "F" or _is_deep_png(path):
        raise ImageError(
            f"{path} has more than 8 bits a channel, which pasting would lose. Save it with 8 bits a channel first."
        )
    icc_profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    exif = image.getexif().tobytes() or None
    alpha = None
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        alpha = torch.from_numpy(np.array(image.getchannel("A")))
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
        if path.suffix.lower() in (".jpg", ".jpeg"):
            raise ImageError(f"{path} cannot hold the photo's transparency; use .png or .webp.")
        picture.putalpha(Image.fromarray(photo.alpha.numpy()))
    metadata = {name: data for name in ("icc_profile", "exif") if (data := getattr(photo, name)) is not None}
    return save_image(picture, path, lossless=True, **metadata)


def _is_deep_png(path: Path | str) -> bool:
    """Whether a file is a PNG of 16 bits a channel, which Pillow reads as 8 without a word."""
    with open(path, "rb") as file:
        head = file.read(26)
    return head.startswith(b"\x89PNG\r\n\x1a\n") and len(head) == 26 and head[24] == 16


def _decoded(path: Path | str) -> Image.Image:
    """Decode a picture. Pillow refuses those of over 179 megapixels; its warning from half of that on is left out."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                image.load()
                return image
    except FileNotFoundError as error:
        raise ImageError(f"There is no picture {path}.") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ImageError(f"{path} cannot be read as a picture ({error}); expected PNG, JPEG or the like.") from error


def open_image(path: Path | str) -> Image.Image:
    """Open a picture as 8-bit RGB, upright.

    Grey pictures become RGB, 16-bit ones are scaled, transparency is laid over white (with a warning), EXIF
    rotation is applied. Raises ImageError naming the file.
    """
    image = ImageOps.exif_transpose(_decoded(path))
    if image.mode.startswith("I") or image.mode == "F":
        image = _from_deep(image, path)
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema()[0] < 255:
            logger.warning("%s has transparent parts; they are laid over white.", path)
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _from_deep(image: Image.Image, path: Path | str) -> Image.Image:
    """Bring a picture of more than 8 bits (grey) down to 8."""
    values = np.asarray(image, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ImageError(f"{path} has values that are not finite; expected a picture.")
    top = 1.0 if image.mode == "F" and values.max() <= 1.0 else 65535.0
    return Image.fromarray(np.rint(np.clip(values / top, 0, 1) * 255).astype(np.uint8))


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
    """Read a mask: [1,H,W] in [0,1], from a picture's brightness; white is 1."""
    grey = np.asarray(open_image(path).convert("L"), dtype=np.float32)
    return torch.from_numpy(grey / 255.0)[None]


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
    format = Image.registered_extensions().get(path.suffix.lower())
    if format is None or format not in Image.SAVE:
        raise ImageError(f"{path} does not end in a picture format's suffix; use .png, .jpg or .webp.")
    options = {"quality": 95, "subsampling": 0} if format == "JPEG" else {}
    with replaced(path) as temporary:
        picture.save(temporary, format, **options, **more)
    return path
