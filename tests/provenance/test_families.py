from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.match.containment import Surround
from ris_jobs.match.remade import Remade, Rounding
from ris_jobs.provenance import ImageFacts, Pair, Ruling
from ris_jobs.provenance.families import resolve
from ris_jobs.provenance.model import model
from tests.provenance.kin import DAY, derives, facts, image, tied


def test_no_pairs_make_no_families() -> None:
    assert resolve([], {}) == []


def test_copies_of_one_picture_are_one_family_with_it_as_source() -> None:
    pairs = [derives(2, 1), derives(3, 1), derives(3, 2)]
    (family,) = resolve(pairs, facts(500, 200, 100))
    assert (family.anchor_id, family.members) == (1, (1, 2, 3))
    assert family.verdict.source_id == 1
    assert 0.9 < family.verdict.confidence < 1
    assert any(r.startswith("for: 2 copies are smaller") for r in family.verdict.reasons)


def test_families_do_not_chain() -> None:
    pairs = [derives(2, 1), derives(3, 2), derives(4, 3)]
    found = resolve(pairs, facts(800, 400, 200, 100))
    assert [family.members for family in found] == [(1, 2), (3, 4)]


def test_an_open_pair_has_no_source_and_says_what_is_missing() -> None:
    (family,) = resolve([tied(2, 1)], facts(300, 300))
    assert (family.verdict.source_id, family.verdict.confidence) == (None, 0)
    assert family.verdict.reasons == (
        "missing: 2 of its pictures may be the source, none with more than 50%",
        "missing: nothing tells the two most probable ones apart",
    )


def test_two_pictures_with_equal_claims_leave_the_verdict_open() -> None:
    pairs = [tied(2, 1), derives(3, 1), derives(3, 2)]
    (family,) = resolve(pairs, facts(300, 300, 100))
    assert family.members == (1, 2, 3)
    assert family.verdict.source_id is None


def test_contradicting_pairs_leave_the_verdict_open() -> None:
    pairs = [derives(1, 2), derives(2, 3), derives(3, 1)]
    (family,) = resolve(pairs, facts(300, 300, 300))
    assert family.verdict.source_id is None


def test_a_part_in_more_detail_than_the_whole_shows_that_the_source_is_not_here() -> None:
    pairs = [derives(2, 1, "containment", scale=2.0), derives(3, 1), derives(4, 1)]
    (family,) = resolve(pairs, facts(200, 300, 100, 90))
    assert family.verdict.source_id is None
    assert family.verdict.reasons[0].startswith("missing: the source itself")


def test_an_enlargement_is_not_the_source_though_its_copies_are_suspected_more() -> None:
    shown = [tied(part, 1, claims=("containment", "colour")) for part in (3, 4)]
    whole = [derives(2, part, "containment") for part in (3, 4)]
    pairs = [derives(1, 2, "enlargement", relation="upscaled"), *shown, *whole]
    known = facts(900, 300, 200, 200)
    (family,) = resolve(pairs, known | {1: image("a", 900, metadata={"Model": "any"})})
    assert family.anchor_id == 1
    assert family.verdict.source_id is None
    assert family.verdict.reasons == (
        "missing: an original: the best of its pictures is itself more likely another one enlarged "
        "than not",
    )


def test_what_is_rather_a_copy_but_no_enlargement_may_still_be_the_source() -> None:
    around = [derives(3, 1, "containment"), derives(2, 3, "containment")]
    pairs = [tied(1, 2, relation="crop", inner="derived"), *around]
    (family,) = resolve(pairs, facts(900, 900, 200))
    assert family.verdict.source_id == 1
    weight = model().weights["inner"]
    assert f"against: it lies inside another ({weight:.1f})" in family.verdict.reasons


def test_a_composite_belongs_to_neither_family_of_its_sources() -> None:
    pasted = [derives(5, s, "pasted", relation="composite", inner="source") for s in (1, 3)]
    found = resolve([derives(2, 1), derives(4, 3), *pasted], facts(500, 100, 500, 100, 900))
    assert [family.members for family in found] == [(1, 2), (3, 4)]


def test_a_reviewers_word_goes_before_the_evidence() -> None:
    pairs = [derives(2, 1), derives(3, 1), tied(3, 2)]
    known = facts(500, 200, 200)
    (family,) = resolve(pairs, known, [Ruling(1, 2, "ada", "it is the print")])
    assert (family.anchor_id, family.members, family.verdict.source_id) == (2, (1, 2, 3), 2)
    assert family.verdict.reasons == ("for: ada decided so: it is the print",)
    (family,) = resolve(pairs, known, [Ruling(3, None, "ada", "both are scans")])
    assert family.verdict.source_id is None
    assert family.verdict.reasons == ("missing: ada left it open: both are scans",)


