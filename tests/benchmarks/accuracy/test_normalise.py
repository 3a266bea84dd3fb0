from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.accuracy.described import Described, similarity
from benchmarks.accuracy.normalise import normalised, normalised_both
from tests.benchmarks.accuracy.drawn import drawn

RNG = np.random.default_rng(0)
QUERIES, REFERENCES = drawn([2, 1, 0, 3], RNG), drawn([1, 0, 2], RNG)
BACKGROUND = drawn([1, 2, 0, 1, 1], RNG)
COSINES = similarity(QUERIES, REFERENCES)


def common(described: Described, file: int, top: int) -> float:
    """Of one file, the slow way."""
    whole = described.codes[described.owner == file].astype(np.float64)[:1]
    others = [
        BACKGROUND.codes[BACKGROUND.owner == other].astype(np.float64)[0] for other in (0, 1, 3, 4)
    ]
    return float(np.mean(sorted(other @ whole[0] for other in others)[-top:])) if len(whole) else 0


def terms(described: Described, top: int) -> npt.NDArray[np.float64]:
    return np.array([common(described, file, top) for file in range(described.files)])


@pytest.mark.parametrize("top", [1, 3, 4])
def test_what_is_near_to_the_background_loses_as_much(top: int) -> None:
    found = normalised(COSINES, QUERIES, BACKGROUND, beta=0.7, top=top)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, COSINES - 0.7 * terms(QUERIES, top)[:, None], atol=1e-6)


@pytest.mark.parametrize("top", [1, 3, 4])
def test_both_sides_lose_half_of_their_own(top: int) -> None:
    found = normalised_both(COSINES, QUERIES, REFERENCES, BACKGROUND, beta=0.7, top=top)
    lost = (terms(QUERIES, top)[:, None] + terms(REFERENCES, top)) / 2
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, COSINES - 0.7 * lost, atol=1e-6)
    other = normalised_both(COSINES.T, REFERENCES, QUERIES, BACKGROUND, beta=0.7, top=top)
    np.testing.assert_allclose(other.T, found, atol=1e-6)


@pytest.mark.parametrize("top", [0, 5])
def test_the_background_holds_as_many_as_are_asked_for(top: int) -> None:
    with pytest.raises(ValueError, match="top must be 1 to 4"):
        normalised(COSINES, QUERIES, BACKGROUND, beta=1, top=top)
