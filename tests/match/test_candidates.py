from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ris_jobs.fingerprint.pdq import pdq_distance
from ris_jobs.match import Candidate
from ris_jobs.match.candidates import (
    HANDICAP,
    HASH,
    HASH_COSINE,
    Described,
    Hits,
    grouped,
    nearest_parts,
    pair_up,
)


def described(owners, parts=None):
    owners = np.asarray(owners, np.int64)
    parts = np.zeros_like(owners) if parts is None else np.asarray(parts, np.int64)
    return Described(owners, parts, np.zeros((len(owners), 1), np.float32))


def hits(ids, cosines, parts=None):
    ids = np.asarray(ids, np.int64)
    parts = np.zeros_like(ids) if parts is None else np.asarray(parts, np.int64)
    return Hits(ids, parts, np.asarray(cosines, np.float32))


def nothing(ids):
    return {}


def plain(searches, top_k, min_cosine, load):
    """The slow reference: one hit at a time."""
    near: dict[tuple[int, int], float] = {}
    parts: dict[tuple[int, int], list[tuple]] = {}
    hashed: set[tuple[int, int]] = set()
    for queries, found in searches:
        for row, (owner, part) in enumerate(zip(queries.owners, queries.parts, strict=True)):
            for other, theirs, cosine in zip(
                found.ids[row], found.parts[row], found.cosines[row], strict=True
            ):
                by_hash = part == HASH
                if other < 0 or other == owner or (by_hash and cosine < np.float32(HASH_COSINE)):
                    continue
                handicap = np.float32(HANDICAP) * (not by_hash and part + theirs > 0)
                nearness = float(np.float32(cosine) - handicap)
                near[owner, other] = max(near.get((owner, other), -9.0), nearness)
                pair = (min(owner, other), max(owner, other))
                mine = (int(part), int(theirs)) if owner < other else (int(theirs), int(part))
                if by_hash:
                    hashed.add(pair)
                parts.setdefault(pair, []).extend([] if by_hash else [(nearness, cosine, mine)])
    ranks = {}
    for owner in {owner for owner, _ in near}:
        others = [other for one, other in near if one == owner]
        ranked = sorted(others, key=lambda other: (-near[owner, other], other))
        for rank, other in enumerate(ranked[:top_k]):
            pair = (min(owner, other), max(owner, other))
            ranks[pair] = min(rank, ranks.get(pair, rank))
    best = {}
    for pair, rank in ranks.items():
        if not parts[pair]:
            one, two = (load([i]).get(i) for i in pair)
            if one is None or two is None:
                continue
            cosine, *nearest = nearest_parts(one, two)
            best[pair] = rank, {(cosine, tuple(nearest))}
            continue
        top = max(nearness for nearness, _, _ in parts[pair])
        nearest = {(cosine, mine) for nearness, cosine, mine in parts[pair] if nearness == top}
        if pair in hashed or max(cosine for cosine, _ in nearest) >= np.float32(min_cosine):
            best[pair] = rank, nearest
    return best


def ints(shape, high):
    return arrays.arrays(np.int64, shape, elements=st.integers(-1, high))


@st.composite
def searches(draw):
    made = []
    for _ in range(draw(st.integers(0, 2))):
        m, k = draw(st.integers(0, 6)), draw(st.integers(0, 5))
        owners = np.abs(draw(ints(m, 4)))
        scores = arrays.arrays(np.float32, (m, k), elements=st.floats(-1, 1, width=32))
        found = hits(draw(ints((m, k), 5)), draw(scores), np.abs(draw(ints((m, k), 3))))
        queries = described(owners, np.abs(draw(ints(m, 3))))
        if draw(st.booleans()):
            queries = described(owners, np.full(m, HASH))
            found = hits(found.ids, found.cosines, np.full((m, k), HASH))
        made.append((queries, found))
    return made


VECTORS = {i: np.random.default_rng(i).normal(size=(i, 3)).astype(np.float32) for i in (1, 2, 3, 5)}


@given(searches(), st.integers(1, 4), st.floats(-1, 1, width=32))
def test_pairs_are_those_of_the_plain_reference(made, top_k, least):
    def load(ids):
        return {i: VECTORS[i] for i in ids if i in VECTORS}

    expected = plain(made, top_k, least, load)
    found = pair_up(made, top_k=top_k, min_cosine=least, load=load)
    assert [(c.image_id, c.other_id) for c in found] == sorted(expected)
    for c in found:
        rank, nearest = expected[c.image_id, c.other_id]
        assert c.rank == rank
        assert (c.cosine, c.parts) in nearest


def test_each_pair_comes_once_with_its_best_cosine():
    near = hits([[3, 7, -1], [7, 5, 3]], [[0.8, 1.0, 0.0], [0.9, 0.2, 1.0]])
    found = pair_up([(described([7, 3]), near)], top_k=5, min_cosine=0.35, load=nothing)
    assert found == [Candidate(3, 7, pytest.approx(0.9), 0)]


