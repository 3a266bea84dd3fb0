from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ris_jobs.match import Candidate
from ris_jobs.match.candidates import HANDICAP, Described, Hits, pair_up


def described(owners, parts=None):
    owners = np.asarray(owners, np.int64)
    parts = np.zeros_like(owners) if parts is None else np.asarray(parts, np.int64)
    return Described(owners, parts, np.zeros((len(owners), 1), np.float32))


def hits(ids, cosines, parts=None):
    ids = np.asarray(ids, np.int64)
    parts = np.zeros_like(ids) if parts is None else np.asarray(parts, np.int64)
    return Hits(ids, parts, np.asarray(cosines, np.float32))


def plain(searches, top_k, min_cosine):
    """The slow reference: one hit at a time."""
    near: dict[int, dict[int, tuple]] = {}
    for queries, found in searches:
        for row, (owner, part) in enumerate(zip(queries.owners, queries.parts, strict=True)):
            for other, theirs, cosine in zip(
                found.ids[row], found.parts[row], found.cosines[row], strict=True
            ):
                if other < 0 or other == owner:
                    continue
                nearness = np.float32(cosine) - np.float32(HANDICAP) * (part + theirs > 0)
                key = (-float(nearness), int(part), int(theirs), float(cosine))
                mine = near.setdefault(int(owner), {})
                mine[int(other)] = min(mine.get(int(other), (9.0, 0, 0, 0.0)), key)
    best: dict[tuple[int, int], list] = {}
    for owner, others in near.items():
        ranked = sorted(others.items(), key=lambda item: (item[1][0], item[0]))[:top_k]
        for rank, (other, (score, part, theirs, cosine)) in enumerate(ranked):
            if cosine < np.float32(min_cosine):
                continue
            parts = (part, theirs) if owner < other else (theirs, part)
            pair = (min(owner, other), max(owner, other))
            best.setdefault(pair, []).append((-score, rank, (cosine, parts)))
    return {pair: _best(found) for pair, found in best.items()}


def _best(found):
    """The best rank, and all that are nearest with their cosines."""
    nearest = max(nearness for nearness, _, _ in found)
    return min(rank for _, rank, _ in found), {f[2] for f in found if f[0] == nearest}


def ints(shape, high):
    return arrays.arrays(np.int64, shape, elements=st.integers(-1, high))


@st.composite
def searches(draw):
    made = []
    for _ in range(draw(st.integers(0, 2))):
        m, k = draw(st.integers(0, 6)), draw(st.integers(0, 5))
        owners = np.abs(draw(ints(m, 4)))
        scores = arrays.arrays(np.float32, (m, k), elements=st.floats(-1, 1, width=32))
        queries = described(owners, np.abs(draw(ints(m, 3))))
        made.append(
            (queries, hits(draw(ints((m, k), 5)), draw(scores), np.abs(draw(ints((m, k), 3)))))
        )
    return made


@given(searches(), st.integers(1, 4), st.floats(-1, 1, width=32))
def test_pairs_are_those_of_the_plain_reference(made, top_k, least):
    expected = plain(made, top_k, least)
    found = pair_up(made, top_k=top_k, min_cosine=least)
    assert [(c.image_id, c.other_id) for c in found] == sorted(expected)
    for c in found:
        rank, nearest = expected[c.image_id, c.other_id]
        assert c.rank == rank
        assert (c.cosine, c.parts) in nearest


def test_each_pair_comes_once_with_its_best_cosine():
    near = hits([[3, 7, -1], [7, 5, 3]], [[0.8, 1.0, 0.0], [0.9, 0.2, 1.0]])
    found = pair_up([(described([7, 3]), near)], top_k=5, min_cosine=0.35)
    assert found == [Candidate(3, 7, pytest.approx(0.9), 0)]


def test_a_pasted_picture_is_found_from_either_side():
    """Image 2 shows image 1 in its region 4; each search sees it its own way."""
    whole_of_1 = (described([1]), hits([[2, 2]], [[0.9, 0.1]], [[4, 0]]))
    region_of_2 = (described([2], [4]), hits([[1]], [[0.9]]))
    for search, parts in ((whole_of_1, (0, 4)), (region_of_2, (0, 4))):
        (pair,) = pair_up([search], top_k=5, min_cosine=0.5)
        assert (pair.image_id, pair.other_id, pair.parts) == (1, 2, parts)


def test_the_nearest_of_many_regions_counts_for_less_than_a_whole():
    near = hits([[5, 6, 6]], [[0.8, 0.85, 0.7]], [[0, 3, 0]])
    found = pair_up([(described([1]), near)], top_k=2, min_cosine=0)
    assert [(c.other_id, c.rank) for c in found] == [(5, 0), (6, 1)]
    assert (found[1].cosine, found[1].parts) == (pytest.approx(0.85), (0, 3))


def test_regions_of_one_image_take_one_place():
    near = hits([[5, 5, 5, 6]], [[0.9, 0.8, 0.7, 0.6]], [[0, 1, 2, 0]])
    found = pair_up([(described([1]), near)], top_k=2, min_cosine=0)
    assert [(c.other_id, c.rank) for c in found] == [(5, 0), (6, 1)]
    assert len(pair_up([(described([1]), near)], top_k=1, min_cosine=0)) == 1


def test_numbers_are_plain_python_values():
    (pair,) = pair_up([(described([1]), hits([[2]], [[0.5]]))], top_k=1, min_cosine=0)
    assert type(pair.image_id) is int and type(pair.cosine) is float
    assert all(type(part) is int for part in pair.parts)


def test_described_keeps_wholes_and_regions_apart():
    both = Described.of({7: np.ones((3, 2), np.float32), 4: np.ones((1, 2), np.float32)})
    assert both.ids == [7, 4]
    assert both.owners.tolist() == [7, 7, 7, 4] and both.parts.tolist() == [0, 1, 2, 0]
    assert both.regions().owners.tolist() == [7, 7]
    assert Described.of({}).ids == []
