"""Pictures made on the spot: like photos in texture, the same on every machine."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

Photo = Callable[..., Image.Image]
Encode = Callable[..., bytes]


def _octave(size: tuple[int, int], cells: int, rng: random.Random) -> np.ndarray:
    noise = Image.frombytes("RGB", (cells, cells), rng.randbytes(3 * cells * cells))
    return np.asarray(noise.resize(size, Image.Resampling.BICUBIC), dtype=np.float32) - 128


@pytest.fixture(scope="session")
def photo() -> Photo:
    """photo(width, height, seed): octaves of noise, coarse to fine, falling off as in nature."""

    def make(width: int = 120, height: int = 80, seed: int = 1) -> Image.Image:
        rng = random.Random(seed)
        octaves = range(1, max(width, height).bit_length())
        layers = (_octave((width, height), 2 << k, rng) / 1.6**k for k in octaves)
        return Image.fromarray(np.clip(128 + sum(layers), 0, 255).astype(np.uint8))

    return make


@pytest.fixture(scope="session")
def encoded() -> Encode:
    """encoded(image, format, **options): the bytes of the file."""

    def make(image: Image.Image, fmt: str, **options: Any) -> bytes:
        file = io.BytesIO()
        image.save(file, fmt, **options)
        return file.getvalue()

    return make
