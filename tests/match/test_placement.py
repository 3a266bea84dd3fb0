"""Places move as pixels do."""

from __future__ import annotations

import numpy as np
import pytest

from ris_jobs.match.geometry import project
from ris_jobs.match.orientation import turn
from ris_jobs.match.placement import whole, within


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_place_moves_as_its_pixel_does(orientation):
    picture = np.zeros((4, 6), np.uint8)
    picture[1, 4] = 1
    turned = turn(picture, orientation)
    (row,), (column,) = np.nonzero(turned)
    place = np.float32([[4.5 / 6, 1.5 / 4]])
    expected = [(column + 0.5) / turned.shape[1], (row + 0.5) / turned.shape[0]]
    np.testing.assert_allclose(project(whole(orientation), place)[0], expected, atol=1e-6)


def test_all_of_the_inner_picture_is_in_the_box():
    corners = project(within((0.25, 0.5, 0.75, 1.0)), np.float32([[0, 0], [1, 1]]))
    np.testing.assert_allclose(corners, [[0.25, 0.5], [0.75, 1.0]])
