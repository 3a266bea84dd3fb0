from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from ris_jobs.demo import edits
from ris_jobs.match.orientation import ORIENTATIONS, inverse, turn
from ris_jobs.match.pixels import (
    SIDE,
    best_band,
    best_orientation,
    compare,
    compare_blurred,
    view,
)
from tests.match.scenes import scene

SEEDS = st.integers(0, 10_000)


@settings(max_examples=30)
@given(SEEDS, st.sampled_from(ORIENTATIONS), st.integers(40, 300))
def test_orientation_is_recovered_at_any_size(seed, orientation, side):
    picture = scene(seed)
    copy = np.asarray(edits.thumbnail(picture, side))
    turned = view(np.ascontiguousarray(turn(copy, orientation)))
    assert best_orientation(turned, view(np.asarray(picture))) == orientation
    assert best_orientation(view(np.asarray(picture)), turned) == inverse(orientation)


@settings(max_examples=30)
@given(SEEDS, st.sampled_from(ORIENTATIONS), st.integers(32, 60))
def test_a_picture_smaller_than_what_is_compared_agrees_in_any_orientation(seed, orientation, side):
    picture = scene(seed)
    small = np.asarray(edits.thumbnail(picture, side))
    turned = view(np.ascontiguousarray(turn(small, inverse(orientation))))
    found = compare(view(np.asarray(picture)), turned, orientation)
    assert found.agreement > 0.9 and found.luma < 3


@settings(max_examples=30)
@given(SEEDS, SEEDS, st.integers(20, 300))
def test_comparing_the_other_way_round_gives_the_same_sizes(one, two, side):
    a, b = view(np.asarray(scene(one))), view(np.asarray(edits.thumbnail(scene(two), side)))
    there, back = compare(a, b), compare(b, a)
    assert there.agreement == back.agreement
    assert there.correlation == pytest.approx(back.correlation, abs=1e-5)
    assert there.luma_worst == pytest.approx(back.luma_worst, abs=1e-3)
    assert there.colours == back.colours[::-1]


def test_a_picture_agrees_with_itself_and_not_with_another():
    one, two = view(np.asarray(scene(1))), view(np.asarray(scene(2)))
    same, other = compare(one, one), compare(one, two)
    assert (same.agreement, same.changed, same.luma_worst) == (1.0, 0.0, 0.0)
    assert other.agreement < 0.2 and other.changed > 0.5


@pytest.mark.parametrize("edit", [edits.greyscale, edits.brightness, edits.colour_shift])
def test_changes_of_tone_keep_agreement_and_show_as_difference(edit):
    picture = scene(3)
    found = compare(view(np.asarray(picture)), view(np.asarray(edit(picture))))
    assert found.agreement > 0.95
    assert max(found.luma, found.chroma) > 3


def test_a_caption_costs_the_blocks_it_covers():
    picture = scene(4)
    found = compare(view(np.asarray(picture)), view(np.asarray(edits.caption(picture))))
    assert 0.7 < found.agreement < 0.9
    assert 0.1 < found.changed < 0.25


def test_greyscale_and_one_tint_have_no_colours():
    picture = scene(5)
    grey = edits.greyscale(picture)
    tinted = edits.colour_shift(grey, 1.0, 0.8, 0.6)
    found = compare(view(np.asarray(grey)), view(np.asarray(tinted)))
    assert max(found.colours) < 0.5
    assert compare(view(np.asarray(picture)), view(np.asarray(grey))).colours[0] > 5


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 1), (7, 300)])
def test_any_shape_has_a_view(shape):
    found = view(np.full((*shape, 3), 200, np.uint8))
    assert found.ycc.shape == (SIDE, SIDE, 3)
    assert compare(found, found).agreement == 0.0, "nothing in it is textured"


@settings(max_examples=20)
@given(SEEDS, st.sampled_from(ORIENTATIONS))
def test_an_inverted_picture_is_found_in_any_orientation(seed, orientation):
    picture = view(np.asarray(scene(seed)))
    turned = turn(np.asarray(ImageOps.invert(scene(seed))), inverse(orientation))
    other = view(np.ascontiguousarray(turned))
    correlation, found = best_band(picture, other)
    assert correlation < -0.99 and found == orientation
    evidence = compare_blurred(picture, other, found, negative=True)
    assert evidence.agreement == 1 and evidence.negative and evidence.luma > 20


@settings(max_examples=20)
@given(SEEDS, st.integers(14, 30))
def test_a_picture_of_large_squares_agrees_without_detail(seed, side):
    picture = scene(seed)
    coarse = edits.thumbnail(picture, side).resize(picture.size, Image.Resampling.NEAREST)
    one, two = view(np.asarray(picture)), view(np.asarray(coarse))
    assert best_band(one, two)[0] > 0.85
    found = compare_blurred(one, two, 1, negative=False)
    assert found.agreement > max(0.75, compare(one, two).agreement - 0.01)


@settings(max_examples=30)
@given(SEEDS, SEEDS)
def test_other_pictures_do_not_agree_without_detail(one, two):
    assume(one != two)
    a, b = view(np.asarray(scene(one))), view(np.asarray(scene(two)))
    assert abs(best_band(a, b)[0]) < 0.85


def test_a_flat_picture_has_no_band():
    flat, other = (view(np.asarray(Image.new("RGB", (90, 70), c))) for c in ("red", "white"))
    assert best_band(flat, other)[0] == 0


@settings(max_examples=20)
@given(SEEDS, st.sampled_from([0.5, 0.8, 1.0]), st.integers(-20, 20))
def test_paler_and_lighter_pictures_keep_their_hue(seed, colour, lighter):
    one = view(np.asarray(scene(seed)))
    ycc = one.ycc * np.float32([1, colour, colour]) + np.float32([lighter, 0, 0])
    found = compare(one, replace(one, ycc=ycc))
    assert found.hue > 0.999
    assert found.lighter == pytest.approx(lighter, abs=1e-3)
    assert max(found.unmapped, found.unmapped_chroma) < 1


@pytest.mark.parametrize("degrees", [30, 90, 180])
def test_hue_is_the_cosine_of_the_angle_that_colours_turn_by(degrees):
    one, angle = view(np.asarray(scene(3))), np.radians(degrees)
    turning = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    ycc = one.ycc.copy()
    ycc[..., 1:] = ycc[..., 1:] @ turning.T
    assert compare(one, replace(one, ycc=ycc)).hue == pytest.approx(np.cos(angle), abs=0.01)
