"""The bytes of images that were seen, from wherever they are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from threading import Lock

from ris_jobs.crawl import directory
from ris_jobs.crawl.objects import Objects, root_of
from ris_jobs.errors import ConfigError, ImageRejected, Reason, SourceUnavailable
from ris_jobs.jobs.credentials import filesystem
from ris_jobs.store.fetched import Fetched
from ris_jobs.store.images import Claimed
from ris_jobs.store.sources import Stored

WEB = ("http://", "https://")
"""What the URIs of fetched images begin with."""


class Reader:
    """Reads a URI by its scheme: files where they are, objects from the store of their source,
    what was fetched from the web from where it is kept."""

    def __init__(self, sources: Sequence[Stored], fetched: Fetched, max_bytes: int) -> None:
        self._stores = [s for s in sources if s.source.kind == "objects"]
        self._fetched = fetched
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._objects = cache(self._open)

    def original(self, claimed: Claimed) -> bytes | ImageRejected:
        """An image's own bytes from wherever they still are."""
        rejected = ImageRejected(Reason.VANISHED, "it was seen, but is no longer there")
        for uri in claimed.uris:
            try:
                data = self.read(uri, claimed.sha256)
            except ImageRejected as e:
                # What is there now is not what was seen: its misfortune is not these bytes' own.
                own = e.reason is Reason.TOO_LARGE
                rejected = (
                    e if own else ImageRejected(Reason.VANISHED, f"not there now: {e.detail}")
                )
                continue
            if hashlib.sha256(data).hexdigest() == claimed.sha256:
                return data
            rejected = ImageRejected(Reason.CHANGED, "its bytes changed after they were seen")
        return rejected

    def read(self, uri: str, sha256: str) -> bytes:
        """:class:`ImageRejected` when it cannot be read, is empty or too large. Only of the web are
        the bytes those of ``sha256`` for sure."""
        if uri.startswith("file://"):
            return directory.read(uri, self._max_bytes)
        if uri.startswith(WEB):
            data = self._fetched.read(sha256)
            if data is None:
                raise ImageRejected(Reason.VANISHED, "what was fetched is no longer kept")
            return data
        try:
            return self._of(uri).read(uri)
        except (ConfigError, SourceUnavailable) as e:
            raise ImageRejected(Reason.UNREADABLE, str(e)) from e

    def _of(self, uri: str) -> Objects:
        """The store of the first source that the URI belongs to."""
        for i, stored in enumerate(self._stores):
            if uri.startswith(root_of(stored.source.location) + "/"):
                with self._lock:
                    return self._objects(i)
        raise ImageRejected(Reason.UNREADABLE, "no source is known that it belongs to")

    def _open(self, i: int) -> Objects:
        source = self._stores[i].source
        return Objects(filesystem(source), source.name, source.location, self._max_bytes)
