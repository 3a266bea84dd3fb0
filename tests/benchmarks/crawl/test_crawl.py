"""The benchmark of crawling measures what it says."""

from __future__ import annotations

from pathlib import Path

from benchmarks.crawl.__main__ import crawled, read, write
from benchmarks.crawl.site import served


def test_a_second_crawl_takes_no_image(tmp_path: Path) -> None:
    files = write(tmp_path, 120, 3, seed=0)
    assert len({path.read_bytes() for path in files}) == 120 and min(read(files)) > 0
    with served(tmp_path, 50) as port:
        first = crawled(port, "")
        second = crawled(port, first.known)
    assert first.outcomes == {"fetched": 120} and second.outcomes == {"not_modified": 120}
    assert first.received - second.received == sum(path.stat().st_size for path in files)
