"""Fetched bytes: whole or not there, and deleted when nobody needs them."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ris_jobs import jobs
from ris_jobs.errors import FetchedUnavailable
from ris_jobs.settings import Settings
from ris_jobs.store.fetched import Fetched, open_fetched
from tests.store.samples import observed
from tests.store.test_ledger import See

DAY = 24 * 3600


def arrived(fetched: Fetched, content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    file = fetched.spool(1) / "on its way"
    file.write_bytes(content)
    fetched.take(file, sha256)
    assert not file.exists()
    return sha256


@pytest.mark.parametrize("url", [None, "memory://fetched"])
def test_what_was_taken_is_there_until_it_is_dropped(settings: Settings, url: str | None) -> None:
    fetched = open_fetched(replace(settings, fetched_url=url))
    sha256 = arrived(fetched, b"picture")
    assert arrived(fetched, b"picture") == sha256
    assert fetched.has(sha256)
    assert fetched.read(sha256) == b"picture"
    assert [(name, size) for name, _, size in fetched.kept()] == [(sha256, 7)]
    fetched.drop(sha256)
    fetched.drop(sha256)
    assert fetched.read(sha256) is None
    assert not fetched.has(sha256)


def test_a_spool_is_empty_whatever_a_killed_crawl_left(settings: Settings) -> None:
    fetched = open_fetched(settings)
    (fetched.spool(3) / "half").write_bytes(b"x")
    other = fetched.spool(4)
    assert list(fetched.spool(3).iterdir()) == []
    assert other.is_dir()


def test_what_cannot_be_written_is_said(settings: Settings) -> None:
    fetched = open_fetched(settings)
    (settings.home / "fetched" / "aa").write_bytes(b"a file where a folder should be")
    file = fetched.spool(1) / "x"
    file.write_bytes(b"x")
    with pytest.raises(FetchedUnavailable, match="RIS_FETCHED_URL"):
        fetched.take(file, "aa" * 32)
    assert file.exists()


def test_a_sweep_leaves_what_is_needed(engine: Engine, see: See, settings: Settings) -> None:
    fetched = open_fetched(settings)
    names = ("pending", "ok", "useless", "vanished", "unknown", "just come")
    sha256s = {name: arrived(fetched, name.encode()) for name in names}
    see(*(observed(f"http://example.com/{n}", n) for n in names[:4]))
    with engine.begin() as db:
        for name, reason in (("useless", "corrupt"), ("vanished", "vanished")):
            db.execute(
                text(
                    "UPDATE ris.image SET status = 'quarantined', reason = :r, detail = 'd', "
                    "judged_by = 'x' WHERE sha256 = :s"
                ),
                {"r": reason, "s": sha256s[name]},
            )
        db.execute(
            text(
                "UPDATE ris.image SET status = 'ok', width = 1, height = 1, format = 'PNG', "
                "frames = 1, exif_orientation = 1, phash = decode(repeat('00', 64), 'hex'), "
                "dhash = decode(repeat('00', 64), 'hex'), pdq = decode(repeat('00', 32), 'hex'), "
                "pdq_quality = 1, complexity = 0, colourfulness = 0, traces = '{}', "
                "spectrum = array_fill(0::float8, ARRAY[32]) WHERE sha256 = :s"
            ),
            {"s": sha256s["ok"]},
        )
    age(settings, sha256s["unknown"], days=4)
    age(settings, sha256s["ok"], days=2)
    week = replace(settings, keep_fetched=7)
    assert jobs.sweep_fetched(engine, fetched, week).files == 1
    swept = jobs.sweep_fetched(engine, fetched, settings)
    assert (swept.files, swept.bytes, swept.kept) == (2, len("okuseless"), 3)
    left = {name for name, sha256 in sha256s.items() if fetched.has(sha256)}
    assert left == {"pending", "vanished", "just come"}


def age(settings: Settings, sha256: str, days: int) -> None:
    file: Path = settings.home / "fetched" / sha256[:2] / sha256
    then = time.time() - days * DAY
    os.utime(file, (then, then))
