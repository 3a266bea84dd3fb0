from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps

from ris_jobs.demo import edits
from ris_jobs.match.detail import detailed
from ris_jobs.match.pixels import KEPT, Evidence, compare, view
from tests.match.scenes import scene


def form(words: str) -> Image.Image:
    """A form that many share, filled in."""
    image = Image.new("RGB", (320, 240), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((10, 10, 310, 50), fill=(20, 60, 160))
    draw.rectangle((10, 70, 120, 225), outline="black", width=3)
    for line in range(5):
        draw.line((140, 100 + 28 * line, 300, 100 + 28 * line), fill=(150, 150, 150))
    draw.text((142, 72), words, fill="black", font_size=24)
    return image


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def seen(one: Image.Image, two: Image.Image, shared: np.ndarray | None = None) -> Evidence:
    a, b = np.asarray(one), np.asarray(two)
    return detailed(compare(view(a), view(b)), a, b, shared)


def test_a_form_filled_in_otherwise_has_other_detail():
    found = seen(form("Anna Arendt"), form("Bert Brecht"))
    assert found.agreement > 0.8 and found.plain > 0.5
    assert found.other > 0.05


@settings(max_examples=20)
@given(st.integers(40, 95), st.integers(160, 320), st.text("abcdefgh ", min_size=3, max_size=10))
def test_a_copy_of_a_form_has_none(quality, side, words):
    copy = opened(edits.jpeg(edits.thumbnail(form(words), side), quality))
    assert seen(form(words), copy).other < 0.02


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from([edits.blur, edits.brightness, edits.greyscale]))
def test_a_picture_that_lost_something_has_no_other_detail(seed, edit):
    picture = scene(seed)
    assert seen(picture, edit(picture)).other < 0.05


def test_order_does_not_matter():
    there, back = seen(form("one"), form("two")), seen(form("two"), form("one"))
    assert there.plain == back.plain
    assert there.other == pytest.approx(back.other, abs=0.01)


def test_what_is_not_shared_is_not_looked_at():
    shared = np.zeros((KEPT, KEPT), np.bool_)
    shared[: KEPT // 5] = True
    assert seen(form("Anna Arendt"), form("Bert Brecht"), shared).other == 0


def test_nothing_shared_is_neither_plain_nor_other():
    found = seen(scene(1), scene(2), np.zeros((KEPT, KEPT), np.bool_))
    assert (found.plain, found.other) == (0.0, 0.0)


def test_an_inverted_picture_has_the_detail_of_the_upright_tones():
    a, b = np.asarray(scene(5)), np.asarray(ImageOps.invert(scene(5)))
    evidence = compare(view(a), view(b))
    assert detailed(evidence, a, b).other > 0.5
    inverted = Evidence(
        **{**{n: getattr(evidence, n) for n in Evidence.__slots__}, "negative": True}
    )
    assert detailed(inverted, a, b).other < 0.01
