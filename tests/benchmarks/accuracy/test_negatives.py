from __future__ import annotations

from random import Random

import cv2
import numpy as np
import pytest

from benchmarks.accuracy import negatives
from tests.match.scenes import scene

GROUPS = list(negatives.GROUPS)


def test_every_group_has_twenty_files_or_more_in_whole_series():
    assert {
        "template", "logo", "placeholder", "flat", "gradient", "noise", "tiny", "interface",
        "document",
    } == set(GROUPS)  # fmt: skip
    assert {"screen", "frame"} == set(negatives.SHOWING)
    for group in (*negatives.GROUPS.values(), *negatives.SHOWING.values()):
        assert group.files >= 20
        assert group.files % group.series == 0


@pytest.mark.parametrize("group", GROUPS)
def test_pictures_of_a_group_are_the_same_each_time_and_all_different(group):
    count = 3 * negatives.GROUPS[group].series
    pictures = [negatives.make(group, number, 0) for number in range(count)]
    again = negatives.make(group, count - 1, 0)
    assert again.tobytes() == pictures[-1].tobytes()
    assert {picture.mode for picture in pictures} == {"RGB"}
    assert len({(p.size, p.tobytes()) for p in pictures}) == count


@pytest.mark.parametrize("group", ["template", "interface", "document"])
def test_a_series_shares_its_style_and_not_its_content(group):
    size = negatives.GROUPS[group].series
    assert [negatives.GROUPS[group].of(number) for number in (0, 1, size)] == [0, 0, 1]
    one, two, other = (negatives.make(group, number, 0) for number in (0, 1, size))
    assert one.size == two.size
    near = np.abs(np.asarray(one, int) - np.asarray(two, int)).mean()
    far = np.abs(np.asarray(one, int) - np.asarray(other.resize(one.size), int)).mean()
    assert 0 < near < far


@pytest.mark.parametrize("group", negatives.SHOWING)
def test_what_shows_photos_differs_within_its_series_by_the_photo(group):
    one, two = (np.asarray(negatives.show(group, 0, 3, scene(n)), int) for n in (1, 2))
    other = negatives.show(group, negatives.SHOWING[group].series, 3, scene(1))
    differ = np.abs(one - two).max(axis=2) > 0
    rows, columns = np.flatnonzero(differ.any(axis=1)), np.flatnonzero(differ.any(axis=0))
    assert 0.1 < differ[np.ix_(rows, columns)].sum() / differ.size < 0.9
    assert differ[rows[0] : rows[-1], columns[0] : columns[-1]].mean() > 0.9, "one box"
    far = np.abs(np.asarray(other.resize(one.shape[1::-1]), int) - one).mean()
    assert far > np.abs(one - two).mean() * 0.5


def test_a_scene_from_a_step_aside_shows_the_same_moved_unevenly():
    one, two = (negatives.view(scene(5, (320, 240)), Random(2), side) for side in (0, 1))
    assert one.size == two.size == (268, 240)
    grey = [np.asarray(view.convert("L")) for view in (one, two)]
    moved = cv2.calcOpticalFlowFarneback(*grey, None, 0.5, 4, 31, 5, 7, 1.5, 0)[..., 0]
    low, high = np.quantile(moved, [0.1, 0.9])
    assert 2 < high - low < 0.08 * 320


@pytest.mark.parametrize("size", [(300, 220), (220, 300)])
def test_windows_of_one_photo_do_not_touch(size):
    photo = np.asarray(scene(5, size))
    left, right = (np.asarray(w) for w in negatives.windows(scene(5, size), Random(1)))
    axis = 1 if size[0] > size[1] else 0
    assert left.shape[axis] + right.shape[axis] <= 0.91 * photo.shape[axis]
    start, end = np.split(photo, [left.shape[axis]], axis)[0], photo.shape[axis]
    assert np.array_equal(left, start)
    assert np.array_equal(right, np.take(photo, range(end - right.shape[axis], end), axis))
