"""Candidates that are not among an image's nearest, but match what it matches.

A picture with dozens of copies is seldom among the nearest of one that shows little of it: the
other copies stand before it. They lead to it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace

from ris_jobs.match import Candidate, Match
from ris_jobs.match.examine import SEARCHED

__all__ = ["kin"]

# Pairs more for an image. On copies of validation photos, 31 of each, images search 3.1 pairs by
# nearness alone, which are 1,248 of the 1,443 copies that hashes do not tie to their source; with
# 4 more 5.4, and 1,422. As many searches by nearness (20 instead of 12) reach 1,390.
_MORE = 4


def kin(
    candidates: Iterable[Candidate],
    found: Iterable[Match],
    known: Iterable[tuple[int, int]],
    ids: Collection[int],
) -> list[Candidate]:
    """The candidates beyond the nearest, of the images that looked (``ids``), that match most of
    what these match: by the matches ``found`` of the candidates, and by pairs of image ids that
    were ``known`` before. They come as if they were the nearest."""
    told = {_pair(m.derived_id, m.source_id): m.suppressed for m in found}
    near = _neighbours([*known, *(pair for pair, suppressed in told.items() if not suppressed)])
    shared = {
        c: count
        for c in candidates
        if c.rank >= SEARCHED
        and (c.image_id, c.other_id) not in told
        and (count := len(near[c.image_id] & near[c.other_id]))
    }
    of_each = defaultdict[int, list[Candidate]](list)
    for c in sorted(shared, key=lambda c: (-shared[c], c.rank, c.image_id, c.other_id)):
        for image in {c.image_id, c.other_id}.intersection(ids):
            of_each[image].append(c)
    chosen = {c for most in of_each.values() for c in most[:_MORE]}
    return [replace(c, rank=0) for c in shared if c in chosen]


def _neighbours(pairs: Iterable[tuple[int, int]]) -> defaultdict[int, set[int]]:
    near = defaultdict[int, set[int]](set)
    for one, other in pairs:
        near[one].add(other)
        near[other].add(one)
    return near


def _pair(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)
