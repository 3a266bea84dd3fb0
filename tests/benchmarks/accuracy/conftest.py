from __future__ import annotations

import numpy as np
import pytest

from benchmarks.accuracy.evaluate import evaluate
from benchmarks.accuracy.results import Report, Result
from tests.benchmarks.accuracy.nine import COLLAGE, ROWS, described, near


@pytest.fixture(scope="session")
def found() -> Result:
    """Of the nine files; in order: copy 5, the negatives, the stranger, copy 6."""
    similarity = near(s05=0.9, s34=0.8, s28=0.7, s16=0.6)
    similarity[COLLAGE, :] = similarity[:, COLLAGE] = -np.inf
    return evaluate(ROWS, described(), similarity)


@pytest.fixture(scope="session")
def report(found: Result) -> Report:
    suite = {"seed": 0, "photos": 3, "files": 9}
    return Report({"cpu": "one"}, {"python": "3"}, suite, (found,), {"other": "weights absent"})
