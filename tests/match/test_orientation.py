from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from ris_jobs.match.orientation import (
    MIRRORED,
    ORIENTATIONS,
    ROTATED,
    inverse,
    swaps_sides,
    turn,
)

PICTURE = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_turning_is_what_a_viewer_does_for_the_exif_value(orientation):
    image = Image.fromarray(PICTURE)
    image.getexif()[0x0112] = orientation
    assert np.array_equal(turn(PICTURE, orientation), np.asarray(ImageOps.exif_transpose(image)))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_inverse_undoes_the_turn(orientation):
    assert np.array_equal(turn(turn(PICTURE, orientation), inverse(orientation)), PICTURE)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_sides_swap_when_the_shape_does(orientation):
    assert swaps_sides(orientation) == (turn(PICTURE, orientation).shape != PICTURE.shape)


def test_every_orientation_but_the_first_is_mirrored_or_rotated():
    assert set(ORIENTATIONS) == MIRRORED | ROTATED | {1}
    assert not MIRRORED & ROTATED