def test_when_it_was_seen_decides_nothing_and_is_said() -> None:
    pairs = [derives(2, 1)]
    late = facts(500, 100) | {1: image(f"{1:064x}", 500, day=5)}
    (family,) = resolve(pairs, late)
    assert family.verdict.source_id == 1
    assert family.verdict.confidence == resolve(pairs, facts(500, 100))[0].verdict.confidence
    assert any("seen here before it" in reason for reason in family.verdict.reasons)


@pytest.mark.parametrize(
    ("source", "copy", "said"),
    [
        ("2025:06:01 10:00:00", "2025:06:01 10:00:00", ["for: it says it was taken on 2025-06-01"]),
        ("", "2024:06:01 10:00", ["against: another says it was taken on 2024-06-01"]),
        (
            "2025:06:01 10:00:00",
            "2024:06:01 10:00:00",
            [
                "for: it says it was taken on 2025-06-01",
                "against: another says it was taken on 2024-06-01",
            ],
        ),
        ("    :  :     :  :  ", "yesterday", []),
        ("2024:02:30 10:00:00", "0000:00:00 00:00:00", []),
        ("2024:13:01 10:00:00", "\u0662\u0660\u0662\u0664:\u0660\u0666:\u0660\u0661 1:1:1", []),
    ],
)
def test_when_files_say_they_were_taken_is_said_as_a_claim(
    source: str, copy: str, said: list[str]
) -> None:
    known = {
        n: image(f"{n:064x}", side, metadata={"DateTimeOriginal": date} if date else {})
        for n, side, date in ((1, 500, source), (2, 100, copy))
    }
    (family,) = resolve([derives(2, 1)], known)
    (plain,) = resolve([derives(2, 1)], facts(500, 100))
    assert family.verdict.confidence == plain.verdict.confidence
    told = [r for r in family.verdict.reasons if r not in plain.verdict.reasons]
    assert told == [f"{claim} (0: anybody can write that)" for claim in said]


def told(source: ImageFacts, copy: ImageFacts) -> list[str]:
    """What is said of a source and its copy beyond what is said without their dates."""
    (plain,) = resolve([derives(2, 1)], facts(500, 100))
    (family,) = resolve([derives(2, 1)], {1: source, 2: copy})
    assert family.verdict.confidence == plain.verdict.confidence
    return [r for r in family.verdict.reasons if r not in plain.verdict.reasons]


def test_claims_of_changes_publication_and_of_files_are_said_without_weight() -> None:
    one, two = facts(500, 100).values()
    assert told(replace(one, published_on="2021-01-01"), two) == [
        "for: pages say that it was published on 2021-01-01 (0: pages may claim any date)"
    ]
    assert told(one, replace(two, published_on="2020-12-31")) == [
        "against: pages say that another was published on 2020-12-31 (0: pages may claim any date)"
    ]
    files = replace(one, modified_on="2021-01-01"), replace(two, modified_on="2021-01-02")
    said = "is dated 2021-01-01, earlier (0: copying changes such dates)"
    assert told(*files) == [f"for: its file {said}"]
    assert told(files[0], replace(two, modified_on="2021-01-01")) == told(files[0], two) == []
    files = replace(one, modified_on="2021-01-02"), replace(two, modified_on="2021-01-01")
    assert told(*files) == [f"against: another's file {said}"]
    written = {"DateTimeOriginal": "2020:01:01 1:1:1", "DateTime": "2020:01:01 1:1:1"}
    taken = image(f"{1:064x}", 500, metadata=written)
    assert len(told(taken, two)) == 1
    changed = image(f"{2:064x}", 100, metadata={"DateTime": "2022:02:02 1:1:1"})
    assert told(one, changed) == [
        "against: another says it was changed on 2022-02-02 (0: anybody can write that)"
    ]


