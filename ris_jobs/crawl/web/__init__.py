"""Images of a website, or of a list of URLs, fetched politely and as from strangers.

Entry point: :func:`crawl`. It runs Scrapy in a child process (:mod:`ris_jobs.crawl.web.__main__`),
whose only way out is :class:`ris_jobs.crawl.fetch.fetcher.Fetcher`.
"""

from __future__ import annotations

from ris_jobs.crawl.web.process import crawl
from ris_jobs.crawl.web.values import Ended, Event, Host, Image, Named, Order, Placed, Where

__all__ = ["Ended", "Event", "Host", "Image", "Named", "Order", "Placed", "Where", "crawl"]
