"""A picture that was cut to fill its cell of a collage is found there, and only there."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps
from skimage import data

from ris_jobs.demo import edits
from ris_jobs.match.collage import cell
from ris_jobs.match.geometry import keypoints, overlap, register, squares
from ris_jobs.match.pixels import KEPT
from ris_jobs.match.registered import aligned
from tests.match.scenes import NOON, scene

PHOTO = (480, 320)
# Columns, rows, the cell's size in pixels, where the picture stands.
GRIDS = [(2, 2, (220, 220), 2), (2, 2, (200, 260), 1), (3, 1, (200, 240), 1), (2, 1, (240, 260), 1)]
# A cell that takes half of a collage of the photo's own shape, all of which its outline covers.
HALVES = [(2, 1, (240, 320), 0), (2, 1, (240, 320), 1)]


def collage(seed, columns, rows, size, own, gutter=0, photo=PHOTO):
    """The collage, and the box (fractions) of the cell that shows the scene of the seed."""
    wide, high = (side + gutter for side in size)
    canvas = Image.new("RGB", (columns * wide + gutter, rows * high + gutter), "white")
    for n in range(columns * rows):
        shown = scene(seed if n == own else 1000 + 10 * seed + n, photo)
        place = (gutter + n % columns * wide, gutter + n // columns * high)
        canvas.paste(ImageOps.fit(shown, size), place)
    left, top = gutter + own % columns * wide, gutter + own // columns * high
    box = left / canvas.width, top / canvas.height
    return canvas, (*box, (left + size[0]) / canvas.width, (top + size[1]) / canvas.height)


def found(first, second):
    first, second = np.asarray(first), np.asarray(second)
    return found_by(first, second, register(keypoints(first), keypoints(second)))


def found_by(first, second, registration):
    shared = overlap(registration)
    laid = squares(first, second, registration, shared, KEPT)
    return cell(first, second, registration, shared, laid)


@pytest.mark.parametrize("gutter", [0, 8])
@pytest.mark.parametrize("grid", GRIDS)
def test_a_picture_cut_to_fill_a_cell_was_pasted_there(grid, gutter, collection, decide):
    canvas, box = collage(3, *grid, gutter=gutter)
    source = collection.add(edits.png(scene(3, PHOTO)), first_seen_at=NOON + timedelta(days=1))
    derived = collection.add(edits.jpeg(canvas, 85))
    match = decide(source, derived)
    assert (match.relation, match.derived_id) == ("composite", derived.image_id)
    assert match.evidence["direction"] == "pasted"
    assert match.box == pytest.approx(box, abs=0.008)
    (wide, high), (width, height) = grid[2], PHOTO
    scale = max(wide / width, high / height)
    assert match.scale == pytest.approx(scale, rel=0.02)
    shown = wide * high / scale**2 / (width * height)
    assert match.evidence["keypoints"]["coverage"]["source"] == pytest.approx(shown, abs=0.02)
    assert match == decide(derived, source)


@settings(max_examples=10, deadline=None)
@given(
    st.integers(0, 200),
    st.sampled_from(GRIDS),
    st.integers(0, 20),
    st.sampled_from([(480, 320), (320, 480)]),
)
def test_a_cell_is_where_it_is_to_a_pixel_or_so_whichever_comes_first(seed, grid, gutter, photo):
    """Where a photo jumps at the cell's edge as the collage does, none is claimed. What is laid on
    which by keypoints is a matter of chance to a part of a pixel, and of who comes first."""
    canvas, box = collage(seed, *grid, gutter=gutter, photo=photo)
    first, second = np.asarray(scene(seed, photo)), np.asarray(canvas)
    registration = register(keypoints(first), keypoints(second))
    forth = found_by(first, second, registration)
    back = found_by(second, first, registration.inverse())
    assert (forth is None) == (back is None)
    for one, picture, outer in (
        (forth, "first", "second"),
        (back, "second", "first"),
        (found(second, first), "second", "first"),
    ):
        if one is None:
            continue
        assert one.cut_first is (picture == "first")
        place = getattr(one.shared, outer)
        assert (*place.min(axis=0), *place.max(axis=0)) == pytest.approx(box, abs=0.012)


@pytest.mark.parametrize("grid", HALVES)
def test_half_of_a_collage_of_the_photos_shape_is_a_cell_in_most(grid):
    halves = [collage(seed, *grid) for seed in range(12)]
    cells = [found(scene(seed, PHOTO), canvas) for seed, (canvas, _) in enumerate(halves)]
    right = [c for c in cells if c is not None and c.cut_first]
    assert len(right) >= 8


def banded(image):
    """With a sentence on a band that hides its lower quarter."""
    draw = ImageDraw.Draw(image)
    top = 3 * image.height // 4
    draw.rectangle((0, top, image.width, image.height), fill="white")
    draw.text((8, top + 8), "what somebody thought of it " * 3, fill="black")
    return image


@pytest.mark.parametrize("size", [(300, 220), (220, 300), (260, 260)])
def test_other_pictures_under_one_caption_share_no_cell(size):
    one, two = edits.caption(scene(5, (320, 240))), edits.caption(scene(6, size))
    first, second = np.asarray(one), np.asarray(two)
    registration = register(keypoints(first), keypoints(second))
    assert registration is not None
    assert found_by(first, second, registration) is None
    assert aligned(first, second, registration) is None


def crop(box):
    return scene(5, PHOTO).crop(box)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (crop((0, 0, 300, 300)), crop((150, 20, 480, 320))),
        (scene(5, PHOTO), crop((100, 50, 400, 290))),
        (scene(5, PHOTO), banded(crop((100, 50, 400, 290)))),
        (crop((0, 0, 400, 320)), banded(crop((100, 50, 480, 290)))),
    ],
    ids=["two crops", "a crop", "a crop under a band", "two crops, one under a band"],
)
def test_what_is_laid_over_a_crop_is_no_other_cell(first, second):
    assert found(first, second) is None
    assert found(second, first) is None


@pytest.mark.parametrize("photo", ["chelsea", "coffee", "retina", "rocket"])
def test_a_crop_was_not_pasted_beside_a_caption_that_covers_its_edge(photo, collection, decide):
    picture = Image.fromarray(getattr(data, photo)())
    one = collection.add(edits.jpeg(edits.crop(picture, 0.6), 90))
    other = collection.add(edits.jpeg(edits.caption(picture), 90))
    match = decide(one, other)
    assert match.evidence["direction"] == "undetermined"
    assert match.relation == "crop"


def test_collages_that_share_a_cell_show_no_cut_picture():
    one, _ = collage(7, 2, 2, (220, 220), 0)
    other, _ = collage(8, 2, 2, (220, 220), 0)
    other.paste(one.crop((220, 0, 440, 220)), (0, 220))
    assert found(one, other) is None
