"""A folder of images on this machine: which files it holds, and what their bytes are.

Listed is every regular file below the root whose name ends like an image's or whose first
bytes are an image's: a text file called ``x.jpg`` is listed and fails at decoding, a folder
called ``x.jpg`` is walked. Names that begin with a dot are left out, files and folders
(caches, version control, this service's own home). Links are not followed, so the walk can
neither loop nor leave the root, and a link is not taken for a second copy; only the root
itself may be one. Pipes, sockets and devices are never opened.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote_from_bytes, unquote_to_bytes

from ris_jobs.crawl import Going, Listing, Observation
from ris_jobs.errors import ImageRejected, Reason
from ris_jobs.formats import HEAD, SUFFIXES, sniff

__all__ = ["observe", "path_of", "read", "uri_of", "walk"]

_SCHEME = "file://"
# NONBLOCK: a pipe put in a file's place after it was listed must not hang the run.
_OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_BLOCK = 1 << 20

MAX_URI = 2000
"""Characters of the longest URI that is kept; paths beyond are reported, not followed."""


def uri_of(path: Path) -> str:
    """The ``file://`` URI of ``path`` made absolute (RFC 8089): ASCII, whatever its bytes."""
    return _SCHEME + quote_from_bytes(os.fsencode(path.absolute()), safe="/")


def path_of(uri: str) -> Path:
    """The path that :func:`uri_of` made ``uri`` from; ValueError for any other URI."""
    raw = unquote_to_bytes(uri.removeprefix(_SCHEME))
    if not uri.startswith(_SCHEME + "/") or b"\0" in raw:
        raise ValueError(f"{uri!r} is not the file:// URI of an absolute path")
    return Path(os.fsdecode(raw))


def walk(
    root: Path,
    *,
    now: datetime | None = None,
    skip: Collection[Path] = (),
    going: Going = lambda: True,
) -> Iterator[Listing | Observation]:
    """List the images below ``root``, folder by folder in the order of their raw names.

    Yields a :class:`Listing` for each image, and for each entry that could not be looked at
    (an unreadable folder, a file gone meanwhile) an :class:`Observation` with its reason,
    seen at ``now``: nothing is dropped unsaid. A ``root`` that is a file is listed whatever
    its name. Folders in ``skip`` (absolute) are passed over. It ends where ``going``, which it asks
    before each entry, says no. FileNotFoundError if there is no ``root``.
    """
    seen_at = now or datetime.now(UTC)
    root = root.resolve(strict=True) if ".." in root.parts else root.absolute()
    if root.is_dir():
        yield from _walk_folder(root, seen_at, skip, going)
    else:
        root = root.resolve(strict=True)
        yield _listing(root, root.stat())


def _walk_folder(
    root: Path, seen_at: datetime, skip: Collection[Path], going: Going
) -> Iterator[Listing | Observation]:
    """Depth first with an own stack: a hostile tree may be deeper than Python's recursion."""
    stack = [root]
    while stack and going():
        path = stack.pop()
        if path in skip:
            continue
        if len(uri_of(path)) > MAX_URI:
            yield _too_long(path, seen_at)
            continue
        try:
            status = path.stat() if path == root else path.lstat()
            if stat.S_ISDIR(status.st_mode):
                stack.extend(reversed(_entries(path)))
            elif stat.S_ISREG(status.st_mode) and _promises_image(path):
                yield _listing(path, status)
        except OSError as error:
            yield _failure(uri_of(path), error, seen_at)


def _too_long(path: Path, seen_at: datetime) -> Observation:
    """Said of the nearest folder whose own URI can be kept."""
    folder = next(p for p in path.parents if len(uri_of(p)) <= MAX_URI)
    detail = f"a path in it is longer than {MAX_URI:,} characters as a URI, and was left out"
    return Observation(
        uri_of(folder), seen_at, "", 0, None, reason=Reason.UNREADABLE, detail=detail
    )


def _entries(folder: Path) -> list[Path]:
    shown = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    return sorted(shown, key=os.fsencode)


def _promises_image(path: Path) -> bool:
    if path.suffix.lower() in SUFFIXES:
        return True
    with _open(path) as file:
        return sniff(file.read(HEAD)) is not None


def observe(listing: Listing, seen_at: datetime) -> Observation:
    """Read the listed file once, in blocks, and say what bytes it showed.

    ``sha256`` is of exactly the ``version`` in the observation: a file that changed while it
    was read is observed with :attr:`Reason.CHANGED`, and its turn comes again.
    """
    try:
        with _open(path_of(listing.uri)) as file:
            before = _version(os.fstat(file.fileno()))
            digest = hashlib.sha256()
            while block := file.read(_BLOCK):
                digest.update(block)
            status = os.fstat(file.fileno())
    except OSError as error:
        return _failure(listing.uri, error, seen_at, listing)
    if before != _version(status):
        detail = "the file was written to while it was being read"
        return _observation(listing.uri, status, seen_at, Reason.CHANGED, detail)
    if status.st_size == 0:
        return _observation(listing.uri, status, seen_at, Reason.EMPTY, "the file has no bytes")
    return _observation(listing.uri, status, seen_at, sha256=digest.hexdigest())


def read(uri: str, max_bytes: int) -> bytes:
    """All bytes of one file; :class:`ImageRejected` if it cannot be read, is empty or larger."""
    try:
        with _open(path_of(uri)) as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(min(size, max_bytes) + 1)
    except OSError as error:
        raise ImageRejected(*_explain(error)) from error
    if not data:
        raise ImageRejected(Reason.EMPTY, "the file has no bytes")
    if len(data) > max_bytes:
        raise ImageRejected(Reason.TOO_LARGE, f"the file has more than {max_bytes:,} bytes")
    return data


def _open(path: Path) -> BinaryIO:
    """A regular file, open for reading; OSError for anything else, links too."""
    file = os.fdopen(os.open(path, _OPEN_FLAGS), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError("it is not a regular file")
    return file


def _listing(path: Path, status: os.stat_result) -> Listing:
    return Listing(uri_of(path), _version(status), status.st_size, _modified_at(status))


def _version(status: os.stat_result) -> str:
    """Size, modification and change time: the last tells a write whose mtime was put back.

    No inode: network file systems renumber, and ctime already tells a replaced file.
    """
    return f"{status.st_size}-{status.st_mtime_ns:x}-{status.st_ctime_ns:x}"


def _modified_at(status: os.stat_result) -> datetime | None:
    """To the microsecond; None for a time no calendar holds."""
    try:
        return datetime.fromtimestamp(status.st_mtime, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _observation(
    uri: str,
    status: os.stat_result,
    seen_at: datetime,
    reason: Reason | None = None,
    detail: str | None = None,
    *,
    sha256: str | None = None,
) -> Observation:
    return Observation(
        uri, seen_at, _version(status), status.st_size, _modified_at(status), sha256, reason, detail
    )


def _failure(
    uri: str, error: OSError, seen_at: datetime, listing: Listing | None = None
) -> Observation:
    """What is known of an entry that could not be read: what its listing said, or nothing."""
    known = listing or Listing(uri, version="", size=0, modified_at=None)
    reason, detail = _explain(error)
    return Observation(
        uri, seen_at, known.version, known.size, known.modified_at, reason=reason, detail=detail
    )


def _explain(error: OSError) -> tuple[Reason, str]:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return Reason.VANISHED, "it was listed, but is no longer there"
    if isinstance(error, PermissionError):
        return Reason.UNREADABLE, "there is no permission to read it"
    return Reason.UNREADABLE, f"it cannot be read: {error.strerror or error}"
