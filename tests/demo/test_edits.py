from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ris_jobs.demo import edits
from ris_jobs.match.orientation import turn
from tests.match.scenes import scene

PICTURES = [name for name in edits.__all__ if name not in {"jpeg", "webp", "png"}]
ARGUMENTS = {"thumbnail": (64,), "upscale": (1.5,), "rotate": (90,), "crop": (0.5,)}


@pytest.mark.parametrize("name", PICTURES)
def test_an_edit_gives_the_same_new_picture_each_time(name):
    picture = scene(1)
    before = picture.tobytes()
    one, two = (getattr(edits, name)(picture, *ARGUMENTS.get(name, ())) for _ in range(2))
    assert one.mode == "RGB"
    assert one.tobytes() == two.tobytes() != before
    assert picture.tobytes() == before, "the picture itself stays as it was"


@pytest.mark.parametrize("name", ["jpeg", "webp", "png"])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_an_encoder_writes_a_file_of_its_format(name, mode):
    with Image.open(io.BytesIO(getattr(edits, name)(scene(1).convert(mode)))) as opened:
        assert (opened.format.lower(), opened.size) == (name, (300, 220))


@pytest.mark.parametrize(("degrees", "orientation"), [(90, 6), (180, 3), (270, 8)])
def test_turns_are_clockwise(degrees, orientation):
    picture = scene(2)
    assert np.array_equal(
        np.asarray(edits.rotate(picture, degrees)), turn(np.asarray(picture), orientation)
    )


@pytest.mark.parametrize("side", [1, 64, 200])
def test_a_thumbnail_keeps_the_shape(side):
    small = edits.thumbnail(scene(1), side)
    assert max(small.size) == side
    assert small.height == max(1, round(220 * side / 300))


def test_a_crop_keeps_its_share_of_the_area_and_its_place():
    picture = scene(3)
    part = edits.crop(picture, 0.25, 1.0, 0.0)
    assert part.size == (150, 110)
    assert np.array_equal(np.asarray(part), np.asarray(picture)[:110, 150:])


def test_captions_stay_within_the_picture_and_bands_add_to_it():
    picture = scene(4)
    assert edits.caption(picture).size == picture.size
    below, above = edits.caption_band(picture), edits.caption_band(picture, above=True)
    assert below.size == above.size == (300, 264)
    assert np.array_equal(np.asarray(below)[:220], np.asarray(picture))
    assert np.array_equal(np.asarray(above)[44:], np.asarray(picture))


@pytest.mark.parametrize("aspect", [0.5, 1.0, 16 / 9])
def test_a_letterbox_has_the_aspect_asked_for(aspect):
    boxed = edits.letterbox(scene(5), aspect)
    assert boxed.width / boxed.height == pytest.approx(aspect, rel=0.01)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1)])
@pytest.mark.parametrize("name", PICTURES)
def test_edits_take_pictures_of_any_size(name, size):
    edited = getattr(edits, name)(scene(1).resize(size), *ARGUMENTS.get(name, ()))
    assert min(edited.size) >= 1
