from __future__ import annotations

from types import SimpleNamespace

from ris_jobs.match import Candidate
from ris_jobs.match.examine import SEARCHED
from ris_jobs.match.kin import kin


def match(derived, source, suppressed=None):
    return SimpleNamespace(derived_id=derived, source_id=source, suppressed=suppressed)


def late(one, two, rank=SEARCHED):
    return Candidate(one, two, 0.6, rank)


def pairs(found):
    return {(c.image_id, c.other_id) for c in found}


def test_a_candidate_beyond_the_nearest_is_reached_through_a_shared_match():
    other = late(1, 8)
    found, left = kin([late(1, 9), other], [match(1, 5)], [(5, 9)], {1})
    assert pairs(found) == {(1, 9)}
    assert found[0].rank == 0 and left == [other]


def test_nothing_leads_to_one_that_shares_no_match_or_only_a_suppressed_one():
    alone = [late(1, 9)]
    assert kin(alone, [match(1, 5)], [(6, 9)], {1}) == ([], alone)
    assert kin(alone, [match(1, 5, "look-alike")], [(5, 9)], {1}) == ([], alone)


def test_the_nearest_and_what_was_found_already_are_not_asked_again():
    told = [match(5, 1), match(9, 5), match(8, 1, "look-alike"), match(8, 5)]
    near = Candidate(1, 9, 0.9, SEARCHED - 1)
    assert kin([near, late(1, 5), late(1, 8)], told, [], {1})[0] == []


def test_of_many_those_that_share_most_are_taken():
    mine = [match(1, n) for n in range(100, 110)]
    # Candidate 10 + n shares n of them.
    theirs = [(10 + n, 100 + k) for n in range(10) for k in range(n)]
    known = [(one, two) for one, two in theirs]
    found, left = kin([late(1, 10 + n) for n in range(10)], mine, known, {1})
    assert pairs(found) == {(1, 16), (1, 17), (1, 18), (1, 19)}
    more, _ = kin(left, mine, known, {1})
    assert pairs(more) == {(1, 12), (1, 13), (1, 14), (1, 15)}


def test_only_images_that_looked_have_a_share():
    mine = [match(n, 50) for n in range(1, 9)]
    candidates = [late(n, 60) for n in range(1, 9)]
    assert len(kin(candidates, mine, [(50, 60)], set(range(1, 9)))[0]) == 8
    assert kin(candidates, mine, [(50, 60)], set())[0] == []
