"""The process that crawls: an order on stdin, events on stdout, trouble on stderr."""

from __future__ import annotations

import os
import select
import sys
import threading
from typing import Any

from scrapy.crawler import AsyncCrawlerProcess

from ris_jobs.crawl.web import wire
from ris_jobs.crawl.web.read.robots import TOKEN
from ris_jobs.crawl.web.spider import Spider
from ris_jobs.crawl.web.teller import Teller
from ris_jobs.crawl.web.values import Order

_PACKAGE = "ris_jobs.crawl.web"
_TRIES = 3
_ALL_HOSTS = 32  # requests at a time


def main() -> None:
    order = wire.order(sys.stdin.buffer.readline())
    threading.Thread(target=_outlive_nobody, args=(os.getppid(),), daemon=True).start()
    events = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no event
    process = AsyncCrawlerProcess(settings(order))
    process.crawl(Spider, order=order, teller=Teller(events))
    process.start()


def _outlive_nobody(parent: int) -> None:
    """Ends this process with its parent: stdin closes then, or, where a fork of the parent holds it
    open, the parent is another."""
    while not select.select([0], [], [], 1.0)[0]:
        if os.getppid() != parent:
            break
    os._exit(1)


def settings(order: Order) -> dict[str, Any]:
    """Scrapy's, all that fetches or remembers by itself switched off."""
    manners = order.source.politeness
    off = {
        f"scrapy.downloadermiddlewares.{name}": None
        for name in (
            "cookies.CookiesMiddleware",
            "defaultheaders.DefaultHeadersMiddleware",
            "downloadtimeout.DownloadTimeoutMiddleware",
            "httpauth.HttpAuthMiddleware",
            "httpcache.HttpCacheMiddleware",
            "httpcompression.HttpCompressionMiddleware",
            "httpproxy.HttpProxyMiddleware",
            "offsite.OffsiteMiddleware",
            "redirect.MetaRefreshMiddleware",
            "redirect.RedirectMiddleware",
            "robotstxt.RobotsTxtMiddleware",
            "useragent.UserAgentMiddleware",
        )
    }
    return {
        "DOWNLOAD_HANDLERS": {
            **dict.fromkeys(("data", "file", "ftp", "s3")),
            **dict.fromkeys(("http", "https"), f"{_PACKAGE}.exit.Exit"),
        },
        "DOWNLOADER_MIDDLEWARES": {
            **off,
            f"{_PACKAGE}.courtesy.Courtesy": 560,
            f"{_PACKAGE}.redirects.Redirects": 600,
        },
        "SPIDER_MIDDLEWARES_BASE": {},
        "EXTENSIONS_BASE": {f"{_PACKAGE}.courtesy.Throttle": 0},
        "DUPEFILTER_CLASS": "scrapy.dupefilters.BaseDupeFilter",
        "SCHEDULER_PRIORITY_QUEUE": "scrapy.pqueues.DownloaderAwarePriorityQueue",
        "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",
        "SCRAPER_SLOT_MAX_ACTIVE_SIZE": 256 << 10,
        "CONCURRENT_ITEMS": 1,  # tasks that Scrapy starts for each answer
        "CONCURRENT_REQUESTS": max(_ALL_HOSTS, 2 * manners.per_host),
        "CONCURRENT_REQUESTS_PER_DOMAIN": manners.per_host,
        "DOWNLOAD_DELAY": manners.delay,
        "DOWNLOAD_DELAY_JITTER": 0,
        "AUTOTHROTTLE_ENABLED": manners.delay > 0,
        "AUTOTHROTTLE_START_DELAY": manners.delay,
        "AUTOTHROTTLE_TARGET_CONCURRENCY": manners.per_host,
        "RETRY_TIMES": _TRIES - 1,
        "RETRY_HTTP_CODES": [429, 500, 502, 503, 504],
        "RETRY_EXCEPTIONS": [f"{_PACKAGE}.errand.Broken"],
        "RETRY_GIVE_UP_LOG_LEVEL": "DEBUG",
        "REDIRECT_MAX_TIMES": 5,
        "USER_AGENT": TOKEN,
        "LOG_LEVEL": "ERROR",
        "LOG_VERSIONS": [],
        "STATS_DUMP": False,
    }


if __name__ == "__main__":
    main()
