from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.fingerprint import Hashes
from ris_jobs.match import Candidate, Side
from ris_jobs.match.compared import Compared
from ris_jobs.match.ranking import ranked_unsettled
from tests.store.samples import AT, fingerprint

OURS = Hashes((0,) * 8, (0,) * 8, bytes(32), 100)
# Half of its bits are others.
OTHER = Hashes((0xFFFFFFFF,) * 8, (0xFFFFFFFF,) * 8, b"\x0f" * 32, 100)


def sides(*near: bool) -> dict[int, Side]:
    """Image 1, and images from 2 on whose hashes are near its own, or not."""
    given = {1: True} | dict(enumerate(near, 2))
    return {
        i: Side(i, f"{i:064}", replace(fingerprint(), hashes=OURS if its else OTHER), AT)
        for i, its in given.items()
    }


def looked(count: int) -> list[Candidate]:
    """Image 1 has found the others, in the order of their ids."""
    return [Candidate(1, 2 + n, 0.9 - n / 100, n) for n in range(count)]


def ranked(candidates: list[Candidate], sides: dict[int, Side], ids: set[int]) -> list[Candidate]:
    return ranked_unsettled(candidates, Compared.of(candidates, sides), ids)


def ranks(candidates: list[Candidate]) -> list[int]:
    return [c.rank for c in candidates]


def test_what_hashes_settle_does_not_stand_before_the_others():
    found = ranked(looked(5), sides(True, False, True, True, False), {1})
    assert ranks(found) == [0, 0, 2, 3, 1]


def test_a_region_is_less_near_than_its_cosine_says():
    whole, region = Candidate(1, 2, 0.6, 30), replace(Candidate(1, 3, 0.65, 20), parts=(0, 2))
    found = ranked([whole, region], sides(False, False), {1})
    assert ranks(found) == [0, 1]


def test_a_pair_has_the_better_place_of_the_images_that_looked():
    mine = looked(3)
    theirs = Candidate(2, 4, 0.5, 40)
    both = sides(False, False, True)
    # In the list of 2 the pair (2, 4) stands behind (1, 2); hashes do not settle either.
    assert ranks(ranked([*mine, theirs], both, {1, 2}))[3] == 1
    assert ranks(ranked([*mine, theirs], both, {1}))[3] == 40
    assert ranks(ranked([*mine, theirs], both, {4}))[3] == 0


def test_images_that_are_not_there_any_more_stay_where_they_are():
    found = [Candidate(1, 2, 0.9, 5), Candidate(1, 99, 0.8, 7)]
    assert ranks(ranked(found, sides(False), {1})) == [0, 7]


@given(st.lists(st.booleans(), max_size=12), st.randoms())
def test_no_rank_grows_and_the_order_of_candidates_does_not_matter(near, random):
    candidates = looked(len(near))
    found = ranked(candidates, sides(*near), {1})
    assert all(a.rank <= b.rank for a, b in zip(found, candidates, strict=True))
    mixed = random.sample(candidates, len(candidates))
    assert sorted(ranked(mixed, sides(*near), {1}), key=lambda c: c.other_id) == found
