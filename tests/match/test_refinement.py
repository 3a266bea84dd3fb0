"""A box that is a little off is found to a part of a pixel; what does not fit is not forced."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris_jobs.match import alignment
from ris_jobs.match.alignment import align
from ris_jobs.match.containment import Found, cut
from ris_jobs.match.pixels import compare, view
from ris_jobs.match.refinement import refined, sampled
from tests.match.scenes import scene


def picture(seed):
    return np.asarray(scene(seed, (250, 200)))


def grain(seed):
    """Of so fine a texture that half a pixel matters."""
    noise = np.random.default_rng(seed).normal(0, 1, (200, 250, 3)).astype(np.float32)
    fine = cv2.GaussianBlur(noise, (0, 0), 1.0)
    return np.clip(128 + 45 * fine / fine.std(), 0, 255).astype(np.uint8)


def window(image, box, size):
    """What lies in a box (fractions), at ``size`` (w, h) pixels, whatever the box's edges."""
    corners = np.array([box[:2], (box[2], box[1]), box[2:]]) * image.shape[1::-1] - 0.5
    into = np.array([(0, 0), (size[0], 0), size]) - 0.5
    matrix = cv2.getAffineTransform(into.astype(np.float32), corners.astype(np.float32))
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)


@settings(max_examples=30)
@given(
    st.integers(0, 99),
    st.floats(0.05, 0.4),
    st.floats(0.05, 0.4),
    st.floats(-1, 1),
    st.floats(-1, 1),
)
def test_a_box_a_pixel_off_is_found_to_a_part_of_one(seed, left, top, dx, dy):
    image, box = grain(seed), (left, top, left + 0.45, top + 0.5)
    inner, outer = view(window(image, box, (112, 100))), view(image)
    off = (box[0] + dx / 250, box[1] + dy / 200, box[2] + dy / 250, box[3] - dx / 200)
    found = refined(inner, outer, off)
    np.testing.assert_allclose((np.array(found) - box) * [250, 200, 250, 200], 0, atol=0.25)


def test_fine_texture_agrees_only_where_the_box_is_exact():
    image, box = grain(3), (0.1, 0.2, 0.5, 0.65)
    inner, outer = view(window(image, box, (100, 90))), view(image)
    off = (0.1 + 1.5 / 250, 0.2 - 1.5 / 200, 0.5 - 1 / 250, 0.65)
    assert compare(inner, view(sampled(image, off))).agreement < 0.6
    nearer = view(sampled(image, refined(inner, outer, off)))
    assert compare(inner, nearer).agreement > 0.9


def test_a_place_that_the_search_found_a_little_off_holds(monkeypatch):
    slow = cv2.GaussianBlur(picture(4), (0, 0), 8)
    image, box = cv2.addWeighted(slow, 1, grain(4), 0.3, -38), (0.1, 0.2, 0.5, 0.65)
    inner, outer = view(window(image, box, (100, 90))), view(image)
    off = Found((0.1 + 2 / 250, 0.2 - 2 / 200, 0.5 - 2 / 250, 0.65), 0.8)
    monkeypatch.setattr(alignment, "find_inside", lambda one, _: off if one is inner else None)
    found = align(inner, outer, 1, search=True)
    assert found.held and found.inside.inner_first and found.pixels.agreement > 0.9
    np.testing.assert_allclose((np.array(found.inside.box) - box) * 250, 0, atol=0.3)
    monkeypatch.setattr(alignment, "refined", lambda *_: None)
    assert not align(inner, outer, 1, search=True).held


@pytest.mark.parametrize("seed", range(8))
def test_a_different_picture_agrees_nowhere(seed):
    inner, outer = picture(seed)[40:140, 60:180], picture(seed + 50)
    box = refined(view(inner), view(outer), (0.24, 0.2, 0.72, 0.7))
    if box is not None:
        assert compare(view(inner), view(sampled(outer, box))).agreement < 0.3


def test_a_turned_picture_has_no_box():
    image = picture(5)
    turned = cv2.warpAffine(image, cv2.getRotationMatrix2D((125, 100), 6, 1.0), (250, 200))
    part = np.ascontiguousarray(turned[60:140, 75:175])
    assert refined(view(part), view(image), (0.3, 0.3, 0.7, 0.7)) is None


def test_pictures_without_detail_and_specks_have_none():
    flat = view(np.full((200, 250, 3), 90, np.uint8))
    assert refined(flat, flat, (0.1, 0.1, 0.6, 0.6)) is None
    assert refined(view(picture(1)), view(picture(1)), (0.1, 0.1, 0.12, 0.6)) is None


@given(st.integers(0, 200), st.integers(0, 150), st.integers(1, 50), st.integers(1, 50))
def test_of_whole_pixels_the_part_is_cut(x, y, wide, high):
    image, box = picture(2), (x / 250, y / 200, (x + wide) / 250, (y + high) / 200)
    np.testing.assert_array_equal(sampled(image, box), cut(image, box))
