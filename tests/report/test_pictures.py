"""Thumbnails and contact sheets are of the stated size, whatever the picture."""

from __future__ import annotations

import io

import pytest
from PIL import Image, UnidentifiedImageError

from ris_jobs.report.contact import contact_sheet
from ris_jobs.report.pictures import thumbnail
from ris_jobs.report.views import Hit


def jpeg(size: tuple[int, int], mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(out, "JPEG")
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize(
    ("size", "small"),
    [
        ((640, 480), (240, 180)),
        ((480, 640), (180, 240)),
        ((100, 50), (100, 50)),
        ((640, 2), (240, 1)),
        ((1, 1), (1, 1)),
    ],
)
def test_thumbnail_size(size: tuple[int, int], small: tuple[int, int]) -> None:
    picture = opened(thumbnail(jpeg(size), 240))
    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", small)


def test_a_thumbnail_looks_like_its_preview() -> None:
    small = opened(thumbnail(jpeg((640, 640)), 64)).convert("L")
    column = [small.getpixel((32, y)) for y in (0, 16, 32, 48, 63)]
    assert column == pytest.approx([0, 64, 128, 192, 255], abs=8)


@pytest.mark.parametrize("bad", [b"", b"\x89PNG\r\n\x1a\n", jpeg((64, 64))[:40]])
def test_what_is_no_jpeg_is_refused(bad: bytes) -> None:
    with pytest.raises((UnidentifiedImageError, OSError)):
        thumbnail(bad)


def test_grey_previews_are_shown_too() -> None:
    assert opened(thumbnail(jpeg((300, 300), "L"))).mode == "RGB"


@pytest.mark.parametrize(
    ("hits", "columns", "cells"), [(0, 5, (1, 1)), (4, 5, (5, 1)), (7, 3, (3, 3))]
)
def test_sheet_size(hits: int, columns: int, cells: tuple[int, int]) -> None:
    found = [
        Hit(f"file:///{'long' * 40}{i}.jpg", 0.5, picture=jpeg((64, 900))) for i in range(hits)
    ]
    sheet = opened(contact_sheet(jpeg((300, 200)), found, columns, side=100))
    across, down = cells
    assert sheet.format == "PNG"
    assert sheet.size == (14 + across * 114, 14 + down * 158)


def test_sheet_shows_query_first_then_hits_in_their_cells() -> None:
    red, blue = (Image.new("RGB", (50, 50), colour) for colour in ("red", "blue"))
    data = []
    for picture in (red, blue):
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=95)
        data.append(out.getvalue())
    hits = [Hit("s3://b/a\u202e.jpg", 0.9, "crop", 0.98, data[1]), Hit("s3://b/gone.jpg", 0.4)]
    sheet = opened(contact_sheet(data[0], hits, side=100)).convert("RGB")
    colours = [sheet.getpixel((14 + 50 + 114 * i, 14 + 30)) for i in range(3)]
    assert colours[0] == pytest.approx((254, 0, 0), abs=3)
    assert colours[1] == pytest.approx((0, 0, 254), abs=3)
    assert colours[2] == (236, 238, 240)
    label = sheet.crop((128, 120, 228, 158))
    assert len(label.getcolors(10_000) or []) > 5, "no label under the hit"
