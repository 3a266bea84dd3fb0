from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from random import Random

import numpy as np
import pytest
from PIL import Image

from benchmarks.accuracy.edits import FAMILIES, UNTRAINED, VARIANTS, WHOLE, Picture, Props, apply
from ris_jobs.match import Relation
from ris_jobs.match.orientation import ORIENTATIONS, turn
from tests.match.scenes import scene

SIZE = (320, 240)
PHOTO = scene(1, SIZE)
HOSTS = tuple(scene(seed, (280, 210)) for seed in (2, 3, 4))
NAMES = {variant.name: variant for variant in VARIANTS}

# Families whose copies show the source as it is, moved and scaled at most.
GEOMETRIC = {
    "jpeg", "encoding", "downscale", "upscale", "crop", "border", "letterbox", "caption",
    "orientation", "pasted", "collage", "phone", "desktop",
}  # fmt: skip
GEOMETRIC_CHAINS = {
    "thumbnail_caption", "crop_mirrored_jpeg", "meme", "pasted_mirrored", "screenshot_crop",
    "collage_jpeg",
}  # fmt: skip
RELATIONS = {
    "jpeg": Relation.RECOMPRESSED, "webp": Relation.RECOMPRESSED, "avif": Relation.RECOMPRESSED,
    "encoding": Relation.RECOMPRESSED, "downscale": Relation.THUMBNAIL,
    "upscale": Relation.UPSCALED, "crop": Relation.CROP, "border": Relation.PADDED,
    "letterbox": Relation.PADDED, "caption": Relation.PADDED, "pasted": Relation.COMPOSITE,
    "collage": Relation.COMPOSITE, "phone": Relation.COMPOSITE, "desktop": Relation.COMPOSITE,
}  # fmt: skip


def made(name: str, seed: int = 0):
    return apply(NAMES[name], PHOTO, Props(Random(f"{seed} {name}"), HOSTS))


def pixels(box, size):
    return tuple(round(side * size[i % 2]) for i, side in enumerate(box))


def difference(picture: Picture) -> float:
    """Mean absolute difference, in grey values, of what should be shown and what is there; of
    small versions, so that coding and lost detail matter little."""
    part = np.asarray(PHOTO.crop(pixels(picture.seen, PHOTO.size)))
    turned = Image.fromarray(np.ascontiguousarray(turn(part, picture.orientation)))
    there = picture.image.crop(pixels(picture.place, picture.image.size))
    small = [np.asarray(i.resize((12, 12), Image.Resampling.BOX), int) for i in (turned, there)]
    return float(np.abs(small[0] - small[1]).mean())


def test_there_are_enough_edits_and_some_were_never_trained_on():
    edits = {step.edit for variant in VARIANTS for step in variant.steps}
    assert len(edits) >= 40
    assert len(UNTRAINED & edits) == len(UNTRAINED) >= 10
    assert len(NAMES) == len(VARIANTS) >= 100
    assert list(dict.fromkeys(variant.family for variant in VARIANTS)) == list(FAMILIES)
    assert not NAMES["crop_watermark_thumbnail"].trained
    assert NAMES["crop_mirrored_jpeg"].trained


@pytest.mark.parametrize("name", NAMES)
def test_a_variant_gives_the_same_readable_file_each_time(name):
    before = PHOTO.tobytes()
    one, two = made(name), made(name)
    assert one.data == two.data
    assert one.parameters == two.parameters
    assert PHOTO.tobytes() == before, "the photo itself stays as it was"
    with Image.open(BytesIO(one.data)) as image:
        image.load()
        assert image.size == one.picture.image.size
        assert min(image.size) >= 24
        assert Image.registered_extensions()[one.suffix] == image.format
    assert [step["edit"] for step in one.parameters["steps"]][: len(NAMES[name].steps)] == [
        step.edit.__name__ for step in NAMES[name].steps
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_differs_from_its_photo_and_another_draw_from_both(name):
    files = {made(name, seed).data for seed in (0, 1)}
    drawn = {str(made(name, seed).parameters) for seed in (0, 1)}
    assert len(files) == len(drawn)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "name", [v.name for v in VARIANTS if v.family in GEOMETRIC or v.name in GEOMETRIC_CHAINS]
)
def test_the_source_is_where_the_truth_says(name, seed):
    picture = made(name, seed).picture
    assert difference(picture) < 10
    assert difference(replace(picture, orientation=4)) > 20, "another place would be noticed"


