"""Boxes along straight borders are found, grids are where they should be, plain photos have few."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ris_jobs.fingerprint.regions import WHOLE, Box, Regions, grid, proposals, regions

Photo = Callable[..., Image.Image]


def iou(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    both = max(0.0, width) * max(0.0, height)
    areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (a, b)]
    return both / (sum(areas) - both)


def best(picture: Image.Image, box: Box, count: int = 10) -> float:
    return max((iou(found, box) for found in proposals(np.asarray(picture), count)), default=0.0)


def pasted(host: Image.Image, part: Image.Image, x: int, y: int) -> tuple[Image.Image, Box]:
    canvas = host.copy()
    canvas.paste(part, (x, y))
    (width, height), right, bottom = canvas.size, x + part.width, y + part.height
    return canvas, (x / width, y / height, right / width, bottom / height)


@pytest.mark.parametrize("size", [(400, 300), (300, 400), (1000, 700), (180, 150)])
def test_a_picture_pasted_into_another(photo: Photo, size: tuple[int, int]) -> None:
    width, height = size
    part = photo(width // 3, height // 3, seed=9)
    picture, box = pasted(photo(*size, seed=2), part, width // 4, height // 2)
    assert best(picture, box) > 0.8


def test_a_picture_on_a_plain_page(photo: Photo) -> None:
    picture, box = pasted(Image.new("RGB", (600, 800), "white"), photo(300, 200), 40, 300)
    assert best(picture, box, 1) > 0.9


def test_the_cells_of_a_collage_that_touch_the_edge(photo: Photo) -> None:
    canvas = Image.new("RGB", (404, 304), "white")
    corners = [(x, y) for y in (0, 152) for x in (0, 202)]
    for seed, corner in enumerate(corners):
        canvas.paste(photo(200, 150, seed=seed), corner)
    for x, y in corners:
        assert best(canvas, (x / 404, y / 304, (x + 200) / 404, (y + 150) / 304)) > 0.8


def test_plain_photos_have_few(photo: Photo) -> None:
    counts = [len(proposals(np.asarray(photo(400, 300, seed=seed)), 10)) for seed in range(20)]
    assert np.mean(counts) < 3


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (23, 200), (24, 24), (8, 4000)])
def test_tiny_and_narrow_pictures_have_none_and_do_no_harm(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    assert all(0 <= edge <= 1 for box in proposals(noise, 10) for edge in box)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_field_has_none(value: int) -> None:
    assert proposals(np.full((200, 300, 3), value, np.uint8), 10) == []


@settings(max_examples=30)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32 - 1), st.integers(0, 12))
def test_boxes_lie_inside_are_distinct_and_not_too_many(
    height: int, width: int, seed: int, count: int
) -> None:
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (height, width, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    found = proposals(blocks, count) if count else []
    assert len(found) <= count
    for x0, y0, x1, y1 in found:
        assert 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1
    assert all(iou(a, b) <= 0.7 for i, a in enumerate(found) for b in found[:i])


def test_a_turned_picture_has_turned_boxes(photo: Photo) -> None:
    picture, _ = pasted(photo(400, 300, seed=2), photo(150, 120, seed=9), 100, 90)
    upright = proposals(np.asarray(picture), 4)
    turned = proposals(np.asarray(picture).transpose(1, 0, 2), 4)
    assert [(y0, x0, y1, x1) for x0, y0, x1, y1 in turned] == upright


def test_the_grid() -> None:
    assert grid(0) == []
    assert grid(5)[0] == (0, 0, 0.5, 0.5) and grid(5)[4] == (0.25, 0.25, 0.75, 0.75)
    assert sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in grid(4)) == 1


def test_the_whole_comes_first(photo: Photo) -> None:
    rgb = np.asarray(photo(300, 200))
    assert regions(rgb, Regions()) == [WHOLE]
    assert regions(rgb, Regions(grid=5))[:2] == [WHOLE, (0, 0, 0.5, 0.5)]


def test_the_short_form() -> None:
    assert str(Regions(5, 10)) == "5+10"
    assert Regions.parse("5+10") == Regions(grid=5, boxes=10)


@pytest.mark.parametrize("grid_and_boxes", [(6, 0), (-1, 0), (0, 51), (0, -1)])
def test_more_than_there_is_a_key_for_is_refused(grid_and_boxes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="0 to 5 windows"):
        Regions(*grid_and_boxes)
