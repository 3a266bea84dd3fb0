"""Perceptual hash distances of pairs in the best of eight orientations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ris_jobs.fingerprint import Hashes
from ris_jobs.match.orientation import ORIENTATIONS, inverse

__all__ = ["HashDistance", "hash_distances"]

Bits = npt.NDArray[np.uint64]
_INVERSE = [inverse(orientation) - 1 for orientation in ORIENTATIONS]


@dataclass(frozen=True, slots=True)
class HashDistance:
    """Hamming distances of a pair (a, b). ``orientation`` is the transform (EXIF 1–8) that
    turns ``b`` into ``a``, as far as hashes can tell; ``phash`` and ``dhash`` (0–64) are
    measured in it, ``pdq`` (0–256) upright only."""

    orientation: int
    phash: int
    dhash: int
    pdq: int

    @property
    def combined(self) -> int:
        """pHash and dHash together, 0–128; unrelated photos lie around 50."""
        return self.phash + self.dhash


def hash_distances(pairs: Sequence[tuple[Hashes, Hashes]]) -> list[HashDistance]:
    """The distances of each pair (a, b), in input order. Ties go to the lower orientation."""
    if not pairs:
        return []
    left, right = zip(*pairs, strict=True)
    phash = _oriented([h.phash for h in left], [h.phash for h in right])
    dhash = _oriented([h.dhash for h in left], [h.dhash for h in right])
    best = (phash + dhash).argmin(axis=1)
    rows = np.arange(len(pairs))
    pdq = _pdq([h.pdq for h in left], [h.pdq for h in right])
    columns = (best + 1, phash[rows, best], dhash[rows, best], pdq)
    return [HashDistance(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]


def _oriented(left: Sequence[Sequence[int]], right: Sequence[Sequence[int]]) -> Bits:
    """(n, 8) Hamming distances between a and b turned by each orientation. A hash of a turned
    picture is not exactly the turned hash, so both sides are turned and the nearer counts;
    that also makes the result the same whichever side comes first."""
    a, b = np.asarray(left, dtype=np.uint64), np.asarray(right, dtype=np.uint64)
    b_turned = np.bitwise_count(a[:, :1] ^ b)
    a_turned = np.bitwise_count(b[:, :1] ^ a)[:, _INVERSE]
    return np.asarray(np.minimum(b_turned, a_turned), dtype=np.uint64)


def _pdq(left: Sequence[bytes], right: Sequence[bytes]) -> npt.NDArray[np.int64]:
    a, b = (np.frombuffer(b"".join(h), dtype=np.uint8).reshape(-1, 32) for h in (left, right))
    return np.asarray(np.bitwise_count(a ^ b).sum(axis=1), dtype=np.int64)
