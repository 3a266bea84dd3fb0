"""Images in an object store, or any other file system that fsspec reaches.

The listing comes in the order of the names, so that it can be taken up again after any of them
(:mod:`ris_jobs.crawl.names`). ETag and size say whether an object is another one; where a store
has no ETags, the time of its last change does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import PurePosixPath
from threading import Lock
from typing import Any
from urllib.parse import quote, unquote

from ris_jobs.crawl import Failure, Going, Listing, Observation, names
from ris_jobs.crawl.directory import MAX_URI
from ris_jobs.errors import ImageRejected, Reason, SourceUnavailable
from ris_jobs.formats import SUFFIXES

__all__ = ["Objects", "root_of"]

_SAFE = "/!$&'()*+,;=:@~"


def root_of(location: str) -> str:
    """An fsspec URL as the URI that those of all its objects begin with, before a slash."""
    scheme, _, rest = location.partition("://")
    return f"{scheme.lower()}://{quote(rest.rstrip('/'), safe=_SAFE)}"


class Objects:
    """The objects below ``location``, an fsspec URL that ``fs`` is the file system of.

    Listed are those whose names end like an image's; with ``any_name`` all, as where patterns
    choose. ``root`` is the location as a URI. Whatever a store raises becomes
    :class:`SourceUnavailable` (listing) or a :class:`Failure` (reading). Threads may share it, but
    not ``fs`` with another one: SFTP and its like answer one question at a time.
    """

    def __init__(
        self, fs: Any, name: str, location: str, max_bytes: int, *, any_name: bool = False
    ) -> None:
        self._fs = fs
        self._name = name
        self._max_bytes = max_bytes
        self._any_name = any_name
        self._turn: AbstractContextManager[Any] = nullcontext() if fs.async_impl else Lock()
        self._base = str(fs._strip_protocol(location)).rstrip("/")
        self.root = root_of(location)

    def lists(self, uri: str) -> bool:
        """Whether it would list an object of this URI, if there is one."""
        return self._lists(self._name_of(uri))

    def walk(
        self, after: str | None = None, going: Going = lambda: True
    ) -> Iterator[Listing | Failure]:
        """List them in the order of their names, from behind the URI ``after`` on, for as long as
        ``going`` says. A folder that cannot be looked into is a :class:`Failure`; its URI ends in a
        slash."""
        last = None if after is None else self._name_of(after)
        try:
            for entry in names.below(self._fs, self._base, last, self._turn, going):
                if entry.problem or self._lists(entry.name):
                    yield self._listing(entry)
        except FileNotFoundError as e:
            problem = f"there is nothing at {self.root}"
            raise SourceUnavailable(self._name, problem, "Is its location right?") from e
        # The libraries behind fsspec raise what they like.
        except Exception as e:
            fix = "Do location and credentials fit, and can it be reached from here?"
            raise SourceUnavailable(self._name, _said(e), fix) from e

    def observe(self, listing: Listing, seen_at: datetime) -> Observation | Failure:
        """Read what was listed, and say what bytes it showed."""
        if listing.size > self._max_bytes:
            return _rejected(listing, seen_at, _too_large(self._max_bytes))
        if listing.size == 0:
            empty = ImageRejected(Reason.EMPTY, "the object has no bytes")
            return _rejected(listing, seen_at, empty)
        try:
            data = self._bytes(listing.uri, listing.size)
        except FileNotFoundError:
            return Failure(listing.uri, Reason.VANISHED, "it was listed, but is no longer there")
        # The libraries behind fsspec raise what they like.
        except Exception as e:
            return Failure(listing.uri, Reason.UNREADABLE, f"it cannot be read: {_said(e)}")
        if len(data) != listing.size:
            return Failure(listing.uri, Reason.CHANGED, "it changed while it was being read")
        sha256 = hashlib.sha256(data).hexdigest()
        return Observation(
            listing.uri, seen_at, listing.version, listing.size, listing.modified_at, sha256
        )

    def read(self, uri: str) -> bytes:
        """All bytes of one object; :class:`ImageRejected` if it cannot be read or is too large."""
        try:
            data = self._bytes(uri, self._max_bytes)
        except FileNotFoundError as e:
            raise ImageRejected(Reason.VANISHED, "it is no longer there") from e
        # The libraries behind fsspec raise what they like.
        except Exception as e:
            raise ImageRejected(Reason.UNREADABLE, f"it cannot be read: {_said(e)}") from e
        if len(data) > self._max_bytes:
            raise _too_large(self._max_bytes)
        return data

    def _lists(self, path: str) -> bool:
        return self._any_name or PurePosixPath(path).suffix.lower() in SUFFIXES

    def _listing(self, entry: names.Entry) -> Listing | Failure:
        uri = f"{self.root}/{quote(entry.name, safe=_SAFE)}"
        if len(uri) > MAX_URI:
            detail = f"its name is longer than {MAX_URI:,} characters as a URI"
            return Failure(uri[:MAX_URI], Reason.UNREADABLE, detail)
        if entry.problem:
            return Failure(uri, Reason.UNREADABLE, entry.problem)
        tag = entry.tag or entry.modified_at
        return Listing(uri, f"{tag}-{entry.size}" if tag else "", entry.size, entry.modified_at)

    def _bytes(self, uri: str, limit: int) -> bytes:
        """All bytes, or one more than ``limit``: whoever puts a huge object in its place is to do
        no harm. In one request, beside that for the size."""
        path = f"{self._base}/{self._name_of(uri)}"
        with self._turn, self._fs.open(path, "rb", cache_type="none") as file:
            return bytes(file.read(limit + 1))

    def _name_of(self, uri: str) -> str:
        return unquote(uri.removeprefix(self.root + "/"))


def _too_large(max_bytes: int) -> ImageRejected:
    return ImageRejected(Reason.TOO_LARGE, f"the object has more than {max_bytes:,} bytes")


def _rejected(listing: Listing, seen_at: datetime, why: ImageRejected) -> Observation:
    return Observation(
        listing.uri, seen_at, listing.version, listing.size, listing.modified_at,
        reason=why.reason, detail=why.detail,
    )  # fmt: skip


def _said(error: Exception) -> str:
    """What an error says, in one line."""
    return " ".join(str(error).split())[:300] or type(error).__name__
