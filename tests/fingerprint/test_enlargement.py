"""Enlargements and photos with thumbnails are told apart by their spectra."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ris_jobs.fingerprint.enlargement import enlargement
from ris_jobs.fingerprint.quality import spectrum

R = Image.Resampling


def measured(image: Image.Image, quality: int = 90) -> tuple[float, ...]:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return spectrum(np.asarray(Image.open(file).convert("L")))


def resized(image: Image.Image, scale: float, how: R) -> Image.Image:
    return image.resize((round(image.width * scale), round(image.height * scale)), how)


@pytest.fixture(scope="module")
def photos(shared: Path) -> list[Image.Image]:
    files = sorted((shared / "photos/eval").iterdir())[::10]
    return [Image.open(file).convert("RGB") for file in files]


@pytest.mark.parametrize("scale", [1.5, 2, 3])
@pytest.mark.parametrize("how", [R.BICUBIC, R.LANCZOS])
def test_enlarged_thumbnails(photos: list[Image.Image], scale: float, how: R) -> None:
    found = 0
    for photo in photos:
        small = resized(photo, 160 / max(photo.size), R.LANCZOS)
        large = resized(small, scale, how)
        found += enlargement(measured(large), measured(small), scale) > 0
    assert found >= 0.93 * len(photos)


@pytest.mark.parametrize("side", [64, 128, 200])
@pytest.mark.parametrize("how", [R.BILINEAR, R.BICUBIC, R.LANCZOS])
def test_photos_with_thumbnails(photos: list[Image.Image], side: int, how: R) -> None:
    wrong = 0
    for photo in photos:
        scale = max(photo.size) / side
        if scale >= 1.25:
            small = resized(photo, 1 / scale, how)
            wrong += enlargement(measured(photo), measured(small, 85), scale) > 0
    assert wrong <= 0.03 * len(photos)


def test_a_made_picture_and_its_enlargement(photo: Callable[..., Image.Image]) -> None:
    native = photo(400, 300)
    small = resized(native, 0.5, R.LANCZOS)
    large = resized(small, 2, R.BICUBIC)
    assert enlargement(measured(large), measured(small), 2) > 0
    assert enlargement(measured(native), measured(small), 2) < 0
