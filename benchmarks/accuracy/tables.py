"""A report as tables in GitHub Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.accuracy.results import Group, Report, Result, Summary

_OVERALL = {
    "µAP": "uap",
    "recall at P 0.90": "recall_p90",
    "recall at P 0.99": "recall_p99",
    "recall@1": "recall_1",
    "candidates@10": "candidates_10",
    "candidates@50": "candidates_50",
}
_UNTRAINED = {"µAP, never trained": "uap", "candidates@50, never trained": "candidates_50"}
_EDITS = {name: measure for name, measure in _OVERALL.items() if measure != "uap"}


def table(report: Report) -> str:
    """One row a system, the best µAP first; then what did not run, and why."""
    rows = [_system_row(found) for found in report.ranked]
    text = _markdown(["system", *_OVERALL, *_UNTRAINED, "vectors/image", "images/s"], rows)
    return "\n".join(
        [text, "", *(f"- not run: {name}, {why}" for name, why in report.absent.items())]
    )


def per_edit_table(found: Result) -> str:
    """One row an edit variant of one system."""
    rows = [
        [
            group.name,
            "yes" if group.trained else "never",
            str(group.copies),
            *(_figure(group, measure) for measure in _EDITS.values()),
        ]
        for group in found.variants
    ]
    return _markdown(["edit", "trained", "copies", *_EDITS], rows)


def _system_row(found: Result) -> list[str]:
    return [
        found.system,
        *(_figure(found.overall, measure) for measure in _OVERALL.values()),
        *(_figure(found.untrained, measure) for measure in _UNTRAINED.values()),
        f"{found.vectors / (found.files - found.unread):.1f}",
        f"{found.files / found.seconds:.1f}",
    ]


def _figure(summary: Summary | Group | None, measure: str) -> str:
    if summary is None:
        return "–"
    figure = summary.measures[measure]
    return f"{figure.value:.3f} ({figure.low:.3f}–{figure.high:.3f})"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
