from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.match.cells import GRID, packed, rimmed, unpacked


@given(st.sets(st.tuples(st.integers(0, GRID - 1), st.integers(0, GRID - 1))))
def test_a_mask_comes_back_as_it_was(places):
    cells = np.zeros((GRID, GRID), np.bool_)
    cells[[row for row, _ in places], [column for _, column in places]] = True
    text = packed(cells)
    assert len(text) == GRID * GRID // 4
    np.testing.assert_array_equal(unpacked(text), cells)


def test_rows_follow_one_another_and_the_leftmost_cell_is_the_highest_bit():
    cells = np.zeros((GRID, GRID), np.bool_)
    cells[0, 0] = cells[1, -1] = True
    assert packed(cells) == "8000" + "0001" + "0000" * 14


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ([np.s_[:1], np.s_[-1:], np.s_[:, :1], np.s_[:, -1:]], 4),
        # Three sides, and a mark within.
        ([np.s_[:2], np.s_[:, :2], np.s_[:, -2:], np.s_[7:9, 7:9]], 3),
        # A caption, two bands, half a side, other tones all over, nothing.
        ([np.s_[-3:]], 1),
        ([np.s_[:2], np.s_[-2:]], 2),
        ([np.s_[:2, :8]], 0),
        ([np.s_[:]], 0),
        ([], 0),
    ],
)
def test_the_rim_is_what_differs_on_some_sides_and_not_within(changed, expected):
    cells = np.zeros((GRID, GRID), np.bool_)
    for part in changed:
        cells[part] = True
    assert rimmed(cells) == expected
