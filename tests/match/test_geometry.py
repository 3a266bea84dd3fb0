"""Known maps are found again, whichever picture comes first; different pictures share none."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris_jobs.match.geometry import (
    COUNT,
    STEPS,
    Registration,
    keypoints,
    overlap,
    plane,
    project,
    register,
    squares,
)
from ris_jobs.match.orientation import turn
from ris_jobs.match.registered import aligned
from tests.match.scenes import scene

SIZE = (480, 360)
SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)


def picture(seed, size=SIZE):
    return np.asarray(scene(seed, size))


def found(first, second):
    return register(keypoints(first), keypoints(second))


def tilted(image, degrees, scale=1.0):
    """The picture turned about its middle, and the map (fractions) from it to the result."""
    height, width = image.shape[:2]
    pixels = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    moved = cv2.warpAffine(image, pixels, (width, height), borderValue=(128, 128, 128))
    # OpenCV's places are the middles of pixels.
    shift = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    pixels = shift @ np.vstack([pixels, [0, 0, 1]]) @ np.linalg.inv(shift)
    fractions = np.diag([1 / width, 1 / height, 1])
    return moved, fractions @ pixels @ np.linalg.inv(fractions)


@settings(max_examples=6)
@given(
    st.integers(0, 5),
    st.floats(-180, 180),
    st.floats(0.5, 1.6),
    st.sampled_from([1, 2, 3, 6]),
)
def test_a_known_map_is_found_again(seed, degrees, scale, orientation):
    image = picture(seed)
    moved, expected = tilted(image, degrees, scale)
    turned = np.ascontiguousarray(turn(moved, orientation))
    registration = found(image, turned)
    assert registration is not None and registration.inliers >= 20
    corners = project(registration.matrix, SQUARE * 0.5 + 0.25)
    places = project(expected, SQUARE * 0.5 + 0.25)
    flips = {1: places, 2: np.float32([1, 0]) + places * [-1, 1], 3: 1 - places}
    flips[6] = np.stack([1 - places[:, 1], places[:, 0]], axis=1)
    np.testing.assert_allclose(corners, flips[orientation], atol=0.01)


@settings(max_examples=6)
@given(st.integers(0, 5), st.floats(-30, 30), st.floats(0.6, 1.5))
def test_the_map_back_is_the_inverse(seed, degrees, scale):
    image = picture(seed)
    moved, _ = tilted(image, degrees, scale)
    forth, back = found(image, moved), found(moved, image)
    np.testing.assert_allclose(forth.matrix @ back.matrix, np.eye(3), atol=0.02)
    one, two = overlap(forth), overlap(back)
    np.testing.assert_allclose(one.coverage, two.coverage[::-1], atol=0.02)


def test_the_keypoints_that_agree_lie_on_each_other():
    image = picture(1)
    moved, _ = tilted(image, 20, 0.8)
    forth = found(image, moved)
    assert 20 <= forth.inliers == len(forth.first) == len(forth.second) <= forth.matched
    np.testing.assert_allclose(project(forth.matrix, forth.first), forth.second, atol=0.02)
    back = forth.inverse()
    np.testing.assert_allclose(project(back.matrix, back.first), back.second, atol=0.02)
    assert (back.inliers, back.matched) == (forth.inliers, forth.matched)


def clearly_nearest(one, two):
    """The plain reference: (row, column) by sorting, one keypoint at a time."""
    found = set()
    for row, values in enumerate(one @ two.T):
        best, second = np.argsort(-values)[:2]
        if 1 - values[best] < 0.8**2 * (1 - values[second]):
            found.add((row, int(best)))
    return found


def test_pairs_are_each_the_others_clearly_nearest():
    image = picture(1)
    moved, _ = tilted(image, 20, 0.8)
    keys = [keypoints(shown) for shown in (image, moved)]
    one, two = (np.sqrt(d / d.sum(axis=1, keepdims=True)) for d in (k.descriptors for k in keys))
    back = {(row, column) for column, row in clearly_nearest(two, one)}
    assert register(*keys).matched == len(clearly_nearest(one, two) & back) >= 20


@pytest.mark.parametrize("seed", range(6))
def test_different_pictures_share_nothing(seed):
    one, two = picture(seed), picture(seed + 20)
    registration = found(one, two)
    assert registration is None or aligned(one, two, registration) is None


def test_a_map_onto_one_line_is_none():
    keys = keypoints(picture(0))
    line = np.stack([keys.places.sum(axis=1) // 3] * 2, axis=1).astype(np.uint16)
    assert register(keys, replace(keys, places=line)) is None


def test_pictures_without_detail_have_no_map():
    flat = np.full((100, 100, 3), 120, np.uint8)
    assert found(flat, flat) is None


def test_what_overlaps_lies_on_each_other():
    image = picture(3)
    part = np.ascontiguousarray(image[60:240, 100:340])
    registration = found(image, part)
    shared = overlap(registration)
    assert shared.coverage[0] == pytest.approx(180 * 240 / (480 * 360), abs=0.005)
    assert shared.coverage[1] == pytest.approx(1, abs=0.01)
    one, two, both = squares(image, part, registration, shared, 64)
    assert both.mean() > 0.95
    assert np.abs(one.astype(int) - two)[both].mean() < 5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_that_of_the_second_turned_to_the_first(orientation):
    image = picture(4)
    second = image[40:300, 30:400]
    first = np.ascontiguousarray(turn(second, orientation))
    found_ = aligned(first, image, found(first, image))
    assert found_.orientation == orientation
    assert found_.inside.inner_first and found_.verified.straight
    np.testing.assert_allclose(
        found_.inside.box, (30 / 480, 40 / 360, 400 / 480, 300 / 360), atol=0.004
    )
    assert found_.pixels.agreement > 0.9


def test_a_pasted_picture_has_a_seam_and_a_crop_has_none():
    image, ground = picture(5), picture(6).copy()
    small = cv2.resize(image, (200, 150), interpolation=cv2.INTER_AREA)
    ground[100:250, 180:380] = small
    pasted = aligned(image, ground, found(image, ground))
    crop = np.ascontiguousarray(image[60:260, 90:330])
    cut = aligned(crop, image, found(crop, image))
    assert pasted.inside.inner_first and cut.inside.inner_first
    assert pasted.inside.surround.seam > 1.0 > 0.8 > cut.inside.surround.seam


def test_a_tilted_picture_is_whole_and_bent():
    image = picture(7)
    moved, _ = tilted(image, 8)
    found_ = aligned(image, moved, found(image, moved))
    assert found_.inside is None and not found_.verified.straight
    assert found_.orientation == 1


def in_perspective(image, corners, ground):
    """The picture with its corners, clockwise from the top left, at these places of ``ground``."""
    height, width = image.shape[:2]
    size = np.float32([width, height])
    matrix = cv2.getPerspectiveTransform(SQUARE * size, np.float32(corners) * size)
    return cv2.warpPerspective(
        image, matrix, (width, height), ground.copy(), borderMode=cv2.BORDER_TRANSPARENT
    )


def test_a_slight_perspective_is_bent_and_whole():
    image = picture(8)
    corners = [(0.03, 0.01), (0.98, 0.0), (0.99, 0.97), (0.0, 0.99)]
    moved = in_perspective(image, corners, np.full_like(image, 12))
    found_ = aligned(image, moved, found(image, moved))
    assert found_.inside is None and found_.bent
    assert found_.pixels.agreement > 0.95


def test_what_is_bent_on_bare_ground_is_whole_and_on_a_picture_inside():
    image = picture(9)
    corners = [(0.2, 0.1), (0.85, 0.05), (0.7, 0.8), (0.12, 0.7)]
    bare = in_perspective(image, corners, np.full_like(image, 200))
    pasted = in_perspective(image, corners, picture(10))
    alone, within = (aligned(image, copy, found(image, copy)) for copy in (bare, pasted))
    assert alone.bent and alone.inside is None
    assert within.bent and within.inside is not None
    assert within.inside.box == pytest.approx((0.12, 0.05, 0.85, 0.8), abs=0.01)


@settings(max_examples=10)
@given(
    st.integers(0, 5),
    st.sampled_from(range(1, 9)),
    st.floats(0, 0.4),
    st.floats(0, 0.4),
    st.floats(0.45, 0.6),
    st.floats(0.6, 1.5),
)
def test_the_box_scale_and_orientation_of_a_window_are_found_again(
    seed, orientation, x, y, share, scale
):
    image = picture(seed)
    left, top, wide, high = (round(v) for v in (x * 480, y * 360, share * 480, share * 360))
    window = image[top : top + high, left : left + wide]
    sized = cv2.resize(window, (round(wide * scale), round(high * scale)))
    copy = np.ascontiguousarray(turn(sized, orientation))
    forth, back = aligned(copy, image, found(copy, image)), aligned(image, copy, found(image, copy))
    assert forth.orientation == orientation and forth.inside.inner_first
    box = (left / 480, top / 360, (left + wide) / 480, (top + high) / 360)
    assert forth.inside.box == pytest.approx(box, abs=0.01)
    covered = forth.verified.coverage
    sizes = copy.shape[0] * copy.shape[1] / (image.shape[0] * image.shape[1])
    assert (sizes * covered[0] / covered[1]) ** 0.5 == pytest.approx(scale, rel=0.03)
    assert not back.inside.inner_first
    assert back.inside.box == pytest.approx(box, abs=0.01)


def mapped(matrix):
    none = np.empty((0, 2))
    return overlap(Registration(np.asarray(matrix, np.float64), none, none, (none, none)))


@settings(max_examples=200)
@given(st.floats(0.2, 3), st.floats(-0.5, 0.9), st.floats(-0.5, 0.9), st.floats(-1e-4, 1e-4))
def test_shares_are_those_of_boxes(scale, x, y, noise):
    """Also where edges lie on each other, but for `noise`."""
    shared = mapped([[scale, noise, x], [noise, scale, y], [0, 0, 1]])
    wide, high = (max(0.0, min(1, at + scale) - max(0, at)) for at in (x, y))
    if wide * high < 1e-3:
        return
    assert shared.coverage[1] == pytest.approx(wide * high, abs=1e-3)
    assert shared.coverage[0] == pytest.approx(wide * high / scale**2, abs=1e-3)


def test_edges_that_lie_on_each_other():
    rng = np.random.default_rng(0)
    for size in (0.5, 1.0):
        for noise in rng.normal(0, 1e-5, (300, 3, 3)):
            noise[2] = 0
            shared = mapped(np.diag([size, size, 1]) + noise)
            assert shared.coverage == pytest.approx((1, size**2), abs=1e-3)


def test_a_picture_in_perspective_is_found_beyond_its_horizon():
    """The corners of the second lie behind the first's plane; the first's own do not."""
    shared = mapped([[0.3, 0.02, 0.1], [0.01, 0.3, 0.1], [-0.85, 0.0, 1]])
    places = project(np.array([[0.3, 0.02, 0.1], [0.01, 0.3, 0.1], [-0.85, 0, 1]]), SQUARE)
    inside = bool(((places >= 0) & (places <= 1)).all())
    assert shared.coverage[0] == pytest.approx(1, abs=1e-6) if inside else shared.coverage[0] < 1
    assert 0 < shared.coverage[1] <= 1
    assert ((shared.first >= 0) & (shared.first <= 1)).all()


def test_there_are_never_more_keypoints_than_asked_for():
    """All of one strength, as in a picture of tiles."""
    tile = cv2.GaussianBlur(np.pad(np.full((2, 2), 255, np.uint8), 7), (0, 0), 1.5)
    assert len(keypoints(np.dstack([np.tile(tile, (30, 30))] * 3)).places) == COUNT


@pytest.mark.parametrize(
    ("size", "expected"),
    [((640, 480), (480, 360)), ((300, 200), (300, 200)), ((60, 120), (120, 240))],
)
def test_keypoints_lie_on_a_plane_of_bounded_size(size, expected):
    shown = picture(1, size)
    found_ = keypoints(shown)
    assert plane(shown) == found_.size == expected
    assert (found_.places / STEPS <= expected).all()
    assert found_.places.max() > STEPS * min(expected) / 2
