"""The ledger keeps every sighting, and writes nothing for what has not changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from ris_jobs import __version__
from ris_jobs.errors import ImageRejected, Reason
from ris_jobs.settings import Settings
from ris_jobs.store import images, ledger, runs
from ris_jobs.store.runs import Run
from tests.store.samples import observed

See = Callable[..., ledger.Recorded]


def rows(engine: Engine) -> list[tuple[str, bool, bool]]:
    """(uri, superseded, gone) of each observation, oldest first."""
    with engine.connect() as db:
        found = db.execute(
            text(
                "SELECT uri, superseded_at IS NOT NULL, gone_at IS NOT NULL "
                "FROM ris.observation ORDER BY observation_id"
            )
        )
        return [tuple(r) for r in found]


def test_new_uris_make_observations_and_images_once(engine: Engine, see: See) -> None:
    a, b, c = (observed(f"file:///{n}", n[0]) for n in ("x1", "x2", "y"))
    assert see(a, b, c) == ledger.Recorded(new=3, changed=0, unchanged=0)
    with engine.connect() as db:
        assert db.scalar(text("SELECT count(*) FROM ris.image")) == 2


def test_same_bytes_under_a_new_version_are_no_news(engine: Engine, see: See) -> None:
    see(observed("file:///a", "x", version="1"))
    assert see(observed("file:///a", "x", version="2")).unchanged == 1
    assert rows(engine) == [("file:///a", False, False)]
    with engine.connect() as db:
        assert ledger.current(db, ["file:///a"])["file:///a"].version == "2"


def test_other_bytes_at_a_uri_keep_the_old_row(engine: Engine, see: See) -> None:
    see(observed("file:///a", "x"))
    assert see(observed("file:///a", "y", version="2")).changed == 1
    assert rows(engine) == [("file:///a", True, False), ("file:///a", False, False)]


def test_a_uri_that_cannot_be_read_is_observed_with_its_reason(engine: Engine, see: See) -> None:
    seen = observed("file:///a", None)
    broken = type(seen)(
        seen.uri, seen.seen_at, "1", 0, None, reason=Reason.EMPTY, detail="the file has no bytes"
    )
    assert see(broken).new == 1
    assert see(broken).unchanged == 1


def test_gone_is_marked_and_return_is_a_new_row(
    engine: Engine, see: See, settings: Settings
) -> None:
    see(observed("file:///d/a", "x"), observed("file:///d/b/f", "y"), observed("file:///dd/c", "z"))
    with engine.begin() as db:
        later = runs.start(db, "crawl", settings).started_at + timedelta(seconds=1)
        (lost,) = ledger.unseen(db, "file:///d", ["file:///d/b"], later)
        assert ledger.mark_gone(db, [lost], later) == 1
        assert ledger.unseen(db, "file:///d", ["file:///d/b"], later) == []
        assert ledger.mark_gone(db, [lost], later) == 0
    assert [r for r in rows(engine) if r[2]] == [("file:///d/a", False, True)]
    see(observed("file:///d/a", "x"))
    assert rows(engine)[-1] == ("file:///d/a", False, False)
    assert rows(engine)[0] == ("file:///d/a", True, True)


def test_an_image_that_had_vanished_gets_another_chance(engine: Engine, see: See) -> None:
    see(observed("file:///a", "x"))
    with engine.begin() as db:
        db.execute(
            text(
                "UPDATE ris.image SET status = 'quarantined', reason = 'vanished', detail = 'd', "
                "judged_by = 'abc 1.0'"
            )
        )
    see(observed("file:///b", "x"))
    with engine.connect() as db:
        assert db.scalar(text("SELECT status FROM ris.image")) == "pending"


def test_what_was_refused_is_tried_again_by_other_rules_only(
    engine: Engine, see: See, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    see(observed("file:///a", "x"))
    ask = text("SELECT status FROM ris.image")
    with engine.begin() as db:
        (image_id,) = db.scalars(text("SELECT image_id FROM ris.image"))
        rejected = ImageRejected(Reason.CORRUPT, "It is corrupt.")
        images.quarantine(db, {image_id: rejected}, run.judged_by)
    see(observed("file:///a", "x"))
    with engine.connect() as db:
        assert db.scalar(ask) == "quarantined"
    monkeypatch.setattr(runs, "code_version", lambda: f"{__version__}+00000000")
    see(observed("file:///a", "x"))
    with engine.connect() as db:
        assert db.scalar(ask) == "pending"


def test_what_is_seen_again_writes_to_no_index(engine: Engine, see: See) -> None:
    seen = [observed(f"file:///{n}", str(n)) for n in range(3000)]
    indexes = text("SELECT pg_indexes_size('ris.observation')")
    see(*seen)
    with engine.connect() as db:
        before = db.scalar(indexes)
    assert see(*seen).unchanged == 3000
    assert see(*seen).unchanged == 3000
    with engine.connect() as db:
        assert db.scalar(indexes) == before
