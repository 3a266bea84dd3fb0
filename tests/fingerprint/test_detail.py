from __future__ import annotations

import io

import pytest
from PIL import Image, ImageDraw

from ris_jobs.demo.folder import photos
from ris_jobs.fingerprint.detail import detail


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    return dict(photos())["coffee"].resize((451, 301), Image.Resampling.LANCZOS)


def again(image: Image.Image, fmt: str, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, fmt, quality=quality)
    return Image.open(buffer)


@pytest.mark.parametrize(("fmt", "quality"), [("JPEG", 90), ("JPEG", 50), ("WEBP", 80)])
def test_an_encoding_takes_detail_of_the_colours(
    photo: Image.Image, fmt: str, quality: int
) -> None:
    assert detail(again(photo, fmt, quality))[1] < detail(photo)[1] - 0.01


def test_lines_of_text_add_detail_to_the_luma(photo: Image.Image) -> None:
    written = photo.copy()
    ImageDraw.Draw(written).text((20, 100), "some words over it, and more of them", "white")
    assert detail(written)[0] > detail(photo)[0] + 0.01


def test_a_mirror_image_and_a_turned_one_have_the_same(photo: Image.Image) -> None:
    for way in Image.Transpose:
        assert detail(photo.transpose(way)) == pytest.approx(detail(photo), abs=0.005)


def test_grey_and_tiny_pictures_have_some_too(photo: Image.Image) -> None:
    fine, colours = detail(photo.convert("L"))
    assert fine == pytest.approx(detail(photo)[0], abs=0.01)
    assert colours == 0
    assert len(detail(photo.resize((8, 8)))) == 2
