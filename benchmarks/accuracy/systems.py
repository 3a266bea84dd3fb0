"""The systems that are compared: what each says of each file, and how near it finds two files."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import imagehash
import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.accuracy.peers import NotRun, environment, mobilenet
from ris_jobs.errors import ImageRejected
from ris_jobs.fingerprint import Rgb
from ris_jobs.fingerprint.decode import decode
from ris_jobs.fingerprint.descriptor import Descriptor, ModelSpec, registered, registry
from ris_jobs.fingerprint.descriptor.registry import MODELS, Opener
from ris_jobs.fingerprint.descriptor.weights import read
from ris_jobs.fingerprint.hashes import WORKING_SIDE
from ris_jobs.fingerprint.luma import luma, reduced
from ris_jobs.fingerprint.pdq import pdq
from ris_jobs.progress import Advance
from ris_jobs.settings import MAX_PIXELS

__all__ = ["Described", "NotRun", "System", "similarity", "systems"]

Codes = npt.NDArray[Any]
"""float32 (n, d) with rows of length 1, or uint8 (n, bytes) of packed bits."""

Ints = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]

THREADS = len(os.sched_getaffinity(0))

_BATCH = 64
_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Described:
    """What a system says of `files` files.

    `codes` (m, …) and `owner` (m,), rising: the file that each code is of, 0 to files − 1. A
    file may have several, its whole picture first; one that the system could not read has none.
    `seconds` is wall-clock time on `threads` threads, decoding included; of that the model took
    `embed_seconds`, where it can be told.
    """

    system: str
    version: str
    codes: Codes
    owner: Ints
    files: int
    seconds: float
    threads: int = THREADS
    embed_seconds: float | None = None

    @property
    def wholes(self) -> Ints:
        """The row of each described file's whole picture, int64 (described files,)."""
        return np.flatnonzero(np.diff(self.owner, prepend=-1))

    @property
    def unread(self) -> int:
        """How many files the system could not read."""
        return self.files - len(self.wholes)

    def of(self, files: Ints) -> Described:
        """Some of the files, in this order; the seconds stay those of all."""
        start, stop = (np.searchsorted(self.owner, files, side) for side in ("left", "right"))
        rows = [row for a, b in zip(start, stop, strict=True) for row in range(a, b)]
        owner = np.repeat(np.arange(len(files)), stop - start)
        return replace(self, codes=self.codes[np.array(rows, int)], owner=owner, files=len(files))

    def save(self, path: Path) -> None:
        """Writes an .npz file."""
        arrays = {"codes": self.codes, "owner": self.owner}
        about = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in arrays}
        np.savez(path, codes=self.codes, owner=self.owner, about=json.dumps(about))

    @staticmethod
    def load(path: Path) -> Described:
        """Reads what :meth:`save` wrote."""
        with np.load(path) as stored:
            about = json.loads(str(stored["about"]))
            return Described(codes=stored["codes"], owner=stored["owner"], **about)


def similarity(queries: Described, references: Described) -> Scores:
    """How near each query is to each reference, higher is nearer: float32 (files, files).

    The cosine of vectors, −1 to 1; of bits the share that agree, 0 to 1. −inf where one of the
    two could not be read. With several vectors a file it is the greatest cosine between the
    whole of one and the whole or a part of the other; parts are not compared with parts, since
    a copy holds the whole of its source or lies within it.
    """
    if queries.codes.dtype != np.uint8:
        return _nearest(queries, references)
    # Whole numbers in float32 are exact: equal distances stay equal.
    agreement = _nearest(_signed(queries), _signed(references))
    bits = np.float32(8 * queries.codes.shape[1])
    return (agreement + bits) / (2 * bits)


def _signed(bits: Described) -> Described:
    """Bits as −1 and 1: a product of two rows is the bits that agree less those that do not."""
    return replace(bits, codes=np.unpackbits(bits.codes, axis=1).astype(np.float32) * 2 - 1)


def _nearest(queries: Described, references: Described) -> Scores:
    blocks = np.split(np.arange(queries.files), range(_BLOCK, queries.files, _BLOCK))
    return np.concatenate([_products(queries.of(block), references) for block in blocks])


def _products(queries: Described, references: Described) -> Scores:
    scores = np.full((queries.files, references.files), -np.inf, np.float32)
    q, r = queries.wholes, references.wholes
    if len(q) and len(r):
        forth = queries.codes[q] @ references.codes.T
        back = queries.codes @ references.codes[r].T
        best = np.maximum(
            np.maximum.reduceat(forth, r, axis=1), np.maximum.reduceat(back, q, axis=0)
        )
        scores[np.ix_(queries.owner[q], references.owner[r])] = best
    return scores


