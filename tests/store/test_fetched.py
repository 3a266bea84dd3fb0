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
    with fetched.spool(1) as folder:
        file = folder / "on its way"
        file.write_bytes(content)
        fetched.take(file, sha256)
        assert not file.exists()
    return sha256


@pytest.mark.parametrize("url", [None, "memory://fetched"])
def test_what_was_taken_is_there_until_it_is_dropped(settings: Settings, url: str | None) -> None:
    fetched = open_fetched(replace(settings, fetched_url=url))
    sha256 = arrived(fetched, b"picture")
    assert arrived(fetched, b"picture") == sha256
    assert fetched.read(sha256) == b"picture"
    assert [(name, size) for name, _, size in fetched.kept()] == [(sha256, 7)]
    fetched.drop(sha256)
    fetched.drop(sha256)
    assert fetched.read(sha256) is None


def test_a_spool_is_empty_whatever_a_killed_crawl_left(settings: Settings) -> None:
    fetched = open_fetched(settings)
    left = settings.home / "spool" / "3"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"x")
    with fetched.spool(4) as other, fetched.spool(3) as folder:
        assert folder == left and list(folder.iterdir()) == []
        assert other.is_dir()
    assert list((settings.home / "spool").iterdir()) == []


def test_a_sweep_takes_what_killed_crawls_left(engine: Engine, settings: Settings) -> None:
    fetched = open_fetched(settings)
    parts = [settings.home / "fetched" / "aa" / f"{'a' * 64}.{i}.part" for i in range(2)]
    spools = [settings.home / "spool" / str(i) / "images" for i in range(2)]
    for part in parts:
        part.parent.mkdir(exist_ok=True)
        part.write_bytes(b"half")
    for spool in spools:
        spool.mkdir(parents=True)
    then = time.time() - 4 * DAY
    for old in (parts[0], spools[0], spools[0].parent):
        os.utime(old, (then, then))
    os.utime(spools[1].parent, (then, then))
    assert jobs.sweep_fetched(engine, fetched, settings, dry_run=True).files == 1
    assert parts[0].exists() and spools[0].exists()
    swept = jobs.sweep_fetched(engine, fetched, settings)
    assert (swept.files, swept.bytes) == (1, 4)
    assert [p.exists() for p in parts] == [s.parent.exists() for s in spools] == [False, True]


def test_what_cannot_be_written_is_said(settings: Settings) -> None:
    fetched = open_fetched(settings)
    (settings.home / "fetched" / "aa").write_bytes(b"a file where a folder should be")
    with fetched.spool(1) as folder:
        file = folder / "x"
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
    left = {name for name, sha256 in sha256s.items() if fetched.read(sha256) is not None}
    assert left == {"pending", "vanished", "just come"}


def age(settings: Settings, sha256: str, days: int) -> None:
    file: Path = settings.home / "fetched" / sha256[:2] / sha256
    then = time.time() - days * DAY
    os.utime(file, (then, then))
