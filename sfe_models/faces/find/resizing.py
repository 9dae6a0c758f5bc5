"""A photo at the size that a detector looks at."""

from __future__ import annotations

import numpy as np
from PIL import Image


def resized(pixels: np.ndarray, factor: float) -> np.ndarray:
    """Enlarge or reduce a photo, uint8 [H,W,3], by a factor; bilinear, antialiased."""
    height, width = (max(1, round(n * factor)) for n in pixels.shape[:2])
    if (height, width) == pixels.shape[:2]:
        return pixels
    picture = Image.fromarray(pixels)
    # The first step averages whole px, which is fast and smooth; the second only brings the size in place.
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=1.5))