class System(Protocol):
    """Something that describes pictures."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def describe(self, paths: Sequence[Path], advance: Advance) -> Described:
        """One description of all files; `advance` is told of files as they are done.

        Raises :class:`NotRun` when the system is not to be had here.
        """


def systems(weights: Path) -> list[System]:
    """All that are compared, whether they can be run here or not, the built-in model first.

    `weights` is the folder of optional weights; nothing is fetched into it.
    """
    models = [Model(spec, registry.opener(spec), weights) for spec in registered().values()]
    return [
        *models,
        Model(mobilenet.SPEC, mobilenet.build, weights),
        Hash("imagehash-phash", version("imagehash"), imagehash_phash),
        Hash("pdq", version("ris-jobs"), pdq_bits),
        Peer("imagededup-phash", "imagededup"),
        Peer("imagededup-cnn", "imagededup", weights=weights / mobilenet.SPEC.file),
        Peer("perception-phash", "perception"),
        Peer("fastdup", "fastdup", environment.FASTDUP),
    ]


@dataclass(frozen=True, slots=True)
class Model:
    """A descriptor on the CPU: files are decoded by all cores, then embedded in batches."""

    spec: ModelSpec
    build: Opener
    weights: Path

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def version(self) -> str:
        return self.spec.version

    def describe(self, paths: Sequence[Path], advance: Advance) -> Described:
        model = self._opened()
        rows: list[Codes | None] = []
        began, embedding, ahead = time.perf_counter(), 0.0, iter(paths)
        with ThreadPoolExecutor(THREADS) as pool:
            while batch := list(islice(ahead, _BATCH)):
                inputs = list(pool.map(partial(_inputs, model), batch))
                decoded = time.perf_counter()
                rows += _embedded(model, inputs)
                embedding += time.perf_counter() - decoded
                advance(len(batch))
        described = _described(self, rows, time.perf_counter() - began)
        return replace(described, embed_seconds=embedding)

    def _opened(self) -> Descriptor:
        if not any((folder / self.spec.file).is_file() for folder in (MODELS, self.weights)):
            raise NotRun(f"weights absent ({self.spec.file})")
        return Descriptor(self.spec, self.build(self.spec, read(self.spec, self.weights)))


@dataclass(frozen=True, slots=True)
class Hash:
    """A perceptual hash, uint8 (bytes,), of decoded pictures."""

    name: str
    version: str
    hash: Callable[[Rgb], npt.NDArray[np.uint8]]

    def describe(self, paths: Sequence[Path], advance: Advance) -> Described:
        rows = []
        began = time.perf_counter()
        with ThreadPoolExecutor(THREADS) as pool:
            for row in pool.map(self._hashed, paths):
                rows.append(row)
                advance(1)
        return _described(self, rows, time.perf_counter() - began)

    def _hashed(self, path: Path) -> Codes | None:
        rgb = _decoded(path)
        return None if rgb is None else self.hash(rgb)[None]


@dataclass(frozen=True, slots=True)
class Peer:
    """A system of another project in its own environment; it decodes the files itself."""

    name: str
    package: str
    environment: environment.Environment = environment.PEERS
    weights: Path | None = None

    @property
    def version(self) -> str:
        return self.environment.pinned(self.package)

    def describe(self, paths: Sequence[Path], advance: Advance) -> Described:
        if self.weights is not None and not self.weights.is_file():
            raise NotRun(f"weights absent ({self.weights.name})")
        found = self.environment.run(self.name, paths, self.weights)
        if found.version != self.version:
            raise NotRun(f"{found.version} is installed, {self.version} is pinned: make peers")
        advance(len(paths))
        return Described(
            system=self.name,
            version=found.version,
            codes=found.codes,
            owner=np.flatnonzero(found.ok),
            files=len(paths),
            seconds=found.seconds,
            threads=found.threads,
        )


def imagehash_phash(rgb: Rgb) -> npt.NDArray[np.uint8]:
    """imagehash's pHash as it comes, 64 bits."""
    return np.packbits(imagehash.phash(Image.fromarray(rgb)).hash)


def pdq_bits(rgb: Rgb) -> npt.NDArray[np.uint8]:
    """PDQ as ris-jobs computes it, 256 bits, whatever its quality."""
    bits, _ = pdq(reduced(luma(rgb), WORKING_SIDE))
    return np.frombuffer(bits, np.uint8)


def _decoded(path: Path) -> Rgb | None:
    try:
        return decode(path.read_bytes(), max_pixels=MAX_PIXELS, truncated="reject").rgb
    except ImageRejected:
        return None


def _inputs(model: Descriptor, path: Path) -> npt.NDArray[np.uint8] | None:
    """What the model takes of one file, uint8 (vectors, 3, s, s), the whole picture first."""
    rgb = _decoded(path)
    return None if rgb is None else model.preprocess(rgb)[None]


def _embedded(
    model: Descriptor, inputs: Sequence[npt.NDArray[np.uint8] | None]
) -> list[Codes | None]:
    """The vectors of each file, float32 (vectors, dim), from one call of the model."""
    read = [squares for squares in inputs if squares is not None]
    if not read:
        return [None] * len(inputs)
    ends = np.cumsum([len(squares) for squares in read])
    vectors = iter(np.split(model.embed(np.concatenate(read)), ends[:-1]))
    return [None if squares is None else next(vectors) for squares in inputs]


def _described(system: System, rows: Sequence[Codes | None], seconds: float) -> Described:
    """`rows` are the codes of each file, (its codes, …), None for one that was not read."""
    read = [row for row in rows if row is not None]
    if not read:
        raise NotRun(f"it could read none of {len(rows)} files")
    owner = np.repeat(np.arange(len(rows)), [0 if row is None else len(row) for row in rows])
    return Described(system.name, system.version, np.concatenate(read), owner, len(rows), seconds)
