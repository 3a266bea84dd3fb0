"""Bytes in, fingerprints out: a Towhee pipeline of local operators.

``ris/decode`` turns each file into all that is kept of its pixels, in a pool of threads, each
with a child process that decodes;
``ris/transform`` stacks the squares that the model takes; ``ris/embed`` describes the stack at
once. Every operator takes and gives one list a call, so that tensors are really batched, and
is shared by all calls. Towhee's hub is never asked: the registry resolves these names first.
"""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ris_jobs.errors import DecoderUnavailable, ImageRejected, Reason
from ris_jobs.fingerprint import Decoded, Fingerprint, Hashes, Lacking, Quality, preview
from ris_jobs.fingerprint.decoder import Decoder, Limits
from ris_jobs.fingerprint.descriptor import Descriptor
from ris_jobs.fingerprint.hashes import hashes
from ris_jobs.fingerprint.quality import quality
from ris_jobs.fingerprint.regions import Box, Regions, regions

__all__ = ["STAGES", "Pipeline", "Processed", "Result"]

STAGES = ("decode", "hash", "quality", "preview", "regions", "transform", "embed")

Vectors = npt.NDArray[np.float32]
Squares = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Processed:
    """One image: what it is, its preview, and a descriptor of each of its ``regions``, the whole
    first (float32, shape (r, dim), rows of length 1), with how common what it shows is (r,);
    ``lacking`` as in :class:`ris_jobs.fingerprint.Decoded`."""

    fingerprint: Fingerprint
    regions: tuple[Box, ...]
    descriptors: Vectors
    commonness: Vectors
    preview: bytes
    lacking: tuple[Lacking, ...] = ()


Result = Processed | ImageRejected


@dataclass(frozen=True, slots=True)
class _Pictured:
    """An image whose pixels are done with: ``squares`` are what the model takes, (r, 3, s, s)."""

    fingerprint: Fingerprint
    preview: bytes
    regions: tuple[Box, ...]
    squares: Squares
    lacking: tuple[Lacking, ...]


# Errors are values here: Towhee turns an exception into text.
_Outcome = _Pictured | ImageRejected | DecoderUnavailable


class Pipeline:
    """Fingerprints batches of files with one model.

    ``max_pixels`` and ``truncated`` as in :func:`ris_jobs.fingerprint.decode.decode`,
    ``preview_size`` in pixels; ``regions`` are the parts that are described, the model's own
    unless given; ``workers`` threads decode, 0 for one a core, within ``limits``; ``anchors``
    is a file of certificates (:func:`ris_jobs.fingerprint.manifest.read_manifest`). Made in no
    time: Towhee, threads and child processes start with the first :meth:`run` in a process, so
    that a fork between the two is harmless. ``stages`` holds the seconds spent so far in each of
    :data:`STAGES`, summed over threads.
    """

    def __init__(
        self,
        descriptor: Descriptor,
        *,
        max_pixels: int,
        truncated: str,
        preview_size: int,
        regions: Regions | None = None,
        workers: int = 0,
        limits: Limits | None = None,
        anchors: Path | None = None,
    ) -> None:
        self.descriptor = descriptor
        self.stages: dict[str, float] = dict.fromkeys(STAGES, 0.0)
        self._decode = Decoder(
            max_pixels=max_pixels, truncated=truncated, limits=limits, anchors=anchors
        )
        self._preview_size = preview_size
        self._regions = descriptor.spec.regions if regions is None else regions
        self._workers = workers or len(os.sched_getaffinity(0))
        self._lock = threading.Lock()
        self._built: tuple[int, Callable[[list[bytes]], Any]] | None = None

    def run(self, batch: Sequence[bytes]) -> list[Result]:
        """One result for each file, in order; whatever is wrong with one stays its own.

        May be called from several threads. Raises what the model raises, if it does, and
        :class:`DecoderUnavailable`.
        """
        if not batch:
            return []
        pictures, vectors = self._pipe()(list(batch)).get()
        if isinstance(vectors, Exception):
            raise vectors
        if failed := next((p for p in pictures if isinstance(p, DecoderUnavailable)), None):
            raise failed
        rows = _shared_out(vectors, pictures)
        return [
            picture if isinstance(picture, ImageRejected) else self._processed(picture, next(rows))
            for picture in pictures
        ]

    def _processed(self, picture: _Pictured, vectors: Vectors) -> Result:
        if not np.isfinite(vectors).all():
            return ImageRejected(Reason.FAILED, "the model gave it a descriptor that is no number")
        common = self.descriptor.commonness(vectors)
        return Processed(
            picture.fingerprint, picture.regions, vectors, common, picture.preview, picture.lacking
        )

    def _pipe(self) -> Callable[[list[bytes]], Any]:
        with self._lock:
            if self._built is None or self._built[0] != os.getpid():
                self._built = os.getpid(), self._build()
            return self._built[1]

    def _build(self) -> Callable[[list[bytes]], Any]:
        towhee = _towhee()
        ops = towhee.ops.ris

        # Towhee deep-copies the arguments of operators; plain functions stay what they are.
        def picture(data: bytes) -> _Outcome:
            return self._picture(data)

        def embed(squares: Squares) -> Vectors | Exception:
            return self._embed(squares)

        built: Callable[[list[bytes]], Any] = (
            towhee.pipe.input("files")
            .map("files", "pictures", ops.decode(picture, self._workers))
            .map("pictures", "squares", ops.transform(self.descriptor.spec.input_size))
            .map("squares", "vectors", ops.embed(embed))
            .output("pictures", "vectors")
        )
        return built

    def _picture(self, data: bytes) -> _Outcome:
        """All that needs the pixels of one file; they are let go at the end."""
        try:
            with self._timed("decode"):
                decoded = self._decode(data)
            return self._pictured(decoded)
        except (ImageRejected, DecoderUnavailable) as error:
            return error
        except Exception as error:  # a fault of ours or of a library: one image, not the batch
            detail = f"it was decoded, but not fingerprinted: {type(error).__name__}: {error}"
            return ImageRejected(Reason.FAILED, detail)

    def _pictured(self, decoded: Decoded) -> _Pictured:
        with self._timed("hash"):
            hashed = hashes(decoded.rgb)
        with self._timed("quality"):
            measured = quality(decoded.rgb)
        with self._timed("preview"):
            reduced = preview.reduce(decoded.rgb, self._preview_size)
            encoded = preview.encode(reduced)
        with self._timed("regions"):
            boxes = tuple(regions(reduced, self._regions))
        with self._timed("transform"):
            squares = self.descriptor.squares(decoded.rgb, reduced, boxes)
        found = _fingerprint(decoded, hashed, measured)
        return _Pictured(found, encoded, boxes, squares, decoded.lacking)

    def _embed(self, squares: Squares) -> Vectors | Exception:
        try:
            with self._timed("embed"):
                return self.descriptor.embed(squares)
        except Exception as error:
            return error

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            with self._lock:
                self.stages[stage] += spent


