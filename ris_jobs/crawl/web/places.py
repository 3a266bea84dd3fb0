"""On which page an image is said to be, where several name it: the same one night after night, for
which of them is read first differs."""

from __future__ import annotations

from collections.abc import Iterator

from ris_jobs.crawl.web.known import Memory
from ris_jobs.crawl.web.values import Placed, Where

__all__ = ["Places"]


class Places:
    """Of the pages that name an image, the one that did before, as long as it does."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._read: set[str] = set()
        self._open: dict[str, tuple[str, Where]] = {}

    def read(self, page: str) -> None:
        """All that this page names was told, or there is no such page."""
        self._read.add(page)

    def stays(self, uri: str, where: Where) -> bool:
        """Whether it is the page of before."""
        return self._memory.page(uri) == where.page

    def first(self, uri: str, where: Where) -> Where | None:
        """What can be told of an image that is named for the first time: None while the page of
        before is not read, and may name it still."""
        before = self._memory.page(uri)
        if before is None or before == where.page or before in self._read:
            return where
        self._open[uri] = before, where
        return None

    def again(self, uri: str, where: Where) -> bool:
        """Whether that was open, and this is the page of before."""
        if self._open.get(uri, ("",))[0] != where.page:
            return False
        del self._open[uri]
        return True

    def left(self, *, complete: bool) -> Iterator[Placed]:
        """In the end, images that the page of before names no more. Where it was not read, and
        something was left out, it may name them still."""
        for uri, (before, where) in self._open.items():
            if complete or before in self._read:
                yield Placed(uri=uri, where=where)
