"""Pictures side by side with words under them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from .image_io import to_pil

_TEXT = 0.07
_MARGIN = 0.02
MOST_COLUMNS = 8


def contact_sheet(
    images: Sequence[Tensor],
    labels: Sequence[str],
    columns: int | None = None,
    side: int = 256,
    each: int | None = None,
) -> Image.Image:
    """Arrange pictures [3,H,W] in [-1,1] in rows, each `side` px wide, with its label below.

    each: after so many pictures a new row begins (None: nowhere). columns: pictures in a row; without it as many as
    fill the rows evenly, at most MOST_COLUMNS.
    """
    each = each or len(images)
    columns = columns or math.ceil(each / math.ceil(each / MOST_COLUMNS))
    rows_each = math.ceil(each / columns)
    rows = math.ceil(len(images) / each) * rows_each
    height = round(side * images[0].shape[1] / images[0].shape[2])
    text, margin = round(side * _TEXT), round(side * _MARGIN)
    cell_width, cell_height = side + 2 * margin, height + text + 3 * margin
    sheet = Image.new("RGB", (columns * cell_width, rows * cell_height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(text)
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        row, column = i // each * rows_each + i % each // columns, i % each % columns
        left, top = column * cell_width + margin, row * cell_height + margin
        sheet.paste(to_pil(image).resize((side, height), Image.Resampling.LANCZOS), (left, top))
        draw.text((left + side / 2, top + height + margin), label, "black", font, anchor="mt")
    return sheet
