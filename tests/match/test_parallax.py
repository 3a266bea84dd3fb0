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


def left_between(one, two):
    a, b = (keypoints(np.asarray(image)) for image in (one, two))
    found = register(a, b)
    return parallax(found, a.size, b.size)


@pytest.mark.parametrize("seed", range(3))
def test_another_view_of_a_scene_leaves_what_neighbours_share(seed):
    one, two = (view(scene(seed, SIZE), Random(seed), side) for side in (0, 1))
    assert left_between(one, two) > 0.35


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(50, 95), st.floats(0.4, 1.6))
def test_a_copy_leaves_next_to_nothing(seed, quality, scale):
    picture = scene(seed, SIZE)
    copy = picture.resize([round(side * scale) for side in SIZE])
    assert left_between(picture, opened(edits.jpeg(copy, quality))) < 0.3


@settings(max_examples=30)
@given(st.lists(st.floats(-0.01, 0.01), min_size=8, max_size=8), st.integers(0, 99))
def test_what_a_map_of_the_plane_explains_is_none(off, seed):
    places = np.random.default_rng(seed).uniform(0, 1, (60, 2))
    moved = project(np.eye(3) + np.array([*off, 0]).reshape(3, 3), places)
    assert parallax(Registration(np.eye(3), 60, places, moved), SIZE, SIZE) < 0.05


@settings(max_examples=30)
@given(st.floats(0.5, 4), st.integers(0, 99))
def test_it_is_how_far_neighbours_lie_off_together(height, seed):
    places = np.random.default_rng(seed).uniform(0, 1, (500, 2))
    wave = height * np.sin(4 * np.pi * places[:, 0])
    moved = places + np.column_stack([np.zeros(500), wave / SIZE[1]])
    found = parallax(Registration(np.eye(3), 500, places, moved), SIZE, SIZE)
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
    found = Registration(np.eye(3), 500, places, places + rng.normal(0, 1, (500, 2)) / SIZE)
    assert parallax(found, SIZE, SIZE) < 0.35


def test_one_place_found_twice_is_no_neighbour():
    places = np.repeat([[0.2, 0.2], [0.8, 0.8]], 2, axis=0)
    off = np.array([[3, 0], [3, 0], [0, 3], [0, 3]]) / SIZE
    found = parallax(Registration(np.eye(3), 4, places, places + off), SIZE, SIZE)
    assert found == pytest.approx(0, abs=1e-6)
    assert parallax(Registration(np.eye(3), 2, places[:2], places[:2]), SIZE, SIZE) == 0
