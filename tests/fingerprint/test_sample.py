from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ris_jobs.fingerprint.sample import SIDE, pack, places, unpack
from ris_jobs.fingerprint.traces import luminance_steps


@pytest.fixture
def noise() -> Image.Image:
    values = np.random.default_rng(5).integers(0, 256, (90, 140, 3), np.uint8)
    return Image.fromarray(values)


def test_patches_are_the_pixels_at_their_places(noise: Image.Image) -> None:
    steps, patches = unpack(pack(noise, None))
    assert steps is None
    assert patches.shape == (16, SIDE, SIDE, 3)
    grey = np.asarray(noise.convert("L"))
    for (x, y), patch in zip(places(140, 90), patches, strict=True):
        assert (patch[..., 0] == grey[y : y + SIDE, x : x + SIDE]).all()
        assert x % 8 == y % 8 == 0
        assert np.ptp(patch[:2, :2, 1]) == 0


def test_the_steps_of_a_jpeg_go_before(noise: Image.Image) -> None:
    buffer = io.BytesIO()
    noise.save(buffer, "JPEG", quality=80)
    with Image.open(buffer) as image:
        image.load()
        table = luminance_steps(image)
        assert table is not None
        assert unpack(pack(image, table))[0] == tuple(table)


@pytest.mark.parametrize(
    ("width", "height", "count"), [(16, 16, 1), (33, 16, 2), (20, 9000, 4), (5000, 64, 16)]
)
def test_patches_lie_within_the_picture(width: int, height: int, count: int) -> None:
    found = places(width, height)
    assert len(set(found)) == count
    assert all(0 <= x <= width - SIDE and 0 <= y <= height - SIDE for x, y in found)


def test_what_is_small_or_has_a_palette_or_alpha_has_none(noise: Image.Image) -> None:
    assert pack(noise.crop((0, 0, 15, 80)), None) == b""
    assert pack(noise.convert("P"), None) == b""
    assert pack(noise.convert("RGBA"), None) == b""
    assert unpack(pack(noise.convert("L"), None))[1].shape == (16, SIDE, SIDE, 3)


@pytest.mark.parametrize("table", [[1] * 63 + [256], [1] * 63, [0] * 64])
def test_a_jpeg_whose_steps_do_not_fit_is_not_kept_as_none(
    noise: Image.Image, table: list[int]
) -> None:
    assert pack(noise, table) == b""
    assert unpack(pack(noise, [255] * 64))[0] == (255,) * 64
