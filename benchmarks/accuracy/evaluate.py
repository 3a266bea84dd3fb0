"""Measures what a system said of a suite: both tracks, by edit, by family and over all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from benchmarks.accuracy import metrics
from benchmarks.accuracy.described import Described, normalised
from benchmarks.accuracy.edits import FAMILIES, VARIANTS
from benchmarks.accuracy.metrics import Floats, Ints, Mask, Scores
from benchmarks.accuracy.negatives import SHOWING
from benchmarks.accuracy.results import Group, Interval, Result, Summary
from benchmarks.accuracy.suite import Row

PRECISIONS = {"recall_p90": 0.90, "recall_p99": 0.99}
CANDIDATES = (1, 10, 20, 50, 100)
DRAWS = 1000
REFERENCES = ("source", "distractor", "negative")
OTHER_QUERIES = ("distractor_copy", "negative")  # what has no source: all it finds is wrong


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
    rows: Sequence[Row],
    described: Described,
    similarity: Scores,
    nearness: Scores | None = None,
    *,
    seed: int = 0,
) -> Result:
    """Measures what a system said of a suite's rows. ``similarity`` is float32 (files, files):
    higher is nearer, −inf where one of two files could not be read; scores of pairs are made of
    it, normalised where the system knows how. Candidates are found by ``nearness``, which is
    the same unless given. ValueError without copies."""
    copies = [row for row in rows if row.kind == "copy"]
    score = normalised(similarity, described)
    answers = _answers(rows, score, similarity if nearness is None else nearness)
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
        _groups(copies, answers, limits, "family", FAMILIES, seed),
        _groups(copies, answers, limits, "edit", [variant.name for variant in VARIANTS], seed),
    )


def _answers(rows: Sequence[Row], score: Scores, nearness: Scores) -> _Answers:
    copies, negatives = _of_kind(rows, ("copy",)), _of_kind(rows, ("negative",))
    queries = np.concatenate([copies, _of_kind(rows, OTHER_QUERIES)])
    references = _of_kind(rows, REFERENCES)
    source = np.array([rows[copy].source for copy in copies], dtype=np.int64)
    own = np.searchsorted(references, source)
    scores = score[np.ix_(queries, references)]
    pairs = np.isin(queries, negatives)[:, None] & np.isin(references, negatives)
    scores[pairs & (queries[:, None] >= references)] = -np.inf  # none with itself, others once
    scores[_shown_twice(rows, queries, references)] = -np.inf
    right = np.zeros(scores.shape, dtype=bool)
    right[np.arange(len(copies)), own] = True
    return _Answers(
        scores,
        right,
        source,
        score[copies, source],
        metrics.ranks(scores[: len(copies)], own),
        metrics.candidate_ranks(nearness, copies, source),
    )


def _shown_twice(rows: Sequence[Row], queries: Ints, references: Ints) -> Mask:
    """(queries, references), the pairs of negatives that show one photo."""
    shown = (
        [rows[q].group in SHOWING for q in queries],
        [rows[r].group in SHOWING for r in references],
    )
    pairs = np.zeros((len(queries), len(references)), dtype=bool)
    for q, r in product(*map(np.flatnonzero, shown)):
        pairs[q, r] = rows[queries[q]].shows_also(rows[references[r]])
    return pairs


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
    seed: int,
) -> tuple[Group, ...]:
    """The copies that agree in a field, by its values in ``order``."""
    places = {name: np.where(answers.own >= limit, 1, 2) for name, limit in limits.items()}
    places["recall_1"] = answers.first
    found = {name: (place, 1) for name, place in places.items()}
    found |= {f"candidates_{k}": (answers.candidate, k) for k in CANDIDATES}
    members: dict[str, list[int]] = {}
    for index, row in enumerate(copies):
        members.setdefault(getattr(row, field), []).append(index)
    groups = []
    for name in (name for name in order if name in members):
        chosen = np.array(members[name])
        photos = np.unique(answers.source[chosen], return_inverse=True)[1] + 1
        weights = metrics.resample(int(photos.max()) + 1, DRAWS, seed)
        measures = {
            measure: _interval(metrics.recall_at_k(place[chosen], k, photos, weights))
            for measure, (place, k) in found.items()
        }
        groups.append(_group(name, [copies[index] for index in members[name]], measures))
    return tuple(groups)


def _group(name: str, copies: Sequence[Row], measures: dict[str, Interval]) -> Group:
    strengths = {row.strength for row in copies}
    return Group(
        name,
        str(copies[0].family),
        strengths.pop() if len(strengths) == 1 else None,
        all(row.trained for row in copies),
        len(copies),
        measures,
    )
