"""How far the hashes of candidates are apart, told once for all that ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ris_jobs.match import Candidate, Side
from ris_jobs.match.rerank import HashDistance, hash_distances

__all__ = ["Compared", "ordered"]


@dataclass(frozen=True, slots=True)
class Compared:
    """The images of some candidates by id, and the distance of the hashes of each candidate by its
    two ids, measured on the pair as :func:`ordered`."""

    sides: Mapping[int, Side]
    distances: Mapping[tuple[int, int], HashDistance]

    @classmethod
    def of(cls, candidates: Sequence[Candidate], sides: Mapping[int, Side]) -> Compared:
        """All at once. Candidates without both ``sides`` are left out."""
        ids = [(c.image_id, c.other_id) for c in candidates]
        ids = [(one, two) for one, two in ids if one in sides and two in sides]
        pairs = [ordered(sides[one], sides[two]) for one, two in ids]
        hashes = [(a.fingerprint.hashes, b.fingerprint.hashes) for a, b in pairs]
        return cls(sides, dict(zip(ids, hash_distances(hashes), strict=True)))

    def has(self, candidate: Candidate) -> bool:
        """Whether it was not left out."""
        return (candidate.image_id, candidate.other_id) in self.distances

    def pair(self, candidate: Candidate) -> tuple[Side, Side]:
        return ordered(self.sides[candidate.image_id], self.sides[candidate.other_id])

    def distance(self, candidate: Candidate) -> HashDistance:
        return self.distances[candidate.image_id, candidate.other_id]


def ordered(a: Side, b: Side) -> tuple[Side, Side]:
    """By their sha256, so that nothing depends on which came first."""
    return (a, b) if a.sha256 <= b.sha256 else (b, a)
