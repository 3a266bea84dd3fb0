"""Which sources are meant: by name, by a folder, by a URL, or all that are enabled."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine

from ris_jobs.crawl import directory
from ris_jobs.crawl.fetch import urls
from ris_jobs.crawl.source import Source
from ris_jobs.errors import ConfigError, UrlRefused
from ris_jobs.store import ledger, sources
from ris_jobs.store.sources import Stored

_LOG = logging.getLogger("ris_jobs")

CONTACT_WANTED = "whom can its servers turn to, by a URL or mail address?"
"""Why a crawl of the web needs a contact."""


def wanted_sources(
    engine: Engine, wanted: Sequence[str | Path], contact: str | None = None
) -> list[Stored]:
    """The sources that are meant: by name, or by a folder or URL, which becomes a source if it is
    none yet. Folders that lie within others of these are left out.

    :class:`ris_jobs.errors.NotFound` for a name that there is not, :class:`ConfigError` for a
    URL that is no source yet, where there is no ``contact`` to crawl it with.
    """
    paths = [w for w in wanted if isinstance(w, Path)]
    with engine.begin() as db:
        _tell_apart(db, paths)
        found = [_of_folder(db, path) for path in distinct(paths)]
        for word in (w for w in wanted if isinstance(w, str)):
            found.append(_of_url(db, word, contact) if "://" in word else sources.named(db, word))
    return list({stored.source_id: stored for stored in found}.values())


def enabled_sources(engine: Engine) -> list[Stored]:
    """Those that a nightly crawl looks at."""
    with engine.connect() as db:
        return [stored for stored, _ in sources.there(db) if stored.enabled]


def side_by_side(found: Iterable[Source], most: int) -> list[list[str]]:
    """Their names in groups, ``most`` at most, of which any may be crawled at once. Websites of one
    host, and lists that it serves, are in one group: machines know nothing of each other's pace,
    and what else is named is not known before it is read."""
    groups: dict[str, list[str]] = {}
    for source in found:
        served = source.location.lower().startswith(("http://", "https://"))
        host = urlsplit(source.location).hostname if served else None
        # No host is named like this.
        own = (host or f"/{source.name}").removeprefix("www.")
        groups.setdefault(own, []).append(source.name)
    shared = [*groups.values()]
    return [[*chain(*shared[i::most])] for i in range(min(len(shared), most))]


def named_ids(db: Connection, names: Sequence[str]) -> list[int] | None:
    """Ids of sources; None where none is named, and so all are meant.

    :class:`ris_jobs.errors.NotFound` for one that there is not.
    """
    return [sources.named(db, name).source_id for name in names] or None


def distinct(roots: Sequence[Path]) -> list[Path]:
    """Each root in its one true spelling; those that lie within another are left out."""
    paths = sorted({root.resolve() for root in roots})
    return [p for p in paths if not any(p.is_relative_to(q) for q in paths if q != p)]


def uri_of(stored: Stored) -> str:
    """The location of a source as a URI."""
    location = stored.source.location
    return location if "://" in location else directory.uri_of(Path(location))


def _tell_apart(db: Connection, paths: Iterable[Path]) -> None:
    """A folder that is named as a source is, and is not what it looks at, is the folder: that is
    said."""
    named = {stored.source.name: stored for stored, _ in sources.there(db)}
    for path in (p for p in paths if not p.is_absolute()):
        stored = named.get(str(path))
        if stored and stored.source.location != str(path.resolve()):
            _LOG.warning(
                "%s is taken for %s here, not for the source of that name (%s): source:%s is that",
                path, path.resolve(), stored.source.location, path,
            )  # fmt: skip


def _of_folder(db: Connection, path: Path) -> Stored:
    here = [stored for stored, _ in sources.there(db)]
    for stored in here:
        if (stored.source.kind, stored.source.location) == ("directory", str(path)):
            return stored
    if not path.exists() and not ledger.knows(db, directory.uri_of(path)):
        raise ConfigError(str(path), "does not exist")
    return sources.add(db, _new(here, path.name, "directory", str(path)))


def _of_url(db: Connection, url: str, contact: str | None) -> Stored:
    here = [stored for stored, _ in sources.there(db)]
    try:
        location = urls.parse(url).url
    except UrlRefused as e:
        raise ConfigError(url, f"cannot be crawled: {e.detail}") from e
    for stored in here:
        if stored.source.kind == "web" and stored.source.location == location:
            return stored
    if contact is None:
        raise ConfigError("RIS_CONTACT", f"must be set to crawl {url}: {CONTACT_WANTED}")
    host = urlsplit(location).hostname or ""
    return sources.add(db, _new(here, host, "web", location))


def _new(here: Sequence[Stored], name: str, kind: Any, location: str) -> Source:
    """A source with a name of its own, made of this one."""
    base = re.sub("[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:50] or "source"
    taken = {stored.source.name for stored in here}
    names = (base if i == 1 else f"{base}-{i}" for i in range(1, len(taken) + 2))
    return Source(name=next(n for n in names if n not in taken), kind=kind, location=location)
