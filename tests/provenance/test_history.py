"""Ids of families from night to night."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.provenance import Family, Verdict
from ris_jobs.provenance.history import Before, Event, events, keep_ids

OPEN = Verdict(None, 0.0, ("missing: all",))


def family(anchor: int, *others: int) -> Family:
    return Family(anchor, tuple(sorted((anchor, *others))), OPEN)


def before(family_id: int, anchor: int, *others: int) -> Before:
    return Before(family_id, anchor, (anchor, *others))


def test_a_family_that_grows_keeps_its_id_and_nothing_happened() -> None:
    old = [before(7, 1, 2)]
    assert keep_ids(old, [family(1, 2, 3), family(4, 5)]) == [7, None]
    assert list(events(old, {7: family(1, 2, 3), 8: family(4, 5)})) == []


def test_the_same_anchor_goes_before_more_members_and_these_before_age() -> None:
    old = [before(7, 1, 2, 3, 4), before(8, 5, 6)]
    assert keep_ids(old, [family(5, 2, 3, 4), family(1, 6)]) == [8, 7]
    assert keep_ids([before(8, 1, 2), before(7, 3, 4)], [family(9, 1, 2, 3)]) == [8]
    assert keep_ids([before(8, 1, 2), before(7, 3, 4)], [family(9, 1, 3)]) == [7]


def test_merges_splits_and_ends_are_told() -> None:
    old = [before(1, 1, 2), before(2, 3, 4), before(3, 5, 6, 7), before(4, 8, 9)]
    now = {1: family(1, 2, 3, 4), 3: family(5, 6), 9: family(7, 10)}
    assert list(events(old, now)) == [
        Event(2, "merged", 1, frozenset({1, 2, 3, 4})),
        Event(3, "split", 9, frozenset({5, 6, 7, 10})),
        Event(4, "ended", None, frozenset({8, 9})),
    ]


def test_a_family_that_loses_members_to_none_is_told() -> None:
    assert list(events([before(7, 1, 2, 3)], {7: family(1, 2)})) == [
        Event(7, "shrank", None, frozenset({1, 2, 3}))
    ]


def test_a_picture_that_moves_between_families_that_go_on_is_told() -> None:
    old = [before(1, 1, 2, 3), before(2, 4, 5)]
    now = {1: family(1, 2), 2: family(4, 5, 3)}
    assert list(events(old, now)) == [Event(1, "moved", 2, frozenset({1, 2, 3, 4, 5}))]


GROUPS = st.lists(st.integers(0, 4), min_size=12, max_size=12)


def families(groups: list[int]) -> list[Family]:
    """Of images 1 to 12, by their group; single ones are none."""
    named = {g: [n for n, other in enumerate(groups, 1) if other == g] for g in set(groups)}
    return [family(*members) for members in named.values() if len(members) > 1]


@given(GROUPS, GROUPS)
def test_an_id_is_given_once_and_every_family_that_is_no_more_is_told(
    first: list[int], second: list[int]
) -> None:
    old = [Before(n, f.anchor_id, f.members) for n, f in enumerate(families(first), 100)]
    found = families(second)
    kept = keep_ids(old, found)
    known = [i for i in kept if i is not None]
    assert len(known) == len(set(known))
    now = {i or 200 + n: f for n, (i, f) in enumerate(zip(kept, found, strict=True))}
    told = list(events(old, now))
    gone = {o.family_id for o in old} - set(known)
    assert {e.family_id for e in told if e.kind in ("merged", "ended")} == gone
    assert all(e.family_id in known and e.other_id not in known for e in told if e.kind == "split")
    assert all({e.family_id, e.other_id} <= {*known} for e in told if e.kind == "moved")
    placed = {i for f in found for i in f.members}
    lost = {i for i, f in zip(kept, found, strict=True) if i} & {
        o.family_id for o in old if not placed.issuperset(o.members)
    }
    assert {e.family_id for e in told if e.kind == "shrank"} == lost
    pairs = {(e.family_id, e.other_id) for e in told}
    for o in old:
        went = {i for i, f in now.items() if not {*o.members}.isdisjoint(f.members)}
        assert o.family_id in gone or {(o.family_id, i) for i in went - {o.family_id}} <= pairs