class _Decode:
    """list of bytes → list of _Outcome, in a pool of threads."""

    def __init__(self, picture: Callable[[bytes], Any], workers: int) -> None:
        self._picture = picture
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="ris-decode")

    def __call__(self, files: list[bytes]) -> list[_Outcome]:
        return list(self._threads.map(self._picture, files))


class _Transform:
    """Pictures → the squares of the good ones, uint8 (n, 3, s, s), those of a picture together."""

    def __init__(self, side: int) -> None:
        self._side = side

    def __call__(self, pictures: list[_Outcome]) -> Squares:
        none = np.empty((0, 3, self._side, self._side), np.uint8)
        good = [picture.squares for picture in pictures if isinstance(picture, _Pictured)]
        return np.concatenate([none, *good])


class _Embed:
    """Squares → vectors, float32 (n, dim), or the exception that the model raised."""

    def __init__(self, embed: Callable[[Squares], Vectors | Exception]) -> None:
        self._embed = embed

    def __call__(self, squares: Squares) -> Vectors | Exception:
        return self._embed(squares)


@cache
def _towhee() -> Any:
    """Towhee with our operators registered; classes without a ``shared_type`` are shared."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pkg_resources, which Towhee needs
        import towhee
    for name, operator in (("decode", _Decode), ("transform", _Transform), ("embed", _Embed)):
        towhee.register(name=f"ris/{name}")(operator)
    return towhee


def _fingerprint(decoded: Decoded, hashed: Hashes, measured: Quality) -> Fingerprint:
    return Fingerprint(
        width=decoded.width,
        height=decoded.height,
        format=decoded.format,
        frames=decoded.frames,
        exif_orientation=decoded.exif_orientation,
        hashes=hashed,
        quality=measured,
        traces=decoded.traces,
        sample=decoded.sample,
    )


def _shared_out(vectors: Vectors, pictures: Sequence[_Outcome]) -> Iterator[Vectors]:
    """To each good picture its own rows."""
    counts = [len(picture.squares) for picture in pictures if isinstance(picture, _Pictured)]
    return iter(np.split(vectors, np.cumsum(counts[:-1]))) if counts else iter(())
