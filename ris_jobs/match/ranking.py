"""Which of an image's candidates get the dear tests: the nearest that hashes do not settle.

A picture with dozens of copies has most of them nearer than the one that shows a tenth of it. Their
hashes settle them at little cost, so they do not stand before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from ris_jobs.match import Candidate, Side
from ris_jobs.match.candidates import nearness
from ris_jobs.match.examine import hashes_near, ordered
from ris_jobs.match.rerank import hash_distances

__all__ = ["of_each", "ranked_unsettled"]


def ranked_unsettled(
    candidates: Sequence[Candidate], sides: Mapping[int, Side], ids: Collection[int]
) -> list[Candidate]:
    """The same candidates, in order, of images that looked (``ids``). Where hashes are not near,
    the rank counts only the others of which that is true, if these are fewer. Candidates without
    both ``sides`` stay as they are."""
    place: dict[Candidate, int] = {}
    for theirs in of_each(_unsettled(candidates, sides), ids).values():
        theirs.sort(key=lambda c: (-nearness(c), c.rank, c.image_id, c.other_id))
        for n, candidate in enumerate(theirs):
            place[candidate] = min(n, place.get(candidate, candidate.rank))
    return [replace(c, rank=place.get(c, c.rank)) for c in candidates]


def _unsettled(candidates: Sequence[Candidate], sides: Mapping[int, Side]) -> list[Candidate]:
    known = [c for c in candidates if c.image_id in sides and c.other_id in sides]
    pairs = [ordered(sides[c.image_id], sides[c.other_id]) for c in known]
    distances = hash_distances([(a.fingerprint.hashes, b.fingerprint.hashes) for a, b in pairs])
    return [c for c, d in zip(known, distances, strict=True) if not hashes_near(d)]


def of_each(
    candidates: Iterable[Candidate], ids: Collection[int]
) -> defaultdict[int, list[Candidate]]:
    """The candidates of each of ``ids``, in their order; one may be of both its images."""
    found = defaultdict[int, list[Candidate]](list)
    for candidate in candidates:
        for image in {candidate.image_id, candidate.other_id}.intersection(ids):
            found[image].append(candidate)
    return found
