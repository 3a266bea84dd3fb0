"""What was believed before is kept, and nothing is kept where nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from ris_jobs.errors import ImageRejected, Reason
from ris_jobs.match import Match
from ris_jobs.provenance import Family, Verdict
from ris_jobs.provenance.history import Event
from ris_jobs.provenance.model import model
from ris_jobs.store import families, images, matches, suppression
from ris_jobs.store.runs import Run
from tests.store.samples import fingerprinted, matched, observed

See = Callable[..., object]
HISTORY = ("match", "family", "family_member", "template", "quarantine")


@pytest.fixture
def ids(engine: Engine, see: See) -> list[int]:
    """Four fingerprinted images."""
    see(*(observed(f"file:///{n}", n) for n in "abcd"))
    with engine.begin() as db:
        return fingerprinted(db)


def clock(engine: Engine) -> datetime:
    with engine.connect() as db:
        at: datetime = db.scalar(text("SELECT clock_timestamp()"))
        return at


def kept(engine: Engine) -> dict[str, int]:
    """How many rows each history has, of those that have any."""
    with engine.connect() as db:
        counts = {t: db.scalar(text(f"SELECT count(*) FROM ris.{t}_history")) for t in HISTORY}
    return {table: count for table, count in counts.items() if count}


def ask(engine: Engine, question: str, *times: datetime) -> list[list[tuple[Any, ...]]]:
    """The rows of a question about ``:at`` at each of the times."""
    with engine.connect() as db:
        return [[tuple(r) for r in db.execute(text(question), {"at": at})] for at in times]


def save(db: Connection, run: Run, model_id: int, calibration: str, *found: Match) -> None:
    matches.lock(db)
    matches.save(db, found, model_id=model_id, calibration=calibration, run_id=run.run_id)
    suppression.settle(db, [i for m in found for i in (m.derived_id, m.source_id)], 50)


MATCHES = (
    "SELECT derived_id, source_id, calibration, suppressed FROM ris.matches_at(:at) ORDER BY 1, 2"
)


def test_a_pair_judged_again_is_known_as_it_was(
    engine: Engine, ids: list[int], run: Run, model_id: int
) -> None:
    a, b, *_ = ids
    times = [clock(engine)]
    for calibration, pair in (("1", (a, b)), ("2", (b, a))):
        with engine.begin() as db:
            save(db, run, model_id, calibration, matched(*pair))
        times.append(clock(engine))
    assert ask(engine, MATCHES, *times) == [[], [(a, b, "1", None)], [(b, a, "2", None)]]
    assert kept(engine) == {"match": 1}


def test_what_did_not_change_is_not_kept(
    engine: Engine, ids: list[int], run: Run, model_id: int
) -> None:
    a, b, *_ = ids
    for _ in range(2):
        with engine.begin() as db:
            save(db, run, model_id, "1", matched(a, b))
            matches.set_resolved(db, matches.unresolved(db))
        with engine.begin() as db:
            db.execute(text("UPDATE ris.match SET resolved = false"))
            db.execute(text("UPDATE ris.match SET suppressed = suppressed"))
    assert kept(engine) == {}


def test_what_one_transaction_wrote_and_changed_was_never_believed(
    engine: Engine, ids: list[int], run: Run, model_id: int
) -> None:
    a, b, c, _ = ids
    with engine.begin() as db:
        suppression.add_template(db, c, None, "me")
        save(db, run, model_id, "1", matched(a, c), matched(b, c))
    with engine.begin() as db:
        # Suppressed only after it was saved, for it matches what matches the template.
        save(db, run, model_id, "1", matched(a, b, evidence={"changes": ["colour"]}))
    ((now,),) = ask(
        engine,
        f"SELECT * FROM ({MATCHES}) m WHERE derived_id = {a} AND source_id = {b}",
        clock(engine),
    )
    assert now == (a, b, "1", "template")
    assert kept(engine) == {}


def test_a_decision_is_known_from_when_it_was_made(
    engine: Engine, ids: list[int], run: Run, model_id: int
) -> None:
    a, b, *_ = ids
    with engine.begin() as db:
        save(db, run, model_id, "1", matched(a, b))
    times = [clock(engine)]
    for answer in ("not-copy", "copy"):
        with engine.begin() as db:
            matches.lock(db)
            suppression.decide(db, (a, b), answer, "me", "so")
            suppression.settle(db, [a, b], 50)
        times.append(clock(engine))
    found = [rows[0][3] for rows in ask(engine, MATCHES, *times)]
    assert found == [None, "reviewer", None]


def family(source: int | None, *members: int) -> Family:
    return Family(members[0], members, Verdict(source, 0.9 if source else 0.0, ("for: so",)))


FAMILIES = (
    "SELECT f.source_id, array_agg(m.image_id ORDER BY m.image_id) FROM ris.families_at(:at) f "
    "JOIN ris.family_members_at(:at) m USING (family_id) GROUP BY 1 ORDER BY 2"
)


def test_a_family_is_known_as_it_was_and_who_stays_never_left(
    engine: Engine, ids: list[int], run: Run
) -> None:
    a, b, c, d = ids
    nights = [
        [family(None, a, b)],
        [family(a, a, b, c)],
        [family(a, a, b, c)],
        [family(a, a, b), family(None, c, d)],
        [],
    ]
    times = []
    for night in nights:
        with engine.begin() as db:
            matches.lock(db)
            old = families.touching(db, ids)
            by_anchor = {f.anchor_id: f.family_id for f in old}
            kept_ids = [(by_anchor.get(f.anchor_id), f) for f in night]
            families.replace(db, old, kept_ids, run.run_id)
        times.append(clock(engine))
    expected = [[(f.verdict.source_id, list(f.members)) for f in night] for night in nights]
    assert ask(engine, FAMILIES, *times) == expected
    with engine.connect() as db:
        spells = db.execute(
            text("SELECT image_id, count(*) FROM ris.family_member_version GROUP BY 1 ORDER BY 1")
        )
        assert [tuple(s) for s in spells] == [(a, 1), (b, 1), (c, 2), (d, 1)]


def test_a_verdict_says_by_which_weights_and_others_write_it_anew(
    engine: Engine, ids: list[int], run: Run
) -> None:
    a, b, *_ = ids
    told = family(a, a, b)
    with engine.begin() as db:
        families.replace(db, [], [(None, told)], run.run_id)
        db.execute(text("UPDATE ris.family SET model = 'older'"))
    for _ in range(2):
        with engine.begin() as db:
            (old,) = families.touching(db, [a])
            families.replace(db, [old], [(old.family_id, told)], run.run_id)
    with engine.connect() as db:
        found = db.execute(
            text("SELECT model, until IS NULL FROM ris.family_version ORDER BY since")
        )
        assert [tuple(r) for r in found] == [("older", False), (model().version, True)]


def test_what_was_in_quarantine_is_known(engine: Engine, see: See) -> None:
    see(observed("file:///a", "x"))
    times = [clock(engine)]
    with engine.begin() as db:
        (claimed,) = images.claim_pending(db, 0, 10)
        rejected = ImageRejected(Reason.VANISHED, "it is not there")
        images.quarantine(db, {claimed.image_id: rejected}, "abc 1.0")
    times.append(clock(engine))
    see(observed("file:///b", "x"))
    times.append(clock(engine))
    with engine.begin() as db:
        fingerprinted(db)
    times.append(clock(engine))
    found = ask(engine, "SELECT status, reason FROM ris.image_states_at(:at)", *times)
    assert found == [
        [("pending", None)],
        [("quarantined", "vanished")],
        [("pending", None)],
        [("ok", None)],
    ]
    assert kept(engine) == {"quarantine": 1}


def test_a_template_that_is_none_any_more_is_known(engine: Engine, ids: list[int]) -> None:
    with engine.begin() as db:
        suppression.add_template(db, ids[0], "a form", "me")
    with engine.begin() as db:
        suppression.remove_template(db, ids[0])
    with engine.connect() as db:
        row = db.execute(text("SELECT note, who, until > since FROM ris.template_version")).one()
    assert tuple(row) == ("a form", "me", True)


def test_a_writer_that_waited_comes_after_the_one_it_waited_for(
    engine: Engine, ids: list[int], run: Run, model_id: int
) -> None:
    a, b, *_ = ids
    with engine.begin() as late:
        late.execute(text("SELECT 1"))  # It begins first, and writes last.
        with engine.begin() as db:
            save(db, run, model_id, "1", matched(a, b))
        save(late, run, model_id, "2", matched(a, b))
    with engine.connect() as db:
        spells = db.execute(
            text("SELECT calibration, since < until FROM ris.match_version ORDER BY since")
        )
        assert [tuple(s) for s in spells] == [("1", True), ("2", None)]


def test_an_event_and_a_decision_have_the_time_of_the_families_they_changed(
    engine: Engine, ids: list[int], run: Run
) -> None:
    a, b, *_ = ids
    with engine.begin() as late:
        late.execute(text("SELECT 1"))  # It begins here, and then waits.
        with engine.begin() as db:
            families.replace(db, [], [(None, family(a, a, b))], run.run_id)
        (old,) = families.touching(late, [a])
        families.decide(late, a, "undetermined", None, "me", "so")
        families.record(late, Event(old.family_id, "moved", 99, frozenset({a, b})), {}, None)
        families.replace(late, [old], [], None)
    with engine.connect() as db:
        row = db.execute(
            text(
                "SELECT until = happened_at, until = decided_at "
                "FROM ris.family_history, ris.family_event, ris.source_decision"
            )
        ).one()
    assert tuple(row) == (True, True)


def test_the_ledger_as_events(engine: Engine, see: See) -> None:
    see(observed("file:///a", "x"))
    see(observed("file:///a", "y", version="2"))
    with engine.begin() as db:
        db.execute(text("UPDATE ris.observation SET gone_at = now() WHERE superseded_at IS NULL"))
    see(observed("file:///a", "y", version="3"))
    with engine.connect() as db:
        events = db.execute(
            text("SELECT event, sha256 = previous_sha256 FROM ris.uri_event ORDER BY at")
        )
        assert [tuple(e) for e in events] == [
            ("appeared", None),
            ("changed", False),
            ("gone", None),
            ("returned", True),
        ]
