from __future__ import annotations

from random import Random

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
    for group in negatives.GROUPS.values():
        assert group.files >= 20
        assert group.files % group.series == 0


@pytest.mark.parametrize("group", GROUPS)
def test_pictures_of_a_group_are_the_same_each_time_and_all_different(group):
    count = 3 * negatives.GROUPS[group].series
    pictures = [negatives.make(group, number, 0)[0] for number in range(count)]
    again, _ = negatives.make(group, count - 1, 0)
    assert again.tobytes() == pictures[-1].tobytes()
    assert {picture.mode for picture in pictures} == {"RGB"}
    assert len({(p.size, p.tobytes()) for p in pictures}) == count


@pytest.mark.parametrize("group", ["template", "interface", "document"])
def test_a_series_shares_its_style_and_not_its_content(group):
    size = negatives.GROUPS[group].series
    (one, first), (two, second), (other, third) = (
        negatives.make(group, number, 0) for number in (0, 1, size)
    )
    assert (first, second, third) == (0, 0, 1)
    assert one.size == two.size
    near = np.abs(np.asarray(one, int) - np.asarray(two, int)).mean()
    far = np.abs(np.asarray(one, int) - np.asarray(other.resize(one.size), int)).mean()
    assert 0 < near < far


@pytest.mark.parametrize("size", [(300, 220), (220, 300)])
def test_windows_of_one_photo_do_not_touch(size):
    photo = np.asarray(scene(5, size))
    left, right = (np.asarray(w) for w in negatives.windows(scene(5, size), Random(1)))
    axis = 1 if size[0] > size[1] else 0
    assert left.shape[axis] + right.shape[axis] <= 0.91 * photo.shape[axis]
    start, end = np.split(photo, [left.shape[axis]], axis)[0], photo.shape[axis]
    assert np.array_equal(left, start)
    assert np.array_equal(right, np.take(photo, range(end - right.shape[axis], end), axis))
