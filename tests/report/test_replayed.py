"""Where two rows differ, and how a replay is told."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from ris_jobs.report.replayed import (
    Change,
    Difference,
    FamilyDifference,
    Replayed,
    Verdicts,
    changes,
    replayed,
)


@pytest.mark.parametrize(
    ("kept", "now", "what"),
    [
        (0.5, 0.5001, []),
        (0.5, 0.501, [""]),
        (0.5, None, [""]),
        (None, None, []),
        (1, 1.0, []),
        ("a", "b", [""]),
        ([0.1, 0.2], [0.1, 0.20001], []),
        ([0.1], [0.1, 0.2], [""]),
        ({"a": 1, "b": {"c": "x", "d": [1]}}, {"a": 1, "b": {"c": "y", "d": [2]}}, ["b.c", "b.d"]),
        ({"old": 1}, {"new": 1}, ["new", "old"]),
    ],
)
def test_numbers_may_differ_in_the_last_digit_kept_and_nothing_else(
    kept: Any, now: Any, what: list[str]
) -> None:
    assert [c.what for c in changes(kept, now)] == what


AS_IT_WAS = Verdicts(40, "fit1", [])


def told(
    *differences: Difference, code_now: str = "1+a", verdicts: Verdicts = AS_IT_WAS
) -> list[str]:
    done = Replayed(3, 1200, "builtin-2", "abc", "def", "1+a", code_now, differences, verdicts)
    assert done.same is not bool(differences or verdicts.differences)
    console = Console(width=200, color_system=None)
    with console.capture() as captured:
        console.print(replayed(done), soft_wrap=True)
    return captured.get().splitlines()


def test_a_run_that_came_out_as_it_was() -> None:
    assert told() == [
        "run 3: 1,200 rows, all as they were",
        "run 3: 40 families, all as they were",
        "builtin-2, calibration abc, provenance fit1, settings def, code 1+a",
    ]


def test_other_rules_are_named() -> None:
    assert told(code_now="1+b")[2:] == [
        "judged by other rules: rows may come out otherwise",
        "builtin-2, calibration abc, provenance fit1, settings def, code 1+a, now 1+b",
    ]


def test_every_difference_is_told_harmlessly() -> None:
    changed = Difference("file:///a", "file:///b", [Change("relation", "crop", "ed\x1b[1mited")])
    assert told(changed, Difference("file:///c", "file:///d", []), code_now="2+a") == [
        "run 3: 1,200 rows, 2 not as they were",
        "run 3: 40 families, all as they were",
        "builtin-2, calibration abc, provenance fit1, settings def, code 1+a, now 2+a",
        "file:///a → file:///b",
        "    relation: crop, now ed\\x1b[1mited",
        "file:///c → file:///d",
        "    no match any more",
    ]


def test_verdicts_that_come_out_otherwise_are_told() -> None:
    other = FamilyDifference(7, "file:///a\x1b", [Change("source", "file:///a", None)])
    gone = FamilyDifference(8, "file:///b", [])
    assert told(verdicts=Verdicts(2, "fit1", [other, gone], erased=1, by_other_weights=3)) == [
        "run 3: 1,200 rows, all as they were",
        "run 3: 2 families, 2 not as they were; of 1 more an image was erased",
        "3 more families by other weights, which this version of ris-jobs does not have",
        "builtin-2, calibration abc, provenance fit1, settings def, code 1+a",
        "family 7 of file:///a\\x1b",
        "    source: file:///a, now None",
        "family 8 of file:///b",
        "    no family any more",
    ]
