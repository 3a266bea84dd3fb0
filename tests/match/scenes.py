"""Pictures drawn from a seed, for tests that need many different ones."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def scene(seed: int, size: tuple[int, int] = (300, 220)) -> Image.Image:
    """A picture with structure at every scale, unlike that of any other seed."""
    rng = np.random.default_rng(seed)
    width, height = size
    image = Image.fromarray(rng.integers(0, 255, (5, 6, 3), dtype=np.uint8))
    image = image.resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(60):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        w, h = (int(v) for v in rng.integers(6, width // 4, 2))
        colour = tuple(int(v) for v in rng.integers(0, 255, 3))
        shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        shape((x - w // 2, y - h // 2, x + w // 2, y + h // 2), fill=colour)
    grain = rng.normal(0, 6, (height, width, 3))
    pixels = np.asarray(image.filter(ImageFilter.GaussianBlur(0.6)), dtype=np.float32) + grain
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def hills(seed: int, size: tuple[int, int] = (300, 220)) -> npt.NDArray[np.uint8]:
    """Such a picture, dark below a wavy line that runs about 70 pixels from its top, and bright
    above."""
    pixels = np.asarray(scene(seed, size)) // 3
    rows, columns = np.indices(pixels.shape[:2])
    above = rows < 70 + 4 * np.sin(columns / 8)
    return np.where(above[..., None], pixels + 150, pixels).astype(np.uint8)