AROUND = st.builds(
    Surround,
    plain=st.sampled_from([0.3, 0.7, 1.0]),
    rim=st.sampled_from([0.0, 2.0, 20.0]),
    step=st.just(30.0),
    seam=st.sampled_from([0.2, 1.0, 2.0]),
    jump=st.just(1.0),
)
BOXES = st.sampled_from([(0.1, 0.1, 0.9, 0.9), (0.0, 0.2, 1.0, 1.0), (0.1, 0.0, 0.7, 1.0)])
ROUNDINGS = st.none() | st.builds(
    Rounding, st.sampled_from([0.1, 0.6, 1.0]), st.sampled_from([0.3, 1.0]), st.just(20)
)
SHARES = st.sampled_from([0.0, 0.5])
PAIRS = st.lists(
    st.builds(
        Pair,
        derived_id=st.integers(7, 24),
        source_id=st.integers(1, 6),
        relation=st.sampled_from(["thumbnail", "edited", "composite", "crop"]),
        probability=st.floats(0.5, 1),
        claims=st.sampled_from([(), ("resolution",), ("containment",), ("enlargement", "colour")]),
        counterclaims=st.sampled_from([(), (), ("metadata",), ("border",)]),
        scale=st.sampled_from([0.5, 1.0, 2.0]),
        inner=st.sampled_from([None, "derived", "source"]),
        box=BOXES,
        around=st.none() | AROUND,
        changed=st.booleans(),
    )
    | st.builds(
        Pair,
        derived_id=st.integers(4, 6),
        source_id=st.integers(1, 3),
        relation=st.just("recompressed"),
        probability=st.floats(0.5, 1),
        changed=st.booleans(),
        recoloured=st.booleans(),
        remade=st.none() | st.builds(Remade, ROUNDINGS, ROUNDINGS, SHARES, SHARES),
    ),
    max_size=30,
    unique_by=lambda pair: (pair.derived_id, pair.source_id),
)
KNOWN = {
    n: image(
        f"{n * 7 % 25:064x}",
        100 + n % 3,
        n,
        coarseness=n % 4 / 2,
        lossless=n % 3 == 0,
        detail=(n % 5 / 10, n % 7 / 10),
        jpeg_quality=60 + n,
        standard=True,
    )
    for n in range(1, 25)
}


@given(PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_pairs_does_not_matter(pairs: list[Pair], random: object) -> None:
    shuffled = random.sample(pairs, len(pairs))  # type: ignore[attr-defined]
    assert resolve(pairs, KNOWN) == resolve(shuffled, dict(reversed(KNOWN.items())))


def turned(pair: Pair) -> Pair:
    """The same pair written the other way round."""
    inner = {None: None, "derived": "source", "source": "derived"}[pair.inner]
    made = pair.remade
    return replace(
        pair,
        derived_id=pair.source_id,
        source_id=pair.derived_id,
        claims=pair.counterclaims,
        counterclaims=pair.claims,
        scale=1 / pair.scale,
        inner=inner,
        remade=made and replace(made, first=made.second, second=made.first),
    )


@given(PAIRS, st.permutations(range(1, 25)), st.lists(st.booleans(), min_size=30, max_size=30))
def test_ids_dates_and_how_pairs_are_written_do_not_matter(
    pairs: list[Pair], numbers: list[int], swaps: list[bool]
) -> None:
    new = dict(zip(range(1, 25), numbers, strict=True))
    moved = [replace(p, derived_id=new[p.derived_id], source_id=new[p.source_id]) for p in pairs]
    moved = [turned(p) if swap else p for p, swap in zip(moved, swaps, strict=False)]
    known = {
        new[n]: replace(f, first_seen_at=DAY + timedelta(days=new[n])) for n, f in KNOWN.items()
    }
    before = {
        frozenset(new[m] for m in f.members): f.verdict.source_id and new[f.verdict.source_id]
        for f in resolve(pairs, KNOWN)
    }
    after = {frozenset(f.members): f.verdict.source_id for f in resolve(moved, known)}
    assert before == after


@given(PAIRS)
def test_members_are_tied_to_the_anchor_and_to_one_family(pairs: list[Pair]) -> None:
    found = resolve(pairs, KNOWN)
    ties = {frozenset((p.derived_id, p.source_id)) for p in pairs if p.relation != "composite"}
    placed = [member for family in found for member in family.members]
    assert len(placed) == len(set(placed))
    for family in found:
        assert len(family.members) >= 2
        assert list(family.members) == sorted(family.members)
        others = set(family.members) - {family.anchor_id}
        assert all(frozenset((family.anchor_id, other)) in ties for other in others)


@given(PAIRS)
def test_verdicts_are_the_anchor_or_open(pairs: list[Pair]) -> None:
    for family in resolve(pairs, KNOWN):
        verdict = family.verdict
        assert verdict.reasons
        if verdict.source_id is None:
            assert verdict.confidence == 0
            assert all(reason.startswith("missing: ") for reason in verdict.reasons)
        else:
            assert verdict.source_id == family.anchor_id
            assert 0.5 <= verdict.confidence <= 1


def test_an_image_without_facts_is_an_error() -> None:
    with pytest.raises(KeyError):
        resolve([derives(2, 1)], dict[int, ImageFacts]())
