from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ris_jobs.match import Candidate
from ris_jobs.match.candidates import pair_up


def plain(queries, neighbours, cosines, min_cosine):
    """The slow reference: one pair at a time."""
    best: dict[tuple[int, int], tuple[float, int]] = {}
    for query, row, scores in zip(queries, neighbours, cosines, strict=True):
        others = [(o, s) for o, s in zip(row, scores, strict=True) if o != query]
        for rank, (other, score) in enumerate(others):
            if other < 0 or not score >= min_cosine:
                continue
            pair = (int(min(query, other)), int(max(query, other)))
            cosine, place = best.get(pair, (-2.0, rank))
            best[pair] = (max(cosine, float(score)), min(place, rank))
    return [Candidate(*pair, *values) for pair, values in sorted(best.items())]


@st.composite
def searches(draw):
    queries = draw(st.integers(0, 8))
    k = draw(st.integers(0, 5))
    ids = arrays.arrays(np.int64, (queries, k), elements=st.integers(-1, 9))
    scores = arrays.arrays(np.float32, (queries, k), elements=st.floats(-1, 1, width=32))
    return np.arange(queries), draw(ids), draw(scores), draw(st.floats(-1, 1, width=32))


@given(searches())
def test_pairs_are_those_of_the_plain_reference(search):
    queries, neighbours, cosines, least = search
    assert pair_up(queries, neighbours, cosines, min_cosine=least) == plain(
        queries, neighbours, cosines, least
    )


def test_each_pair_comes_once_with_its_best_cosine():
    found = pair_up(
        np.array([7, 3]),
        np.array([[3, 7, -1], [7, 5, 3]]),
        np.array([[0.8, 1.0, 0.0], [0.9, 0.2, 1.0]]),
        min_cosine=0.35,
    )
    assert found == [Candidate(3, 7, 0.9)]


def test_numbers_are_plain_python_values():
    (pair,) = pair_up(np.array([1]), np.array([[2]]), np.array([[0.5]], np.float32), min_cosine=0)
    assert type(pair.image_id) is int and type(pair.cosine) is float