@pytest.mark.parametrize("name", [v.name for v in VARIANTS if v.family in RELATIONS])
def test_the_relation_is_what_was_done(name):
    picture = made(name).picture
    relation = RELATIONS[NAMES[name].family]
    assert picture.relation == relation
    framed = relation in (Relation.CROP, Relation.PADDED, Relation.COMPOSITE)
    assert (picture.box is not None) == framed
    if framed:
        x0, y0, x1, y1 = picture.box
        assert 0 <= x0 < x1 <= 1
        assert 0 <= y0 < y1 <= 1
        assert picture.box != WHOLE


@pytest.mark.parametrize("share", [95, 80, 60, 50, 40, 30, 20, 10, 5])
def test_a_crop_keeps_its_share_at_the_photos_scale(share):
    picture = made(f"crop_{share}").picture
    x0, y0, x1, y1 = picture.box
    assert (x1 - x0) * (y1 - y0) == pytest.approx(share / 100, rel=0.06)
    assert picture.scale == pytest.approx(1)


@pytest.mark.parametrize("share", [60, 40, 25, 15, 10])
def test_a_paste_takes_its_share(share):
    x0, y0, x1, y1 = made(f"pasted_{share}").picture.box
    assert (x1 - x0) * (y1 - y0) == pytest.approx(share / 100, rel=0.05)


@pytest.mark.parametrize(
    ("name", "seen", "cells"), [("collage_2x2_filled", 2 / 3, 4), ("collage_3x1_filled", 3 / 4, 3)]
)
def test_a_cell_is_filled_by_the_middle_of_the_picture(name, seen, cells):
    picture = made(name).picture
    x0, y0, x1, y1 = picture.seen
    assert (x1 - x0) * (y1 - y0) == pytest.approx(seen, rel=0.01)
    assert (x0 + x1, y0 + y1) == pytest.approx((1, 1), abs=0.01)
    left, top, right, bottom = picture.box
    assert 0.85 / cells < (right - left) * (bottom - top) < 1.01 / cells
    assert picture.relation == Relation.COMPOSITE
    assert picture.scale == pytest.approx((2 / cells) ** 0.5, rel=0.01)


@pytest.mark.parametrize("name", ["phone_15", "desktop_20", "desktop_40", "desktop_60"])
def test_a_screenshot_shows_the_picture_at_its_share(name):
    x0, y0, x1, y1 = made(name).picture.box
    assert (x1 - x0) * (y1 - y0) == pytest.approx(NAMES[name].strength, rel=0.15)


@pytest.mark.parametrize(
    ("name", "orientation"),
    [("mirrored", 2), ("rotated_180", 3), ("rotated_90", 6), ("mirrored_rotated", 7)],
)
def test_orientations(name, orientation):
    picture = made(name).picture
    mirrored = orientation in (2, 7)
    assert picture.orientation == orientation
    assert picture.relation == (Relation.MIRRORED if mirrored else Relation.ROTATED)


@pytest.mark.parametrize(
    ("name", "scale"),
    [("downscale_2", 0.5), ("downscale_8", 0.125), ("downscale_16", 0.1), ("upscale_4", 4)],
)
def test_resizing_is_the_scale_within_its_limits(name, scale):
    assert made(name).picture.scale == pytest.approx(scale, rel=0.02)


def test_what_moves_straight_lines_has_no_box_and_no_scale():
    picture = made("perspective_12").picture
    assert (picture.relation, picture.box, picture.scale) == (Relation.EDITED, None, None)


def test_what_is_cropped_and_padded_has_no_one_relation():
    picture = made("meme").picture
    assert (picture.relation, picture.box) == (None, None)
    assert picture.seen != WHOLE != picture.place


@pytest.mark.parametrize("first", ORIENTATIONS)
@pytest.mark.parametrize("second", ORIENTATIONS)
def test_geometry_is_kept_through_turns_cuts_and_grounds(first, second):
    ground = Image.new("RGB", (400, 300), "navy")
    picture = Picture(PHOTO, SIZE).cut(40, 30, 280, 190).turned(first)
    picture = picture.laid(Image.new("RGB", (500, 400), "navy"), 120, 80).turned(second)
    picture = picture.cut(90, 95, 310, 305).laid(ground, 7, 11)
    assert difference(picture) < 1
