"""The terminal says the same in any width, with or without colour."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console, RenderableType

from ris_jobs.report import listing, terminal
from ris_jobs.report.views import Hit, Pairs, StageTime, as_json, from_json


def printed(what: RenderableType, width: int = 80, *, colour: bool = False) -> str:
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=colour, color_system="truecolor" if colour else None
    )
    console.print(what, soft_wrap=True)
    return out.getvalue()


@pytest.mark.parametrize("width", [50, 80, 200])
def test_summary_says_it_all(sample: Any, width: int) -> None:
    text = printed(terminal.summary(sample.run.summary), width)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    for line in (
        *("run 7", "scanned file:///photos", "images 9", "8 new, 1 unchanged, 2 gone"),
        *("thumbnail 1 +1", "in all 4 +1", "suppressed 1", "truncated 1"),
        "1,234 pairs compared, 56 by pixels, 7 by keypoints; 5 confirmed",
        *("known hashes images new", "list a 2 +1", "list b 0 \N{EN DASH}"),
        *("crawl 0.5 s 9 18", "match 2.0 s 0 \N{EN DASH}", "report /home/a/report.html"),
    ):
        assert line in lines, (line, lines)
    assert "\x1b" not in text


def test_what_is_unusual_is_said_and_kept(sample: Any) -> None:
    said = ("9 % of the images matched another", "1 pair could not be judged")
    run = replace(sample.run.summary, anomalies=said, cosines=(1, 2), drift=0.5, rejected=3)
    text = printed(terminal.summary(run))
    assert all(f"unusual   {sentence}" in text for sentence in said)
    assert from_json(json.loads(json.dumps(as_json(run)))) == run


def test_colour_only_adds(sample: Any) -> None:
    coloured = printed(terminal.summary(sample.run.summary), colour=True)
    assert "\x1b[" in coloured
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert plain == printed(terminal.summary(sample.run.summary))


def test_a_quiet_run_is_short(sample: Any) -> None:
    quiet = replace(
        sample.run.summary,
        new=0,
        unchanged=0,
        gone=0,
        matches={},
        pairs=Pairs(),
        quarantined={},
        stages=(),
    )
    text = printed(terminal.summary(replace(quiet, report=None)))
    assert "no matches" in text
    assert all(word not in text for word in ("compared", "quarantine", "report"))


@pytest.mark.parametrize("width", [30, 80])
def test_hits_keep_uris_whole_and_harmless(width: int) -> None:
    uri = "https://x.example/" + "a" * 100 + ".jpg"
    found = [
        Hit(uri, 0.98, "crop", 0.9999),
        Hit("file:///[red]b\x1b[31m.jpg", 0.4123),
    ]
    lines = printed(terminal.hits(found), width).splitlines()
    assert lines == [
        f"1  crop     99.9\N{NO-BREAK SPACE}%  {uri}",
        r"2  similar   0.412  file:///[red]b\x1b[31m.jpg",
    ]


def test_no_hits() -> None:
    assert printed(terminal.hits([])) == "nothing found\n"


def test_summary_as_json(sample: Any) -> None:
    value = json.loads(json.dumps(as_json(sample.run.summary)))
    assert value["images"]["seen"] == 9
    assert value["matches"]["thumbnail"] == {"new": 1, "total": 1}
    assert value["known_hashes"]["list a"] == {"new": 1, "total": 2}
    reached = {"candidates": 1234, "pixels": 56, "keypoints": 7, "confirmed": 5, "failed": 0}
    assert value["pairs"] == reached
    assert from_json(value) == sample.run.summary
    assert value["stages"][0] == {
        "name": "crawl",
        "seconds": 0.5,
        "images": 9,
        "images_per_second": 18.0,
    }


def test_older_runs_can_be_read(sample: Any) -> None:
    value = as_json(sample.run.summary)
    del value["known_hashes"], value["pairs"]
    assert from_json(value) == replace(sample.run.summary, known={}, pairs=Pairs())


def test_banks_are_a_line_each() -> None:
    when = datetime(2026, 1, 31, 2, 15, 4, tzinfo=UTC)
    found = [("a", 12_345, when, "a.csv"), ("list b", 1, when, "b\u202e.json")]
    assert printed(listing.banks(found)).splitlines() == [
        "a       12,345 hashes  2026-01-31 02:15:04 UTC  a.csv",
        r"list b         1 hash  2026-01-31 02:15:04 UTC  b\u202e.json",
    ]
    assert printed(listing.banks([])) == "no banks; `ris bank import FILE` makes one\n"


def test_an_import_says_what_it_did() -> None:
    changes, left_out = [(2, "added"), (0, "removed")], [(1, "that cannot be used")]
    said = listing.imported("a", 2, changes, left_out, [("line 1", "x\x1b")])
    assert printed(said).splitlines() == [
        "a: 2 hashes, 2 added",
        "left out: 1 that cannot be used",
        r"    line 1: x\x1b",
    ]
    assert printed(listing.imported("a", 1, [(0, "added")], [], [])) == "a: 1 hash, as before\n"
    kept = listing.imported("a", 5, changes, [(1, "that cannot be used")], [], kept=(3, 1))
    assert printed(kept).splitlines()[2:] == [
        "kept 3 that the file does not list, for 1 of its entries cannot be used"
    ]
    kept = listing.imported("a", 5, [(1, "removed")], [], [], kept=(4, 0))
    assert printed(kept).endswith("\nkept 4 that the file does not list, for it only withdraws\n")


def test_a_decision_says_what_the_pair_was_and_is() -> None:
    said = printed(listing.decided("copy", "a\x1b", "template", None, 3))
    assert said == "copy, by a\\x1b\nit counts (before: template)\n3 pairs changed\n"
    said = printed(listing.decided("unsure", "b", "hub", "hub", 0))
    assert said == "unsure, by b\nit is suppressed: hub\nno pair changed\n"


def test_templates_are_two_lines_each() -> None:
    when = datetime(2026, 1, 31, 2, 15, 4, tzinfo=UTC)
    found = [("file:///a.jpg", when, "me", "a form\u202e"), ("file:///b.jpg", when, "you", None)]
    assert printed(listing.templates(found)).splitlines() == [
        "file:///a.jpg",
        r"    2026-01-31 02:15:04 UTC, me: a form\u202e",
        "file:///b.jpg",
        "    2026-01-31 02:15:04 UTC, you",
    ]
    assert printed(listing.templates([])) == "no templates; `ris template add IMAGE` marks one\n"


def test_rate_needs_work_and_time() -> None:
    assert StageTime("a", 2.0, 5).rate == 2.5
    assert StageTime("a", 0.0, 5).rate is StageTime("a", 2.0, 0).rate is None
