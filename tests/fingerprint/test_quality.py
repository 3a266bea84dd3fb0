"""Measures against plain references, and against pictures whose answer is known."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from ris_jobs.fingerprint.luma import luma, reduced
from ris_jobs.fingerprint.quality import (
    BANDS,
    colourfulness,
    complexity,
    enlargement_drop,
    quality,
    spectrum,
)

Photo = Callable[..., Image.Image]


def test_flat_fields_and_gradients_are_hardly_complex() -> None:
    flat = np.full((300, 400), 200, np.uint8)
    ramp = np.linspace(0, 255, 400).astype(np.uint8)[None].repeat(300, axis=0)
    split = flat.copy()
    split[:, 200:] = 0
    assert complexity(flat) == 0
    assert 0 < complexity(ramp) < 0.15
    assert complexity(split) < 0.15


def test_texture_is_complex_whatever_its_size(photo: Photo) -> None:
    values = [complexity(luma(np.asarray(photo(w, w, 3)))) for w in (160, 320, 640, 1280)]
    assert min(values) > 0.25 and max(values) - min(values) < 0.05


def test_complexity_is_that_of_the_plain_formula(photo: Photo) -> None:
    grey = luma(np.asarray(photo(40, 30, 2)))
    lengths = []
    for y in range(1, 29):
        for x in range(1, 39):
            p = grey[y - 1 : y + 2, x - 1 : x + 2].astype(float)
            across = (p[:, 2] - p[:, 0]) @ [1, 2, 1]
            down = (p[2] - p[0]) @ [1, 2, 1]
            lengths.append(math.hypot(across, down) / 8)
    mean = sum(lengths) / len(lengths)
    assert complexity(grey) == pytest.approx(mean / (mean + 10), rel=1e-5)


def test_colourfulness_by_hand() -> None:
    assert colourfulness(np.full((20, 20, 3), 90, np.uint8)) == 0
    red_and_blue = np.zeros((20, 20, 3), np.uint8)
    red_and_blue[:10, :, 0] = 255
    red_and_blue[10:, :, 2] = 255
    # rg is 255 and 0; yb is 127.5 and -255.
    spread = math.hypot(127.5, 191.25)
    mean = math.hypot(127.5, -63.75)
    assert colourfulness(red_and_blue) == pytest.approx(spread + 0.3 * mean, rel=1e-5)


def test_white_noise_has_its_variance_in_every_band() -> None:
    noise = np.random.default_rng(0).normal(128, 16, (400, 500)).round().astype(np.uint8)
    assert np.abs(np.array(spectrum(noise)) - math.log10(256)).max() < 0.1


@pytest.mark.parametrize("band", [1, 8, 20, 30])
def test_a_wave_is_in_its_band(band: int) -> None:
    wave = 128 + 60 * np.sin(np.pi * (band + 0.5) / BANDS * np.arange(512))
    across = wave.round().astype(np.uint8)[None].repeat(512, axis=0)
    for grey in (across, across.T):
        assert int(np.argmax(spectrum(grey))) == band


def test_a_flat_picture_has_only_the_floor() -> None:
    assert set(spectrum(np.full((64, 64), 9, np.uint8))) == {math.log10(1 / 12)}


@pytest.mark.parametrize("size", [(8, 8), (8, 3000), (129, 127), (1000, 9)])
def test_all_sizes_have_all_bands(photo: Photo, size: tuple[int, int]) -> None:
    measured = quality(np.asarray(photo(*size)))
    assert len(measured.spectrum) == BANDS and all(map(math.isfinite, measured.spectrum))
    assert 0 <= measured.complexity < 1 and measured.colourfulness >= 0


def test_the_spectrum_is_that_of_a_plain_fourier_sum() -> None:
    grey = np.random.default_rng(1).integers(0, 256, (128, 128)).astype(np.uint8)
    window = np.array([math.sin(math.pi * (i + 1) / 129) ** 2 for i in range(128)])
    power = np.zeros(BANDS)
    for line in [*grey.astype(float), *grey.T.astype(float)]:
        shaped = (line - line.mean()) * window
        for k in range(1, 65):
            total = sum(shaped * np.exp(-2j * np.pi * k * np.arange(128) / 128))
            power[(k - 1) // 2] += abs(total) ** 2 / sum(window**2) / 2 / 256
    assert np.allclose(spectrum(grey), np.log10(power), atol=1e-4)


def test_reduced_is_a_box_average() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (60, 90)).astype(np.uint8)
    boxes = pixels.reshape(20, 3, 30, 3).astype(float).mean(axis=(1, 3))
    assert np.abs(reduced(pixels, 20) - boxes).max() < 0.6
    assert reduced(pixels, 31) is pixels


def test_an_enlargement_drops(photo: Photo) -> None:
    small = photo(150, 120, 4)
    large = small.resize((300, 240), Image.Resampling.BICUBIC)
    native = photo(300, 240, 4)
    assert enlargement_drop(spectrum(np.asarray(large.convert("L"))), 0.5) > 1
    assert enlargement_drop(spectrum(np.asarray(native.convert("L"))), 0.5) < 0.8
