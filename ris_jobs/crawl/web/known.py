"""What earlier crawls learned of images, from a file of JSON lines."""

from __future__ import annotations

import json
from pathlib import Path

from ris_jobs.crawl.fetch import Known

__all__ = ["Memory"]


class Memory:
    """``done`` counts images that this crawl has observed already; they are ``in`` it."""

    def __init__(self, path: Path) -> None:
        self._known: dict[str, Known | None] = {}
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                known = Known(row["etag"], row["last_modified"])
                self._known[row["uri"]] = None if row["done"] else known
        self.done = sum(known is None for known in self._known.values())

    def __contains__(self, uri: str) -> bool:
        return uri in self._known and self._known[uri] is None

    def __getitem__(self, uri: str) -> Known | None:
        return self._known.get(uri)
