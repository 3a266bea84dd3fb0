"""Which of an image's candidates get the dear tests: the nearest that hashes do not settle.

A picture with dozens of copies has most of them nearer than the one that shows a tenth of it. Their
hashes settle them at little cost, so they do not stand before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from ris_jobs.match import Candidate
from ris_jobs.match.candidates import nearness
from ris_jobs.match.compared import Compared
from ris_jobs.match.examine import hashes_near

__all__ = ["of_each", "ranked_unsettled"]


def ranked_unsettled(
    candidates: Sequence[Candidate], compared: Compared, ids: Collection[int]
) -> list[Candidate]:
    """The same candidates, in order, of images that looked (``ids``). Where hashes are not near,
    the rank counts only the others of which that is true, if these are fewer. Candidates that were
    not ``compared`` stay as they are."""
    place: dict[Candidate, int] = {}
    unsettled = [c for c in candidates if compared.has(c) and not hashes_near(compared.distance(c))]
    for theirs in of_each(unsettled, ids).values():
        theirs.sort(key=lambda c: (-nearness(c), c.rank, c.image_id, c.other_id))
        for n, candidate in enumerate(theirs):
            place[candidate] = min(n, place.get(candidate, candidate.rank))
    return [replace(c, rank=place.get(c, c.rank)) for c in candidates]


def of_each(
    candidates: Iterable[Candidate], ids: Collection[int]
) -> defaultdict[int, list[Candidate]]:
    """The candidates of each of ``ids``, in their order; one may be of both its images."""
    found = defaultdict[int, list[Candidate]](list)
    for candidate in candidates:
        for image in {candidate.image_id, candidate.other_id}.intersection(ids):
            found[image].append(candidate)
    return found
