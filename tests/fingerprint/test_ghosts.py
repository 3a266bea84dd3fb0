"""JPEGs in other coats: stored without loss, as WebP, or as their mirror image."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image, ImageOps

from ris_jobs.demo.edits import jpeg, webp
from ris_jobs.fingerprint.ghosts import earlier_quality

Photo = Callable[..., Image.Image]


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


@pytest.mark.parametrize("quality", [40, 60, 75, 90])
def test_decoded_jpegs_show_their_quality(photo: Photo, quality: int) -> None:
    found = earlier_quality(opened(jpeg(photo(320, 240), quality)), None)
    assert found is not None and abs(found - quality) <= 1


def test_a_webp_of_a_jpeg_shows_its_quality(photo: Photo) -> None:
    found = earlier_quality(opened(webp(opened(jpeg(photo(320, 240), 60)), 90)), None)
    assert found is not None and abs(found - 60) <= 1


def test_a_mirrored_jpeg_is_seen_on_its_other_grid(photo: Photo) -> None:
    mirrored = ImageOps.mirror(opened(jpeg(photo(317, 240), 60)))
    again = Image.open(io.BytesIO(jpeg(mirrored, 92)))
    table = again.quantization[0]  # type: ignore[attr-defined]  # a JPEG has it
    found = earlier_quality(again.convert("RGB"), table)
    assert found is not None and abs(found - 60) <= 1


@pytest.mark.parametrize("quality", [50, 75, 95])
def test_a_jpeg_is_no_ghost_of_itself(photo: Photo, quality: int) -> None:
    image = Image.open(io.BytesIO(jpeg(photo(320, 240), quality)))
    table = image.quantization[0]  # type: ignore[attr-defined]  # a JPEG has it
    assert earlier_quality(image.convert("RGB"), table) is None


def test_nothing_shows_where_there_was_none_or_the_grid_is_lost(photo: Photo) -> None:
    assert earlier_quality(photo(320, 240), None) is None
    smaller = opened(jpeg(photo(320, 240), 60)).resize((250, 187), Image.Resampling.LANCZOS)
    assert earlier_quality(smaller, None) is None


@pytest.mark.parametrize("size", [(8, 8), (9, 300), (15, 8)])
def test_small_pictures_show_nothing(photo: Photo, size: tuple[int, int]) -> None:
    assert earlier_quality(photo(*size), None) is None
