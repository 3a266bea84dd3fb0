"""Which pairs are worth judging: near neighbours in descriptor space, each pair once.

An image is described by its whole and by some of its regions. Wholes are compared with wholes
and with regions, from either side; a region is never compared with a region, for two skies
agree however the rest differs. The nearest of many regions is near by chance more often than the
one whole is, so the cosine of a region counts for less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ris_jobs.match import Candidate

__all__ = ["HANDICAP", "Described", "Hits", "pair_up"]

Ids = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]
Pairs = npt.NDArray[np.void]

# Two images, ``one`` having looked for ``two``, and the parts of them that were compared.
_PAIR = np.dtype(
    [("one", "i8"), ("two", "i8"), ("part_one", "i8"), ("part_two", "i8"), ("cosine", "f4"),
     ("nearness", "f4"), ("rank", "i8")]
)  # fmt: skip

# What the cosine of a region must be above that of a whole, lest copies of whole pictures be
# crowded out; chosen on copies of validation photos, of values from 0 to 0.2.
HANDICAP = 0.1


@dataclass(frozen=True, slots=True)
class Described:
    """The vectors of some images, float32 (m, dim), unit rows. ``owners`` (m,) says of which
    image each is, ``parts`` (m,) of what in it: 0 the whole, then its regions in their order."""

    owners: Ids
    parts: Ids
    vectors: Vectors

    @classmethod
    def of(cls, found: Mapping[int, Vectors]) -> Described:
        """``found``: image id → its vectors (regions, dim), the whole first."""
        counts = [len(vectors) for vectors in found.values()]
        return cls(
            np.repeat(np.fromiter(found, np.int64, len(found)), counts),
            np.concatenate([np.empty(0, np.int64), *map(np.arange, counts)]),
            np.concatenate([*found.values()]) if found else np.empty((0, 0), np.float32),
        )

    @property
    def ids(self) -> list[int]:
        """The images, in order."""
        ids: list[int] = self.wholes().owners.tolist()
        return ids

    def wholes(self) -> Described:
        return self._only(self.parts == 0)

    def regions(self) -> Described:
        return self._only(self.parts > 0)

    def _only(self, kept: npt.NDArray[np.bool_]) -> Described:
        return Described(self.owners[kept], self.parts[kept], self.vectors[kept])


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found near each of m vectors, (m, k): image ids, their parts and cosines −1…1,
    the nearest first; a negative id marks an unused place."""

    ids: Ids
    parts: Ids
    cosines: npt.NDArray[np.float32]


def pair_up(
    searches: Sequence[tuple[Described, Hits]], *, top_k: int, min_cosine: float
) -> list[Candidate]:
    """Unordered unique pairs of images, sorted by ids, each with the cosine of the two parts
    that are nearest and with its best rank; nearness is the cosine, less :data:`HANDICAP` for a
    region. Only pairs of which one image is among the ``top_k`` nearest of the other, at a
    cosine of ``min_cosine`` or above; an image beside itself is dropped.
    """
    pairs = _nearest(_pairs(searches), top_k)
    pairs = _unordered(pairs[pairs["cosine"] >= min_cosine])
    pairs = pairs[np.lexsort((-pairs["nearness"], pairs["two"], pairs["one"]))]
    first = _first_of_each(pairs["one"], pairs["two"])
    if not len(first):
        return []
    best = pairs[first]
    best["rank"] = np.minimum.reduceat(pairs["rank"], first)
    names = ("one", "two", "cosine", "rank", "part_one", "part_two")
    rows = zip(*(best[name].tolist() for name in names), strict=True)
    return [Candidate(a, b, cosine, rank, (p, q)) for a, b, cosine, rank, p, q in rows]


def _pairs(searches: Sequence[tuple[Described, Hits]]) -> Pairs:
    blocks = [np.zeros(0, _PAIR)]
    for queries, hits in searches:
        block = np.zeros(hits.ids.shape, _PAIR)
        block["one"], block["part_one"] = queries.owners[:, None], queries.parts[:, None]
        block["two"], block["part_two"] = hits.ids, hits.parts
        block["cosine"] = hits.cosines
        partly = block["part_one"] + block["part_two"] > 0
        block["nearness"] = hits.cosines - np.float32(HANDICAP) * partly
        blocks.append(block.ravel())
    pairs = np.concatenate(blocks)
    return np.asarray(pairs[(pairs["two"] >= 0) & (pairs["one"] != pairs["two"])])


def _nearest(pairs: Pairs, top_k: int) -> Pairs:
    """Of every two images the nearest parts only; then the ``top_k`` best of each that looked,
    with their ranks from 0."""
    ties = (pairs["part_two"], pairs["part_one"])
    pairs = pairs[np.lexsort((*ties, -pairs["nearness"], pairs["two"], pairs["one"]))]
    pairs = pairs[_first_of_each(pairs["one"], pairs["two"])]
    pairs = pairs[np.lexsort((pairs["two"], -pairs["nearness"], pairs["one"]))]
    start = _first_of_each(pairs["one"])
    places = np.arange(len(pairs))
    pairs["rank"] = places - np.repeat(start, np.diff(np.append(start, len(pairs))))
    return np.asarray(pairs[pairs["rank"] < top_k])


def _unordered(pairs: Pairs) -> Pairs:
    """With the lower id first."""
    turned, swapped = pairs["one"] > pairs["two"], pairs.copy()
    for one, two in (("one", "two"), ("part_one", "part_two")):
        swapped[one] = np.where(turned, pairs[two], pairs[one])
        swapped[two] = np.where(turned, pairs[one], pairs[two])
    return swapped


def _first_of_each(*columns: Ids) -> Ids:
    """Places where any of the sorted ``columns`` changes."""
    if not len(columns[0]):
        return np.empty(0, np.int64)
    changed = np.any([np.diff(values) != 0 for values in columns], axis=0)
    return np.flatnonzero(np.concatenate([[True], changed]))
