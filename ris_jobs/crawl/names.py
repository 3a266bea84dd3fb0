"""The names below a place of fsspec's, in their order, from behind any of them on.

The order is that of the whole names, character by character, as object stores have it. S3 and
Google Cloud Storage are asked for page after page of just the names that are left. Everything else
is listed folder by folder, Azure too: of each folder on the way down its entries are held, and no
more. From behind a name on, folders before it are left out, and those on the way are listed anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ris_jobs.crawl import Going

__all__ = ["MAX_NAME", "Entry", "below"]

MAX_NAME = 2000
"""Characters of the longest name of a folder that is looked into."""

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """``name`` is relative to the place; that of a folder ends in a slash, and folders are told
    only where they are not looked into: ``problem`` says why. ``tag`` changes with the bytes, None
    where the store has none."""

    name: str
    size: int = 0
    tag: str | None = None
    modified_at: datetime | None = None
    problem: str | None = None


Turn = AbstractContextManager[Any]


def below(
    fs: Any,
    base: str,
    after: str | None = None,
    turn: Turn | None = None,
    going: Going = lambda: True,
) -> Iterator[Entry]:
    """All that ``fs`` has below the path ``base``, behind the name ``after``. A folder is asked for
    within ``turn``: others may ask ``fs`` for something meanwhile. No page or folder is asked for
    once ``going`` says no.

    What the libraries raise is raised, FileNotFoundError for a folder ``base`` that is not there.
    A store of objects has no folders: it has nothing there.
    """
    protocols = [fs.protocol] if isinstance(fs.protocol, str) else fs.protocol
    if "s3" in protocols:
        return _s3(fs, base, after, going)
    if "gs" in protocols:
        return _gcs(fs, base, after, going)
    return _folders(fs, base, after, turn or nullcontext(), going)


def _s3(fs: Any, base: str, after: str | None, going: Going) -> Iterator[Entry]:
    bucket, prefix = _split(base)
    where = {"StartAfter": prefix + after} if after else {}
    while going():
        page = fs.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, MaxKeys=_PAGE, **where)
        for found in page.get("Contents", ()):
            if not found["Key"].endswith("/"):
                yield _entry(found["Key"].removeprefix(prefix), found)
        if not page.get("IsTruncated"):
            return
        token = page.get("NextContinuationToken")
        where = {"ContinuationToken": _moved(token, where.get("ContinuationToken"))}


def _gcs(fs: Any, base: str, after: str | None, going: Going) -> Iterator[Entry]:
    bucket, prefix = _split(base)
    asked: dict[str, Any] = {"prefix": prefix, "maxResults": _PAGE}
    if after:
        asked["startOffset"] = prefix + after  # which is among what comes
    while going():
        page = fs.call("GET", "b/{}/o", bucket, json_out=True, **asked)
        for found in page.get("items", ()):
            name = found["name"].removeprefix(prefix)
            if not name.endswith("/") and name > (after or ""):
                yield _entry(name, found)
        if not page.get("nextPageToken"):
            return
        asked["pageToken"] = _moved(page["nextPageToken"], asked.get("pageToken"))


def _moved(token: str | None, before: str | None) -> str:
    """Where the next page begins. OSError where that is nowhere new: it would be asked for ever."""
    if not token or token == before:
        raise OSError("its listing does not end: it has more names, and does not say where")
    return token


def _split(base: str) -> tuple[str, str]:
    bucket, _, folder = base.partition("/")
    return bucket, folder + "/" if folder else ""


def _folders(fs: Any, base: str, after: str | None, turn: Turn, going: Going) -> Iterator[Entry]:
    """With an own stack: a hostile tree may be deeper than Python's recursion. A folder stands at
    its name with the slash, which is where all that is in it stands."""
    stack = _entries(fs, base, "", turn)
    while stack and going():
        entry = stack.pop()
        behind = after is None or entry.name > after
        if entry.problem or not entry.name.endswith("/"):
            if behind:
                yield entry
        elif behind or str(after).startswith(entry.name):
            stack += _within(fs, base, entry.name, turn)


def _within(fs: Any, base: str, folder: str, turn: Turn) -> list[Entry]:
    """What is in a folder that was listed; itself, if it cannot be looked into."""
    if len(folder) > MAX_NAME:
        return [Entry(folder, problem=f"its name is longer than {MAX_NAME:,} characters")]
    try:
        return _entries(fs, base, folder, turn)
    except FileNotFoundError:
        return []
    except PermissionError:
        return [Entry(folder, problem="there is no permission to look into it")]
    except UnicodeError:
        return [Entry(folder, problem="it holds a name that is not UTF-8")]


def _entries(fs: Any, base: str, folder: str, turn: Turn) -> list[Entry]:
    """The last one first. Links, pipes and devices are left out: a link may lead in a circle."""
    path = f"{base}/{folder}".rstrip("/") or "/"
    entries = []
    with turn:
        fs.invalidate_cache()
        listed = fs.ls(path, detail=True)
    for found in listed:
        name = found["name"].rstrip("/").rpartition("/")[2]
        if found["name"].strip("/") == path.strip("/") or name in ("", ".", ".."):
            continue
        if found["type"] == "directory":
            entries.append(Entry(f"{folder}{name}/"))
        elif found["type"] == "file":
            entries.append(_entry(folder + name, found))
    return sorted(entries, key=lambda e: e.name, reverse=True)


def _entry(name: str, found: Mapping[str, Any]) -> Entry:
    tag = found.get("ETag") or found.get("etag") or found.get("md5Hash")
    size = int(found.get("Size") or found.get("size") or 0)
    return Entry(name, size, tag, _modified_at(found))


def _modified_at(found: Mapping[str, Any]) -> datetime | None:
    """The first time that stores are known to give; a number is in seconds since 1970."""
    for key in ("LastModified", "last_modified", "updated", "mtime", "modified", "created"):
        value = found.get(key)
        try:
            if isinstance(value, str):
                value = datetime.fromisoformat(value)
            if isinstance(value, int | float):
                value = datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            continue
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
    return None
