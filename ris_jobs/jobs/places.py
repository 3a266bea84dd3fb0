"""Places that can be listed: a folder, or the objects of a store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine

from ris_jobs.crawl import Failure, Going, Listing, Observation, directory
from ris_jobs.crawl.objects import Objects
from ris_jobs.crawl.source import Source
from ris_jobs.errors import ConfigError, SourceUnavailable
from ris_jobs.jobs.credentials import filesystem
from ris_jobs.settings import Settings
from ris_jobs.store import ledger
from ris_jobs.store.runs import Run

Listed = Listing | Observation | Failure


class Place(Protocol):
    """Where images can be listed in an order, and read one by one; ``root`` is its URI, and what it
    would not list whatever is there is not gone when it is not listed. A walk asks
    ``going`` now and then, also where it finds nothing, and ends where that says no."""

    @property
    def root(self) -> str: ...

    def lists(self, uri: str) -> bool: ...

    def walk(self, after: str | None = None, going: Going = ...) -> Iterator[Listed]: ...

    def observe(self, listing: Listing, seen_at: datetime) -> Observation | Failure: ...


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder of this machine. A walk that was interrupted starts anew: it costs no read.
    :class:`SourceUnavailable` for one that is not there: nothing is known of what it holds."""

    name: str
    path: Path
    now: datetime
    skip: frozenset[Path]

    @property
    def root(self) -> str:
        return directory.uri_of(self.path)

    def lists(self, uri: str) -> bool:
        return True

    def walk(self, after: str | None = None, going: Going = lambda: True) -> Iterator[Listed]:
        if not _is_there(self.path):
            raise SourceUnavailable(
                self.name,
                f"there is no {self.path} now",
                "Is it mounted, or was it renamed? If it is gone for good, "
                f"`ris source remove {self.name}`.",
            )
        yield from directory.walk(self.path, now=self.now, skip=self.skip, going=going)

    def observe(self, listing: Listing, seen_at: datetime) -> Observation:
        return directory.observe(listing, seen_at)


def _folder(engine: Engine, source: Source, run: Run, settings: Settings) -> _Folder:
    """:class:`ConfigError` for a folder that is not there and never was."""
    path = Path(source.location)
    if not _is_there(path):
        with engine.connect() as db:
            if not ledger.knows(db, directory.uri_of(path)):
                raise ConfigError(str(path), "does not exist")
    return _Folder(source.name, path, run.started_at, frozenset({settings.home.resolve()}))


def _is_there(path: Path) -> bool:
    """A mount that is broken raises what it likes."""
    try:
        return path.exists()
    except OSError:
        return False


def open_place(engine: Engine, source: Source, run: Run, settings: Settings) -> Place:
    """Of a source of kind ``directory`` or ``objects``."""
    if source.kind == "directory":
        return _folder(engine, source, run, settings)
    return Objects(
        filesystem(source),
        source.name,
        source.location,
        settings.max_bytes,
        any_name=bool(source.include),
    )
