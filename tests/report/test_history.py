"""A history as lines of text: in the order of time, and harmless whatever it holds."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from ris_jobs.report.history import (
    Decided,
    DecidedSource,
    FamilyEvent,
    History,
    InFamily,
    Matched,
    Named,
    Quarantined,
    Templated,
    UriEvent,
    as_json,
)
from ris_jobs.report.timeline import timeline

START = datetime(2026, 1, 31, 2, 15, tzinfo=UTC)


def day(n: int) -> datetime:
    return START + timedelta(days=n)


def match(since: int, until: int | None, **changes: Any) -> Matched:
    values: dict[str, Any] = {
        "derived_uri": "file:///a", "source_uri": "file:///b", "derived_sha256": "a" * 64,
        "source_sha256": "b" * 64, "relation": "crop", "probability": 0.9, "directed": True,
        "suppressed": None, "model": "builtin-2", "calibration": "abc", "run_id": 1,
    }  # fmt: skip
    end = None if until is None else day(until)
    return Matched(since=day(since), until=end, **(values | changes))


HISTORY = History(
    "file:///a",
    None,
    [
        UriEvent(day(0), "appeared", "file:///a", "a" * 64, None, None, None),
        UriEvent(day(3), "changed", "file:///a", None, "a" * 64, "empty", "no bytes"),
        UriEvent(day(6), "gone", "file:///a", None, None, None, None),
    ],
    [Quarantined(day(1), day(2), "a" * 64, "vanished", "not there")],
    [match(2, 4), match(4, None, suppressed="reviewer", directed=False)],
    [
        InFamily(day(2), day(3), "a" * 64, 7, None, 0.0, ["missing: dates"], 1),
        InFamily(day(3), day(5), "a" * 64, 7, "file:///b", 0.75, ["for: larger"], 2),
    ],
    [Decided(day(4), "file:///a", "file:///b", "not-copy", "Ada\x1b[31m", "a\u202eb")],
    [Templated(day(5), day(6), "a" * 64, "a form", "Ada")],
)


def told(history: History) -> list[str]:
    console = Console(width=500, color_system=None)
    with console.capture() as captured:
        console.print(timeline(history), soft_wrap=True)
    return captured.get().splitlines()


@pytest.mark.parametrize(
    ("reason", "sure"), [("for: Ada decided so: it is", "decided"), ("for: larger", "99.9\xa0%")]
)
def test_a_source_that_a_reviewer_named_is_decided(reason: str, sure: str) -> None:
    family = InFamily(day(2), None, "a" * 64, 7, "file:///b", 1.0, [reason], 1)
    history = replace(HISTORY, events=HISTORY.events[:1], families=[family])
    assert f"in family 7, source file:///b, {sure}" in told(history)[-1]


def test_everything_is_told_in_the_order_of_time() -> None:
    first, *lines = told(HISTORY)
    end = lines.index("now")
    assert first == "file:///a"
    assert lines[:end] == sorted(lines[:end], key=lambda line: line[:19])
    said = [line[25:] for line in lines[:end]]
    assert said == [
        f"appeared: file:///a: sha256 {'a' * 64}",
        "in quarantine: vanished: not there",
        "out of quarantine: vanished",
        "crop: file:///a → file:///b, 90.0\xa0%",
        "in family 7, source undetermined",
        f"changed: file:///a: empty: no bytes, before {'a' * 64}",
        "in family 7, source file:///b, 75.0\xa0%",
        "Ada\\x1b[31m decided on file:///a and file:///b: not-copy: a\\u202eb",
        "crop: file:///a ↔ file:///b, 90.0\xa0%, suppressed: reviewer",
        "marked as a template by Ada: a form",
        "in family 7 no more",
        "gone: file:///a",
        "a template no more",
    ]
    # What it showed last could not be read, and matches nothing.
    assert lines[end + 1 :] == [f"gone since {lines[said.index('gone: file:///a')][:23]}"]


def test_decisions_on_sources_and_what_happened_to_families_are_told() -> None:
    history = History(
        *("file:///a", None, [], [], [], [], [], []),
        source_decisions=[
            DecidedSource(day(0), "file:///a", "source", "file:///b", "Ada", "the print"),
            DecidedSource(day(1), "file:///a", "unsure", None, "Ada", "who knows"),
        ],
        family_events=[
            FamilyEvent(day(n), kind, 7, None if kind == "ended" else 8, 1)
            for n, kind in enumerate(("moved", "split", "merged", "ended"), 2)
        ]
        + [FamilyEvent(day(6), "shrank", 7, None, None, "Ada", "they asked")],
    )
    assert [line[25:] for line in told(history)[1:8]] == [
        "Ada decided on the source of file:///a: file:///b: the print",
        "Ada decided on the source of file:///a: unsure: who knows",
        "members of family 7 moved to family 8",
        "members of family 7 founded family 8",
        "family 7 merged into family 8",
        "family 7 ended",
        "members of family 7 left it, and are in none, as Ada erased an image: they asked",
    ]


def test_an_image_is_there_where_nothing_took_its_place() -> None:
    events = [
        UriEvent(day(0), "appeared", "file:///a", "a" * 64, None, None, None),
        UriEvent(day(1), "appeared", "file:///b", "a" * 64, None, None, None),
        UriEvent(day(2), "changed", "file:///a", "c" * 64, "a" * 64, None, None),
    ]
    of_image = replace(HISTORY, subject="a" * 64, events=events, matches=[], families=[])
    assert told(of_image)[-2:] == ["now", "there: file:///b"]
    of_uri = replace(of_image, subject="file:///a", events=[events[0], events[2]])
    assert told(of_uri)[-2:] == ["now", "there: file:///a"]


def test_only_what_a_uri_shows_then_stands() -> None:
    """It showed a, then c; a came back elsewhere, so that its match and family hold."""
    shown = [
        UriEvent(day(0), "appeared", "file:///a", "a" * 64, None, None, None),
        UriEvent(day(2), "changed", "file:///a", "c" * 64, "a" * 64, None, None),
        UriEvent(day(4), "gone", "file:///a", "c" * 64, None, None, None),
    ]
    former, present = (
        match(1, None),
        match(3, None, source_sha256="c" * 64, derived_sha256="d" * 64),
    )
    families = [
        InFamily(day(1), None, "a" * 64, 7, None, 0.0, [], 1),
        InFamily(day(3), None, "c" * 64, 8, None, 0.0, [], 2),
    ]
    history = replace(HISTORY, events=shown[:2], matches=[former, present], families=families)
    said = ["crop: file:///a → file:///b, 90.0\xa0%", "in family 8, source undetermined"]
    assert told(history)[-3:] == ["there: file:///a", *said]
    assert told(replace(history, events=shown))[-2:] == said
    before = replace(history, events=shown[:1])
    assert told(before)[-2:] == [said[0], "in family 7, source undetermined"]
    of_image = replace(before, subject="a" * 64)
    assert told(of_image)[-2:] == told(before)[-2:]


def test_a_decision_is_told_before_what_it_brought() -> None:
    history = replace(
        HISTORY,
        decisions=[Decided(day(4), "file:///a", "file:///b", "not-copy", "Ada", "no")],
        families=[InFamily(day(2), day(4), "a" * 64, 7, None, 0.0, [], 1)],
        family_events=[FamilyEvent(day(4), "ended", 7, None, 1)],
    )
    said = [line[25:] for line in told(history) if line.startswith("2026-02-04")]
    assert said == [
        "Ada decided on file:///a and file:///b: not-copy: no",
        "crop: file:///a ↔ file:///b, 90.0\xa0%, suppressed: reviewer",
        "in family 7 no more",
        "family 7 ended",
    ]


def test_since_when_an_image_is_nowhere_is_told() -> None:
    events = [
        UriEvent(day(0), "appeared", "file:///a", "a" * 64, None, None, None),
        UriEvent(day(1), "appeared", "file:///b", "a" * 64, None, None, None),
        UriEvent(day(2), "gone", "file:///a", "a" * 64, None, None, None),
        UriEvent(day(3), "changed", "file:///b", "c" * 64, "a" * 64, None, None),
        UriEvent(day(4), "returned", "file:///a", "c" * 64, "a" * 64, None, None),
    ]
    image = replace(HISTORY, subject="a" * 64, events=events, matches=[], families=[])
    assert told(image)[-2:] == ["now", "gone since 2026-02-03 02:15:00 UTC"]
    back = UriEvent(day(5), "changed", "file:///a", "a" * 64, "c" * 64, None, None)
    assert told(replace(image, events=[*events, back]))[-2:] == ["now", "there: file:///a"]


def test_nothing_known_is_said() -> None:
    assert told(History("file:///a", day(0), [], [], [], [], [], [])) == [
        "file:///a",
        "2026-01-31 02:15:00 UTC",
        "nothing is known",
    ]


def test_json_has_every_value_and_times_with_their_zone() -> None:
    values = json.loads(json.dumps(as_json(HISTORY)))
    assert values["events"][0]["at"] == "2026-01-31T02:15:00+00:00"
    assert values["matches"][1]["until"] is None
    assert values["families"][1]["reasons"] == ["for: larger"]


def test_what_pages_say_of_an_image_is_told_and_harmless() -> None:
    page = Named(
        day(1), day(2), "https://a.example/x.jpg", "press", "https://a.example/", "News",
        "a cup\x1b[31m", "https://shop.example/", day(-9), None, {}, day(1),
    )  # fmt: skip
    row = replace(page, since=day(2), until=None, page=None, columns={"id": "7", "note": ""})
    history = replace(HISTORY, named=[page, row])
    lines = [line[25:] for line in told(history) if "named by" in line]
    assert lines == [
        "named by press on https://a.example/: https://a.example/x.jpg, title: News, "
        "alt: a cup\\x1b[31m, link: https://shop.example/, "
        "published, it says: 2026-01-22 02:15:00 UTC",
        "named by press in its list: https://a.example/x.jpg, title: News, alt: a cup\\x1b[31m, "
        "link: https://shop.example/, published, it says: 2026-01-22 02:15:00 UTC, id: 7",
    ]
    kept = json.loads(json.dumps(as_json(history)))["named"]
    assert (kept[0]["alt"], kept[1]["columns"]) == ("a cup\x1b[31m", {"id": "7", "note": ""})
    assert kept[0]["published_at"] == "2026-01-22T02:15:00+00:00"
