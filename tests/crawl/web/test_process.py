"""The process that crawls: it ends with its parent, and its death is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import time
from pathlib import Path
from time import sleep

import pytest

from ris_jobs.crawl.web import Ended, Host, Image, Order, crawl, wire
from ris_jobs.errors import ConfigError, CrawlFailed
from tests.crawl.web.crawled import CONTACT, order
from tests.crawl.web.site import Site, image, img, page, served

PNGS = {f"/{n}.png": image(n) for n in range(200)}
PAGES = {**PNGS, "/": page(img(*PNGS))}


def child(parent: int) -> int:
    """The crawler that a process runs."""
    listed = Path(f"/proc/{parent}/task").glob("*/children")
    pids = [int(pid) for task in listed for pid in task.read_text().split()]
    (found,) = [p for p in pids if b"ris_jobs.crawl.web" in Path(f"/proc/{p}/cmdline").read_bytes()]
    return found


def slow(site: Site, tmp_path: Path) -> Order:
    return order(tmp_path, site.source(delay=0.2, per_host=1))


def gone(pid: int) -> bool:
    """Whether a process ends within some seconds."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        sleep(0.1)
    return False


def test_closing_the_iterator_ends_the_crawl(tmp_path: Path) -> None:
    with served(PAGES) as site:
        events = crawl(slow(site, tmp_path))
        assert isinstance(next(events), Image)
        pid = child(os.getpid())
        events.close()
        assert gone(pid)
        asked = len(site.log)
        sleep(0.5)
        assert len(site.log) == asked < 20


def test_a_death_is_told(tmp_path: Path) -> None:
    with served(PAGES) as site:
        events = crawl(slow(site, tmp_path))
        next(events)
        pid = child(os.getpid())
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(CrawlFailed, match=r"source 'site' was ended by SIGKILL") as caught:
            list(events)
    assert caught.value.exit_code == 2


def test_its_last_words_are_told(tmp_path: Path) -> None:
    with served(PAGES) as site:
        asked = order(tmp_path, site.source())
        asked.known.write_text("no database")
        with pytest.raises(CrawlFailed, match=r"DatabaseError: file is not a database"):
            list(crawl(asked))


PARENT = """
import sys, time
from ris_jobs.crawl.web import crawl, wire
events = crawl(wire.order(sys.stdin.buffer.readline()))
print(next(events).uri, flush=True)
time.sleep(100)
"""


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    with served(PAGES) as site:
        parent = subprocess.Popen(
            [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert parent.stdin and parent.stdout
        parent.stdin.write(wire.dump(slow(site, tmp_path)))
        parent.stdin.flush()
        assert parent.stdout.readline()
        pid = child(parent.pid)
        parent.kill()
        parent.wait()
        assert gone(pid)
        parent.stdin.close()
        parent.stdout.close()


def test_it_is_given_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIS_DATABASE_URL", "postgresql://user:secret@host/name")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with served(PAGES) as site:
        asked = order(tmp_path, site.source(delay=0.2), authorization="Bearer secret")
        events = crawl(asked)
        next(events)
        pid = child(os.getpid())
        for file in ("environ", "cmdline"):
            assert b"secret" not in Path(f"/proc/{pid}/{file}").read_bytes()
        events.close()
    assert "Bearer" not in repr(asked)


def test_a_disk_that_cannot_be_written_to_ends_the_crawl(tmp_path: Path) -> None:
    with served(PAGES) as site:
        asked = order(tmp_path, site.source())
        asked.spool.rmdir()
        (ended,) = [event for event in crawl(asked) if not isinstance(event, Host)]
        assert isinstance(ended, Ended) and not ended.complete
        assert ended.why == f"{asked.spool} cannot be written to: No such file or directory"
        assert len(site.log) == 2


@pytest.mark.parametrize("contact", ["", "me", "a b@example.org"])
def test_no_crawl_without_a_contact(tmp_path: Path, contact: str) -> None:
    with served(PAGES) as site, pytest.raises(ConfigError, match="contact"):
        order(tmp_path, site.source(), contact=contact)


def test_orders_and_events_survive_the_wire(tmp_path: Path) -> None:
    with served(PAGES) as site:
        window = (time.fromisoformat("22:00"), time.fromisoformat("04:30"))
        source = site.source(window=window, include=("*.png",), tags=("a",), contact=CONTACT)
        asked = order(tmp_path, source, authorization="x", images=tmp_path / "é")
        assert wire.order(wire.dump(asked)) == asked
        for event in crawl(order(tmp_path / "b", site.source(images=3))):
            assert wire.event(wire.dump(event)) == event
