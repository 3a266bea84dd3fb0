from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.fingerprint import Hashes
from ris_jobs.fingerprint.hashes import hashes
from ris_jobs.match.orientation import ORIENTATIONS, inverse, turn
from ris_jobs.match.rerank import HashDistance, hash_distances
from tests.match.scenes import scene

BITS = st.integers(0, 2**64 - 1)
EIGHT = st.tuples(*[BITS] * 8)
HASHES = st.builds(Hashes, EIGHT, EIGHT, st.binary(min_size=32, max_size=32), st.integers(0, 100))


def plain(a: Hashes, b: Hashes) -> HashDistance:
    """The slow reference: one orientation at a time."""

    def gap(one: tuple[int, ...], two: tuple[int, ...], turned: int) -> int:
        b_turned = (one[0] ^ two[turned - 1]).bit_count()
        return min(b_turned, (two[0] ^ one[inverse(turned) - 1]).bit_count())

    found = [(gap(a.phash, b.phash, o), gap(a.dhash, b.dhash, o)) for o in ORIENTATIONS]
    best = min(range(8), key=lambda i: sum(found[i]))
    pdq = (int.from_bytes(a.pdq) ^ int.from_bytes(b.pdq)).bit_count()
    return HashDistance(best + 1, *found[best], pdq)


@given(st.lists(st.tuples(HASHES, HASHES), max_size=5))
def test_distances_are_those_of_the_plain_reference(pairs):
    assert hash_distances(pairs) == [plain(a, b) for a, b in pairs]


@given(HASHES, HASHES)
def test_distances_do_not_depend_on_the_side(a, b):
    there, back = hash_distances([(a, b), (b, a)])
    assert (there.combined, there.pdq) == (back.combined, back.pdq)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("seed", range(3))
def test_the_orientation_of_a_turned_copy_is_recovered(orientation, seed):
    source = np.asarray(scene(seed))
    derived = np.ascontiguousarray(turn(source, orientation))
    (found,) = hash_distances([(hashes(derived), hashes(source))])
    assert found.orientation == orientation
    assert found.combined <= 8
