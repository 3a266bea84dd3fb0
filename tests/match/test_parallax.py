from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.accuracy.negatives import view
from ris_jobs.demo import edits
from ris_jobs.match.geometry import Registration, keypoints, project, register
from ris_jobs.match.parallax import parallax
from tests.match.scenes import scene
from tests.match.test_detail import opened

SIZE = (480, 360)
NONE = np.empty((0, 2))


def registered(first, second, off=(NONE, NONE)):
    """On each other as they are."""
    return Registration(np.eye(3), first, second, off)


def left_between(one, two):
    a, b = (keypoints(np.asarray(image)) for image in (one, two))
    found = register(a, b)
    return parallax(found, a.size, b.size)


@pytest.mark.parametrize("seed", range(3))
def test_another_view_of_a_scene_leaves_what_neighbours_share(seed):
    one, two = (view(scene(seed, SIZE), Random(seed), side) for side in (0, 1))
    assert left_between(one, two) > 0.3


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(50, 95), st.floats(0.4, 1.6))
def test_a_copy_leaves_next_to_nothing(seed, quality, scale):
    picture = scene(seed, SIZE)
    copy = picture.resize([round(side * scale) for side in SIZE])
    assert left_between(picture, opened(edits.jpeg(copy, quality))) < 0.2


@settings(max_examples=30)
@given(st.lists(st.floats(-0.01, 0.01), min_size=8, max_size=8), st.integers(0, 99))
def test_what_a_map_of_the_plane_explains_is_none(off, seed):
    places = np.random.default_rng(seed).uniform(0, 1, (60, 2))
    moved = project(np.eye(3) + np.array([*off, 0]).reshape(3, 3), places)
    assert parallax(registered(places, moved), SIZE, SIZE) < 0.05


@settings(max_examples=30)
@given(st.floats(0.1, 0.5), st.integers(0, 99))
def test_it_is_how_far_neighbours_lie_off_together(height, seed):
    places = np.random.default_rng(seed).uniform(0, 1, (500, 2))
    wave = height * np.sin(4 * np.pi * places[:, 0])
    moved = places + np.column_stack([np.zeros(500), wave / SIZE[1]])
    found = parallax(registered(places, moved), SIZE, SIZE)
    assert found == pytest.approx(height / np.sqrt(2), rel=0.2)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 99), st.floats(0.4, 1.6))
def test_it_is_the_same_whichever_comes_first(seed, scale):
    one = view(scene(seed, SIZE), Random(seed), 0)
    two = view(scene(seed, SIZE), Random(seed), 1)
    a = keypoints(np.asarray(one))
    b = keypoints(np.asarray(two.resize([round(side * scale) for side in two.size])))
    found = register(a, b)
    assert parallax(found, a.size, b.size) == pytest.approx(
        parallax(found.inverse(), b.size, a.size), abs=1e-6
    )


def test_what_each_keypoint_has_of_its_own_is_none():
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 1, (500, 2))
    found = registered(places, places + rng.normal(0, 1, (500, 2)) / SIZE)
    assert parallax(found, SIZE, SIZE) < 0.1


def test_one_place_found_twice_is_no_neighbour():
    places = np.repeat([[0.2, 0.2], [0.8, 0.8]], 2, axis=0)
    off = np.array([[3, 0], [3, 0], [0, 3], [0, 3]]) / SIZE
    found = parallax(registered(places, places + off), SIZE, SIZE)
    assert found == pytest.approx(0, abs=1e-6)
    assert parallax(registered(places[:2], places[:2]), SIZE, SIZE) == 0


def planes(moved, seed=0):
    """Keypoints of a ground, and those of what stands before it, which have ``moved`` (40, 2)
    pixels more."""
    rng = np.random.default_rng(seed)
    ground, near = rng.uniform(0, 1, (200, 2)), rng.uniform(0.4, 0.6, (40, 2))
    return registered(ground, ground, (near, near + moved / SIZE))


def test_what_lies_off_the_map_counts_where_neighbours_moved_as_far():
    moved = np.tile([9.0, 0.0], (40, 1))
    assert parallax(planes(moved), SIZE, SIZE) > 0.15
    apart = np.random.default_rng(1).uniform(-12, 12, (40, 2))
    assert parallax(planes(apart), SIZE, SIZE) < 0.1


def test_what_lies_far_off_is_another_thing_that_looks_alike():
    assert parallax(planes(np.tile([40.0, 0.0], (40, 1))), SIZE, SIZE) < 0.01


def test_two_that_lie_off_by_chance_do_not_outweigh_the_others():
    places = np.random.default_rng(0).uniform(0, 1, (60, 2))
    off = np.array([[0.5, 0.5], [0.51, 0.5]])
    found = registered(places, places, (off, off + np.array([12, 0]) / SIZE))
    assert parallax(found, SIZE, SIZE) < 0.1
