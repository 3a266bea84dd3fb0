"""Candidates that are not among an image's nearest, but match what it matches.

A picture with dozens of copies is seldom among the nearest of one that shows little of it: the
other copies stand before it. They lead to it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from ris_jobs.match import Candidate, Match
from ris_jobs.match.examine import SEARCHED
from ris_jobs.match.ranking import of_each

__all__ = ["ROUNDS", "kin"]

# Pairs more for an image, each time.
_MORE = 4
# How often: what is found the first time leads to others.
ROUNDS = 2


def kin(
    candidates: Sequence[Candidate],
    found: Iterable[Match],
    known: Iterable[tuple[int, int]],
    ids: Collection[int],
) -> tuple[list[Candidate], list[Candidate]]:
    """The candidates beyond the nearest, of the images that looked (``ids``), that match most of
    what these match: by the matches ``found`` of the candidates, and by pairs of image ids that
    were ``known`` before. They come as if they were the nearest; second come the candidates that
    are left."""
    told = {_pair(m.derived_id, m.source_id): m.suppressed for m in found}
    near = _neighbours([*known, *(pair for pair, suppressed in told.items() if not suppressed)])
    shared = {
        c: count
        for c in candidates
        if c.rank >= SEARCHED
        and (c.image_id, c.other_id) not in told
        and (count := len(near[c.image_id] & near[c.other_id]))
    }
    most = sorted(shared, key=lambda c: (-shared[c], c.rank, c.image_id, c.other_id))
    chosen = {c for theirs in of_each(most, ids).values() for c in theirs[:_MORE]}
    taken = [replace(c, rank=0) for c in candidates if c in chosen]
    return taken, [c for c in candidates if c not in chosen]


def _neighbours(pairs: Iterable[tuple[int, int]]) -> defaultdict[int, set[int]]:
    near = defaultdict[int, set[int]](set)
    for one, other in pairs:
        near[one].add(other)
        near[other].add(one)
    return near


def _pair(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)
