"""python -m benchmarks.crawl --images 6000 --kib 50 --per-page 2 --seed 0

Writes that many files of noise that begin like JPEGs; reads them; serves them on loopback from a
process of its own, with pages that show so many each, one half linked and the other named by
sitemaps; and crawls that site twice without pauses, the second time with what the first one
learned. Prints how fast each was, beside reading the files. It ends with status 1 if a crawl's
totals are not those of the site's own log, or the second one was sent a byte of an image.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from benchmarks.crawl.site import HOST, Sent, Site, served
from benchmarks.machine import machine, versions, where
from ris_jobs.crawl.source import Limits, Politeness, Source
from ris_jobs.crawl.web import Ended, Host, Image, Order, crawl
from ris_jobs.crawl.web.known import Before
from ris_jobs.crawl.web.known import write as write_known

LANES = 16  # requests at a time


@dataclass(frozen=True)
class Crawl:
    """Seconds it took, those of CPU time in the process that crawls, pages, requests and bytes that
    it counted, what the site says of it, images by outcome, and what to know of them the next
    time."""

    seconds: float
    cpu: float
    pages: int
    requests: int
    received: int
    sent: Sent
    outcomes: Counter[str]
    known: Sequence[Before]

    @property
    def counted_right(self) -> bool:
        return (self.requests, self.received) == (self.sent.requests, self.sent.bytes)


def read(files: list[Path]) -> tuple[float, float]:
    """Seconds that it takes to read the files as a folder's are, sha256 included; those of CPU
    time."""
    started, before = perf_counter(), process_time()
    for path in files:
        hashlib.sha256(path.read_bytes()).hexdigest()
    return perf_counter() - started, process_time() - before


def crawled(site: Site, known: Sequence[Before]) -> Crawl:
    """One crawl of the site; ``known`` is what an earlier one learned."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "spool").mkdir()
        write_known(folder / "known", known)
        outcomes, requests, received, pages, rows = Counter[str](), 0, 0, 0, list[Before]()
        started, before = perf_counter(), _children()
        for event in crawl(_order(folder, site.port)):
            match event:
                case Image():
                    outcomes[event.outcome] += 1
                    rows.append(Before(uri=event.uri, etag=event.etag))
                    if event.path:
                        event.path.unlink()
                case Host():
                    requests, received = event.requests, event.bytes
                case Ended():
                    assert event.complete, event
                    pages = event.pages
        seconds, cpu = perf_counter() - started, _children() - before
        return Crawl(seconds, cpu, pages, requests, received, site.sent(), outcomes, rows)


def _children() -> float:
    """Seconds of CPU time of processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _order(folder: Path, port: int) -> Order:
    manners = Politeness(
        delay=0.0, per_host=LANES, allowed=(ip_network(HOST),), ports=frozenset({port})
    )
    source = Source(
        name="bench", kind="web", location=f"http://{HOST}:{port}/",
        limits=Limits(pages=None), politeness=manners,
    )  # fmt: skip
    return Order(
        source=source, contact="https://example.org/bench", max_bytes=64 << 20, images=None,
        known=folder / "known", spool=folder / "spool", authorization=None,
    )  # fmt: skip


def write(folder: Path, images: int, kib: int, seed: int) -> list[Path]:
    """Files of noise; no two are the same."""
    rng = np.random.default_rng(seed)
    files = [folder / f"{number:06}.jpg" for number in range(images)]
    for path in files:
        path.write_bytes(b"\xff\xd8\xff\xe0" + rng.bytes(kib << 10))
    return files


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crawl")
    parser.add_argument("--images", type=int, default=6000)
    parser.add_argument("--kib", type=int, default=50, help="size of each")
    parser.add_argument("--per-page", type=int, default=2, help="images that a page shows")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(where(machine(), versions("aiohttp", "lxml", "scrapy", "twisted")))
    print(f"{args.images:,} images of {args.kib} KiB, seed {args.seed}, {LANES} requests at a time")
    with tempfile.TemporaryDirectory() as name:
        files = write(Path(name), args.images, args.kib, args.seed)
        reading, cpu = read(files)
        with served(Path(name), args.per_page) as site:
            first = crawled(site, ())
            second = crawled(site, first.known)
    _line("files read", args.images, reading, cpu)
    for what, done in (("first crawl", first), ("second crawl", second)):
        _line(what, args.images, done.seconds, done.cpu)
        print(f"{'':<14}{done.pages:,} pages and sitemaps; {dict(done.outcomes)}")
        print(f"{'':<14}{done.requests:,} requests, {done.received:,} bytes; the site: {done.sent}")
    print(
        f"a crawl takes {first.seconds / reading:.1f} times as long as reading, "
        f"{first.cpu / cpu:.1f} times the CPU time"
    )
    if second.sent.image_bytes or not (first.counted_right and second.counted_right):
        sys.exit("the crawls and the site do not agree, or the second crawl was sent images")


def _line(what: str, images: int, seconds: float, cpu: float) -> None:
    print(f"{what:<14}{seconds:8.2f} s {cpu:8.2f} s CPU {images / seconds:9.0f} images/s")


if __name__ == "__main__":
    main()
