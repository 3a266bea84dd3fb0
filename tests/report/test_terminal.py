"""The terminal says the same in any width, with or without colour."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console, RenderableType

from ris_jobs.report import terminal
from ris_jobs.report.views import Hit, StageTime, as_json


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
        *("crawl 0.5 s 9 18", "match 2.0 s 0 \N{EN DASH}", "report /home/a/report.html"),
    ):
        assert line in lines, (line, lines)
    assert "\x1b" not in text


def test_colour_only_adds(sample: Any) -> None:
    coloured = printed(terminal.summary(sample.run.summary), colour=True)
    assert "\x1b[" in coloured
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert plain == printed(terminal.summary(sample.run.summary))


def test_a_quiet_run_is_short(sample: Any) -> None:
    quiet = replace(
        sample.run.summary, new=0, unchanged=0, gone=0, matches={}, quarantined={}, stages=()
    )
    text = printed(terminal.summary(replace(quiet, report=None)))
    assert "no matches" in text and "quarantine" not in text and "report" not in text


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
    assert value["stages"][0] == {
        "name": "crawl",
        "seconds": 0.5,
        "images": 9,
        "images_per_second": 18.0,
    }


def test_rate_needs_work_and_time() -> None:
    assert StageTime("a", 2.0, 5).rate == 2.5
    assert StageTime("a", 0.0, 5).rate is StageTime("a", 2.0, 0).rate is None
