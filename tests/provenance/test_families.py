from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.provenance import ImageFacts, Pair
from ris_jobs.provenance.families import resolve

DAY = datetime(2026, 1, 1, tzinfo=UTC)


def facts(*sizes: int, seen: tuple[int, ...] = ()) -> dict[int, ImageFacts]:
    """Images 1, 2, … of these widths; ``seen`` are days after the first."""
    days = seen or (0,) * len(sizes)
    return {
        number: ImageFacts(size, size, "JPEG", DAY + timedelta(days=day), camera=False)
        for number, (size, day) in enumerate(zip(sizes, days, strict=True), start=1)
    }


def derives(derived, source, relation="thumbnail", probability=0.99, directed=True):
    return Pair(derived, source, relation, probability, directed)


def test_no_pairs_make_no_families():
    assert resolve([], {}) == []


def test_copies_of_one_picture_are_one_family_with_it_as_source():
    pairs = [derives(2, 1), derives(3, 1, probability=0.9), derives(3, 2)]
    (family,) = resolve(pairs, facts(500, 200, 100))
    assert (family.anchor_id, family.members) == (1, (1, 2, 3))
    assert family.verdict.source_id == 1
    assert family.verdict.confidence == pytest.approx(0.9)
    assert any(reason.startswith("for: 2 copies derive") for reason in family.verdict.reasons)
    assert any("most pixels, 500 × 500" in reason for reason in family.verdict.reasons)


def test_families_do_not_chain():
    pairs = [derives(2, 1), derives(3, 2), derives(4, 3)]
    found = resolve(pairs, facts(800, 400, 200, 100))
    assert [family.members for family in found] == [(1, 2), (3, 4)]


def test_an_open_pair_has_no_source_and_says_what_is_missing():
    (family,) = resolve([derives(2, 1, directed=False)], facts(300, 300))
    assert family.verdict.source_id is None
    assert family.verdict.confidence == 0
    assert family.verdict.reasons[0].startswith("missing: no pair says")


def test_two_pictures_with_equal_claims_leave_the_verdict_open():
    pairs = [derives(2, 1, directed=False), derives(3, 1), derives(3, 2)]
    (family,) = resolve(pairs, facts(300, 300, 100))
    assert family.members == (1, 2, 3)
    assert family.verdict.source_id is None
    assert "another member has no sign of being derived" in family.verdict.reasons[0]


def test_contradicting_pairs_leave_the_verdict_open():
    pairs = [derives(1, 2), derives(2, 3), derives(3, 1)]
    (family,) = resolve(pairs, facts(300, 300, 300))
    assert family.verdict.source_id is None


def test_what_speaks_against_the_source_is_listed():
    pairs = [derives(2, 1), derives(3, 1)]
    (family,) = resolve(pairs, facts(300, 600, 100, seen=(5, 0, 9)))
    assert family.verdict.source_id == 1
    assert "against: another member has more pixels" in family.verdict.reasons
    assert "against: another member was seen here before it" in family.verdict.reasons


def test_a_composite_belongs_to_neither_family_of_its_sources():
    pairs = [derives(2, 1), derives(4, 3), derives(5, 1, "composite"), derives(5, 3, "composite")]
    found = resolve(pairs, facts(500, 100, 500, 100, 900))
    assert [family.members for family in found] == [(1, 2), (3, 4)]


PAIRS = st.lists(
    st.builds(
        Pair,
        derived_id=st.integers(1, 12),
        source_id=st.integers(13, 24),
        relation=st.sampled_from(["thumbnail", "edited", "composite", "crop"]),
        probability=st.floats(0.5, 1),
        directed=st.booleans(),
    )
    | st.builds(
        Pair,
        derived_id=st.integers(7, 12),
        source_id=st.integers(1, 6),
        relation=st.just("recompressed"),
        probability=st.floats(0.5, 1),
        directed=st.booleans(),
    ),
    max_size=30,
    unique_by=lambda pair: (pair.derived_id, pair.source_id),
)
KNOWN = facts(*range(100, 124), seen=tuple(range(24)))


@given(PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_pairs_does_not_matter(pairs, random):
    shuffled = random.sample(pairs, len(pairs))
    assert resolve(pairs, KNOWN) == resolve(shuffled, dict(reversed(KNOWN.items())))


@given(PAIRS)
def test_members_are_tied_to_the_anchor_and_to_one_family(pairs):
    found = resolve(pairs, KNOWN)
    ties = {frozenset((p.derived_id, p.source_id)) for p in pairs if p.relation != "composite"}
    placed = [image for family in found for image in family.members]
    assert len(placed) == len(set(placed))
    for family in found:
        assert len(family.members) >= 2
        assert list(family.members) == sorted(family.members)
        others = set(family.members) - {family.anchor_id}
        assert all(frozenset((family.anchor_id, other)) in ties for other in others)


@given(PAIRS)
def test_verdicts_are_the_anchor_or_open(pairs):
    for family in resolve(pairs, KNOWN):
        verdict = family.verdict
        assert verdict.reasons
        if verdict.source_id is None:
            assert verdict.confidence == 0
            assert all(reason.startswith("missing: ") for reason in verdict.reasons)
        else:
            assert verdict.source_id == family.anchor_id
            assert 0 < verdict.confidence <= 1
