"""Keypoints come back from bytes as they were made, or not at all."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris_jobs.match import geometry
from ris_jobs.match.geometry import Keypoints, keypoints, register
from ris_jobs.match.packed import pack, unpack
from tests.match.scenes import scene


def picture(seed, size=(480, 360)):
    return np.asarray(scene(seed, size))


PICTURE = picture(1)
DATA = pack(keypoints(PICTURE), PICTURE)


def equal(one, two):
    same = np.array_equal(one.places, two.places)
    return same and np.array_equal(one.descriptors, two.descriptors) and one.size == two.size


@pytest.mark.parametrize("size", [(480, 360), (640, 200), (90, 120), (40, 9)])
def test_what_is_read_is_what_was_made(size):
    shown = picture(2, size)
    made = keypoints(shown)
    read = unpack(pack(made, shown), shown)
    assert equal(read, made)
    assert (read.places.dtype, read.descriptors.dtype) == (np.uint16, np.uint8)


def test_a_picture_without_keypoints_is_kept_as_such():
    flat = np.full((100, 100, 3), 120, np.uint8)
    assert len(unpack(pack(keypoints(flat), flat), flat).places) == 0


def test_the_same_picture_gives_the_same_bytes():
    assert pack(keypoints(PICTURE.copy()), PICTURE) == DATA


def test_pictures_lie_on_each_other_the_same_way():
    part = np.ascontiguousarray(PICTURE[60:240, 100:340])
    made = [keypoints(shown) for shown in (PICTURE, part)]
    read = [unpack(pack(k, shown), shown) for k, shown in zip(made, (PICTURE, part), strict=True)]
    one, two = register(*made), register(*read)
    assert one.inliers >= 20 and one.matched == two.matched
    np.testing.assert_array_equal(one.matrix, two.matrix)
    np.testing.assert_array_equal(one.first, two.first)


@settings(max_examples=100)
@given(st.binary(max_size=400))
def test_other_bytes_are_none(data):
    assert unpack(data, PICTURE) is None


@settings(max_examples=100)
@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_damaged_bytes_are_none(at, change):
    damaged = bytearray(DATA)
    damaged[at] ^= change
    assert unpack(bytes(damaged), PICTURE) is None


@settings(max_examples=100)
@given(st.integers(0, len(DATA) - 1))
def test_short_and_long_bytes_are_none(length):
    assert unpack(DATA[:length], PICTURE) is None
    assert unpack(DATA + DATA[:length], PICTURE) is None or length == 0


def test_those_of_another_picture_are_none():
    other = PICTURE.copy()
    other[10, 10] ^= 1
    assert unpack(DATA, other) is None
    assert unpack(DATA, PICTURE.transpose(1, 0, 2)) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("_SIDE", 400), ("_LEAST_SIDE", 200), ("_CONTRAST", 0.03), ("COUNT", 900), ("STEPS", 32)],
)
def test_those_of_other_settings_are_none(name, value, monkeypatch):
    monkeypatch.setattr(geometry, name, value)
    assert unpack(DATA, PICTURE) is None


def test_those_of_another_opencv_are_none(monkeypatch):
    monkeypatch.setattr(cv2, "__version__", "4.99")
    assert unpack(DATA, PICTURE) is None


def forged(count, place=0):
    places = np.full((count, 2), place, np.uint16)
    return Keypoints(places, np.zeros((count, 128), np.uint8), geometry.plane(PICTURE))


def test_numbers_out_of_bounds_are_none_though_the_digest_is_right():
    assert unpack(pack(forged(800), PICTURE), PICTURE) is not None
    assert unpack(pack(forged(801), PICTURE), PICTURE) is None
    assert unpack(pack(forged(5, place=360 * 64), PICTURE), PICTURE) is not None
    assert unpack(pack(forged(5, place=360 * 64 + 1), PICTURE), PICTURE) is None
