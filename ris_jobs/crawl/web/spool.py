"""Where fetched images lie until the parent takes them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["Spool"]


class Spool:
    """Files in ``folder``, numbered."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = 0
        self._kept: set[Path] = set()

    @asynccontextmanager
    async def file(self) -> AsyncIterator[BinaryIO]:
        """A new file, which is gone after the block unless it was kept."""
        path = self.folder / f"{self._files:08}"
        self._files += 1
        try:
            with path.open("wb") as file:
                yield file
        finally:
            if path not in self._kept:
                path.unlink(missing_ok=True)
            self._kept.discard(path)

    async def keep(self, file: BinaryIO) -> Path:
        """Its path, once the file and its name are on the disk, whatever happens to the machine."""
        path = Path(file.name)
        file.flush()
        await asyncio.to_thread(_sync, file, self.folder)
        self._kept.add(path)
        return path


def _sync(file: BinaryIO, folder: Path) -> None:
    os.fsync(file.fileno())
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
