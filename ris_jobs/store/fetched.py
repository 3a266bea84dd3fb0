"""Bytes fetched from the web, from when they came until they are fingerprinted.

Any fsspec URL works; the name of what is kept is its sha256, so that the same picture at many URLs
is kept once. What a name shows is whole: files are written to disk before they get their name.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import get_ident
from typing import Any

import fsspec

from ris_jobs.errors import FetchedUnavailable
from ris_jobs.settings import Settings, mask_url
from ris_jobs.store.home import make

_PART = ".part"


class Fetched:
    """A folder of fetched bytes. ``spools`` is a local folder for files that are on their way."""

    def __init__(self, fs: Any, root: str, where: str, spools: Path) -> None:
        self._fs = fs
        self._root = root.rstrip("/")
        self._local = "file" in fs.protocol
        self.where = where
        self._spools = spools

    @contextmanager
    def spool(self, source_id: int) -> Iterator[Path]:
        """An empty folder for one crawl of a source, which goes with the block; what a killed one
        left there is deleted."""
        folder = self._spools / str(source_id)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def take(self, file: Path, sha256: str) -> None:
        """Keep the file, which is on disk and has that sha256, and delete it where it was."""
        path = self._path(sha256)
        try:
            if self._local:
                _rename(file, Path(path))
            else:
                self._fs.put_file(str(file), path)
                file.unlink()
        except OSError as e:
            fix = "Is there space, and may this account write there? See RIS_FETCHED_URL."
            raise FetchedUnavailable(self.where, f"a write failed ({e})", fix) from e

    def read(self, sha256: str) -> bytes | None:
        """The bytes, or None when they are not kept."""
        try:
            return bytes(self._fs.cat_file(self._path(sha256)))
        except FileNotFoundError:
            return None
        except OSError as e:
            fix = "See RIS_FETCHED_URL."
            raise FetchedUnavailable(self.where, f"a read failed ({e})", fix) from e

    def drop(self, sha256: str) -> None:
        with suppress(FileNotFoundError):
            self._fs.rm_file(self._path(sha256))

    def kept(self) -> Iterator[tuple[str, datetime, int]]:
        """sha256, since when it is kept, and size in bytes, of all."""
        self._fs.invalidate_cache()
        for path, info in self._fs.find(self._root, detail=True).items():
            name = path.rpartition("/")[2]
            if len(name) == 64:
                yield name, _time(info), int(info["size"])

    def left_over(self) -> Iterator[tuple[str, datetime, int]]:
        """Path, time and size in bytes of files that killed writers left, or that are on their way;
        object stores have none."""
        if self._local:
            for path, info in self._fs.find(self._root, detail=True).items():
                if path.endswith(_PART):
                    yield path, _time(info), int(info["size"])

    def remove(self, path: str) -> None:
        """What ``left_over`` named."""
        with suppress(FileNotFoundError):
            self._fs.rm_file(path)

    def left_spools(self) -> Iterator[tuple[Path, datetime]]:
        """Folders of crawls, with when something last came or went in each."""
        for folder in self._spools.glob("*"):
            with suppress(OSError):
                times = [f.stat().st_mtime for f in (folder, *folder.glob("*"))]
                yield folder, datetime.fromtimestamp(max(times), UTC)

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256}"


def open_fetched(settings: Settings) -> Fetched:
    """Raises :class:`FetchedUnavailable` when the URL's file system cannot be had."""
    folder = settings.home / "fetched"
    where = mask_url(settings.fetched_url) or str(folder)
    try:
        make(settings.home)
        if settings.fetched_url:
            fs, root = fsspec.core.url_to_fs(settings.fetched_url)
        else:
            fs, root = fsspec.filesystem("file"), str(folder)
        fs.makedirs(root, exist_ok=True)
    except (OSError, ValueError, ImportError) as e:
        raise FetchedUnavailable(where, str(e), "Is RIS_FETCHED_URL right?") from e
    return Fetched(fs, root, where, settings.home / "spool")


def _rename(file: Path, path: Path) -> None:
    """Atomic, also where the two are on different disks."""
    path.parent.mkdir(exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.{get_ident()}{_PART}")
    try:
        file.replace(part)
    except OSError:
        with file.open("rb") as source, part.open("wb") as target:
            shutil.copyfileobj(source, target)
            target.flush()
            os.fsync(target.fileno())
        file.unlink()
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _time(info: Any) -> datetime:
    """Of a local file or an object; a time that is not told is now: it is kept a while longer."""
    found = info.get("mtime") or info.get("LastModified") or info.get("last_modified")
    if isinstance(found, datetime):
        return found
    return datetime.fromtimestamp(found, UTC) if found else datetime.now(UTC)
