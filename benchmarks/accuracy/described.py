"""What a system says of each file, and how near it finds two files."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.metrics import Ints, Scores
from ris_jobs.match.candidates import HANDICAP, HASH_COSINE

Codes = npt.NDArray[Any]
"""float32 (n, d) with rows of length 1, or uint8 (n, bytes) of packed bits."""

THREADS = len(os.sched_getaffinity(0))

_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Described:
    """What a system says of `files` files.

    `codes` (m, …) and `owner` (m,), rising: the file that each code is of, 0 to files − 1. A
    file may have several, its whole picture first; one that the system could not read has none.
    `commonness` (files,) is how near each file's whole picture is to what everybody has, for
    systems that know it. `seconds` is wall-clock time on `threads` threads, decoding included; of
    that the model took `embed_seconds`, where it can be told.
    """

    system: str
    version: str
    codes: Codes
    owner: Ints
    files: int
    seconds: float
    threads: int = THREADS
    embed_seconds: float | None = None
    commonness: Scores | None = None

    @property
    def wholes(self) -> Ints:
        """The row of each described file's whole picture, int64 (described files,)."""
        return np.flatnonzero(np.diff(self.owner, prepend=-1))

    @property
    def has_parts(self) -> bool:
        """Whether any file has more than its whole picture."""
        return len(self.codes) > len(self.wholes)

    @property
    def unread(self) -> int:
        """How many files the system could not read."""
        return self.files - len(self.wholes)

    def of(self, files: Ints) -> Described:
        """Some of the files, in this order; the seconds stay those of all."""
        start, stop = (np.searchsorted(self.owner, files, side) for side in ("left", "right"))
        rows = [row for a, b in zip(start, stop, strict=True) for row in range(a, b)]
        owner = np.repeat(np.arange(len(files)), stop - start)
        common = None if self.commonness is None else self.commonness[files]
        codes = self.codes[np.array(rows, int)]
        return replace(self, codes=codes, owner=owner, files=len(files), commonness=common)

    def save(self, path: Path) -> None:
        """Writes an .npz file."""
        arrays: dict[str, Any] = {"codes": self.codes, "owner": self.owner}
        if self.commonness is not None:
            arrays["commonness"] = self.commonness
        names = {f.name for f in fields(self)} - {"codes", "owner", "commonness"}
        about = {name: getattr(self, name) for name in sorted(names)}
        np.savez(path, **arrays, about=np.array(json.dumps(about)))

    @staticmethod
    def load(path: Path) -> Described:
        """Reads what :meth:`save` wrote."""
        with np.load(path) as stored:
            about = json.loads(str(stored["about"]))
            arrays = {name: stored[name] for name in stored.files if name != "about"}
            return Described(**arrays, **about)


def similarity(queries: Described, references: Described, *, handicap: float = 0.0) -> Scores:
    """How near each query is to each reference, higher is nearer: float32 (files, files).

    The cosine of vectors, −1 to 1; of bits the share that agree, 0 to 1. −inf where one of the
    two could not be read. With several vectors a file it is the greatest cosine between the
    whole of one and the whole or a part of the other, that of a part less ``handicap``; parts are
    not compared with parts, since a copy holds the whole of its source or lies within it.
    """
    if queries.codes.dtype != np.uint8:
        return _nearest(queries, references, handicap)
    # Whole numbers in float32 are exact: equal distances stay equal.
    agreement = _nearest(_signed(queries), _signed(references), 0.0)
    bits = np.float32(8 * queries.codes.shape[1])
    return (agreement + bits) / (2 * bits)


def as_scanned(described: Described, hashes: Described | None = None) -> Scores:
    """How near a scan finds two files when it looks for candidates, float32 (files, files), −inf
    where one could not be read: the cosine of their vectors, less the handicap of parts, or that
    of their PDQ ``hashes``, upright or inverted, where that is more and enough
    (:mod:`ris_jobs.match.candidates`)."""
    near = similarity(described, described, handicap=HANDICAP)
    return near if hashes is None else with_hashes(near, hashes)


def with_hashes(near: Scores, hashes: Described) -> Scores:
    """``near`` (files, files) as :func:`as_scanned` has it without hashes, and with them."""
    cosine = 2 * similarity(hashes, hashes) - 1
    either = np.abs(cosine, where=np.isfinite(cosine), out=cosine)
    return np.maximum(near, np.where(either >= HASH_COSINE, either, -np.inf))


def normalised(similarity: Scores, described: Described) -> Scores:
    """``similarity`` (files, files) less the mean of both files' commonness, of their whole
    pictures whichever part made a pair near; as it is for systems that know none."""
    if described.commonness is None:
        return similarity
    half = described.commonness / 2
    return np.asarray(similarity - half[:, None] - half, np.float32)


def _signed(bits: Described) -> Described:
    """Bits as −1 and 1: a product of two rows is the bits that agree less those that do not."""
    return replace(bits, codes=np.unpackbits(bits.codes, axis=1).astype(np.float32) * 2 - 1)


def _nearest(queries: Described, references: Described, handicap: float) -> Scores:
    blocks = np.split(np.arange(queries.files), range(_BLOCK, queries.files, _BLOCK))
    parts = (_products(queries.of(block), references, handicap) for block in blocks)
    return np.concatenate([*parts])


def _products(queries: Described, references: Described, handicap: float) -> Scores:
    scores = np.full((queries.files, references.files), -np.inf, np.float32)
    q, r = queries.wholes, references.wholes
    if len(q) and len(r):
        forth = queries.codes[q] @ references.codes.T - _handicaps(references, handicap)
        back = queries.codes @ references.codes[r].T - _handicaps(queries, handicap)[:, None]
        best = np.maximum(
            np.maximum.reduceat(forth, r, axis=1), np.maximum.reduceat(back, q, axis=0)
        )
        scores[np.ix_(queries.owner[q], references.owner[r])] = best
    return scores


def _handicaps(described: Described, handicap: float) -> Scores:
    """(codes,): nothing for whole pictures."""
    taken = np.full(len(described.codes), handicap, np.float32)
    taken[described.wholes] = 0
    return taken
