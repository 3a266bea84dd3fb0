from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris_jobs.demo import edits
from ris_jobs.match import containment
from ris_jobs.match.alignment import align
from ris_jobs.match.containment import cut, even, find_inside, surround
from ris_jobs.match.pixels import KEPT, view
from tests.match.scenes import hills, scene


def overlap(one, two):
    """Intersection over union of two boxes."""
    wide = min(one[2], two[2]) - max(one[0], two[0])
    high = min(one[3], two[3]) - max(one[1], two[1])
    both = max(0.0, wide) * max(0.0, high)
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, two)]
    return both / (sum(areas) - both)


def seen(picture):
    return view(np.asarray(picture))


@settings(max_examples=25)
@given(st.integers(0, 999), st.floats(0.25, 0.9), st.floats(0, 1), st.floats(0, 1))
def test_the_box_of_a_crop_is_found(seed, fraction, x, y):
    picture = scene(seed)
    part = edits.crop(picture, fraction, x, y)
    left = round((picture.width - part.width) * x) / picture.width
    top = round((picture.height - part.height) * y) / picture.height
    true = (left, top, left + part.width / picture.width, top + part.height / picture.height)
    found = find_inside(seen(part), seen(picture))
    assert found is not None
    assert overlap(found.box, true) > 0.93


@settings(max_examples=25)
@given(st.integers(0, 999), st.floats(0.1, 1), st.floats(0, 1), st.floats(0, 1))
def test_around_the_place_found_before_lies_what_a_search_all_over_finds(seed, fraction, x, y):
    inner, outer = seen(edits.crop(scene(seed), fraction, x, y)), seen(scene(seed))
    found = find_inside(inner, outer)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(containment, "_PLAY", KEPT)
        all_over = find_inside(inner, outer)
    assert found is not None and all_over is not None
    assert found.box == all_over.box and found.score == pytest.approx(all_over.score, abs=1e-4)


@pytest.mark.parametrize(
    ("pad", "plain"),
    [(edits.pad, 0.98), (lambda p: edits.letterbox(p, 2.0), 0.98), (edits.caption_band, 0.7)],
)
def test_what_was_added_around_a_picture_is_plain_and_sets_in_with_a_step(pad, plain):
    picture = scene(11)
    padded = np.asarray(pad(picture))
    found = find_inside(seen(picture), view(padded))
    around = surround(view(padded).picture, found.box)
    assert around.plain > plain and around.rim < 5 and around.step > 20


@pytest.mark.parametrize(
    ("box", "lies_evenly"),
    [
        ((0.1, 0.2, 0.9, 0.8), True),  # a border
        ((0.0, 0.2, 1.0, 1.0), True),  # a band above
        ((0.0, 0.0, 0.8, 1.0), True),  # a band beside
        ((0.2, 0.0, 0.8, 1.0), True),  # a letterbox
        ((0.1, 0.0, 0.7, 1.0), False),
        ((0.0, 0.1, 0.8, 0.9), False),
    ],
)
def test_what_is_added_around_a_picture_lies_evenly(box, lies_evenly):
    assert even(box) is lies_evenly


def test_what_a_crop_left_out_is_not_plain():
    picture = scene(12)
    found = find_inside(seen(edits.crop(picture, 0.5)), seen(picture))
    around = surround(seen(picture).picture, found.box)
    assert around.rim > 10


def test_a_side_on_which_the_scene_goes_on_shows_beside_one_that_steps():
    picture = np.asarray(scene(13)).copy()
    box = (0.2, 0.2, 0.8, 0.75)
    goes_on = surround(picture, box)
    picture[165:] = 255
    steps = surround(picture, box)
    assert steps.seam > 2 * goes_on.seam and steps.least < steps.seam / 2
    other = np.asarray(scene(14)).copy()
    other[44:165, 60:240] = np.asarray(scene(13))[44:165, 60:240]
    assert surround(other, box).least > 0.5


@pytest.mark.parametrize("off", [-2, 0, 2])
def test_the_edge_of_another_picture_runs_straight(off):
    picture = hills(13)
    box = (0.0, (70 + off) / 220, 1.0, 1.0)
    assert surround(picture, box).sharp < 0.5
    picture[70:] = np.asarray(scene(14))[:150]
    assert surround(picture, box).sharp > 0.6
    assert surround(picture, (0.1, *box[1:])).sharp is None


@pytest.mark.parametrize("seed", range(20))
def test_a_different_picture_does_not_align(seed):
    assert not align(seen(scene(seed)), seen(scene(seed + 100)), 1, search=True).held


def test_the_whole_picture_has_no_surround():
    picture = np.asarray(scene(1))
    assert surround(picture, (0.0, 0.0, 1.0, 1.0)).plain == 0.0


@pytest.mark.parametrize("box", [(0.0, 0.0, 0.001, 0.001), (0.999, 0.999, 1.0, 1.0)])
def test_a_cut_is_never_empty(box):
    assert cut(np.zeros((5, 7, 3), np.uint8), box).size
