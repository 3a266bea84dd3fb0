"""What needs a hand, and how it is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from ris_jobs.report.operation import Ran, Status, Waiting, as_json, needs
from ris_jobs.report.status import status
from ris_jobs.report.views import StageTime

NOW = datetime(2026, 5, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCAN = Ran(
    run_id=12,
    kind="scan",
    state="done",
    started_at=NOW - 7 * HOUR,
    finished_at=NOW - 6 * HOUR,
    stages=(StageTime("match", 1800.0, 9000), StageTime("match: judge", 900.0, 9000)),
    anomalies=(),
)
CRAWL = replace(SCAN, run_id=11, kind="crawl", started_at=NOW - 8 * HOUR, stages=())
UPKEEP = replace(SCAN, run_id=9, kind="upkeep", stages=())
NONE = (Waiting("fingerprint", 0, None),)


def said(
    *runs: Ran, waiting: tuple[Waiting, ...] = NONE, began: datetime | None = NOW - 24 * HOUR
) -> tuple[str, ...]:
    return needs(NOW, runs, waiting, began)


def test_a_night_that_went_well_needs_nothing() -> None:
    assert said(CRAWL, SCAN) == ()
    assert said() == ()


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        (
            replace(SCAN, state="failed"),
            "scan 12 failed 6 h 0 min ago: its log says why; the next one goes on where it stopped",
        ),
        (
            replace(SCAN, anomalies=("too many",)),
            "scan 12, 6 h 0 min ago: too many",
        ),
        (
            replace(SCAN, state="running", finished_at=None, started_at=NOW - 40 * HOUR),
            "scan 12 began 40 h 0 min ago and has not ended: it is stuck, or was cut off",
        ),
    ],
)
def test_what_a_run_needs(run: Ran, sentence: str) -> None:
    assert said(CRAWL, run) == (sentence,)


def test_a_run_under_way_needs_nothing() -> None:
    assert said(replace(SCAN, state="running", finished_at=None)) == ()
    slow = replace(SCAN, kind="reindex", state="running", finished_at=None)
    assert said(SCAN, replace(slow, started_at=NOW - 14 * 24 * HOUR)) == ()
    (stuck,) = said(SCAN, replace(slow, started_at=NOW - 16 * 24 * HOUR))
    assert "has not ended" in stuck


def test_silence_for_more_than_36_hours_is_said() -> None:
    late = [replace(run, finished_at=NOW - 37 * HOUR) for run in (CRAWL, SCAN)]
    assert said(*late) == ("nothing has run since 37 h 0 min ago: is the scheduler running?",)


def test_upkeep_that_failed_or_is_late_is_said() -> None:
    def weeks(run: Ran) -> tuple[str, ...]:
        return said(SCAN, run, began=NOW - 1000 * HOUR)

    ask = "is the DAG ris_upkeep paused? `ris upkeep` makes up for it"
    assert weeks(UPKEEP) == weeks(replace(UPKEEP, started_at=NOW - 192 * HOUR)) == ()
    assert weeks(replace(UPKEEP, started_at=NOW - 193 * HOUR)) == (
        f"upkeep has not run since 193 h 0 min ago: {ask}",
    )
    (failed,) = weeks(replace(UPKEEP, state="failed"))
    assert failed.startswith("upkeep 9 failed 6 h 0 min ago")
    assert said(SCAN, began=NOW - 192 * HOUR) == said(began=None) == ()
    assert said(SCAN, began=NOW - 193 * HOUR) == (f"upkeep has never run: {ask}",)


def test_upkeep_is_no_sign_that_nights_come() -> None:
    assert len(said(replace(SCAN, finished_at=NOW - 37 * HOUR), UPKEEP)) == 1


def test_what_has_waited_for_days_is_said() -> None:
    waiting = (Waiting("match", 3, 50 * HOUR), Waiting("fingerprint", 9, HOUR))
    assert said(SCAN, waiting=waiting) == ("3 images waiting for match, the oldest for 50 h 0 min",)


def test_the_terminal_names_all_of_it() -> None:
    runs = (replace(SCAN, anomalies=("too many",)), replace(CRAWL, state="cut off"))
    waiting = (Waiting("match", 3, HOUR), *NONE)
    quarantine, sizes = {"truncated": 2}, {"images": 1234, "database_bytes": 2_500_000_000}
    shown = Console(file=StringIO(), width=80)
    found = Status(NOW, waiting, runs, UPKEEP, quarantine, sizes, ("look",))
    shown.print(status(found), soft_wrap=True)
    text = shown.file.getvalue()  # type: ignore[attr-defined]
    for words in (
        *("needs a hand", "look", "match", "3 images", "1 h 0 min", "cut off", "too many"),
        "upkeep\n  9  upkeep   done",
        *("match 30 min 0 s", "2026-05-02 01:00:00 UTC", "truncated", "1,234", "2.5 GB"),
    ):
        assert words in text
    assert "judge" not in text and "fingerprint" not in text


def test_json_has_times_and_seconds() -> None:
    waiting = (Waiting("match", 3, HOUR),)
    found = as_json(Status(NOW, waiting, (SCAN,), None, {}, {"images": 1}, ()))
    assert found["waiting"] == [{"stage": "match", "images": 3, "oldest_seconds": 3600.0}]
    assert found["runs"][0]["finished_at"] == "2026-05-02T02:00:00+00:00"
    assert (found["needs"], found["upkeep"]) == ([], None)
