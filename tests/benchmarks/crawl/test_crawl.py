"""The benchmark of crawling measures what it says."""

from __future__ import annotations

from pathlib import Path

from benchmarks.crawl.__main__ import crawled, read, write
from benchmarks.crawl.site import served


def test_a_second_crawl_takes_no_image(tmp_path: Path) -> None:
    files = write(tmp_path, 120, 3, seed=0)
    assert len({path.read_bytes() for path in files}) == 120 and min(read(files)) > 0
    with served(tmp_path, 1) as site:
        first = crawled(site, ())
        second = crawled(site, first.known)
    # 120 pages, one section of them, the first page, a sitemap and its index; robots.txt is none.
    assert first.pages == second.pages == 124 == site.pages - 1
    assert first.counted_right and second.counted_right
    assert (first.sent.requests, second.sent.image_bytes) == (120 + 125, 0)
    assert first.sent.image_bytes == sum(path.stat().st_size for path in files)
    assert first.outcomes == {"fetched": 120} and second.outcomes == {"not_modified": 120}
    assert first.received - second.received == sum(path.stat().st_size for path in files)
