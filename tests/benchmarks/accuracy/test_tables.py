from __future__ import annotations

from dataclasses import replace

from benchmarks.accuracy import tables
from benchmarks.accuracy.evaluate import evaluate
from benchmarks.accuracy.results import Report, Result
from tests.benchmarks.accuracy.nine import ROWS, described, near


def test_the_table_ranks_systems_and_says_what_did_not_run(report: Report, found: Result) -> None:
    better = evaluate(ROWS, described("better"), near(s05=1, s16=1, s07=1))
    lines = tables.table(replace(report, results=(found, better))).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:4]] == ["| better", "| thing"]
    assert lines[2].startswith("| better | 1.000 (1.000–1.000) |")
    assert lines[3].endswith("| 1.0 | 3.0 |")
    assert lines[-1] == "- not run: other, weights absent"


def test_the_table_of_edits_has_a_row_for_each(found: Result) -> None:
    lines = tables.per_edit_table(found).splitlines()
    assert lines[2].startswith("| crop_50 | yes | 1 | 0.000 (0.000–0.000) |")
    assert lines[4].startswith("| collage_2x2 | never | 1 | 0.000 (0.000–0.000) |")
