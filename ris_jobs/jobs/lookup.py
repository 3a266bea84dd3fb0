"""Look up images as people name them: by URI, path or sha256."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection

from ris_jobs.crawl import directory
from ris_jobs.errors import NotFound
from ris_jobs.settings import Settings
from ris_jobs.store import images
from ris_jobs.store.images import Seen

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def seen(db: Connection, settings: Settings, name: str) -> Seen:
    """The image that ``name`` means: a URI, the path of a file, or the sha256 of an image.

    Raises :class:`NotFound` for what no scan has seen, or what it could not use.
    """
    found = known(db, settings, name)
    if found.status == "erased":
        raise NotFound(f"{name!r} was erased, so there is nothing to compare")
    if found.status == "pending":
        raise NotFound(f"{name!r} was seen, but is not fingerprinted yet; `ris scan` does it")
    if found.status != "ok":
        raise NotFound(f"{name!r} is in quarantine, so there is nothing to compare: {found.detail}")
    return found


def known(db: Connection, settings: Settings, name: str) -> Seen:
    """The same, whether it can be used or not; what could not be read has no sha256."""
    found = next(filter(None, _found(db, settings, name)), None)
    if found is None:
        raise NotFound(
            f"no scan has seen {name!r}; `ris scan` its folder, or see `ris export images` for "
            "what there is"
        )
    return found


def meant(settings: Settings, name: str) -> Iterator[tuple[str | None, str | None]]:
    """The URI or the sha256 that ``name`` may be, the likeliest first; a file is looked for by
    its bytes, too."""
    if _SHA256.fullmatch(name):
        yield None, name.lower()
    if "://" in name:
        # URIs are kept as ASCII.
        yield (name if name.isascii() else None), None
        return
    path = Path(name)
    yield directory.uri_of(path), None
    resolved = directory.uri_of(path.resolve())
    yield resolved, None
    if path.is_file():
        yield None, hashlib.sha256(directory.read(resolved, settings.max_bytes)).hexdigest()


def _found(db: Connection, settings: Settings, name: str) -> Iterator[Seen | None]:
    for uri, sha256 in meant(settings, name):
        if uri is not None:
            yield images.shown_at(db, uri)
        if sha256 is not None:
            yield images.of_bytes(db, sha256)
