"""What a run found, as values: evaluated, kept as JSON, shown as tables.

Measures go by name. On the descriptor track ``uap``, ``recall_p90`` and ``recall_p99`` (recall at a
precision of 0.90 and 0.99) and ``recall_1`` (the source is nearest); on the candidate track
``candidates_1`` … ``candidates_100``. All are shares, 0–1.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy import metrics
from benchmarks.accuracy.edits import FAMILIES, VARIANTS
from benchmarks.accuracy.metrics import Floats, Ints, Mask, Scores
from benchmarks.accuracy.suite import Row
from benchmarks.accuracy.systems import Described

PRECISIONS = {"recall_p90": 0.90, "recall_p99": 0.99}
CANDIDATES = (1, 10, 20, 50, 100)
DRAWS = 1000
REFERENCES = ("source", "distractor", "negative")
OTHER_QUERIES = ("distractor_copy", "negative")  # what has no source: all it finds is wrong


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
    measures: dict[str, float]


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


@dataclass(frozen=True, slots=True)
class _Answers:
    """One system on both tracks. Queries are the copies in their order, then all others.

    ``scores`` and ``right`` are (queries, references); ``source`` (copies,) is a row of the suite;
    ``own``, ``first`` and ``candidate`` (copies,) are the source's score, its rank among the
    references, and its rank in the whole collection.
    """

    scores: Scores
    right: Mask
    source: Ints
    own: Scores
    first: Floats
    candidate: Floats


def evaluate(
    rows: Sequence[Row], described: Described, similarity: Scores, *, seed: int = 0
) -> Result:
    """Measures what a system said of a suite's rows. ``similarity`` is float32 (files, files):
    higher is nearer, −inf where one of two files could not be read. ValueError without copies."""
    copies = [row for row in rows if row.kind == "copy"]
    answers = _answers(rows, similarity)
    everything = np.ones(len(copies), dtype=bool)
    trained = np.array([row.trained for row in copies])
    ranking = metrics.rank_pairs(answers.scores, answers.right, _clusters(answers, everything))
    limits = {name: metrics.threshold_at_precision(ranking, p) for name, p in PRECISIONS.items()}
    return Result(
        described.system,
        described.version,
        described.files,
        described.unread,
        len(described.codes),
        described.seconds,
        described.embed_seconds,
        described.threads,
        {name: limit if np.isfinite(limit) else None for name, limit in limits.items()},
        _summary(answers, everything, seed),
        _summary(answers, trained, seed) if trained.any() else None,
        _summary(answers, ~trained, seed) if not trained.all() else None,
        _groups(copies, answers, limits, "family", FAMILIES),
        _groups(copies, answers, limits, "edit", [variant.name for variant in VARIANTS]),
    )


def _answers(rows: Sequence[Row], similarity: Scores) -> _Answers:
    copies = _of_kind(rows, ("copy",))
    queries = np.concatenate([copies, _of_kind(rows, OTHER_QUERIES)])
    references = _of_kind(rows, REFERENCES)
    source = np.array([rows[copy].source for copy in copies], dtype=np.int64)
    own = np.searchsorted(references, source)
    scores = similarity[np.ix_(queries, references)]
    scores[queries[:, None] == references] = -np.inf  # a negative is not asked for itself
    right = np.zeros(scores.shape, dtype=bool)
    right[np.arange(len(copies)), own] = True
    return _Answers(
        scores,
        right,
        source,
        similarity[copies, source],
        metrics.ranks(scores[: len(copies)], own),
        metrics.candidate_ranks(similarity, copies, source),
    )


def _of_kind(rows: Sequence[Row], kinds: Iterable[str]) -> Ints:
    return np.array([index for index, row in enumerate(rows) if row.kind in kinds], dtype=np.int64)


def _clusters(answers: _Answers, chosen: Mask) -> Ints:
    """1… for the photos of the chosen copies, then 0 for the queries that are always in."""
    photos = np.unique(answers.source[chosen], return_inverse=True)[1] + 1
    return np.append(photos, np.zeros(len(answers.scores) - len(chosen), dtype=np.int64))


def _summary(answers: _Answers, chosen: Mask, seed: int) -> Summary:
    cluster = _clusters(answers, chosen)
    asked = np.append(chosen, np.ones(len(answers.scores) - len(chosen), dtype=bool))
    ranking = metrics.rank_pairs(answers.scores[asked], answers.right[asked], cluster)
    weights = metrics.resample(int(cluster.max()) + 1, DRAWS, seed)
    photos = cluster[: int(chosen.sum())]
    measures = {"uap": metrics.micro_average_precision(ranking, weights)}
    for name, precision in PRECISIONS.items():
        measures[name] = metrics.recall_at_precision(ranking, precision, weights)
    measures["recall_1"] = metrics.recall_at_k(answers.first[chosen], 1, photos, weights)
    for k in CANDIDATES:
        candidates = metrics.recall_at_k(answers.candidate[chosen], k, photos, weights)
        measures[f"candidates_{k}"] = candidates
    return Summary(len(photos), {name: _interval(drawn) for name, drawn in measures.items()})


def _interval(drawn: Floats) -> Interval:
    """Of the sample itself, first, and its resamples."""
    low, high = np.percentile(drawn[1:], [2.5, 97.5])
    return Interval(float(drawn[0]), float(low), float(high))


def _groups(
    copies: Sequence[Row],
    answers: _Answers,
    limits: dict[str, float],
    field: str,
    order: Iterable[str],
) -> tuple[Group, ...]:
    """The copies that agree in a field, by its values in ``order``."""
    found = {name: answers.own >= limit for name, limit in limits.items()}
    found["recall_1"] = answers.first <= 1
    found |= {f"candidates_{k}": answers.candidate <= k for k in CANDIDATES}
    members: dict[str, list[int]] = {}
    for index, row in enumerate(copies):
        members.setdefault(getattr(row, field), []).append(index)
    return tuple(
        _group(
            name,
            [copies[index] for index in members[name]],
            {measure: float(hits[members[name]].mean()) for measure, hits in found.items()},
        )
        for name in order
        if name in members
    )


def _group(name: str, copies: Sequence[Row], measures: dict[str, float]) -> Group:
    strengths = {row.strength for row in copies}
    return Group(
        name,
        str(copies[0].family),
        strengths.pop() if len(strengths) == 1 else None,
        all(row.trained for row in copies),
        len(copies),
        measures,
    )


# As JSON


def to_json(report: Report) -> str:
    return json.dumps(asdict(report), indent=1, ensure_ascii=False)


def from_json(text: str) -> Report:
    """The report that ``to_json`` wrote; ValueError or KeyError where it is something else."""
    fields = json.loads(text)
    return Report(**fields | {"results": tuple(map(_result, fields["results"]))})


def _result(fields: dict[str, Any]) -> Result:
    summaries = {name: _read_summary(fields[name]) for name in ("overall", "trained", "untrained")}
    groups = {
        name: tuple(Group(**group) for group in fields[name]) for name in ("families", "variants")
    }
    return Result(**fields | summaries | groups)


def _read_summary(fields: dict[str, Any] | None) -> Summary | None:
    if fields is None:
        return None
    measures = {name: Interval(**figure) for name, figure in fields["measures"].items()}
    return Summary(fields["copies"], measures)


# As tables

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


def ranked(report: Report) -> list[Result]:
    """The systems, best µAP first."""
    return sorted(report.results, key=lambda found: -found.overall.measures["uap"].value)


def table(report: Report) -> str:
    """GitHub Markdown, one row a system, the best µAP first; then what did not run, and why."""
    rows = [_system_row(found) for found in ranked(report)]
    text = _markdown(["system", *_OVERALL, *_UNTRAINED, "vectors/image", "images/s"], rows)
    return "\n".join(
        [text, "", *(f"- not run: {name}, {why}" for name, why in report.absent.items())]
    )


def per_edit_table(found: Result) -> str:
    """GitHub Markdown, one row an edit variant of one system."""
    rows = [
        [
            group.name,
            "yes" if group.trained else "never",
            str(group.copies),
            *(f"{group.measures[measure]:.3f}" for measure in _EDITS.values()),
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


def _figure(summary: Summary | None, measure: str) -> str:
    if summary is None:
        return "–"
    figure = summary.measures[measure]
    return f"{figure.value:.3f} ({figure.low:.3f}–{figure.high:.3f})"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


# Where it ran


def machine() -> dict[str, Any]:
    """CPU model, cores and memory in GiB of this (POSIX) machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cpu": _cpu(), "cores": os.cpu_count(), "memory_gib": round(memory, 1)}


def _cpu() -> str:
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def versions() -> dict[str, str]:
    """Python, and the libraries that figures depend on."""
    libraries = ("ris-jobs", "numpy", "torch", "torchvision", "opencv-python-headless", "pillow")
    found = {name: metadata.version(name) for name in (*libraries, "imagehash")}
    return {"python": platform.python_version()} | found
