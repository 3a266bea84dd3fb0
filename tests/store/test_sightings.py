"""What pages and sources claim of dates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Engine, text

from ris_jobs.store import ledger, sightings
from tests.store.samples import observed

See = Callable[..., ledger.Recorded]


def name(engine: Engine, uri: str, published: str | None) -> datetime:
    """A source names the image; returns since when it does."""
    with engine.begin() as db:
        db.execute(
            text(
                "INSERT INTO ris.source (name, kind, location) "
                "VALUES ('list', 'urls', 'file:///list.csv') ON CONFLICT DO NOTHING"
            )
        )
        source_id = int(db.execute(text("SELECT source_id FROM ris.source")).scalar_one())
        sightings.save(db, source_id, [{"uri": uri, "published_at": published}], datetime.now(UTC))
        since: datetime = db.scalar(text("SELECT ris.moment()"))
        return since


def days(engine: Engine, as_of: datetime | None = None) -> dict[int, tuple[str, str]]:
    with engine.connect() as db:
        ids = list(db.scalars(text("SELECT image_id FROM ris.image")))
        return sightings.claimed_days(db, ids, as_of)


def test_days_are_the_earliest_that_are_claimed_of_an_image(engine: Engine, see: See) -> None:
    see(observed("https://a/1.jpg", "x"), observed("https://b/1.jpg", "x"))
    (image,) = days(engine)
    assert days(engine) == {image: ("", "2026-01-02")}
    first = name(engine, "https://a/1.jpg", "2020-05-06T23:30:00-02:00")
    second = name(engine, "https://b/1.jpg", "2021-01-01T00:00:00Z")
    assert days(engine)[image][0] == "2020-05-07"
    name(engine, "https://a/1.jpg", "2019-01-01T00:00:00Z")
    assert [days(engine, at)[image][0] for at in (first, second, None)] == [
        "2020-05-07",
        "2020-05-07",
        "2019-01-01",
    ]


def test_what_is_said_of_a_uri_is_of_what_it_shows(engine: Engine, see: See) -> None:
    see(observed("https://a/1.jpg", "x"))
    named = name(engine, "https://a/1.jpg", "2020-05-06T12:00:00Z")
    see(observed("https://a/1.jpg", "y", version="2"))
    assert [days(engine)[i][0] for i in sorted(days(engine))] == ["", "2020-05-06"]
    (before,) = days(engine, named).values()
    assert before[0] == "2020-05-06"


def test_days_that_no_calendar_has_harm_nothing(engine: Engine, see: See) -> None:
    see(observed("https://a/1.jpg", "x"))
    for far in ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", "infinity"):
        name(engine, "https://a/1.jpg", far)
        (claimed,) = days(engine).values()
        assert claimed[1] == "2026-01-02"
