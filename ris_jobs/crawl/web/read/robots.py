"""What sites ask of crawlers: robots.txt (RFC 9309), ``X-Robots-Tag``, and ``meta`` robots."""

from __future__ import annotations

import re
from collections.abc import Iterable

from protego import Protego

__all__ = ["TOKEN", "Rules", "follows", "forbids"]

TOKEN = "ris-jobs"
"""Our name in robots.txt and in front of directives."""

_MAX_BYTES = 512 << 10  # of robots.txt; RFC 9309 asks for 500 KiB at least
_AGAINST_IMAGES = ("noindex", "noimageindex", "noai", "noimageai", "none")
_AGAINST_LINKS = ("nofollow", "none")
# Directives with a value: what stands before their colon is no crawler's name.
_VALUED = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")


class Rules:
    """A robots.txt, as far as it speaks to us. Its first 512 KiB are read."""

    def __init__(self, body: bytes) -> None:
        self._rules = Protego.parse(body[:_MAX_BYTES].decode("utf-8-sig", "replace"))

    def allows(self, url: str) -> bool:
        return self._rules.can_fetch(url, TOKEN)

    @property
    def delay(self) -> float:
        """Seconds between two requests that it asks for; 0 if it does not say."""
        return self._rules.crawl_delay(TOKEN) or 0.0

    @property
    def sitemaps(self) -> tuple[str, ...]:
        return tuple(self._rules.sitemaps)


def forbids(directives: Iterable[str | None]) -> str | None:
    """The word of these texts (of ``X-Robots-Tag`` or ``meta`` robots) that forbids us to take
    images; None if none does."""
    words = _for_us(directives)
    return next((word for word in _AGAINST_IMAGES if word in words), None)


def follows(directives: Iterable[str | None]) -> bool:
    """Whether they let us follow links."""
    return not _for_us(directives).intersection(_AGAINST_LINKS)


def _for_us(directives: Iterable[str | None]) -> set[str]:
    """The directives that are for all crawlers, or for us.

    ``other: noindex, nofollow`` may be one header, or two that were joined, the second for all. The
    name is taken to hold for the word behind it alone, so that we rather obey too much.
    """
    words = set()
    for directive in re.split("[,;]", ",".join(filter(None, directives)).lower()):
        name, colon, word = directive.partition(":")
        name = name.strip()
        if not colon:
            words.add(name)
        elif name == TOKEN or name in _VALUED:
            words.add(word.strip())
    return words
