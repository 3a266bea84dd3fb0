"""Previews: small, faithful, without metadata."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from ris_jobs.fingerprint.preview import QUALITY, encode, load, reduce
from ris_jobs.fingerprint.traces import jpeg_quality

Photo = Callable[..., Image.Image]


@pytest.mark.parametrize(
    ("size", "kept"),
    [
        ((400, 300), (200, 150)),
        ((300, 400), (150, 200)),
        ((200, 200), (200, 200)),
        ((50, 30), (50, 30)),
        ((8, 4000), (1, 200)),
    ],
)
def test_the_long_side_is_bounded_and_nothing_is_enlarged(
    photo: Photo, size: tuple[int, int], kept: tuple[int, int]
) -> None:
    assert load(encode(reduce(np.asarray(photo(*size)), 200))).shape == (kept[1], kept[0], 3)


def test_a_preview_shows_the_picture(photo: Photo) -> None:
    image = photo(640, 480)
    wanted = np.asarray(image.resize((160, 120), Image.Resampling.LANCZOS)).astype(int)
    shown = load(encode(reduce(np.asarray(image), 160)))
    assert shown.dtype == np.uint8 and np.abs(shown - wanted).mean() < 4


def test_fine_stripes_become_grey_and_not_moire() -> None:
    stripes = np.zeros((900, 900, 3), np.uint8)
    stripes[:, ::2] = 255
    inside = load(encode(reduce(stripes, 300)))[:, 8:-8]
    assert np.abs(inside.astype(int) - 128).max() < 12


def test_how_it_is_written(photo: Photo) -> None:
    image = Image.open(io.BytesIO(encode(reduce(np.asarray(photo()), 100))))
    assert image.format == "JPEG"
    assert jpeg_quality(image.quantization[0]) == QUALITY
    assert {layer[1:3] for layer in image.layer} == {(1, 1)}
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
