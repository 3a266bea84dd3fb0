"""Which of a part and a whole is derived, when one of them has more pixels of what both show."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw
from skimage import data

from ris_jobs.demo import edits
from tests.match.scenes import hills

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


def test_a_crop_at_an_edge_of_the_picture_was_not_pasted(told):
    whole = Image.fromarray(hills(13))
    cropped = whole.crop((0, 70, 300, 220))
    assert told(edits.jpeg(cropped), edits.jpeg(whole, 90)) == ("undetermined", True)


def test_what_was_laid_beside_another_picture_was_pasted(told):
    page = Image.fromarray(data.coffee()).resize((320, 340))
    page.paste(SHARP, (0, 80))
    assert told(edits.jpeg(page), edits.jpeg(SHARP, 90)) == ("pasted", True)


def test_an_outline_a_pixel_off_is_no_caption(told):
    logo = Image.new("RGB", (260, 260), (220, 30, 40))
    draw = ImageDraw.Draw(logo)
    draw.ellipse((30, 30, 230, 230), fill="white")
    draw.polygon([(130, 50), (210, 190), (50, 190)], fill=(20, 40, 160))
    draw.rectangle((4, 4, 255, 255), outline="black", width=4)
    page = Image.fromarray(data.astronaut()).resize((500, 375))
    page.paste(logo.resize((128, 128), Image.Resampling.LANCZOS), (364, 239))
    assert told(edits.jpeg(page), edits.png(logo)) == ("pasted", True)
