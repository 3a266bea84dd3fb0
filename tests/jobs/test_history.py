"""What was believed on a night can be asked later, whatever came after it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import Connection, Engine, text

from ris_jobs import jobs
from ris_jobs.crawl.directory import uri_of
from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos
from ris_jobs.errors import ConfigError, ImageRejected, NotFound, Reason
from ris_jobs.jobs.history import time_of
from ris_jobs.match import Relation
from ris_jobs.progress import LogProgress
from ris_jobs.settings import Settings
from ris_jobs.store import images, ledger, matches, runs, suppression
from ris_jobs.store.postgres import open_engine
from tests.jobs.conftest import Scan, row_versions
from tests.store.samples import MODEL, fingerprint, matched, observed

VIEWS = ("match_by_uri", "image_by_uri", "family_by_uri")
HISTORIES = ("match", "family", "family_member", "template", "quarantine")


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with open_engine(settings) as engine:
        yield engine


def believed(db: Connection, at: datetime | None = None) -> dict[str, list[str]]:
    """What the views say, or said at a time; but when a URI was last seen before then is not
    kept."""
    of = {v: f"ris.{v}" if at is None else f"ris.{v}_at(:at)" for v in VIEWS}
    return {
        view: sorted(
            db.scalars(
                text(f"SELECT (to_jsonb(v) - 'last_seen_at')::text FROM {source} v"), {"at": at}
            )
        )
        for view, source in of.items()
    }


# ── any nights ───────────────────────────────────────────────────────────────────────────────


class Nights:
    """Random things that happen to four URIs and five different images."""

    def __init__(self, engine: Engine, settings: Settings, rng: random.Random) -> None:
        self.engine, self.settings, self.rng = engine, settings, rng

    def happen(self) -> None:
        doing = [self.see, self.see, self.fingerprint, self.match, self.match, self.decide]
        doing += [self.template, self.resolve, self.resolve]
        self.rng.choice(doing)()

    def see(self) -> None:
        """A crawl that lists some URIs only."""
        listed = self.rng.sample("abcd", self.rng.randint(0, 4))
        seen = [
            observed(f"file:///r/{u}", self.rng.choice("vwxyz"), version=str(self.rng.random()))
            for u in listed
        ]
        with self.engine.begin() as db:
            run = runs.start(db, "crawl", self.settings)
        with self.engine.begin() as db:
            ledger.record(db, seen, ledger.current(db, [o.uri for o in seen]), run)
            lost = ledger.unseen(db, "file:///r", (), run.started_at)
            ledger.mark_gone(db, lost, run.started_at)

    def fingerprint(self) -> None:
        with self.engine.begin() as db:
            claimed = [c.image_id for c in images.claim_pending(db, 0, 9)]
            bad = {i for i in claimed if self.rng.random() < 0.3}
            images.save_fingerprints(db, {i: fingerprint(i) for i in claimed if i not in bad})
            lost = ImageRejected(Reason.VANISHED, "it is not there")
            images.quarantine(db, dict.fromkeys(bad, lost), "abc 1.0")

    def match(self) -> None:
        with self.engine.begin() as db:
            if not (pair := self._pair(db)):
                return
            model_id = runs.register_model(db, MODEL)
            run = runs.start(db, "scan", self.settings, model_id=model_id)
            found = matched(
                *pair,
                relation=self.rng.choice([Relation.THUMBNAIL, Relation.EDITED]),
                evidence={"changes": ["colour"], "direction": "resolution"},
                suppressed=self.rng.choice([None, None, "low-complexity"]),
            )
            matches.lock(db)
            version = self.rng.choice("123")
            matches.save(db, [found], model_id=model_id, calibration=version, run_id=run.run_id)
            suppression.settle(db, pair, 50)

    def decide(self) -> None:
        with self.engine.begin() as db:
            matches.lock(db)
            if (pair := self._pair(db)) and suppression.standing(db, pair):
                answer = self.rng.choice(["copy", "not-copy", "unsure"])
                suppression.decide(db, pair, answer, "me", "so")
                suppression.settle(db, pair, 50)

    def template(self) -> None:
        with self.engine.begin() as db:
            matches.lock(db)
            if pair := self._pair(db):
                reached = suppression.reached(db, pair[:1])
                if not suppression.remove_template(db, pair[0]):
                    suppression.add_template(db, pair[0], None, "me")
                suppression.settle(db, reached, 50)

    def resolve(self) -> None:
        jobs.resolve(self.engine, None, LogProgress())

    def _pair(self, db: Connection) -> tuple[int, int] | None:
        ids = list(
            db.scalars(text("SELECT image_id FROM ris.image WHERE status = 'ok' ORDER BY 1"))
        )
        if len(ids) < 2:
            return None
        one, two = self.rng.sample(ids, 2)
        return one, two


@hypothesis(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 100_000))
def test_every_moment_can_be_asked_again(engine: Engine, settings: Settings, seed: int) -> None:
    with engine.begin() as db:
        db.execute(text("TRUNCATE ris.run, ris.model CASCADE"))
        for table in HISTORIES:
            db.execute(text(f"TRUNCATE ris.{table}_history"))
    nights = Nights(engine, settings, random.Random(seed))
    moments: list[tuple[datetime, Any]] = []
    for _ in range(25):
        nights.happen()
        with engine.connect() as db:
            now = believed(db)
            moments.append((db.scalar(text("SELECT clock_timestamp()")), now))
    with engine.connect() as db:
        for at, then in moments:
            assert believed(db, at) == then


# ── scans ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def three_nights(
    scan: Scan,
    folder: Path,
    tmp_path: Path,
    rocket: Image.Image,
    engine: Engine,
    settings: Settings,
) -> Path:
    """A thumbnail whose match a reviewer rejects after the first night; it shows other bytes in
    the second and is gone in the third."""
    small = folder / "sub" / "small.jpg"
    scan(folder)
    jobs.decide(engine, settings, str(folder / "coffee.jpg"), str(small), "not-copy", "no", "Ada")
    small.write_bytes(edits.jpeg(edits.thumbnail(rocket, 128)))
    scan(folder)
    shutil.move(small, tmp_path / "aside.jpg")
    scan(folder)
    return small


def test_the_history_of_a_uri(three_nights: Path, engine: Engine, settings: Settings) -> None:
    found = jobs.history(engine, settings, str(three_nights), None)
    assert found.subject == uri_of(three_nights)
    assert [e.event for e in found.events] == ["appeared", "changed", "gone"]
    first, second, _ = found.events
    assert second.previous_sha256 == first.sha256 != second.sha256
    told = [(Path(m.source_uri).name, m.suppressed, m.until is None) for m in found.matches]
    assert told == [
        ("coffee.jpg", None, False),
        ("coffee.jpg", "reviewer", True),
        ("rocket.jpg", None, True),
    ]
    assert [(d.who, d.answer) for d in found.decisions] == [("Ada", "not-copy")]
    assert [f.until is None for f in found.families] == [False, True]
    assert [e.kind for e in found.family_events] == ["ended"]


def test_the_history_of_an_image_wherever_it_was(
    three_nights: Path, engine: Engine, settings: Settings, folder: Path, scan: Scan
) -> None:
    by_uri = jobs.history(engine, settings, str(three_nights), None)
    first = by_uri.events[0].sha256
    assert first is not None
    found = jobs.history(engine, settings, first.upper(), None)
    assert (found.subject, [e.event for e in found.events]) == (first, ["appeared", "changed"])
    assert {m.derived_sha256 for m in found.matches} == {first}


def test_a_file_that_was_scanned_elsewhere_is_known_by_its_bytes(
    scan: Scan, folder: Path, tmp_path: Path, engine: Engine, settings: Settings
) -> None:
    scan(folder)
    elsewhere = tmp_path / "elsewhere.jpg"
    shutil.copy(folder / "rocket.jpg", elsewhere)
    found = jobs.history(engine, settings, str(elsewhere), None)
    assert {Path(e.uri).name for e in found.events} == {"rocket.jpg", "rocket-again.jpg"}


def test_the_history_as_of_a_run(three_nights: Path, engine: Engine, settings: Settings) -> None:
    found = jobs.history(engine, settings, str(three_nights), "1")
    assert [e.event for e in found.events] == ["appeared"]
    assert [(m.suppressed, m.until) for m in found.matches] == [(None, None)]
    assert found.decisions == [] and [f.until for f in found.families] == [None]
    with engine.connect() as db:
        assert found.as_of == db.scalar(text("SELECT finished_at FROM ris.run WHERE run_id = 1"))


def test_nights_that_only_add_keep_nothing(
    scan: Scan, folder: Path, engine: Engine, coffee: Image.Image
) -> None:
    scan(folder)
    (folder / "sub" / "new.jpg").write_bytes(edits.jpeg(dict(photos())["chelsea"], 90))
    scan(folder)
    kept = row_versions(engine)
    assert [t for t in HISTORIES if kept[f"{t}_history"]] == []


def test_what_no_scan_has_seen_has_no_history(engine: Engine, settings: Settings) -> None:
    for name in ("nothing.jpg", "https://example.org/a.jpg", "ab" * 32):
        with pytest.raises(NotFound, match="no scan has seen"):
            jobs.history(engine, settings, name, None)


def test_a_time_may_be_a_run_a_day_or_a_moment(engine: Engine, settings: Settings) -> None:
    with engine.begin() as db:
        run = runs.start(db, "crawl", settings)
    with engine.connect() as db:
        with pytest.raises(NotFound, match=f"run {run.run_id} has not finished"):
            time_of(db, str(run.run_id))
        with pytest.raises(NotFound, match="there is no run 77"):
            time_of(db, "77")
        assert time_of(db, "2026-01-31T02:15") == datetime(2026, 1, 31, 2, 15, tzinfo=UTC)
        assert time_of(db, "2026-01-31T02:15+02:00") == datetime(2026, 1, 31, 0, 15, tzinfo=UTC)
        end = datetime(2026, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC)
        assert time_of(db, "2026-01-31") == end
        for wrong in ("yesterday", "9999-12-31T99", "", "-1"):
            with pytest.raises(ConfigError, match="--as-of must be a run or a time"):
                time_of(db, wrong)
