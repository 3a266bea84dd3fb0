"""Reviewers, templates and hubs decide which pairs count; the order of events does not matter."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from ris_jobs.match import Match, Relation
from ris_jobs.match.hubs import hubs
from ris_jobs.store import images, matches, suppression
from ris_jobs.store.runs import Run
from tests.store.samples import fingerprinted, matched, observed

See = Callable[..., object]

LIMIT = 3
INSIDE = (Relation.PADDED, Relation.COMPOSITE, Relation.CROP)


class Tables:
    """What a test does to the tables, each in a transaction as the jobs have them."""

    def __init__(self, engine: Engine, ids: list[int], model_id: int, run: Run) -> None:
        self.engine, self.ids, self.model_id, self.run = engine, ids, model_id, run

    def save(self, *found: Match, calibration: str = "c1", claimed: Sequence[int] = ()) -> int:
        def change(db: Connection) -> None:
            matches.save(
                db,
                found,
                model_id=self.model_id,
                calibration=calibration,
                run_id=self.run.run_id,
            )

        # The match job settles the images it claimed, one end of each pair.
        return self._settled(change, claimed or [m.derived_id for m in found])

    def decide(self, one: int, two: int, answer: str) -> int:
        pair = (one, two)
        return self._settled(lambda db: suppression.decide(db, pair, answer, "me", "so"), pair)

    def add(self, image: int) -> int:
        return self._settled(lambda db: suppression.add_template(db, image, None, "me"), [image])

    def remove(self, image: int) -> int:
        with self.engine.connect() as db:
            reached = suppression.reached(db, [image])
        return self._settled(lambda db: suppression.remove_template(db, image), reached)

    def _settled(self, change: Callable[[Connection], object], ids: Sequence[int]) -> int:
        with self.engine.begin() as db:
            matches.lock(db)
            change(db)
            return len(suppression.settle(db, ids, LIMIT))

    def suppressed(self) -> dict[tuple[int, int], str]:
        """Suppressed pairs, derived and source, each with its reason."""
        ask = "SELECT derived_id, source_id, suppressed FROM ris.match WHERE suppressed IS NOT NULL"
        with self.engine.connect() as db:
            return {(r[0], r[1]): r[2] for r in db.execute(text(ask))}

    def hubs(self) -> set[int]:
        with self.engine.connect() as db:
            return set(db.scalars(text("SELECT image_id FROM ris.hub")))

    def template_matches(self) -> set[tuple[int, int]]:
        """Images and the templates they match."""
        with self.engine.connect() as db:
            found = db.execute(text("SELECT image_id, template_id FROM ris.template_match"))
            return {(r.image_id, r.template_id) for r in found}

    def looked_up(self) -> set[tuple[int, int]]:
        """What :meth:`template_matches` is to be, from matches and templates."""
        with self.engine.connect() as db:
            marked = set(db.scalars(text("SELECT image_id FROM ris.template")))
            pairs = db.execute(text("SELECT derived_id, source_id FROM ris.match")).all()
        near = {(i, i) for i in marked} | {(one, two) for one, two in pairs}
        return {(i, t) for i, t in near | {(two, one) for one, two in near} if t in marked}

    def uri(self, image: int) -> str:
        with self.engine.connect() as db:
            return images.uris(db, [image])[image]

    def unresolved(self) -> set[tuple[int, int]]:
        """Since this was asked last."""
        with self.engine.begin() as db:
            found = matches.unresolved(db)
            matches.set_resolved(db, found)
            return set(found)

    def clear(self) -> None:
        with self.engine.begin() as db:
            db.execute(
                text("TRUNCATE ris.match, ris.decision, ris.template, ris.template_match, ris.hub")
            )


@pytest.fixture
def tables(engine: Engine, see: See, model_id: int, run: Run) -> Iterator[Tables]:
    """Nine fingerprinted images, and no match of them."""
    see(*(observed(f"file:///{n}", n) for n in "abcdefghi"))
    with engine.begin() as db:
        ids = fingerprinted(db)
    yield Tables(engine, ids, model_id, run)


def edited(derived: int, source: int, **changes: object) -> Match:
    evidence = {"direction": "colour", "changes": ["local"]}
    return matched(derived, source, relation=Relation.EDITED, evidence=evidence, **changes)


def composite(outer: int, inner: int, **changes: object) -> Match:
    return matched(
        outer, inner, relation=Relation.COMPOSITE, box=(0.1, 0.1, 0.5, 0.5), scale=1.0, **changes
    )


# ── reviewers ────────────────────────────────────────────────────────────────────────────────


def test_the_latest_decision_counts_and_unsure_leaves_what_was_judged(tables: Tables) -> None:
    a, b, c, *_ = tables.ids
    tables.save(edited(a, b), edited(c, b, suppressed="low-complexity"))
    tables.unresolved()
    assert tables.decide(a, b, "not-copy") == 1
    assert tables.suppressed() == {(a, b): "reviewer", (c, b): "low-complexity"}
    assert tables.unresolved() == {(a, b)}
    assert tables.decide(b, c, "copy") == 1
    assert tables.suppressed() == {(a, b): "reviewer"}
    assert tables.unresolved() == {(c, b)}
    assert tables.decide(b, c, "not-copy") == 1
    assert tables.suppressed()[c, b] == "reviewer"
    assert tables.decide(b, c, "unsure") == tables.decide(b, a, "unsure") == 1
    assert tables.suppressed() == {(c, b): "low-complexity"}
    assert tables.decide(a, b, "unsure") == 0


def test_a_decision_outlives_another_judgement_which_is_kept_beside_it(tables: Tables) -> None:
    a, b, *_ = tables.ids
    tables.save(edited(a, b, suppressed="low-complexity"))
    tables.decide(a, b, "copy")
    tables.save(edited(b, a, suppressed="tiny"), calibration="c2")
    assert tables.suppressed() == {}
    tables.decide(a, b, "unsure")
    assert tables.suppressed() == {(b, a): "tiny"}
    tables.save(edited(b, a), calibration="c3")
    assert tables.suppressed() == {}


def test_what_stands_is_said_whichever_way_it_is_asked(tables: Tables) -> None:
    a, b, c, *_ = tables.ids
    tables.save(edited(b, a, suppressed="low-complexity"))
    tables.add(a)
    tables.decide(a, b, "not-copy")
    tables.decide(a, b, "copy")
    with tables.engine.connect() as db:
        said = suppression.standing(db, (a, b))
        assert said == suppression.standing(db, (b, a))
        assert suppression.standing(db, (a, c)) is None
    assert said is not None and said.decided is not None
    assert (said.reason, said.judged, said.hub) == (None, "low-complexity", False)
    decided = said.decided
    assert (decided.answer, decided.who, decided.why) == ("copy", "me", "so")
    assert said.template_uri == tables.uri(a)


@pytest.mark.parametrize(
    "values", ["2, 1, 'copy', 'me', 'so'", "1, 2, 'maybe', 'me', 'so'", "1, 2, 'copy', '', 'so'"]
)
def test_a_decision_that_cannot_be_is_refused(tables: Tables, values: str) -> None:
    insert = "INSERT INTO ris.decision (first_id, second_id, answer, who, why) VALUES"
    with pytest.raises(IntegrityError), tables.engine.begin() as db:
        db.execute(text(f"{insert} ({values})"))


# ── templates ────────────────────────────────────────────────────────────────────────────────


def test_pictures_of_one_template_are_copies_only_as_they_are_filled_in(tables: Tables) -> None:
    blank, one, two, small, other, *_ = tables.ids
    tables.save(edited(one, blank), edited(two, blank, suppressed="low-complexity"))
    tables.save(edited(two, one), edited(small, two), matched(small, one), edited(other, one))
    tables.save(edited(small, blank))
    tables.unresolved()
    changed = {(one, blank), (two, one), (small, two), (small, blank)}
    assert tables.add(blank) == 4
    assert tables.suppressed() == dict.fromkeys(changed, "template") | {
        (two, blank): "low-complexity"
    }
    assert tables.unresolved() == changed
    assert tables.add(blank) == 0
    assert tables.decide(two, one, "copy") == 1
    assert tables.remove(blank) == 3
    assert tables.suppressed() == {(two, blank): "low-complexity"}


@pytest.mark.parametrize("changes", [["colour-profile"], []])
def test_a_thumbnail_of_a_template_counts_unless_something_changed(
    tables: Tables, changes: list[str]
) -> None:
    blank, small, *_ = tables.ids
    tables.add(blank)
    tables.save(matched(small, blank, evidence={"direction": "resolution", "changes": changes}))
    assert tables.suppressed() == ({(small, blank): "template"} if changes else {})


def test_templates_are_listed_and_removed_once(tables: Tables) -> None:
    a, b, *_ = tables.ids
    with tables.engine.begin() as db:
        assert suppression.add_template(db, b, "a form", "me")
        assert not suppression.add_template(db, b, "something else", "you")
        assert suppression.add_template(db, a, None, "you")
        found = suppression.templates(db)
        marked = [(tables.uri(a), None, "you"), (tables.uri(b), "a form", "me")]
        assert [(t.uri, t.note, t.who) for t in found] == sorted(marked)
        assert suppression.remove_template(db, b) and not suppression.remove_template(db, b)


# ── hubs ─────────────────────────────────────────────────────────────────────────────────────


def test_what_is_pasted_into_many_different_pictures_is_a_hub(tables: Tables) -> None:
    logo, *pages = tables.ids
    tables.save(*(composite(page, logo) for page in pages[:LIMIT]))
    assert (tables.hubs(), tables.suppressed()) == (set(), {})
    tables.unresolved()
    tables.save(composite(pages[LIMIT], logo))
    assert tables.hubs() == {logo}
    assert tables.suppressed() == {(page, logo): "hub" for page in pages[: LIMIT + 1]}
    assert tables.unresolved() == {*tables.suppressed()}
    tables.decide(logo, pages[0], "copy")
    assert (pages[0], logo) not in tables.suppressed()
    tables.decide(logo, pages[1], "not-copy")
    assert (tables.hubs(), tables.suppressed()) == (set(), {(pages[1], logo): "reviewer"})


def test_what_lies_inside_copies_of_one_picture_is_no_hub(tables: Tables) -> None:
    photo, *copies = tables.ids
    tables.save(*(composite(copy, photo) for copy in copies))
    assert tables.hubs() == {photo}
    tables.save(*(matched(copy, copies[0]) for copy in copies[1:]))
    assert (tables.hubs(), tables.suppressed()) == (set(), {})
    tables.add(copies[0])
    assert tables.hubs() == set()


def test_borders_and_crops_make_a_hub_and_stay(tables: Tables) -> None:
    logo, *pages = tables.ids
    box = (0.1, 0.1, 0.5, 0.5)
    tables.save(
        matched(pages[0], logo, relation=Relation.PADDED, box=box),
        matched(logo, pages[1], relation=Relation.CROP, box=box),
        *(composite(page, logo) for page in pages[2:4]),
        composite(logo, pages[4]),
    )
    assert tables.hubs() == {logo}
    assert tables.suppressed() == {(page, logo): "hub" for page in pages[2:4]}


def crop(inner: int, outer: int, direction: str) -> Match:
    evidence = {"direction": direction}
    box = (0.1, 0.1, 0.5, 0.5)
    return matched(inner, outer, relation=Relation.CROP, box=box, evidence=evidence)


def test_what_may_have_been_pasted_is_of_a_hub_and_what_was_cut_out_is_not(tables: Tables) -> None:
    logo, maybe, cut, *pages = tables.ids
    tables.save(crop(logo, maybe, "undetermined"), crop(logo, cut, "containment"))
    tables.save(composite(pages[0], logo))
    assert (tables.hubs(), tables.suppressed()) == (set(), {})
    tables.unresolved()
    tables.save(composite(pages[1], logo))
    assert tables.hubs() == {logo}
    assert tables.suppressed() == dict.fromkeys(
        [(logo, maybe), (pages[0], logo), (pages[1], logo)], "hub"
    )
    assert tables.unresolved() == {*tables.suppressed()}
    tables.decide(logo, maybe, "copy")
    assert (logo, maybe) not in tables.suppressed()


def test_pictures_that_a_hub_may_have_been_cut_from_are_tied_to_it(tables: Tables) -> None:
    """A hub that was found is the same one picture with them for what lies inside it."""
    logo, part, *pages = tables.ids
    tables.save(*(crop(logo, page, "undetermined") for page in pages))
    assert tables.hubs() == {logo}
    tables.save(*(composite(outer, part) for outer in (logo, *pages)))
    assert tables.hubs() == {logo}


def test_a_logo_with_a_margin_does_not_tie_the_pictures_it_is_in(tables: Tables) -> None:
    logo, wide, *pages = tables.ids
    tables.save(matched(wide, logo, relation=Relation.PADDED, box=(0.1, 0.1, 0.9, 0.9)))
    tables.save(*(composite(page, inner) for page in pages for inner in (logo, wide)))
    assert tables.hubs() == {logo, wide}


# ── any order ────────────────────────────────────────────────────────────────────────────────

Event = tuple[str, Any]


def events(seed: int, ids: list[int]) -> list[Event]:
    """Pairs of all kinds, decisions on some, and templates, as the tables will have them."""
    rng = random.Random(seed)
    relations = [
        *[Relation.COMPOSITE] * 6,
        *INSIDE,
        Relation.EDITED,
        Relation.THUMBNAIL,
        Relation.RECOMPRESSED,
    ]
    found: list[Event] = []
    for one, two in combinations(ids, 2):
        # The first two images lie inside many others, of which few match one another.
        if rng.random() < (0.9 if one in ids[:2] else 0.15):
            one, two = (two, one) if rng.random() < 0.8 else (one, two)
            relation = rng.choice(relations)
            if relation is Relation.CROP:
                one, two = two, one
            pair = matched(
                one,
                two,
                relation=relation,
                box=(0, 0, 0.5, 0.5) if relation in INSIDE else None,
                suppressed=rng.choice([*[None] * 9, "low-complexity"]),
                evidence={
                    "direction": rng.choice(["x", "undetermined"]),
                    "changes": rng.choice([[], ["local"]]),
                },
            )
            found.append(("save", pair))
    for one, two in rng.sample(list(combinations(ids, 2)), 4):
        found.append(("decide", (one, two, rng.choice(["copy", "not-copy", "unsure"]))))
    return [*found, *(("add", i) for i in rng.sample(ids, rng.choice([0, 0, 1, 2])))]


def by_the_book(events: list[Event], limit: int) -> tuple[dict[tuple[int, int], str], set[int]]:
    """The reasons and the hubs, worked out at once from all that happened."""
    pairs: list[Match] = [value for what, value in events if what == "save"]
    answers = {frozenset(v[:2]): v[2] for what, v in events if what == "decide"}
    blanks = {value for what, value in events if what == "add"}
    near = {(i, i) for i in blanks}
    for m in pairs:
        near |= {(m.derived_id, m.source_id), (m.source_id, m.derived_id)}

    def filled(m: Match) -> bool:
        same = m.relation in (Relation.THUMBNAIL, Relation.RECOMPRESSED)
        both = any({(m.derived_id, t), (m.source_id, t)} <= near for t in blanks)
        return both and not (same and not m.evidence["changes"])

    def reason(m: Match, found: set[int]) -> str | None:
        answer = answers.get(frozenset((m.derived_id, m.source_id)))
        if answer in ("copy", "not-copy"):
            return None if answer == "copy" else "reviewer"
        hub = m.relation is Relation.COMPOSITE and m.source_id in found
        if m.relation is Relation.CROP and m.evidence["direction"] == "undetermined":
            hub = m.derived_id in found
        return m.suppressed or ("template" if filled(m) else "hub" if hub else None)

    counting = [m for m in pairs if reason(m, set()) is None]
    inside: dict[int, list[int]] = {}
    for m in counting:
        if m.relation in INSIDE:
            inner, outer = m.source_id, m.derived_id
            if m.relation is Relation.CROP:
                inner, outer = outer, inner
            inside.setdefault(inner, []).append(outer)
    ties = [(m.derived_id, m.source_id) for m in counting if m.relation is not Relation.COMPOSITE]
    found = hubs(inside, ties, limit)
    reasons = {(m.derived_id, m.source_id): reason(m, found) for m in pairs}
    return {pair: why for pair, why in reasons.items() if why}, found


def batches(events: list[Event], rng: random.Random) -> Iterator[tuple[str, list[Any]]]:
    """Pairs are saved some at a time, as they belong to one image or another."""
    while events:
        what, value = events.pop()
        batch = [value]
        while what == "save" and events and events[-1][0] == "save" and rng.random() < 0.5:
            batch.append(events.pop()[1])
        yield what, batch


def play(tables: Tables, events: list[Event], order: random.Random) -> None:
    for what, batch in batches(events[::-1], order):
        if what == "save":
            claimed = [order.choice((m.derived_id, m.source_id)) for m in batch]
            tables.save(*batch, claimed=claimed)
        elif what == "decide":
            tables.decide(*batch[0])
        else:
            getattr(tables, what)(batch[0])


@hypothesis(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 10_000), order=st.randoms(use_true_random=False), data=st.data())
def test_the_tables_do_not_depend_on_the_order(
    tables: Tables, seed: int, order: random.Random, data: st.DataObject
) -> None:
    tables.clear()
    happened = events(seed, tables.ids)
    expected = by_the_book(happened, LIMIT)
    # A template that comes and goes, and an older decision, leave nothing behind.
    passing = tables.ids[data.draw(st.integers(0, 8))]
    fleeting: list[Event] = [] if ("add", passing) in happened else [("add", passing)]
    order.shuffle(happened)
    play(tables, happened[::2] + fleeting + happened[1::2], order)
    if fleeting:
        tables.remove(passing)
    assert (tables.suppressed(), tables.hubs()) == expected
    assert tables.template_matches() == tables.looked_up()
    tables.unresolved()
    for image in tables.ids:
        with tables.engine.begin() as db:
            assert suppression.settle(db, [image], LIMIT) == []
    assert tables.unresolved() == set()


def test_what_happens_there_leads_to_every_reason() -> None:
    expected = [by_the_book(events(seed, list(range(9))), LIMIT)[0] for seed in range(40)]
    assert {reason for reasons in expected for reason in reasons.values()} == {
        "reviewer",
        "low-complexity",
        "template",
        "hub",
    }
