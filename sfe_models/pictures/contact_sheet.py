"""Pictures side by side with words under them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from .image_io import to_pil

_TEXT = 0.07
_MARGIN = 0.02


def contact_sheet(
    images: Sequence[Tensor], labels: Sequence[str], columns: int | None = None, side: int = 256
) -> Image.Image:
    """Arrange pictures [3,H,W] in [-1,1] in rows, each `side` px wide, with its label below."""
    columns = columns or min(len(images), 8)
    rows = math.ceil(len(images) / columns)
    height = round(side * images[0].shape[1] / images[0].shape[2])
    text, margin = round(side * _TEXT), round(side * _MARGIN)
    cell_width, cell_height = side + 2 * margin, height + text + 3 * margin
    sheet = Image.new("RGB", (columns * cell_width, rows * cell_height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(text)
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        left, top = i % columns * cell_width + margin, i // columns * cell_height + margin
        sheet.paste(to_pil(image).resize((side, height), Image.Resampling.LANCZOS), (left, top))
        draw.text((left + side / 2, top + height + margin), label, "black", font, anchor="mt")
    return sheet
