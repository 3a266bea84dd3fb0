"""Sources: added, changed and removed, one by one or by a file that says what there shall be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from ris_jobs.crawl.declared import as_declared, read_file
from ris_jobs.crawl.source import Source
from ris_jobs.errors import ConfigError
from ris_jobs.store import fetches, sources
from ris_jobs.store.sources import Last, Stored

_CRAWLS = 10
_GIVEN_UP = 20


@dataclass(frozen=True, slots=True)
class Listed:
    """A source with its last crawl, None if it was never crawled."""

    name: str
    enabled: bool
    declared: dict[str, Any]
    file: str | None
    last: Last | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A source, its last crawls (rows of ris.source_crawl), and URIs that were given up."""

    listed: Listed
    crawls: tuple[dict[str, Any], ...]
    given_up: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """What a file changed: name and what was done (added, changed, adopted, removed), by name."""

    done: tuple[tuple[str, str], ...]
    unchanged: int


def add_source(engine: Engine, source: Source, *, replace: bool = False) -> None:
    """:class:`ConfigError` when there is one of that name. With ``replace`` it becomes this one and
    keeps its history, unless a file brought it."""
    with engine.begin() as db:
        if not replace:
            sources.add(db, source)
            return
        stored = sources.named(db, source.name)
        if stored.file is not None:
            raise ConfigError(
                f"source {source.name!r}", f"belongs to {stored.file}: change it there"
            )
        _change(db, stored, source, None)


def list_sources(engine: Engine) -> list[Listed]:
    with engine.connect() as db:
        return [_listed(stored, last) for stored, last in sources.there(db)]


def show_source(engine: Engine, name: str) -> Shown:
    with engine.connect() as db:
        stored = sources.named(db, name)
        last = next(last for s, last in sources.there(db) if s.source_id == stored.source_id)
        return Shown(
            _listed(stored, last),
            tuple(dict(r) for r in sources.crawls(db, stored, _CRAWLS)),
            tuple(dict(r) for r in sources.given_up(db, stored, _GIVEN_UP)),
        )


def enable_source(engine: Engine, name: str, enabled: bool) -> None:
    with engine.begin() as db:
        sources.enable(db, sources.named(db, name), enabled)


def remove_source(engine: Engine, name: str) -> None:
    """It is crawled no more; what it brought stays."""
    with engine.begin() as db:
        sources.remove(db, name)


def retry_source(engine: Engine, name: str) -> int:
    """Ask again, at the next crawl, for all that could not be fetched; how many there are."""
    with engine.begin() as db:
        return fetches.retry(db, sources.named(db, name).source_id)


def apply_sources(
    engine: Engine, file: Path, *, dry_run: bool = False, adopt: bool = False
) -> Applied:
    """Make true what the file says: sources are added and changed, and those that an earlier
    state of the same file brought are removed. Those that were added by hand are the file's from
    then on; with ``adopt`` those of another file too, else :class:`ConfigError`. Whatever it does
    not name is left alone."""
    wanted = read_file(file.read_text("utf-8"), str(file))
    origin = str(file.resolve())
    with engine.begin() as db:
        here = {stored.source.name: stored for stored, _ in sources.there(db)}
        done = list(_changes(wanted, here, origin, adopt))
        if not dry_run:
            for name, what in done:
                _apply(db, what, here.get(name), wanted.get(name), origin)
    return Applied(tuple(done), len(wanted) - sum(name in wanted for name, _ in done))


def _changes(
    wanted: dict[str, Source], here: dict[str, Stored], origin: str, adopt: bool
) -> Iterable[tuple[str, str]]:
    for name, source in wanted.items():
        if name not in here:
            yield name, "added"
        elif here[name].file not in (None, origin) and not adopt:
            problem = f"belongs to another file, {here[name].file}; --adopt takes it over"
            raise ConfigError(f"source {name!r}", problem)
        elif here[name].file != origin:
            yield name, "adopted"
        elif here[name].source != source:
            yield name, "changed"
    for name, stored in here.items():
        if stored.file == origin and name not in wanted:
            yield name, "removed"


def _apply(
    db: Connection, what: str, stored: Stored | None, source: Source | None, origin: str
) -> None:
    if stored is None and source is not None:
        sources.add(db, source, origin)
    elif stored is not None and source is not None:
        _change(db, stored, source, origin)
    elif stored is not None:
        sources.remove(db, stored.source.name)


def _change(db: Connection, stored: Stored, source: Source, origin: str | None) -> None:
    """With other manners or credentials it may fetch what it could not."""
    sources.change(db, stored, source, origin)
    before = stored.source
    if (before.politeness, before.credentials) != (source.politeness, source.credentials):
        fetches.retry(db, stored.source_id)


def _listed(stored: Stored, last: Last | None) -> Listed:
    source = stored.source
    return Listed(source.name, stored.enabled, as_declared(source), stored.file, last)
