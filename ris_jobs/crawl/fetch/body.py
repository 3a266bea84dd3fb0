"""A body as it arrives: decoded, measured, hashed and looked at, within limits."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from ris_jobs.errors import ImageRejected, Reason
from ris_jobs.formats import IMPRESSION, recognise

__all__ = ["ENCODINGS", "BadBody", "Body"]

ENCODINGS = ("gzip", "deflate")
"""Content-Encodings that are asked for. Others, brotli too, are an error of the server: what is
not decoded cannot explode."""

_PIECE = 1 << 16


class BadBody(Exception):
    """The body is not what its headers say; says how, as a sentence."""


class Body:
    """Writes what is fed to ``into``.

    ``encoding`` is the Content-Encoding; with ``is_image`` the first bytes must be those of a
    supported image format. ``arrived`` counts the bytes as they came, ``size`` those that they were
    decoded to. :meth:`feed` and :meth:`end` raise :class:`ImageRejected` for what is
    too large or no image, and :class:`BadBody`.
    """

    def __init__(self, into: BinaryIO, encoding: str, max_bytes: int, is_image: bool) -> None:
        self.size = 0
        self._into = into
        self._decoder = _decoder(encoding.strip().lower())
        self._max_bytes = max_bytes
        self._digest = hashlib.sha256()
        self.arrived = 0
        self._head: bytes | None = b"" if is_image else None

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def feed(self, data: bytes) -> None:
        self.arrived += len(data)
        self.limit(self.arrived)
        for piece in self._decoder.feed(data):
            self.size += len(piece)
            self.limit(self.size)
            self._look(piece)
            self._digest.update(piece)
            self._into.write(piece)

    def end(self) -> None:
        self._decoder.end()
        if self._head is not None:
            recognise(self._head)

    def limit(self, size: int) -> None:
        """Refuse a body of so many bytes if that is too large."""
        if size > self._max_bytes:
            raise ImageRejected(Reason.TOO_LARGE, f"it has more than {self._max_bytes:,} bytes")

    def _look(self, piece: bytes) -> None:
        if self._head is not None:
            self._head += piece[:IMPRESSION]
            if len(self._head) >= IMPRESSION:
                recognise(self._head[:IMPRESSION])
                self._head = None


class _Decoder(Protocol):
    def feed(self, data: bytes) -> Iterator[bytes]: ...

    def end(self) -> None: ...


def _decoder(encoding: str) -> _Decoder:
    match encoding:
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip":
            return _Inflated(16 + zlib.MAX_WBITS)
        case "deflate":
            return _Inflated(None)
    raise BadBody(f"the server encoded it as {encoding[:40]!r}, which was not asked for")


class _Plain:
    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def end(self) -> None:
        pass


class _Inflated:
    """gzip of one or more members, or deflate (``wbits`` None) with a zlib header or without."""

    def __init__(self, wbits: int | None) -> None:
        self._wbits = wbits
        self._inflate = zlib.decompressobj(wbits) if wbits else None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Pieces of bounded size: of a bomb no more is inflated than the reader asks for."""
        if self._inflate is None and data:
            has_header = data[0] & 0x0F == zlib.DEFLATED
            self._inflate = zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)
        try:
            yield from self._pieces(data)
        except zlib.error as error:
            raise BadBody("its compression is damaged") from error

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        while self._inflate and data:
            if self._inflate.eof:
                self._inflate = self._next_member()
            piece = self._inflate.decompress(data, _PIECE)
            while len(piece) == _PIECE and not self._inflate.unconsumed_tail:
                yield piece  # of what was taken in, some may wait to be let out
                piece = self._inflate.decompress(b"", _PIECE)
            yield piece
            data = self._inflate.unconsumed_tail or self._inflate.unused_data

    def _next_member(self) -> zlib._Decompress:
        if self._wbits is None:
            raise BadBody("its compression ends before it does")
        return zlib.decompressobj(self._wbits)

    def end(self) -> None:
        if self._inflate is None or not self._inflate.eof:
            raise BadBody("its compression ends early")
