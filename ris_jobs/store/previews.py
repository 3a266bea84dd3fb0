"""Previews: small JPEG pictures of images, kept after the originals are gone.

Any fsspec URL works (a folder, s3://…, gs://…); a preview's name is its image's sha256. Beside it
lie the keypoints made of it, once a match has asked for them; they can be deleted at any time.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from threading import get_ident
from typing import Any

import fsspec

from ris_jobs.errors import PreviewsUnavailable
from ris_jobs.settings import Settings, mask_url
from ris_jobs.store.home import make

_NAME = re.compile(r"([0-9a-f]{64})\.(?:jpg|keypoints)$")
# A file that is being written is not as old as this.
_LEFT_OVER_S = 86_400


@dataclass(frozen=True, slots=True)
class Listed:
    """Images that have a preview, or keypoints of one, by their ``hashes``; paths of what killed
    writers left."""

    hashes: frozenset[str]
    left_over: tuple[str, ...]


class Previews:
    """A folder of previews. Writes are atomic on local disks and object stores alike."""

    def __init__(self, fs: Any, root: str, where: str) -> None:
        self._fs = fs
        self._root = root.rstrip("/")
        self.where = where

    def write(self, sha256: str, data: bytes) -> None:
        self._write(self._path(sha256), data)

    def read(self, sha256: str) -> bytes | None:
        """The preview's JPEG bytes, or None when there is none."""
        return self._read(self._path(sha256))

    def write_keypoints(self, sha256: str, data: bytes) -> None:
        self._write(self._keypoints(sha256), data)

    def read_keypoints(self, sha256: str) -> bytes | None:
        """What was written, or None; see :mod:`ris_jobs.match.packed`."""
        return self._read(self._keypoints(sha256))

    def delete(self, sha256: str) -> None:
        """The preview and what was made of it, as far as they are there."""
        for path in (self._keypoints(sha256), self._path(sha256)):
            self.remove(path)

    def remove(self, path: str) -> None:
        """A file of this folder, if it is there."""
        with suppress(FileNotFoundError):
            self._fs.rm_file(path)

    def listed(self, prefix: str) -> Listed:
        """What there is of images whose sha256 begins with these two digits."""
        try:
            files = self._fs.ls(f"{self._root}/{prefix}", detail=True, refresh=True)
        except FileNotFoundError:
            files = []
        except OSError as e:
            raise PreviewsUnavailable(
                self.where, f"a listing failed ({e})", "See RIS_PREVIEWS_URL."
            ) from e
        parts = {file["name"]: file for file in files if file["name"].endswith(".part")}
        before = time.time() - _LEFT_OVER_S
        return Listed(
            frozenset(m[1] for file in files if (m := _NAME.search(file["name"]))),
            tuple(path for path, file in parts.items() if file.get("mtime", before) < before),
        )

    def _write(self, path: str, data: bytes) -> None:
        part = f"{path}.{os.getpid()}.{get_ident()}.part"
        try:
            self._fs.makedirs(self._fs._parent(path), exist_ok=True)
            if self._fs.protocol == "file" or "file" in self._fs.protocol:
                self._fs.pipe_file(part, data)
                self._fs.mv(part, path)
            else:
                self._fs.pipe_file(path, data)
        except OSError as e:
            fix = "Is there space, and may this account write there? See RIS_PREVIEWS_URL."
            raise PreviewsUnavailable(self.where, f"a write failed ({e})", fix) from e

    def _read(self, path: str) -> bytes | None:
        try:
            return bytes(self._fs.cat_file(path))
        except FileNotFoundError:
            return None
        except OSError as e:
            raise PreviewsUnavailable(
                self.where, f"a read failed ({e})", "See RIS_PREVIEWS_URL."
            ) from e

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256}.jpg"

    def _keypoints(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256}.keypoints"


def open_previews(settings: Settings) -> Previews:
    """Raises :class:`PreviewsUnavailable` when the URL's file system cannot be had."""
    where = mask_url(settings.previews_url) or str(settings.home / "previews")
    try:
        if settings.previews_url:
            fs, root = fsspec.core.url_to_fs(settings.previews_url)
        else:
            make(settings.home)
            fs, root = fsspec.filesystem("file"), where
        fs.makedirs(root, exist_ok=True)
    except (OSError, ValueError, ImportError) as e:
        raise PreviewsUnavailable(where, str(e), "Is RIS_PREVIEWS_URL right?") from e
    return Previews(fs, root, where)
