"""Which pairs are worth judging: near neighbours in descriptor space, each pair once.

An image is described by its whole and by some of its regions. Wholes are compared with wholes
and with regions, from either side; a region is never compared with a region, for two skies
agree however the rest differs. The nearest of many regions is near by chance more often than the
one whole is, so the cosine of a region counts for less.

A perceptual hash keeps what a descriptor loses under stripes, blends and inverted colours: it is
a vector of its own, compared with hashes alone. Taken as signs, the cosine of two hashes is
1 - 2d/256 for a Hamming distance d; of an inverted picture every sign turns.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ris_jobs.match import Candidate

__all__ = [
    "HANDICAP",
    "HASH",
    "HASH_COSINE",
    "Described",
    "Hits",
    "LoadVectors",
    "grouped",
    "nearest_parts",
    "nearness",
    "pair_up",
]

Ids = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]
Pairs = npt.NDArray[np.void]
LoadVectors = Callable[[Sequence[int]], Mapping[int, Vectors]]
"""From image ids to their vectors (regions, dim), the whole first, as far as there are any."""

# Two images, ``one`` having looked for ``two``, and the parts of them that were compared.
_PAIR = np.dtype(
    [("one", "i8"), ("two", "i8"), ("part_one", "i8"), ("part_two", "i8"), ("cosine", "f4"),
     ("nearness", "f4"), ("rank", "i8")]
)  # fmt: skip
_FOUND = ("cosine", "part_one", "part_two")

# What the cosine of a region must be above that of a whole, lest copies of whole pictures be
# crowded out; chosen on copies of validation photos, of values from 0 to 0.2.
HANDICAP = 0.1
# The part that stands for an image's hash; regions end before it.
HASH = 63
# The least cosine of two hashes that makes a candidate, a distance of 70 of 256. Of the pairs of
# different validation images, templates and flat ones among them, 0.05 % are as near.
HASH_COSINE = 0.45


@dataclass(frozen=True, slots=True)
class Described:
    """The vectors of some images, float32 (m, dim), unit rows. ``owners`` (m,) says of which
    image each is, ``parts`` (m,) of what in it: 0 the whole, then its regions in their order,
    :data:`HASH` its hash."""

    owners: Ids
    parts: Ids
    vectors: Vectors

    @classmethod
    def of(
        cls, found: Mapping[int, Vectors], hashes: Mapping[int, bytes] | None = None
    ) -> Described:
        """``found``: image id → its vectors (regions, dim), the whole first; ``hashes``: image
        id → its PDQ hash."""
        hashes = hashes or {}
        counts = [len(vectors) for vectors in found.values()]
        owners = np.repeat(np.fromiter(found, np.int64, len(found)), counts)
        parts = np.concatenate([np.empty(0, np.int64), *map(np.arange, counts)])
        vectors = np.concatenate([*found.values()]) if found else np.empty((0, 0), np.float32)
        return cls(
            np.concatenate([owners, np.fromiter(hashes, np.int64, len(hashes))]),
            np.concatenate([parts, np.full(len(hashes), HASH)]),
            np.concatenate([vectors, _signs(hashes.values(), vectors.shape[1])]),
        )

    @property
    def ids(self) -> list[int]:
        """The images, in order."""
        ids: list[int] = self.wholes().owners.tolist()
        return ids

    def wholes(self) -> Described:
        return self._only(self.parts == 0)

    def regions(self) -> Described:
        return self._only((self.parts > 0) & (self.parts < HASH))

    def hashes(self) -> Described:
        return self._only(self.parts == HASH)

    def inverted(self) -> Described:
        """The same with every sign turned: the hashes of inverted pictures."""
        return Described(self.owners, self.parts, -self.vectors)

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
    searches: Sequence[tuple[Described, Hits]],
    *,
    top_k: int,
    min_cosine: float,
    load: LoadVectors,
) -> list[Candidate]:
    """Unordered unique pairs of images, sorted by ids, each with its best rank and with the
    cosine of the two parts that are nearest. Nearness is the cosine, less :data:`HANDICAP` for a
    region. Only pairs of which one image is among the ``top_k`` nearest of the other, by its
    hash or at a cosine of ``min_cosine`` or above; an image beside itself is dropped. Pairs that
    hashes alone brought together get their cosine from what ``load`` gives, or are dropped.
    """
    pairs = _unordered(_ranked(_pairs(searches)))
    hashed = pairs["part_one"] == HASH
    # By cosine too: rounding makes equal nearness of two that hardly differ.
    nearest = (-pairs["cosine"], -pairs["nearness"])
    order = np.lexsort((*nearest, hashed, pairs["two"], pairs["one"]))
    pairs, hashed = pairs[order], hashed[order]
    first = _first_of_each(pairs["one"], pairs["two"])
    if not len(first):
        return []
    best = pairs[first]
    best["rank"] = np.minimum.reduceat(pairs["rank"], first)
    by_hash = np.logical_or.reduceat(hashed, first)
    kept = (best["rank"] < top_k) & (by_hash | (best["cosine"] >= min_cosine))
    best = _with_cosines(best[kept], load)
    names = ("one", "two", "cosine", "rank", "part_one", "part_two")
    rows = zip(*(best[name].tolist() for name in names), strict=True)
    return [Candidate(a, b, cosine, rank, (p, q)) for a, b, cosine, rank, p, q in rows]


def grouped(candidates: Iterable[Candidate], ids: Collection[int]) -> list[Candidate]:
    """Those of each of ``ids`` together, for whoever keeps what was last looked at."""
    return sorted(candidates, key=lambda c: c.image_id if c.image_id in ids else c.other_id)


def nearness(candidate: Candidate) -> float:
    """Its cosine, less :data:`HANDICAP` where a region is one of its parts."""
    return candidate.cosine - HANDICAP * any(candidate.parts)


def nearest_parts(one: Vectors, two: Vectors) -> tuple[float, int, int]:
    """Of the vectors of two images, (regions, dim) each: the cosine of the nearest parts, and
    which these are."""
    cosines = one @ two.T
    nearness = cosines - np.float32(HANDICAP)
    nearness[0, 0] = cosines[0, 0]
    nearness[1:, 1:] = -np.inf
    part_one, part_two = divmod(int(nearness.argmax()), len(two))
    return float(cosines[part_one, part_two]), part_one, part_two


def _signs(hashes: Iterable[bytes], dim: int) -> Vectors:
    """Unit vectors (m, dim) of PDQ hashes: zeros in front of them where a model has more
    dimensions than they have bits; where it has fewer, the lower frequencies."""
    bits = np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, 32)
    signs = np.where(np.unpackbits(bits, axis=1), np.float32(1), np.float32(-1))
    kept = min(dim, signs.shape[1])
    vectors = np.zeros((len(bits), dim), np.float32)
    vectors[:, dim - kept :] = signs[:, signs.shape[1] - kept :] / max(1, kept) ** 0.5
    return vectors


def _with_cosines(pairs: Pairs, load: LoadVectors) -> Pairs:
    """With the cosines of pairs that only hashes found; without those that have no vectors."""
    lacking = np.flatnonzero(pairs["part_one"] == HASH)
    if not len(lacking):
        return pairs
    ids = np.unique([pairs["one"][lacking], pairs["two"][lacking]])
    vectors, kept = load(ids.tolist()), np.ones(len(pairs), bool)
    for row in lacking.tolist():
        one, two = (vectors.get(int(pairs[side][row])) for side in ("one", "two"))
        if one is None or two is None:
            kept[row] = False
            continue
        for name, value in zip(_FOUND, nearest_parts(one, two), strict=True):
            pairs[name][row] = value
    return np.asarray(pairs[kept])


def _pairs(searches: Sequence[tuple[Described, Hits]]) -> Pairs:
    blocks = [np.zeros(0, _PAIR)]
    for queries, hits in searches:
        block = np.zeros(hits.ids.shape, _PAIR)
        block["one"], block["part_one"] = queries.owners[:, None], queries.parts[:, None]
        block["two"], block["part_two"] = hits.ids, hits.parts
        block["cosine"] = hits.cosines
        partly = (block["part_one"] + block["part_two"] > 0) & (block["part_one"] < HASH)
        block["nearness"] = hits.cosines - np.float32(HANDICAP) * partly
        blocks.append(block.ravel())
    pairs = np.concatenate(blocks)
    far = (pairs["part_one"] == HASH) & (pairs["cosine"] < HASH_COSINE)
    return np.asarray(pairs[(pairs["two"] >= 0) & (pairs["one"] != pairs["two"]) & ~far])


def _ranked(pairs: Pairs) -> Pairs:
    """With ranks from 0: how many images are nearer to the one that looked."""
    pairs = pairs[np.lexsort((-pairs["nearness"], pairs["two"], pairs["one"]))]
    first = _first_of_each(pairs["one"], pairs["two"])
    nearest = pairs[first]
    order = np.lexsort((nearest["two"], -nearest["nearness"], nearest["one"]))
    start = _first_of_each(nearest["one"][order])
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order)) - np.repeat(start, _lengths(start, len(order)))
    pairs["rank"] = np.repeat(ranks, _lengths(first, len(pairs)))
    return np.asarray(pairs)


def _lengths(start: Ids, end: int) -> Ids:
    return np.diff(np.append(start, end))


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
