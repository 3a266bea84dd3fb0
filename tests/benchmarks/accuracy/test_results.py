from __future__ import annotations

from dataclasses import replace

from benchmarks.accuracy import results
from benchmarks.accuracy.results import Report, Result


def test_a_report_is_read_back_as_it_was(report: Report, found: Result) -> None:
    lost = replace(found, thresholds={"recall_p90": None}, untrained=None)
    report = replace(report, results=(found, lost))
    assert results.from_json(results.to_json(report)) == report
