"""What earlier crawls learned of images, from a file of JSON lines."""

from __future__ import annotations

import json
from pathlib import Path

from ris_jobs.crawl.fetch import Known

__all__ = ["Memory"]


class Memory:
    """Images that are not to be asked for are ``in`` it; ``counted`` is how many of these this
    crawl has asked for already, ``waiting`` are those that wait."""

    def __init__(self, path: Path) -> None:
        self.counted = 0
        self.waiting: set[str] = set()
        self._known: dict[str, Known | None] = {}
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                known = Known(row["etag"], row["last_modified"])
                self._known[row["uri"]] = None if row["done"] else known
                self.counted += row["counts"]
                if row["waits"]:
                    self.waiting.add(row["uri"])

    def __contains__(self, uri: str) -> bool:
        return uri in self._known and self._known[uri] is None

    def __getitem__(self, uri: str) -> Known | None:
        return self._known.get(uri)
