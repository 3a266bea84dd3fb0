"""What a run found, as values, and as JSON.

Measures go by name. On the descriptor track ``uap``, ``recall_p90`` and ``recall_p99`` (recall at a
precision of 0.90 and 0.99) and ``recall_1`` (the source is nearest); on the candidate track
``candidates_1`` … ``candidates_100``. All are shares, 0–1.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

RAW = "-raw"
"""Ends the name of a system whose scores are taken without the normalisation it knows."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its 95 % bootstrap interval over source photos."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Summary:
    """Every measure of some of the copies, among all queries that have no source. Those are as
    many however few the copies: compare µAP between systems, not between summaries."""

    copies: int
    measures: dict[str, Interval]


@dataclass(frozen=True, slots=True)
class Group:
    """The copies of one edit variant, or of a family. ``strength`` is null where theirs differ,
    ``trained`` says that all of their edits were trained with. Recall at a precision is at the
    threshold that has it over all copies; there is no µAP of a group."""

    name: str
    family: str
    strength: float | None
    trained: bool
    copies: int
    measures: dict[str, Interval]


@dataclass(frozen=True, slots=True)
class Result:
    """One system. It described ``files`` less ``unread`` by ``vectors`` (or hashes), in ``seconds``
    on ``threads``; ``embed_seconds`` went into the model alone, null where that is not told apart.
    ``thresholds`` are null where none has the precision."""

    system: str
    version: str
    files: int
    unread: int
    vectors: int
    seconds: float
    embed_seconds: float | None
    threads: int
    thresholds: dict[str, float | None]
    overall: Summary
    trained: Summary | None
    untrained: Summary | None
    families: tuple[Group, ...]
    variants: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A run: where it ran, on what, what each system reached, and why others did not run."""

    machine: dict[str, Any]
    versions: dict[str, str]
    suite: dict[str, Any]
    results: tuple[Result, ...]
    absent: dict[str, str]

    @property
    def ranked(self) -> list[Result]:
        """The systems, best µAP first."""
        return sorted(self.results, key=lambda found: -found.overall.measures["uap"].value)


def to_json(report: Report) -> str:
    return json.dumps(asdict(report), indent=1, ensure_ascii=False)


def from_json(text: str) -> Report:
    """The report that ``to_json`` wrote; ValueError or KeyError where it is something else."""
    fields = json.loads(text)
    return Report(**fields | {"results": tuple(map(_result, fields["results"]))})


def _result(fields: dict[str, Any]) -> Result:
    summaries = {name: _read_summary(fields[name]) for name in ("overall", "trained", "untrained")}
    groups = {
        name: tuple(Group(**group | _measures(group)) for group in fields[name])
        for name in ("families", "variants")
    }
    return Result(**fields | summaries | groups)


def _read_summary(fields: dict[str, Any] | None) -> Summary | None:
    if fields is None:
        return None
    return Summary(**fields | _measures(fields))


def _measures(fields: dict[str, Any]) -> dict[str, dict[str, Interval]]:
    return {"measures": {name: Interval(**figure) for name, figure in fields["measures"].items()}}