def test_a_pasted_picture_is_found_from_either_side():
    """Image 2 shows image 1 in its region 4; each search sees it its own way."""
    whole_of_1 = (described([1]), hits([[2, 2]], [[0.9, 0.1]], [[4, 0]]))
    region_of_2 = (described([2], [4]), hits([[1]], [[0.9]]))
    for search, parts in ((whole_of_1, (0, 4)), (region_of_2, (0, 4))):
        (pair,) = pair_up([search], top_k=5, min_cosine=0.5, load=nothing)
        assert (pair.image_id, pair.other_id, pair.parts) == (1, 2, parts)


def test_the_nearest_of_many_regions_counts_for_less_than_a_whole():
    near = hits([[5, 6, 6]], [[0.8, 0.85, 0.7]], [[0, 3, 0]])
    found = pair_up([(described([1]), near)], top_k=2, min_cosine=0, load=nothing)
    assert [(c.other_id, c.rank) for c in found] == [(5, 0), (6, 1)]
    assert (found[1].cosine, found[1].parts) == (pytest.approx(0.85), (0, 3))


def test_regions_of_one_image_take_one_place():
    near = hits([[5, 5, 5, 6]], [[0.9, 0.8, 0.7, 0.6]], [[0, 1, 2, 0]])
    found = pair_up([(described([1]), near)], top_k=2, min_cosine=0, load=nothing)
    assert [(c.other_id, c.rank) for c in found] == [(5, 0), (6, 1)]
    assert len(pair_up([(described([1]), near)], top_k=1, min_cosine=0, load=nothing)) == 1


def test_hashes_alone_make_a_pair_with_the_cosine_of_its_vectors():
    one = np.float32([[1, 0], [0, 1]])
    two = np.float32([[0, 1]])
    near = hits([[2, 3]], [[0.6, 0.4]], [[HASH, HASH]])
    searched = [(described([1], [HASH]), near)]
    found = pair_up(searched, top_k=5, min_cosine=0.9, load=lambda ids: {1: one, 2: two})
    assert found == [Candidate(1, 2, 1.0, 0, (1, 0))]
    assert pair_up(searched, top_k=5, min_cosine=0.9, load=lambda ids: {1: one}) == []


def test_a_near_hash_brings_a_pair_forward():
    by_vector = (described([1]), hits([[2, 3]], [[0.7, 0.3]]))
    by_hash = (described([1], [HASH]), hits([[3]], [[0.9]], [[HASH]]))
    found = pair_up([by_vector, by_hash], top_k=5, min_cosine=0.5, load=nothing)
    assert [(c.other_id, c.rank) for c in found] == [(2, 1), (3, 0)]
    assert found[1].cosine == pytest.approx(0.3)


def test_the_cosine_of_two_hashes_is_their_hamming_distance():
    rng = np.random.default_rng(0)
    one, two = rng.bytes(32), rng.bytes(32)
    hashes = Described.of({1: np.ones((1, 300), np.float32)}, {1: one, 2: two}).hashes()
    assert hashes.owners.tolist() == [1, 2] and hashes.parts.tolist() == [HASH, HASH]
    expected = 1 - 2 * pdq_distance(one, two) / 256
    assert hashes.vectors[0] @ hashes.vectors[1] == pytest.approx(expected)
    turned = bytes(255 - byte for byte in one)
    inverted = Described.of({1: np.ones((1, 256), np.float32)}, {1: turned}).inverted()
    np.testing.assert_array_equal(inverted.hashes().vectors[0], hashes.vectors[0, 44:])


def test_a_model_of_few_dimensions_gets_as_many_bits_of_the_hash():
    few = Described.of({1: np.ones((1, 16), np.float32)}, {1: bytes(30) + b"\xff\x00"}).hashes()
    np.testing.assert_allclose(few.vectors[0], [0.25] * 8 + [-0.25] * 8)


def test_nearest_parts_are_never_two_regions():
    one = np.float32([[1, 0], [0, 1]])
    assert nearest_parts(one, one) == (1.0, 0, 0)
    two = np.float32([[-1, 0], [0, 1], [0.8, 0.6]])
    cosine, *parts = nearest_parts(one, two)
    assert (cosine, parts) == (pytest.approx(0.8), [0, 2])


def test_those_of_one_image_stand_together_whichever_came_first():
    ids = [(1, 7), (2, 8), (3, 7), (4, 8), (7, 8), (7, 9)]
    candidates = [Candidate(one, other, 0.5) for one, other in ids]
    found = [(c.image_id, c.other_id) for c in grouped(candidates, {7, 8})]
    assert found == [(1, 7), (3, 7), (7, 8), (7, 9), (2, 8), (4, 8)]


def test_numbers_are_plain_python_values():
    (pair,) = pair_up([(described([1]), hits([[2]], [[0.5]]))], top_k=1, min_cosine=0, load=nothing)
    assert type(pair.image_id) is int and type(pair.cosine) is float
    assert all(type(part) is int for part in pair.parts)


def test_described_keeps_wholes_and_regions_apart():
    both = Described.of({7: np.ones((3, 2), np.float32), 4: np.ones((1, 2), np.float32)})
    assert both.ids == [7, 4]
    assert both.owners.tolist() == [7, 7, 7, 4] and both.parts.tolist() == [0, 1, 2, 0]
    assert both.regions().owners.tolist() == [7, 7]
    assert Described.of({}).ids == []
