"""What is around a picture that lies inside another, and which of the two it calls derived."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ris_jobs.match.alignment import Inside
from ris_jobs.match.containment import Surround
from ris_jobs.match.direction import surrounded

BANDED, AMID = (0.0, 0.15, 1.0, 0.85), (0.2, 0.2, 0.7, 0.8)
BESIDE = (0.0, 0.3, 1.0, 1.0)
STEPS = Surround(plain=0.1, rim=30, step=60, seam=1.3, jump=3.0, least=1.3)


@pytest.mark.parametrize(
    ("box", "around", "expected"),
    [
        (AMID, Surround(plain=0.1, rim=30, step=12, seam=0.3, jump=1.0), "containment"),
        (AMID, Surround(plain=0.1, rim=30, step=60, seam=1.3, jump=3.0), "pasted"),
        # One side steps, by chance or for a band beyond it, and the scene goes on at another.
        (AMID, Surround(plain=0.1, rim=30, step=60, seam=1.3, jump=3.0, least=0.3), None),
        (AMID, Surround(plain=0.1, rim=30, step=60, seam=1.3, jump=3.0, least=0.8), "pasted"),
        # The one side there is: an edge that the picture has itself, or that of another one.
        (BESIDE, replace(STEPS, sharp=0.4), None),
        (BESIDE, replace(STEPS, sharp=0.6), "pasted"),
        (AMID, Surround(plain=0.1, rim=30, step=40, seam=0.9, jump=1.0), None),
        # Lines that have nothing to do with their neighbours, as in a sky of stars.
        (AMID, Surround(plain=0.1, rim=30, step=45, seam=1.05, jump=1.0), None),
        (AMID, Surround(plain=0.1, rim=30, step=45, seam=1.05, jump=1.5), "pasted"),
        (AMID, Surround(plain=0.02, rim=3, step=90, seam=1.4, jump=3.0), "pasted"),
        # The picture's own plain ground goes on: it may have been cut off.
        (AMID, Surround(plain=1.0, rim=0.4, step=5.4, seam=0.56, jump=1.0), None),
        (AMID, Surround(plain=0.99, rim=1, step=50, seam=1.2, jump=3.0), "border"),
        (AMID, Surround(plain=0.99, rim=1, step=2, seam=0.2, jump=1.0), None),
        (BANDED, Surround(plain=0.98, rim=1, step=50, seam=1.2, jump=3.0), "border"),
        # Words in a band that reach the edge of the picture.
        (BANDED, Surround(plain=0.8, rim=45, step=40, seam=0.6, jump=1.0), None),
        (BANDED, Surround(plain=0.3, rim=30, step=12, seam=0.3, jump=1.0), "containment"),
    ],
)
def test_what_is_around_says_how_it_came_there(box, around, expected):
    assert surrounded(Inside(True, box, 1.0, around)) == expected
