"""Which of a part and a whole is derived, when one of them has more pixels of what both show."""

from __future__ import annotations

import pytest
from PIL import Image
from skimage import data

from ris_jobs.demo import edits

SHARP = Image.fromarray(data.chelsea()).crop((60, 20, 380, 280))


def resized(picture: Image.Image, factor: float) -> Image.Image:
    size = tuple(round(side * factor) for side in picture.size)
    return picture.resize(size, Image.Resampling.LANCZOS)


def part(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    return picture.crop((width // 5, height // 5, width * 4 // 5, height * 4 // 5))


def pasted(picture: Image.Image) -> Image.Image:
    """Beside another picture."""
    page = Image.fromarray(data.coffee()).resize((2 * picture.width, 2 * picture.height))
    page.paste(picture, (picture.width // 2, picture.height // 2))
    return page


@pytest.fixture
def told(collection, decide):
    """The direction between two files, and whether the first is called derived."""

    def told(one: bytes, two: bytes):
        a, b = collection.add(one), collection.add(two)
        match = decide(a, b)
        assert match is not None
        return match.evidence["direction"], match.derived_id == a.image_id

    return told


def test_a_sharp_part_was_not_cut_out_of_a_thumbnail(told):
    thumbnail, sharp = edits.jpeg(resized(SHARP, 0.3)), edits.jpeg(part(SHARP))
    assert told(sharp, thumbnail)[0] == "undetermined"
    assert told(edits.jpeg(part(SHARP)), edits.jpeg(SHARP, 90)) == ("containment", True)


def test_an_enlarged_part_was_cut_out_of_what_it_shows(told):
    thumbnail = resized(SHARP, 0.3)
    enlarged = resized(part(thumbnail), 3.3)
    assert told(edits.jpeg(enlarged), edits.jpeg(thumbnail)) == ("containment", True)


def test_a_thumbnail_is_not_what_was_pasted_sharp(told):
    sharp, thumbnail = edits.jpeg(pasted(SHARP)), edits.jpeg(resized(SHARP, 0.3))
    assert told(sharp, thumbnail)[0] == "undetermined"
    assert told(edits.jpeg(pasted(resized(SHARP, 0.3))), edits.png(SHARP)) == ("pasted", True)
    enlarged = edits.jpeg(pasted(resized(resized(SHARP, 0.3), 3.3)))
    assert told(enlarged, edits.png(resized(SHARP, 0.3))) == ("pasted", True)


def test_a_caption_was_not_lost_by_pasting(told):
    page = edits.jpeg(pasted(SHARP))
    assert told(page, edits.jpeg(edits.caption(SHARP)))[0] == "undetermined"
    assert told(page, edits.jpeg(SHARP)) == ("pasted", True)
